/**
 * Which changes of a deployed service would lose data or cannot be done, and which this version cannot carry out yet. A refused
 * spec leaves the old target in force. Pure.
 */
import { usesHostPorts } from './check-pods.js'
import { externalVolumeName } from './external-volumes.js'
import { diffHoldings, type HoldingChange } from './holdings.js'
import { footprintHash } from './identity.js'
import { own } from './own.js'
import type { PodSpec, ServiceSpec } from './schema.js'

/** Stable names of what a change is refused for. */
export type RefusalCode =
  | 'NAME_CHANGED'
  | 'USER_CHANGED'
  | 'PRINCIPAL_CHANGED'
  | 'ROLE_CHANGED'
  | 'REGION_CHANGED'
  | 'RESERVED_ROLE_CHANGED'
  | 'NETWORK_CHANGED'
  | 'COUNT_LOWERED'
  | 'POD_REMOVED'
  | 'VOLUME_REMOVED'
  | 'VOLUME_SHRUNK'
  | 'VOLUME_TYPE_CHANGED'
  | 'DATA_LEFT_BEHIND'
  | 'INIT_ADDED'
  | 'INIT_CHANGED'
  | 'VALUE_CHANGED'
  /** What this version cannot carry out yet. */
  | 'DECOMMISSION_UNSUPPORTED'
  | 'FOOTPRINT_UNSUPPORTED'

/** One reason against a change. */
export interface Refusal {
  readonly code: RefusalCode
  /** What was changed, for example `pods.broker.count`. */
  readonly path: string
  /** What would happen. */
  readonly reason: string
  /** What to do instead. */
  readonly wayOut: string
}

/** On one line. */
export const refusalText = ({ path, reason, wayOut }: Refusal): string => `${path}: ${reason}; ${wayOut}`

/** A later version may carry it out. */
export const isNotYet = ({ code }: Refusal): boolean => code.endsWith('_UNSUPPORTED')

/** What exists of a pod type: the highest index with a footprint, -1 for none. */
export type HighestIndex = (pod: string) => number

/** Reasons against the change, all at once; empty when it may be done. */
export function checkUpdate(before: ServiceSpec, after: ServiceSpec, highestIndex: HighestIndex): Refusal[] {
  const refusals: Refusal[] = []
  const add = (code: RefusalCode, path: string, reason: string, wayOut: string): void =>
    void refusals.push({ code, path, reason, wayOut })
  const deployed = Object.entries(before.pods).filter(([name]) => highestIndex(name) >= 0)
  checkService(before, after, deployed.length > 0, add)
  for (const [name, pod] of deployed) {
    const highest = highestIndex(name)
    const next = own(after.pods, name)
    if (next === undefined) checkRemoval(name, pod, highest, add)
    else {
      checkCount(name, next, highest, add)
      checkPod({ name, before: pod, after: next, services: [before, after], newest: `${name}-${highest}` }, add)
    }
  }
  return refusals
}

type Add = (code: RefusalCode, path: string, reason: string, wayOut: string) => void

function checkService(before: ServiceSpec, after: ServiceSpec, isDeployed: boolean, add: Add): void {
  const fixed = (code: RefusalCode, path: string, from: string, to: string, because: string): void => {
    if (from !== to)
      add(code, path, `cannot change from ${from} to ${to}; ${because}`, 'leave it as it was, or start another service')
  }
  fixed('NAME_CHANGED', 'name', before.name, after.name, 'it is part of ids, labels and places in the store')
  fixed('USER_CHANGED', 'user', before.user, after.user, 'the volumes belong to the old user')
  fixed('PRINCIPAL_CHANGED', 'principal', principalOf(before), principalOf(after), 'every reservation names the old one')
  fixed('ROLE_CHANGED', 'role', roleOf(before), roleOf(after), 'every reservation names the old one')
  for (const [name, { generate }] of Object.entries(after.values)) {
    const was = own(before.values, name)?.generate
    if (was !== undefined && was !== generate)
      add(
        'VALUE_CHANGED',
        `values.${name}.generate`,
        `cannot change from ${was} to ${generate}; the value was generated once and stays`,
        'keep it, or add a value of another name',
      )
  }
  if (isDeployed)
    fixed('REGION_CHANGED', 'region', before.region ?? 'any', after.region ?? 'any', 'what is reserved and stored is where it is')
}

function checkRemoval(name: string, { allowDecommission = false }: PodSpec, highest: number, add: Add): void {
  const path = `pods.${name}`
  const held = `cannot be removed while ${name}-${highest} has reserved resources`
  if (allowDecommission)
    add('DECOMMISSION_UNSUPPORTED', path, `${held}: this version cannot give up instances yet`, 'keep the pod')
  else
    add('POD_REMOVED', path, held, 'keep the pod; a version that can give up instances will want allowDecommission: true first')
}

function checkCount(name: string, { count, allowDecommission = false }: PodSpec, highest: number, add: Add): void {
  if (count > highest) return
  const path = `pods.${name}.count`
  const held = `cannot shrink to ${count} while ${name}-${highest} has reserved resources`
  if (allowDecommission)
    add('DECOMMISSION_UNSUPPORTED', path, `${held}: this version cannot give up instances yet`, `keep ${highest + 1}`)
  else
    add(
      'COUNT_LOWERED',
      path,
      held,
      `keep ${highest + 1}; a version that can give up instances will want allowDecommission: true`,
    )
}

interface PodChange {
  readonly name: string
  readonly before: PodSpec
  readonly after: PodSpec
  readonly services: readonly [ServiceSpec, ServiceSpec]
  /** The highest instance, as an example of what exists. */
  readonly newest: string
}

function checkPod(change: PodChange, add: Add): void {
  const { name, before, after, newest } = change
  const path = `pods.${name}`
  if (before.preReservedRole !== after.preReservedRole)
    add(
      'RESERVED_ROLE_CHANGED',
      `${path}.preReservedRole`,
      `cannot change from ${before.preReservedRole ?? 'none'} to ${after.preReservedRole ?? 'none'}; the reservations are under the old role`,
      'keep it, or add a pod type of another name',
    )
  if (usesHostPorts(before) !== usesHostPorts(after))
    add(
      'NETWORK_CHANGED',
      `${path}.networks`,
      `cannot change between ports of the agent and addresses of its own; the agent of ${newest} may not have the ports`,
      'stay with the kind of network, or add a pod type of another name',
    )
  checkUser(change, add)
  checkOtherVolumes(change, add)
  checkInit(change, add)
  checkHoldings(change, add)
}

function checkUser({ name, before, after, services: [service] }: PodChange, add: Add): void {
  const [was, is] = [before.user ?? service.user, after.user ?? service.user]
  if (was === is || !keepsData(before)) return
  add(
    'USER_CHANGED',
    `pods.${name}.user`,
    `cannot change from ${was} to ${is}; the volumes belong to the old user`,
    `keep ${was}, or add a pod type of another name`,
  )
}

const keepsData = ({ volumes, externalVolumes = {}, hostVolumes = {}, tasks, resourceSets = {} }: PodSpec): boolean =>
  [volumes, externalVolumes, ...[...Object.values(tasks), ...Object.values(resourceSets)].map((each) => each.volumes ?? {})].some(
    (each) => Object.keys(each).length > 0,
  ) || Object.values(hostVolumes).some(({ mode = 'RW' }) => mode === 'RW')

/**
 * Taking such a volume out is plain to see. Another place under the old name, or at the old path, would be found empty and taken
 * for new, or hold what belongs to another path.
 */
function checkOtherVolumes({ name, before, after, services }: PodChange, add: Add): void {
  const [was, is] = [otherVolumes(services[0], name, before), otherVolumes(services[1], name, after)]
  for (const volume of was.filter(({ isWritten }) => isWritten)) {
    const next = is.find(({ key }) => key === volume.key) ?? is.find(({ path }) => path === volume.path)
    const inItsPlace = is.find(({ path }) => path === volume.path)
    const other = [next, inItsPlace].find((each) => each !== undefined && each.source !== volume.source)
    if (other === undefined) continue
    add(
      'DATA_LEFT_BEHIND',
      `pods.${name}.${other.key}`,
      `cannot take the place of ${volume.source} with ${other.source} (path ${volume.path}); the data stays in the old place, and the tasks would find other data or none`,
      'add a volume of another name and path, copy, then remove this one',
    )
  }
}

interface OtherVolume {
  /** For example `hostVolumes.data`. */
  readonly key: string
  readonly path: string
  /** Where the data is. */
  readonly source: string
  readonly isWritten: boolean
}

const otherVolumes = (service: ServiceSpec, pod: string, { hostVolumes = {}, externalVolumes = {} }: PodSpec): OtherVolume[] => [
  ...Object.entries(hostVolumes).map(([key, { hostPath, path, mode = 'RW' }]) => ({
    key: `hostVolumes.${key}`,
    path,
    source: `${hostPath} of the agent`,
    isWritten: mode === 'RW',
  })),
  ...Object.entries(externalVolumes).map(([key, volume]) => ({
    key: `externalVolumes.${key}`,
    path: volume.path,
    source: `${externalVolumeName(service.name, pod, volume)} of ${volume.driver}`,
    isWritten: volume.mode === 'RW',
  })),
]

function checkInit({ name, before, after, newest }: PodChange, add: Add): void {
  for (const [task, { goal }] of Object.entries(after.tasks)) {
    const was = own(before.tasks, task)?.goal
    const path = `pods.${name}.tasks.${task}.goal`
    if (goal === 'INIT' && was !== 'INIT')
      add(
        'INIT_ADDED',
        path,
        `would never run on ${newest} and the others that exist; INIT comes before a footprint is first used`,
        'give it the goal ONCE, or add a pod type of another name',
      )
    else if (goal !== 'INIT' && was === 'INIT')
      add(
        'INIT_CHANGED',
        path,
        `cannot change from INIT to ${goal}; what initialises would run on ${newest} and the others that hold data`,
        'keep INIT, or remove the task and add one of another name',
      )
  }
}

const losses: Readonly<Record<NonNullable<HoldingChange['loss']>, readonly [RefusalCode, string, string]>> = {
  removed: [
    'VOLUME_REMOVED',
    'cannot be removed; its data would be given up on every instance',
    'keep it, or add a pod type of another name',
  ],
  shrunk: [
    'VOLUME_SHRUNK',
    'cannot become smaller; what is stored may not fit',
    'keep the size, or add a pod type of another name',
  ],
  otherType: [
    'VOLUME_TYPE_CHANGED',
    'cannot change its type; another disk would be empty',
    'keep the type, or add a volume of another name and copy',
  ],
}

function checkHoldings({ name, before, after }: PodChange, add: Add): void {
  const changes = diffHoldings(before, after)
  for (const { path, loss } of changes)
    if (loss !== undefined) add(losses[loss][0], `pods.${name}.${path}`, losses[loss][1], losses[loss][2])
  const others = changes.filter(({ loss }) => loss === undefined).map(({ path }) => path)
  if (others.length === 0 && (changes.length > 0 || footprintHash(withPaths(before)) === footprintHash(withPaths(after)))) return
  if (others.length === 0 && isToldOtherwise(before, after)) return
  add(
    'FOOTPRINT_UNSUPPORTED',
    `pods.${name}`,
    `${others.length === 0 ? 'ports, volumes or resource sets' : others.join(', ')} changed, and instances hold reservations for the old ones, ` +
      'which this version cannot change yet',
    'restore them, or add a pod type of another name',
  )
}

/** A path that repeats the name of its volume is another text, and the same volume. */
function withPaths(pod: PodSpec): PodSpec {
  const named = (volumes: PodSpec['volumes']): PodSpec['volumes'] =>
    Object.fromEntries(Object.entries(volumes).map(([name, volume]) => [name, { ...volume, path: volume.path ?? name }]))
  const inside = <Holder extends { readonly volumes?: PodSpec['volumes'] | undefined }>(
    holders: Readonly<Record<string, Holder>>,
  ) =>
    Object.fromEntries(Object.entries(holders).map(([key, holder]) => [key, { ...holder, volumes: named(holder.volumes ?? {}) }]))
  return { ...pod, volumes: named(pod.volumes), tasks: inside(pod.tasks), resourceSets: inside(pod.resourceSets ?? {}) }
}

/** What else is in the hash of a footprint has a reason of its own. */
const isToldOtherwise = (before: PodSpec, after: PodSpec): boolean =>
  before.preReservedRole !== after.preReservedRole || usesHostPorts(before) !== usesHostPorts(after)

/** The principal of a service; its reservations carry it for ever. */
export const principalOf = (spec: ServiceSpec): string => spec.principal ?? `${spec.name}-principal`

/** The role of a service; its reservations carry it for ever. */
export const roleOf = (spec: ServiceSpec): string => spec.role ?? `${spec.name}-role`
