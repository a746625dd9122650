/** What a task or a resource set takes of an agent. Pure. */
import type { Context } from './context.js'
import { convertVolumes } from './convert-volumes.js'
import { build, inside, type Entry, type Fields, type Findings, type Place } from './findings.js'
import { convertName, convertNames } from './names.js'
import type { RawPort, RawResources } from './raw-schema.js'
import type { Path } from './source-document.js'

export function convertResources(raw: RawResources, place: Place, context: Context): Readonly<Record<string, Entry>> {
  return {
    cpus: ['cpus', raw.cpus],
    memoryMb: ['memory', raw.memory],
    gpus: ['gpus', raw.gpus],
    ports: ['ports', convertPorts(raw.ports, inside(place, 'ports', 'ports'), context)],
    volumes: ['volumes', convertVolumes(raw, place, context, 'task')],
    limits: ['resource-limits', convertLimits(raw['resource-limits'], inside(place, 'limits', 'resource-limits'), context)],
  }
}

function convertPorts(raw: ReadonlyMap<string, RawPort> | undefined, place: Place, context: Context): Fields | undefined {
  if (raw === undefined) return undefined
  const names = convertNames(raw.keys(), place.from, { what: 'the port', max: 30 }, context.findings)
  const result: Fields = {}
  for (const [name, port] of raw) {
    const label = names.get(name) ?? name
    result[label] = convertPort(port, name, label, inside(place, label, name), context)
  }
  return result
}

function convertPort(raw: RawPort, name: string, label: string, place: Place, { findings, origins }: Context): Fields {
  const rangesPath = [...place.from, 'ranges']
  const isFixed = raw.port !== undefined && raw.port !== 0
  let ranges = raw.ranges === undefined || raw.ranges.length === 0 ? undefined : raw.ranges
  if (ranges !== undefined && raw.vip !== undefined) {
    findings.ignored(rangesPath, 'ranges beside a vip have no effect', 'remove one of the two')
    ranges = undefined
  } else if (ranges !== undefined && isFixed) {
    findings.ignored(rangesPath, `ranges have no effect for the fixed port ${raw.port}`, 'remove them, or take port 0')
    ranges = undefined
  }
  origins.set([...place.to, 'ranges'], rangesPath)
  return build(origins, place, {
    port: ['port', raw.port],
    envKey: ['env-key', raw['env-key']],
    advertise: ['advertise', raw.advertise],
    ranges: [
      'ranges',
      ranges?.map((range, index) => {
        const at: Place = { to: [...place.to, 'ranges', index], from: [...rangesPath, index] }
        // No end, or 0, is the highest port; a port 0 there is none.
        const { begin = 0, end = 0 } = range ?? {}
        return build(origins, at, { begin: ['begin', begin === 0 ? 1 : begin], end: ['end', end === 0 ? 65_535 : end] })
      }),
    ],
    vip: ['vip', convertVip(raw.vip, name, label, inside(place, 'vip', 'vip'), findings, origins)],
  })
}

function convertVip(
  raw: RawPort['vip'],
  portName: string,
  label: string,
  place: Place,
  findings: Findings,
  origins: Context['origins'],
): Fields | undefined {
  if (raw === undefined) return undefined
  const path = [...place.from, 'prefix']
  // Names of other ports are compared after the conversion, as those of hosts are.
  const prefix =
    raw.prefix === undefined
      ? undefined
      : convertName(raw.prefix, path, { what: 'the prefix of a virtual address', max: 63 }, findings, 'value')
  if (prefix === undefined && label !== portName)
    findings.note(path, `the virtual host name begins with ${label} here, and not with ${portName}`, 'key')
  return build(origins, place, { port: ['port', raw.port], prefix: ['prefix', prefix] })
}

function convertLimits(raw: RawResources['resource-limits'], place: Place, { findings, origins }: Context): Fields | undefined {
  if (raw === undefined) return undefined
  const fields = build(origins, place, {
    cpus: ['cpus', readLimit(raw.cpus, [...place.from, 'cpus'], findings)],
    memoryMb: ['memory', readLimit(raw.memory, [...place.from, 'memory'], findings)],
  })
  return Object.keys(fields).length === 0 ? undefined : fields
}

/** A number or `unlimited`; text of blanks is no limit at all. */
function readLimit(text: string | undefined, path: Path, findings: Findings): number | 'unlimited' | undefined {
  const trimmed = text?.trim() ?? ''
  if (trimmed === '') return undefined
  if (trimmed === 'unlimited') return trimmed
  if (/^\d{1,15}(\.\d{1,15})?$/.test(trimmed)) return Number(trimmed)
  findings.error(path, `must be a number or unlimited (got ${JSON.stringify(text)})`)
  return undefined
}
