/** One pod with its tasks and resource sets. Pure, but for reading the templates of its tasks. */
import type { Context, PodNames } from './context.js'
import { convertNetworks } from './convert-networks.js'
import { convertResources } from './convert-resources.js'
import { convertTask } from './convert-task.js'
import { convertExternalVolumes, convertHostVolumes, convertSecrets, convertVolumes } from './convert-volumes.js'
import { build, inside, type Fields, type Place } from './findings.js'
import { convertNames } from './names.js'
import { convertPlacement } from './placement.js'
import type { RawPod } from './raw-schema.js'
import type { PlacementRule } from '../schema.js'

/** A pod of the spec, and what its tasks are called there. */
export interface ConvertedPod {
  readonly fields: Fields
  /** Names in the spec by those in the file. */
  readonly tasks: ReadonlyMap<string, string>
}

export function convertPod(raw: RawPod, written: string, place: Place, context: Context): ConvertedPod {
  const { findings, origins } = context
  const taskNames = convertNames(
    raw.tasks?.keys() ?? [],
    [...place.from, 'tasks'],
    { what: 'the task', max: 30, effect: 'so host names made of it change' },
    findings,
  )
  const setNames = convertNames(
    raw['resource-sets']?.keys() ?? [],
    [...place.from, 'resource-sets'],
    { what: 'the resource set', max: 30 },
    findings,
  )
  const names: PodNames = { written, resourceSets: setNames, secretKeys: secretKeys(raw) }
  const tasks: Fields = {}
  for (const [name, task] of raw.tasks ?? []) {
    const label = taskNames.get(name) ?? name
    const at = inside(inside(place, 'tasks', 'tasks'), label, name)
    tasks[label] = convertTask(task, names, at, context)
  }
  const networks = convertNetworks(raw, inside(place, 'networks', 'networks'), context)
  const fields = build(origins, place, {
    count: ['count', raw.count],
    allowDecommission: ['allow-decommission', raw['allow-decommission']],
    image: ['image', raw.image],
    placement: ['placement', convertPodPlacement(raw, place, context)],
    uris: ['uris', raw.uris?.map((uri) => uri ?? '')],
    rlimits: ['rlimits', convertRlimits(raw, place, context)],
    networks: ['networks', networks],
    volumes: ['volumes', convertVolumes(raw, place, context, 'pod')],
    hostVolumes: ['host-volumes', convertHostVolumes(raw['host-volumes'], place, context)],
    externalVolumes: ['external-volumes', convertExternalVolumes(raw['external-volumes'], written, place, context)],
    secrets: ['secrets', convertSecrets(raw.secrets, place, context)],
    resourceSets: ['resource-sets', convertResourceSets(raw, setNames, place, context)],
    tasks: ['tasks', raw.tasks === undefined ? undefined : tasks],
    preReservedRole: ['pre-reserved-role', raw['pre-reserved-role'] === '*' ? undefined : raw['pre-reserved-role']],
    sharePidNamespace: ['share-pid-namespace', raw['share-pid-namespace']],
    seccomp: ['seccomp-profile-name', convertSeccomp(raw, place, context)],
    ipcMode: ['ipc-mode', raw['ipc-mode']],
    shmMb: ['shm-size', raw['shm-size']],
  })
  return { fields, tasks: taskNames }
}

const secretKeys = (raw: RawPod): Set<string> =>
  new Set([...(raw.secrets?.values() ?? [])].flatMap(({ 'env-key': key }) => (key === undefined ? [] : [key])))

function convertResourceSets(
  raw: RawPod,
  names: ReadonlyMap<string, string>,
  place: Place,
  context: Context,
): Fields | undefined {
  const sets = raw['resource-sets']
  if (sets === undefined) return undefined
  const used = new Set([...(raw.tasks?.values() ?? [])].map((task) => task['resource-set']))
  const result: Fields = {}
  for (const [name, set] of sets) {
    const label = names.get(name) ?? name
    const at = inside(inside(place, 'resourceSets', 'resource-sets'), label, name)
    const fields = build(context.origins, at, convertResources(set, at, context))
    if (used.has(name)) result[label] = fields
    else context.findings.ignored(at.from, `no task has the resource set ${name}`, 'remove it, or name it in a task')
  }
  return Object.keys(result).length === 0 ? undefined : result
}

/** A fixed port is there once per host; in the ancestor that alone kept instances apart. */
function convertPodPlacement(raw: RawPod, place: Place, { findings }: Context): readonly PlacementRule[] | undefined {
  const path = [...place.from, 'placement']
  const rules = raw.placement === undefined ? [] : convertPlacement(raw.placement, path, findings)
  const isSpread = rules.some((rule) => rule.type === 'maxPerHost' && rule.max === 1)
  const port = fixedPort(raw)
  if (!findings.lenient || isSpread || port === undefined || (raw.count ?? 0) <= 1 || !takesHostPorts(raw))
    return raw.placement === undefined ? undefined : rules
  findings.note(place.from, `the fixed port ${port} allows one instance per host; placement says so now`, 'key')
  return [...rules, { type: 'maxPerHost', max: 1 }]
}

function fixedPort(raw: RawPod): number | undefined {
  const owners = [...(raw.tasks?.values() ?? []), ...(raw['resource-sets']?.values() ?? [])]
  const ports = owners.flatMap((owner) => [...(owner.ports?.values() ?? [])].map(({ port }) => port))
  return ports.find((port) => port !== undefined && port !== 0)
}

const takesHostPorts = ({ networks }: RawPod): boolean =>
  networks === undefined || networks.size === 0 || networks.has('mesos-bridge')

function convertRlimits(raw: RawPod, place: Place, { findings, origins }: Context): Fields | undefined {
  if (raw.rlimits === undefined) return undefined
  const result: Fields = {}
  for (const [name, { soft, hard }] of raw.rlimits) {
    const at = inside(inside(place, 'rlimits', 'rlimits'), name, name)
    origins.set(at.to, at.from)
    const limits = [soft ?? 'none', hard ?? 'none']
    const unlimited = limits.filter((limit) => limit === -1).length
    if (soft === undefined && hard === undefined) result[name] = 'unlimited'
    else if (soft === undefined || hard === undefined)
      findings.error(at.from, 'soft and hard are given together, or none of them')
    else if (unlimited === 2) result[name] = 'unlimited'
    else if (unlimited === 1) findings.error(at.from, '-1, no limit, is given for both soft and hard, or for none of them')
    else if (soft < 0 || hard < 0) findings.error(at.from, 'a limit is 0 or more, or -1 for none')
    else result[name] = build(origins, at, { soft: ['soft', soft], hard: ['hard', hard] })
  }
  return result
}

function convertSeccomp(raw: RawPod, place: Place, { findings, origins }: Context): unknown {
  const profile = raw['seccomp-profile-name']
  origins.set([...place.to, 'seccomp', 'profile'], [...place.from, 'seccomp-profile-name'])
  if (raw['seccomp-unconfined'] !== true) return profile === undefined ? undefined : { profile }
  if (profile === undefined) return 'unconfined'
  findings.error(
    [...place.from, 'seccomp-profile-name'],
    'a profile and seccomp-unconfined: true exclude each other; remove one',
    'key',
  )
  return undefined
}
