/** Volumes of all kinds, and secrets: what a pod finds in its sandbox. Pure. */
import { build, inside, type Fields, type Place } from './findings.js'
import type { Context } from './context.js'
import { createChooser } from './names.js'
import type { RawExternalVolume, RawPod, RawVolume } from './raw-schema.js'
import { readOptions } from './texts.js'

interface RawVolumes {
  readonly volume?: RawVolume
  readonly volumes?: ReadonlyMap<string, RawVolume>
}

/** A volume is known by its path; labels in the file had no effect. */
export function convertVolumes(raw: RawVolumes, place: Place, context: Context, level: 'pod' | 'task'): Fields | undefined {
  const { findings } = context
  if (level === 'task' && raw.volume !== undefined && raw.volumes !== undefined)
    findings.error([...place.from, 'volume'], 'volume and volumes are both given; move it into volumes', 'key')
  const given: [from: readonly string[], volume: RawVolume][] = [...(raw.volumes ?? [])].map(([label, volume]) => [
    ['volumes', label],
    volume,
  ])
  if (raw.volume !== undefined) given.unshift([['volume'], raw.volume])
  if (given.length === 0) return undefined
  const choose = createChooser('volume', 30)
  const result: Fields = {}
  for (const [from, volume] of given) {
    const name = choose(volume.path ?? '')
    const { to } = inside(place, 'volumes', from)
    const at: Place = { to: [...to, name], from: [...place.from, ...from] }
    result[name] = convertVolume(volume, name, at, context, level)
  }
  return result
}

function convertVolume(raw: RawVolume, name: string, place: Place, context: Context, level: 'pod' | 'task'): Fields {
  const { findings, origins } = context
  const isPath = raw.type === 'PATH'
  if (isPath)
    findings.ignored([...place.from, 'type'], 'the format has no type PATH', 'write MOUNT or ROOT', 'value', {
      theirs: 'took it for MOUNT',
      ours: 'taken for MOUNT',
    })
  else if (raw.type !== undefined && raw.type !== 'ROOT' && raw.type !== 'MOUNT')
    findings.error([...place.from, 'type'], `must be ROOT or MOUNT (got ${JSON.stringify(raw.type)})`)
  const dropsProfiles = level === 'pod' && raw.type === 'ROOT' && raw.profiles !== undefined && raw.profiles.length > 0
  if (dropsProfiles)
    findings.ignored([...place.from, 'profiles'], 'only a volume of type MOUNT has profiles', 'remove them, or write MOUNT')
  const profiles = dropsProfiles || raw.profiles?.length === 0 ? undefined : raw.profiles
  return build(origins, place, {
    type: ['type', isPath ? 'MOUNT' : raw.type],
    path: ['path', raw.path === name ? undefined : raw.path],
    sizeMb: ['size', raw.size],
    profiles: ['profiles', profiles],
  })
}

export function convertHostVolumes(raw: RawPod['host-volumes'], place: Place, context: Context): Fields | undefined {
  if (raw === undefined) return undefined
  return withLabels(raw, place, 'hostVolumes', 'host-volumes', 'volume', (volume, at) =>
    build(context.origins, at, {
      hostPath: ['host-path', volume['host-path']],
      path: ['container-path', volume['container-path']],
      mode: ['mode', volume.mode],
    }),
  )
}

export function convertSecrets(raw: RawPod['secrets'], place: Place, context: Context): Fields | undefined {
  if (raw === undefined) return undefined
  return withLabels(raw, place, 'secrets', 'secrets', 'secret', (secret, at) => {
    const { secret: path, file, 'env-key': envKey } = secret
    const isImplied = file === undefined && envKey === undefined
    return build(context.origins, at, {
      secret: ['secret', path],
      envKey: ['env-key', envKey],
      file: [isImplied ? 'secret' : 'file', isImplied ? path : file],
    })
  })
}

/** Labels had no effect, so any will do. */
function withLabels<Raw>(
  raw: ReadonlyMap<string, Raw>,
  place: Place,
  toKey: string,
  fromKey: string,
  fallback: string,
  convert: (item: Raw, at: Place) => Fields,
): Fields {
  const choose = createChooser(fallback, 60)
  const result: Fields = {}
  for (const [label, item] of raw) {
    const name = choose(label)
    result[name] = convert(item, { to: [...place.to, toKey, name], from: [...place.from, fromKey, label] })
  }
  return result
}

export function convertExternalVolumes(
  raw: RawPod['external-volumes'],
  podName: string,
  place: Place,
  context: Context,
): Fields | undefined {
  if (raw === undefined) return undefined
  return withLabels(raw, place, 'externalVolumes', 'external-volumes', 'volume', (volume, at) =>
    convertExternalVolume(volume, podName, at, context),
  )
}

const portworx = 'pxd'

/** The name that the storage system knows is kept to the letter: under another name there would be another, empty volume. */
function convertExternalVolume(
  raw: RawExternalVolume,
  podName: string,
  place: Place,
  { findings, origins, service }: Context,
): Fields {
  const { type, 'driver-name': driver, 'driver-options': optionsText = '', 'volume-name': given } = raw
  if (type !== undefined && type !== 'DOCKER')
    findings.error([...place.from, 'type'], `must be DOCKER (got ${JSON.stringify(type)})`)
  const optionsPath = [...place.from, 'driver-options']
  const options = readOptions(optionsText, optionsPath, findings)
  if (Object.hasOwn(options, 'name')) findings.error(optionsPath, 'a name among the options is refused; write volume-name', 'key')
  const isPortworx = driver === portworx
  const isShared = isPortworx && options['shared'] === 'true'
  // The driver is asked for a volume on the agent itself.
  const allOptions = isPortworx ? { ...options, nodes: 'LocalNode' } : options
  const name = (given ?? `${service}${isPortworx ? '-' : '_'}${podName}`).replaceAll('/', '__')
  return build(origins, place, {
    driver: ['driver-name', driver],
    name: ['volume-name', name],
    options: ['driver-options', Object.keys(allOptions).length === 0 ? undefined : allOptions],
    mode: ['volume-mode', raw['volume-mode']],
    path: ['container-path', raw['container-path']],
    separator: ['driver-name', isPortworx && !isShared ? '-' : undefined],
    shared: ['driver-options', isShared ? true : undefined],
  })
}
