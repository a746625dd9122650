/**
 * What the footprint of a pod instance holds on its agent, part by part, and what of it a changed spec would reserve, give back, or
 * could never have without the loss of data. Pure.
 */
import { usesHostPorts } from './check-pods.js'
import { own } from './own.js'
import type { PodSpec, PortSpec, ResourceSetSpec, VolumeSpec } from './schema.js'

/** `reserve`: more is needed. `giveBack`: less is. `impossible`: data would have to go. */
export interface HoldingChange {
  /** In the pod, for example `tasks.server.cpus`. */
  readonly path: string
  readonly before?: string
  readonly after?: string
  readonly effect: 'reserve' | 'giveBack' | 'impossible'
  /** Why data would be lost. */
  readonly loss?: 'removed' | 'shrunk' | 'otherType'
}

type Held = Partial<Pick<ResourceSetSpec, 'cpus' | 'memoryMb' | 'gpus' | 'ports' | 'volumes'>> & { readonly diskMb?: number }

/** Who holds resources: the executor with the volumes of the pod, each task that has its own, each resource set. */
function holdersOf({ executor, volumes, tasks, resourceSets = {} }: PodSpec): Map<string, Held> {
  const onTheirOwn = Object.entries(tasks).filter(([, { resourceSet }]) => resourceSet === undefined)
  return new Map<string, Held>([
    ['executor', executor],
    ['', { volumes }],
    ...onTheirOwn.map(([name, task]) => [`tasks.${name}`, task as Held] as const),
    ...Object.entries(resourceSets).map(([name, set]) => [`resourceSets.${name}`, set] as const),
  ])
}

/** In the order of the paths. */
export function diffHoldings(before: PodSpec, after: PodSpec): HoldingChange[] {
  const [one, other] = [holdersOf(before), holdersOf(after)]
  const [portsBefore, portsAfter] = [usesHostPorts(before), usesHostPorts(after)]
  return [...new Set([...one.keys(), ...other.keys()])]
    .flatMap((holder) => {
      const [was, is] = [one.get(holder) ?? {}, other.get(holder) ?? {}]
      const at = (key: string): string => (holder === '' ? key : `${holder}.${key}`)
      return [
        ...(['cpus', 'memoryMb', 'diskMb', 'gpus'] as const).flatMap((key) => scalarChange(at(key), was[key], is[key])),
        ...diffRecord(at('volumes'), was.volumes, is.volumes, volumeChange),
        ...diffRecord(at('ports'), portsBefore ? was.ports : {}, portsAfter ? is.ports : {}, portChange),
      ]
    })
    .sort((a, b) => (a.path < b.path ? -1 : 1))
}

function diffRecord<Value>(
  path: string,
  before: Readonly<Record<string, Value>> = {},
  after: Readonly<Record<string, Value>> = {},
  change: (path: string, before: Value | undefined, after: Value | undefined) => HoldingChange[],
): HoldingChange[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  return names.flatMap((name) => change(`${path}.${name}`, own(before, name), own(after, name)))
}

function scalarChange(path: string, before = 0, after = 0): HoldingChange[] {
  if (before === after) return []
  return [{ path, before: String(before), after: String(after), effect: before < after ? 'reserve' : 'giveBack' }]
}

const volumeText = ({ type, sizeMb }: VolumeSpec): string => `${type} of ${sizeMb} MiB`

/** Profiles and the least size of a whole disk choose among disks on offer; what is held stays. */
function volumeChange(path: string, before: VolumeSpec | undefined, after: VolumeSpec | undefined): HoldingChange[] {
  const texts = {
    path,
    ...(before === undefined ? {} : { before: volumeText(before) }),
    ...(after === undefined ? {} : { after: volumeText(after) }),
  }
  if (before === undefined) return [{ ...texts, effect: 'reserve' }]
  if (after === undefined) return [{ ...texts, effect: 'impossible', loss: 'removed' }]
  if (before.type !== after.type) return [{ ...texts, effect: 'impossible', loss: 'otherType' }]
  if (before.sizeMb === after.sizeMb || (before.type === 'MOUNT' && after.sizeMb < before.sizeMb)) return []
  return after.sizeMb > before.sizeMb ? [{ ...texts, effect: 'reserve' }] : [{ ...texts, effect: 'impossible', loss: 'shrunk' }]
}

function portText({ port, ranges }: PortSpec): string {
  if (port !== 0) return `port ${port}`
  return ranges === undefined ? 'any port' : `any port of ${ranges.map(({ begin, end }) => `${begin}-${end}`).join(', ')}`
}

/** A port that may be any keeps the one it has. */
function portChange(path: string, before: PortSpec | undefined, after: PortSpec | undefined): HoldingChange[] {
  if (after === undefined) return before === undefined ? [] : [{ path, before: portText(before), effect: 'giveBack' }]
  if (before === undefined) return [{ path, after: portText(after), effect: 'reserve' }]
  const [was, is] = [portText(before), portText(after)]
  return was === is || is === 'any port' ? [] : [{ path, before: was, after: is, effect: 'reserve' }]
}
