/**
 * What a change of each field of the spec touches, besides the id of the spec. A field that the schema gets anew has to be entered
 * here before it is used: whether it restarts somebody, and whom, is a decision and no accident.
 */
import { usesHostPorts } from '../../src/spec/check-pods.js'
import type { PodSpec } from '../../src/spec/schema.js'
import { hasLimits } from '../../src/spec/task-resources.js'

/**
 * `pod`: the pod type; all its RUNNING tasks restart. `task`: the one that the field is of, or those that run on the resource set.
 * `footprint`: what the pod has reserved.
 */
export type Touched = 'pod' | 'task' | 'footprint'

export type Decision =
  | readonly Touched[]
  /** Depends on the pod around it. */
  | ((before: PodSpec, after: PodSpec) => readonly Touched[])
  /** Cannot change without something else around it. */
  | 'together'

const gate = ['gate', 'intervalMs', 'timeoutMs', 'deadlineMs']
const uri = ['uri', 'extract', 'executable', 'cache', 'outputFile']
const volume = ['type', 'path', 'sizeMb', 'profiles']
const rule = ['type', 'max', 'key', 'value', 'pattern', 'values', 'pod']

const of = (holder: string, keys: readonly string[]): string[] => [holder, ...keys.map((key) => `${holder}.${key}`)]
const listOf = (holder: string, keys: readonly string[]): string[] => [holder, ...keys.map((key) => `${holder}.*.${key}`)]
const gates = (holder: string, ...lists: string[]): string[] => lists.flatMap((list) => listOf(`${holder}.${list}`, gate))
const phases = (holder: string): string[] => [
  ...listOf(holder, ['name', 'strategy', 'oneWay']),
  ...listOf(`${holder}.*.steps`, ['instance', 'tasks']),
  ...gates(`${holder}.*`, 'afterEach'),
]

/** Ports are reserved unless each pod has an address of its own. */
const reserved = (pod: PodSpec): readonly Touched[] => (usesHostPorts(pod) ? ['footprint'] : [])
const launchedAndReserved = (pod: PodSpec): readonly Touched[] => ['task', ...reserved(pod)]

/** Networks are the executor's; what is reserved changes with who has the ports. */
const network = (before: PodSpec, after: PodSpec): readonly Touched[] =>
  usesHostPorts(before) === usesHostPorts(after) && mapped(before) === mapped(after) ? ['pod'] : ['pod', 'footprint']
const mapped = ({ networks = {} }: PodSpec): string =>
  Object.values(networks)
    .flatMap(({ portMappings = [] }) => portMappings.map(({ hostPort }) => hostPort))
    .sort()
    .join()

/** The first limits of a pod, and the last, concern the executor: with any, every task has control groups of its own. */
const limits = (before: PodSpec, after: PodSpec): readonly Touched[] =>
  hasLimits(before) === hasLimits(after) ? ['task'] : ['task', 'pod']

const decide = (decision: Decision, ...fields: readonly (readonly string[])[]): [string, Decision][] =>
  fields.flat().map((field) => [field, decision])

/** Fields that a task and a resource set have alike. */
const resources = (holder: string): [string, Decision][] => [
  ...decide(
    ['task', 'footprint'],
    ['cpus', 'memoryMb', 'gpus'].map((key) => `${holder}.${key}`),
    listOf(`${holder}.volumes`, volume),
  ),
  ...decide(limits, of(`${holder}.limits`, ['cpus', 'memoryMb'])),
  ...decide(launchedAndReserved, [`${holder}.ports`, `${holder}.ports.*.port`]),
  ...decide(
    ['task'],
    ['envKey', 'advertise'].map((key) => `${holder}.ports.*.${key}`),
    of(`${holder}.ports.*.vip`, ['port', 'prefix']),
  ),
  ...decide(reserved, listOf(`${holder}.ports.*.ranges`, ['begin', 'end'])),
]

const task = 'pods.*.tasks.*'

export const identityDecisions: Readonly<Record<string, Decision>> = Object.fromEntries([
  // Nobody restarts.
  ...decide(
    [],
    ['name', 'user', 'principal', 'role', 'webUrl', 'advertise', 'region', 'values', 'values.*.generate'],
    ['pods.*.count', 'pods.*.allowDecommission'],
    listOf('pods.*.placement', rule),
    listOf('pods.*.placement.*.rules', rule),
    of('pods.*.placement.*.rule', rule),
    ['deploy', 'deploy.strategy', ...phases('deploy.phases'), ...gates('deploy', 'preFlight', 'afterEach', 'postFlight')],
    ['update', 'update.strategy', 'update.order', ...phases('update.phases')],
    gates('update', 'preFlight', 'beforeEach', 'afterEach', 'postFlight'),
    ['recovery', ...gates('recovery', 'afterEach'), ...of('recovery.replace', ['afterMs', 'minIntervalMs'])],
    of('recovery.backoff', ['initialMs', 'factor', 'maxMs', 'resetAfterMs']),
    ['plans', 'plans.*.strategy', 'plans.*.phases.*.pod', ...phases('plans.*.phases')],
    listOf('plans.*.parameters', ['type', 'description', 'default', 'oneOf', 'min', 'max']),
  ),

  // A pod, a task or a set more or less: what is left of the pod has another footprint.
  ...decide([], ['pods']),
  ...decide(['footprint'], ['pods.*.tasks']),

  // The executor, the volumes, and what all tasks share.
  ...decide(['pod', 'footprint'], listOf('pods.*.volumes', volume), of('pods.*.executor', ['cpus', 'memoryMb', 'diskMb'])),
  ...decide(
    ['pod'],
    ['user', 'image', 'sharePidNamespace', 'ipcMode', 'shmMb'].map((key) => `pods.*.${key}`),
    listOf('pods.*.uris', uri),
    listOf('pods.*.rlimits', ['soft', 'hard']),
    listOf('pods.*.hostVolumes', ['hostPath', 'path', 'mode']),
    listOf('pods.*.externalVolumes', ['driver', 'name', 'options', 'mode', 'path', 'separator', 'shared']),
    listOf('pods.*.secrets', ['secret', 'envKey', 'file']),
    of('pods.*.seccomp', ['profile']),
    ['pods.*.networks.*.labels', 'pods.*.networks.*.portMappings.*.containerPort'],
  ),
  ...decide(network, ['pods.*.networks', 'pods.*.networks.*.portMappings', 'pods.*.networks.*.portMappings.*.hostPort']),
  ...decide(['footprint'], ['pods.*.preReservedRole']),

  // One task.
  ...decide(
    ['task'],
    ['goal', 'command', 'env', 'killGraceMs', 'labels', 'ipcMode', 'shmMb'].map((key) => `${task}.${key}`),
    listOf(`${task}.uris`, uri),
    listOf(`${task}.configs`, ['text', 'dest']),
    of(`${task}.readinessCheck`, ['command', 'delayMs', 'intervalMs', 'timeoutMs']),
    of(`${task}.healthCheck`, ['command', 'delayMs', 'intervalMs', 'timeoutMs', 'graceMs', 'maxFailures']),
    of(`${task}.discovery`, ['prefix', 'visibility']),
    listOf(`${task}.transportEncryption`, ['name', 'type']),
  ),
  ...decide(
    [],
    [`${task}.essential`, ...of(`${task}.preStop`, ['command', 'timeoutMs'])],
    of(`${task}.readinessCheck.deadline`, ['afterMs', 'reaction']),
  ),
  ...resources(task),
  ...resources('pods.*.resourceSets.*'),
  // Every pod is in one phase of a deployment; and a set is there if a task runs on it.
  ...decide('together', ['deploy.phases.*.pod', 'update.phases.*.pod', 'pods.*.resourceSets', `${task}.resourceSet`]),
] satisfies [string, Decision][])
