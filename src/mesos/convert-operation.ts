/**
 * Operations of the core -> operations of an ACCEPT: reservations, volumes, and task groups of the default executor. Pure.
 * Source: Mesos v1 `Offer::Operation`, `ExecutorInfo`, `TaskInfo`; "Task groups", "Checks".
 */
import type { FrameworkId } from '../ids.js'
import { assertNever } from '../errors.js'
import type { CommandCheck, ExecutorInfo, Operation, TaskInfo } from '../offer-evaluator/operations.js'
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

const toExecutor = (executor: ExecutorInfo, { frameworkId, role }: Framework): wire.ExecutorInfo => ({
  type: 'DEFAULT',
  executor_id: { value: executor.executorId },
  framework_id: { value: frameworkId },
  resources: toResources(executor.resources, role),
  labels: toLabels(executor.labels),
})

function toTask(task: TaskInfo, role: string): wire.TaskInfo {
  return {
    name: task.name,
    task_id: { value: task.taskId },
    agent_id: { value: task.agentId },
    resources: toResources(task.resources, role),
    command: toCommand(task),
    ...(task.parentVolumes.length === 0 ? {} : { container: toContainer(task.parentVolumes) }),
    ...(task.check === undefined ? {} : { check: toCheck(task.check) }),
    kill_policy: { grace_period: toDuration(task.killGraceMs) },
    labels: toLabels(task.labels),
    ...toDiscovery(task),
  }
}

const toCommand = (task: TaskInfo): wire.CommandInfo => ({
  shell: true,
  value: task.command,
  uris: task.uris.map(({ uri, extract, executable, cache }) => ({ value: uri, extract, executable, cache })),
  environment: { variables: task.env.map(({ name, value }) => ({ name, type: 'VALUE', value })) },
})

/** Volumes live in the executor, which outlives the tasks; each task sees them through its parent's sandbox. */
const toContainer = (paths: readonly string[]): wire.ContainerInfo => ({
  type: 'MESOS',
  volumes: paths.map((path) => ({
    mode: 'RW',
    container_path: path,
    source: { type: 'SANDBOX_PATH', sandbox_path: { type: 'PARENT', path } },
  })),
})

/** `type` must be given for tasks of a group: the master derives it for others only. */
const toCheck = (check: CommandCheck): wire.CheckInfo => ({
  type: 'COMMAND',
  command: { command: { shell: true, value: check.command } },
  delay_seconds: check.delayMs / 1000,
  interval_seconds: check.intervalMs / 1000,
  timeout_seconds: check.timeoutMs / 1000,
})

function toDiscovery(task: TaskInfo): Pick<wire.TaskInfo, 'discovery'> {
  const ports = task.ports.filter((port) => port.advertise).map(({ name, number }) => ({ number, name, protocol: 'tcp' }))
  return ports.length === 0 ? {} : { discovery: { visibility: 'CLUSTER', name: task.name, ports: { ports } } }
}
