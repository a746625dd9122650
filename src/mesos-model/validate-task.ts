/**
 * Whether a task or a group may be launched, in the order and with the words of Mesos (mesos-v1.md 2.4). Pure. The first
 * problem is returned as text.
 */
import type {
  CheckInfo,
  CommandInfo,
  ContainerInfo,
  ExecutorInfo,
  HealthCheck,
  Resource,
  Secret,
  TaskInfo,
  Volume,
} from '../mesos/messages.js'
import { toMilli } from '../units.js'
import { describeResources } from './describe.js'
import { addResources, containsResources, equalResources, quantityOf, toResources } from './resources.js'
import type { Resources } from './resources.js'
import { findIdProblem, findResourceProblem } from './validate-resource.js'

const MIN_EXECUTOR_CPUS_MILLI = 10
const MIN_EXECUTOR_MEMORY_MILLI = 32_000

export interface TaskContext {
  readonly frameworkId: string
  readonly agentId: string
  readonly role: string
  /** Ids of live, unacknowledged and unreachable tasks. */
  readonly isIdTaken: (taskId: string) => boolean
  /** The executor that runs on the agent under this id. */
  readonly runningExecutor: (executorId: string) => ExecutorInfo | undefined
  /** The framework's tasks under that executor on the agent, as long as the master remembers them. */
  readonly tasksOfExecutor: (executorId: string) => readonly TaskInfo[]
}

type Times = Pick<CheckInfo, 'delay_seconds' | 'interval_seconds' | 'timeout_seconds'>

function findTimesProblem(times: Times, what: string): string | undefined {
  for (const field of ['delay_seconds', 'interval_seconds', 'timeout_seconds'] as const) {
    if ((times[field] ?? 0) < 0) return `Expecting '${field}' of ${what} to be non-negative`
  }
  return undefined
}

function findProbeProblem(probe: CheckInfo | HealthCheck, command: CommandInfo | undefined, what: string): string | undefined {
  if (probe.type === undefined || probe.type === 'UNKNOWN') return `${what} must specify 'type'`
  if (probe.type === 'COMMAND' && command === undefined) return `Expecting 'command' to be set for COMMAND ${what}`
  if (probe.type === 'COMMAND' && (command?.value ?? '') === '') return `Command ${what} must contain a value`
  if (probe.type === 'HTTP' && probe.http === undefined) return `Expecting 'http' to be set for HTTP ${what}`
  if (probe.type === 'TCP' && probe.tcp === undefined) return `Expecting 'tcp' to be set for TCP ${what}`
  const path = probe.http?.path
  if (path !== undefined && !path.startsWith('/')) return `The path '${path}' of HTTP ${what} must start with '/'`
  const scheme = probe.http === undefined || !('scheme' in probe.http) ? undefined : probe.http.scheme
  if (scheme !== undefined && scheme !== 'http' && scheme !== 'https') return `Unsupported HTTP ${what} scheme: '${scheme}'`
  return findTimesProblem(probe, what)
}

function findCheckProblem(task: TaskInfo): string | undefined {
  const check = task.check === undefined ? undefined : findProbeProblem(task.check, task.check.command?.command, 'check')
  if (check !== undefined) return `Task uses invalid check: ${check}`
  const health =
    task.health_check === undefined ? undefined : findProbeProblem(task.health_check, task.health_check.command, 'health check')
  return health === undefined ? undefined : `Task uses invalid health check: ${health}`
}

function findResourcesProblem(resources: readonly Resource[], whose: string): string | undefined {
  for (const resource of resources) {
    const problem = findResourceProblem(resource)
    if (problem !== undefined) return `${whose} uses invalid resources: ${problem}`
    if (resource.name === 'gpus' && toMilli(resource.scalar?.value ?? 0) % 1000 !== 0)
      return `${whose} uses invalid resources: 'gpus' must be an unsigned integer`
  }
  const persistenceIds = resources.flatMap((resource) => resource.disk?.persistence?.id ?? [])
  if (new Set(persistenceIds).size < persistenceIds.length) return `${whose} uses duplicate persistence ID`
  const roles = new Set(resources.flatMap((resource) => resource.allocation_info?.role ?? []))
  return roles.size > 1 ? `${whose} uses resources allocated to different roles` : undefined
}

function findCommandProblem(command: CommandInfo | undefined): string | undefined {
  for (const { name, type = 'VALUE', value, secret } of command?.environment?.variables ?? []) {
    const isSound = type === 'SECRET' ? secret !== undefined && value === undefined : value !== undefined && secret === undefined
    if (!isSound)
      return `Environment variable '${name}' of type '${type}' must have ${type === 'SECRET' ? 'a secret' : 'a value'} set`
    const problem = secret === undefined ? undefined : findSecretProblem(secret)
    if (problem !== undefined) return `Environment variable '${name}' specifies an invalid secret: ${problem}`
  }
  return undefined
}

function findSecretProblem({ type, reference, value }: Secret): string | undefined {
  if (type === 'REFERENCE' && reference === undefined) return "Secret of type REFERENCE must have the 'reference' field set"
  if (type === 'VALUE' && value === undefined) return "Secret of type VALUE must have the 'value' field set"
  return reference !== undefined && value !== undefined ? "Secret must not have both 'reference' and 'value' set" : undefined
}

/** The field of a volume's source that goes with its type. */
const SOURCE_FIELDS = {
  DOCKER_VOLUME: 'docker_volume',
  HOST_PATH: 'host_path',
  SANDBOX_PATH: 'sandbox_path',
  SECRET: 'secret',
  CSI_VOLUME: 'csi_volume',
} as const

function findVolumeProblem({ host_path: hostPath, image, source }: Volume): string | undefined {
  const given = [hostPath, image, source].filter((field) => field !== undefined)
  if (given.length !== 1) return "Only one of them should be set: 'host_path', 'image' and 'source'"
  if (source === undefined) return undefined
  // An unknown type is dropped on reading, whatever the declaration says.
  const name = SOURCE_FIELDS[source.type] as (typeof SOURCE_FIELDS)[keyof typeof SOURCE_FIELDS] | undefined
  if (name === undefined) return "'source.type' is unknown"
  if (source[name] === undefined) return `'source.${name}' is not set for ${source.type} volume`
  const problem = source.secret === undefined ? undefined : findSecretProblem(source.secret)
  return problem === undefined ? undefined : `'source.secret' is invalid: ${problem}`
}

function findContainerProblem(container: ContainerInfo | undefined): string | undefined {
  for (const volume of container?.volumes ?? []) {
    const problem = findVolumeProblem(volume)
    if (problem !== undefined) return problem
  }
  return container?.type === 'DOCKER' && container.docker === undefined
    ? 'DockerInfo must be set for Docker containers'
    : undefined
}

function findLimitsProblem({ limits = {} }: TaskInfo, requested: Resources): string | undefined {
  for (const [name, limit] of Object.entries(limits)) {
    if (name !== 'cpus' && name !== 'mem') return "Only cpus and mem may be included in a task's resource limits"
    const requestedMilli = quantityOf(requested, name)
    const [what, request] = name === 'cpus' ? (['cpu', 'CPU'] as const) : (['memory', 'memory'] as const)
    if (requestedMilli === 0) return `When a ${request} limit is specified, a ${request} request must also be specified`
    if (limit.value !== 'Infinity' && toMilli(limit.value) < requestedMilli)
      return `The ${what} limit must be greater than or equal to the ${what} request`
  }
  return undefined
}

const sharesCgroups = ({ container }: TaskInfo): boolean => container?.linux_info?.share_cgroups ?? true

/** All tasks under one executor share their cgroups, or none does, those included that it had before. */
function findSharingProblem(tasks: readonly TaskInfo[], executor: ExecutorInfo, context: TaskContext): string | undefined {
  if (executor.container?.linux_info?.share_cgroups === true)
    return "The 'share_cgroups' field cannot be set to 'true' on executor containers"
  const id = executor.executor_id.value
  const others = context.runningExecutor(id) === undefined ? [] : context.tasksOfExecutor(id)
  return new Set([...tasks, ...others].map(sharesCgroups)).size > 1
    ? "If set, the value of 'share_cgroups' must be the same for all tasks in each task group and under a single executor"
    : undefined
}

/** Rules of one task, whether alone or in a group. */
function findTaskProblem(task: TaskInfo, context: TaskContext, isInGroup: boolean): string | undefined {
  const id = task.task_id.value
  const idProblem = findIdProblem(id)
  if (idProblem !== undefined) return idProblem
  if (context.isIdTaken(id)) return `Task has duplicate ID: ${id}`
  if (task.agent_id.value !== context.agentId)
    return `Task uses invalid agent ${task.agent_id.value} while agent ${context.agentId} is expected`
  if ((task.kill_policy?.grace_period?.nanoseconds ?? 0) < 0) return "Task's 'kill_policy.grace_period' must be non-negative"
  if ((task.max_completion_time?.nanoseconds ?? 0) < 0) return "Task's 'max_completion_time' must be non-negative"
  const resources = toResources(task.resources, context.role)
  const executorProblem = isInGroup ? undefined : findLaunchExecutorProblem(task, context)
  return (
    findCheckProblem(task) ??
    (resources.length === 0 ? 'Task uses no resources' : undefined) ??
    findResourcesProblem(task.resources ?? [], 'Task') ??
    findCommandProblem(task.command) ??
    findContainerProblem(task.container) ??
    findLimitsProblem(task, resources) ??
    executorProblem ??
    (isInGroup || sharesCgroups(task) ? undefined : "Only tasks in a task group may have 'share_cgroups' set to 'false'")
  )
}

function findLaunchExecutorProblem(task: TaskInfo, context: TaskContext): string | undefined {
  if ((task.command === undefined) === (task.executor === undefined)) {
    return 'Task should have at least one (but not both) of CommandInfo or ExecutorInfo present'
  }
  if (task.executor === undefined) return undefined
  if (task.executor.type === 'DEFAULT') return "'DEFAULT' executors are only supported for task groups"
  return findExecutorProblem(task.executor, context) ?? 'Custom executors are not supported by this cluster'
}

/** Labels and the shutdown grace period go unnoticed, as on Mesos. */
function isSameExecutor(a: ExecutorInfo, b: ExecutorInfo, role: string): boolean {
  const comparable = ({ resources: _, labels: __, shutdown_grace_period: ___, ...rest }: ExecutorInfo): string =>
    JSON.stringify(sortKeys(rest))
  return comparable(a) === comparable(b) && equalResources(toResources(a.resources, role), toResources(b.resources, role))
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([key, entry]) => [key, sortKeys(entry)]))
}

function findExecutorProblem(executor: ExecutorInfo, context: TaskContext): string | undefined {
  const idProblem = findIdProblem(executor.executor_id.value)
  if (idProblem !== undefined) return `ExecutorInfo has an invalid ID: ${idProblem}`
  const owner = executor.framework_id?.value
  if (owner === undefined) return "'ExecutorInfo.framework_id' must be set"
  if (owner !== context.frameworkId)
    return `ExecutorInfo has an invalid FrameworkID (Actual: ${owner} vs Expected: ${context.frameworkId})`
  const running = context.runningExecutor(executor.executor_id.value)
  if (running !== undefined && !isSameExecutor(running, executor, context.role)) {
    return `ExecutorInfo is not compatible with existing ExecutorInfo with same ExecutorID`
  }
  return undefined
}

function findDefaultExecutorProblem(executor: ExecutorInfo, role: string): string | undefined {
  if (executor.type === undefined || executor.type === 'UNKNOWN')
    return "'ExecutorInfo.type' must be set to 'DEFAULT' or 'CUSTOM'"
  if (executor.type === 'CUSTOM') return 'Custom executors are not supported by this cluster'
  if (executor.command !== undefined) return "'ExecutorInfo.command' must not be set for 'DEFAULT' executor"
  if (executor.container?.type === 'DOCKER') return "'ExecutorInfo.container.type' must be 'MESOS' for 'DEFAULT' executor"
  if (executor.container?.mesos?.image !== undefined)
    return "'ExecutorInfo.container.mesos.image' must not be set for 'DEFAULT' executor"
  const containerProblem = findContainerProblem(executor.container)
  if (containerProblem !== undefined) return `Executor's \`ContainerInfo\` is invalid: ${containerProblem}`
  const resources = toResources(executor.resources, role)
  const id = executor.executor_id.value
  const amount = (name: string): string =>
    quantityOf(resources, name) === 0 ? 'None' : String(quantityOf(resources, name) / 1000)
  if (quantityOf(resources, 'cpus') < MIN_EXECUTOR_CPUS_MILLI)
    return `Executor '${id}' uses less CPUs (${amount('cpus')}) than the minimum required (0.01)`
  if (quantityOf(resources, 'mem') < MIN_EXECUTOR_MEMORY_MILLI) {
    const memory = amount('mem')
    return `Executor '${id}' uses less memory (${memory === 'None' ? memory : `${memory}MB`}) than the minimum required (32MB)`
  }
  return quantityOf(resources, 'disk') === 0 ? `Executor '${id}' uses no disk` : undefined
}

/** Ranges and sets may be given once: to one task, or to the executor. */
function findOverlap(parts: readonly Resources[]): string | undefined {
  let sum: Resources = []
  for (const part of parts) {
    for (const holding of part) {
      if (typeof holding.amount === 'number') continue
      const overlaps = sum.some(
        (other) =>
          other.name === holding.name && !isDisjoint(other.amount as readonly object[], holding.amount as readonly object[]),
      )
      if (overlaps) return `Some tasks or the executor use overlapping '${holding.name}' resources`
      sum = addResources(sum, [holding])
    }
  }
  return undefined
}

interface Span {
  readonly begin: number
  readonly end: number
}

const isDisjoint = (a: readonly unknown[], b: readonly unknown[]): boolean => {
  if (typeof a[0] === 'string') return !a.some((item) => b.includes(item))
  return (a as readonly Span[]).every((x) => (b as readonly Span[]).every((y) => x.end < y.begin || y.end < x.begin))
}

const exceeds = (needed: Resources, what: string, available: Resources): string | undefined =>
  containsResources(available, needed)
    ? undefined
    : `Total resources ${describeResources(needed)} required by ${what} more than available ${describeResources(available)}`

export function findLaunchProblem(task: TaskInfo, context: TaskContext, available: Resources): string | undefined {
  const resources = toResources(task.resources, context.role)
  return findTaskProblem(task, context, false) ?? exceeds(resources, 'task and its executor is', available)
}

export function findGroupProblem(
  tasks: readonly TaskInfo[],
  executor: ExecutorInfo,
  context: TaskContext,
  available: Resources,
): string | undefined {
  const seen = new Set<string>()
  for (const task of tasks) {
    const problem = findTaskProblem(task, { ...context, isIdTaken: (id) => seen.has(id) || context.isIdTaken(id) }, true)
    if (problem !== undefined) return `Task '${task.task_id.value}' is invalid: ${problem}`
    seen.add(task.task_id.value)
    if (task.command === undefined) return `Task '${task.task_id.value}' is invalid: CommandInfo must be set`
    if (task.container?.type === 'DOCKER')
      return `Task '${task.task_id.value}' is invalid: Docker ContainerInfo is not supported on the task`
    if (Object.keys(task.limits ?? {}).length > 0 && sharesCgroups(task))
      return `Task '${task.task_id.value}' is invalid: Resource limits may only be set for tasks within a task group when the 'share_cgroups' field is set to 'false'.`
  }
  const taskParts = tasks.map((task) => toResources(task.resources, context.role))
  const executorPart =
    context.runningExecutor(executor.executor_id.value) === undefined ? toResources(executor.resources, context.role) : []
  const needed = [...taskParts, executorPart].reduce(addResources, [])
  return (
    findDefaultExecutorProblem(executor, context.role) ??
    findExecutorProblem(executor, context) ??
    findResourcesProblem(executor.resources ?? [], 'Executor') ??
    findOverlap([...taskParts, executorPart]) ??
    exceeds(needed, 'task group and its executor are', available) ??
    findSharingProblem(tasks, executor, context)
  )
}
