/**
 * Operations of the core -> operations of an ACCEPT: reservations, volumes, and task groups of the default executor. Pure.
 * Source: Mesos v1 `Offer::Operation`, `ExecutorInfo`, `TaskInfo`; "Task groups", "Checks".
 */
import type { FrameworkId } from '../ids.js'
import { assertNever } from '../errors.js'
import type { CommandCheck, ExecutorInfo, Operation, TaskInfo, TaskPort } from '../offer-evaluator/operations.js'
import { fromMilli } from '../units.js'
import { toContainer, toSecret } from './convert-container.js'
import { toLabels, toResource } from './convert-resource.js'
import type * as wire from './messages.js'

const nanosecondsPerMillisecond = 1_000_000

/** On whose behalf: a group launch must repeat the framework id, every resource its role. */
export interface Framework {
  readonly frameworkId: FrameworkId
  readonly role: string
}

/** Milliseconds as Mesos writes a duration. */
export const toDuration = (milliseconds: number): wire.DurationInfo => ({
  nanoseconds: Math.round(milliseconds) * nanosecondsPerMillisecond,
})

export function toOperation(operation: Operation, framework: Framework): wire.Operation {
  const { role } = framework
  switch (operation.type) {
    case 'reserve':
      return { type: 'RESERVE', id: { value: operation.id }, reserve: { resources: toResources(operation.resources, role) } }
    case 'create':
      return { type: 'CREATE', id: { value: operation.id }, create: { volumes: toResources(operation.volumes, role) } }
    case 'launchGroup':
      return {
        // No `id`: Mesos answers a launch that has one with TASK_ERROR.
        type: 'LAUNCH_GROUP',
        launch_group: {
          executor: toExecutor(operation.executor, framework),
          task_group: { tasks: operation.tasks.map((task) => toTask(task, role)) },
        },
      }
    default:
      return assertNever(operation)
  }
}

const toResources = (resources: ExecutorInfo['resources'], role: string): wire.Resource[] =>
  resources.map((resource) => toResource(resource, role))

function toExecutor(executor: ExecutorInfo, { frameworkId, role }: Framework): wire.ExecutorInfo {
  const container = toContainer([], executor.container)
  return {
    type: 'DEFAULT',
    executor_id: { value: executor.executorId },
    framework_id: { value: frameworkId },
    resources: toResources(executor.resources, role),
    labels: toLabels(executor.labels),
    ...(container === undefined ? {} : { container }),
  }
}

function toTask(task: TaskInfo, role: string): wire.TaskInfo {
  const container = toContainer(task.parentVolumes, task.container)
  return {
    name: task.name,
    task_id: { value: task.taskId },
    agent_id: { value: task.agentId },
    resources: toResources(task.resources, role),
    command: toCommand(task),
    ...(container === undefined ? {} : { container }),
    ...(task.check === undefined ? {} : { check: toCheck(task.check, task) }),
    ...(task.healthCheck === undefined ? {} : { health_check: toHealthCheck(task.healthCheck, task) }),
    kill_policy: { grace_period: toDuration(task.killGraceMs) },
    labels: toLabels(task.labels),
    ...toDiscovery(task),
    ...(task.limits === undefined ? {} : { limits: toLimits(task.limits) }),
  }
}

const toCommand = (task: TaskInfo): wire.CommandInfo => ({
  ...toShell(task.command, task),
  uris: task.uris.map(({ uri, extract, executable, cache, outputFile }) => ({
    value: uri,
    extract,
    executable,
    cache,
    ...(outputFile === undefined ? {} : { output_file: outputFile }),
  })),
  environment: {
    variables: [
      ...task.env.map(({ name, value }) => ({ name, type: 'VALUE' as const, value })),
      ...(task.secretEnv ?? []).map(({ name, secret }) => ({ name, type: 'SECRET' as const, secret: toSecret(secret) })),
    ],
  },
})

/** A check that names no user is run as the framework's, not as that of its task. */
const toShell = (command: string, { user }: TaskInfo): wire.CommandInfo => ({
  shell: true,
  value: command,
  ...(user === undefined ? {} : { user }),
})

const toTimes = ({ delayMs, intervalMs, timeoutMs }: CommandCheck) => ({
  delay_seconds: delayMs / 1000,
  interval_seconds: intervalMs / 1000,
  timeout_seconds: timeoutMs / 1000,
})

/** `type` must be given for tasks of a group: the master derives it for others only. */
const toCheck = (check: CommandCheck, task: TaskInfo): wire.CheckInfo => ({
  type: 'COMMAND',
  command: { command: toShell(check.command, task) },
  ...toTimes(check),
})

const toHealthCheck = (check: NonNullable<TaskInfo['healthCheck']>, task: TaskInfo): wire.HealthCheck => ({
  type: 'COMMAND',
  command: toShell(check.command, task),
  ...toTimes(check),
  grace_period_seconds: check.graceMs / 1000,
  consecutive_failures: check.maxFailures,
})

const toLimits = (limits: NonNullable<TaskInfo['limits']>): NonNullable<wire.TaskInfo['limits']> =>
  Object.fromEntries(
    Object.entries(limits).map(([name, limit]) => [name, { value: limit === 'unlimited' ? 'Infinity' : fromMilli(limit) }]),
  )

function toDiscovery(task: TaskInfo): Pick<wire.TaskInfo, 'discovery'> {
  const ports = task.ports.filter((port) => port.advertise || port.vip !== undefined).map((port) => toDiscoveryPort(port, task))
  if (task.discovery === undefined && ports.length === 0) return {}
  const { name, visibility } = task.discovery ?? { name: task.name, visibility: 'CLUSTER' }
  return { discovery: { visibility, name, ...(ports.length === 0 ? {} : { ports: { ports } }) } }
}

function toDiscoveryPort({ name, number, advertise, vip }: TaskPort, { discovery }: TaskInfo): wire.DiscoveryPort {
  const port: wire.DiscoveryPort = { number, name, protocol: 'tcp' }
  // Whoever asks for nothing but advertised ports gets one visibility for all of them.
  if (vip === undefined && discovery === undefined) return port
  return {
    ...port,
    visibility: advertise ? 'EXTERNAL' : 'CLUSTER',
    // The load balancers of DC/OS look for labels that begin so, and take `/NAME:PORT` for a name of their own.
    ...(vip === undefined ? {} : { labels: toLabels([{ key: `VIP_${vip.key}`, value: `/${vip.name}:${vip.port}` }]) }),
  }
}
