/**
 * Footprint -> what is launched on it: the default executor with the pod's volumes, and one task group per task. Pure.
 */
import type { ExecutorId, TaskId, TaskName } from '../ids.js'
import type { TaskSpec } from '../spec/schema.js'
import type { Footprint, LedgerEntry } from './footprint-record.js'
import type { ExecutorInfo, Operation, TaskInfo } from './operations.js'
import { isExecutorPart, isTaskPart } from './requirement.js'
import type { Labels, Resource } from './resources.js'

/** One task to launch, with everything chosen. */
export interface TaskLaunchPlan {
  readonly task: string
  readonly name: TaskName
  readonly taskId: TaskId
  readonly spec: TaskSpec
  /** Placeholders replaced. */
  readonly env: readonly { readonly name: string; readonly value: string }[]
  readonly labels: Labels
}

/** A new incarnation of the pod's executor. */
export function buildExecutor(
  id: ExecutorId,
  footprint: Footprint,
  resourceOf: (entry: LedgerEntry) => Resource,
  labels: Labels,
): ExecutorInfo {
  return { executorId: id, resources: footprint.entries.filter(isExecutorPart).map(resourceOf), labels }
}

/** One LAUNCH_GROUP per task: tasks of a pod end and restart independently of each other. */
export function buildLaunches(
  executor: ExecutorInfo,
  footprint: Footprint,
  tasks: readonly TaskLaunchPlan[],
  resourceOf: (entry: LedgerEntry) => Resource,
): Operation[] {
  return tasks.map((task) => ({ type: 'launchGroup', executor, tasks: [buildTask(footprint, task, resourceOf)] }))
}

function buildTask(footprint: Footprint, plan: TaskLaunchPlan, resourceOf: (entry: LedgerEntry) => Resource): TaskInfo {
  const { spec } = plan
  const numbers = footprint.ports[plan.task] ?? {}
  const check = spec.readinessCheck
  return {
    taskId: plan.taskId,
    name: plan.name,
    agentId: footprint.agentId,
    resources: footprint.entries.filter((entry) => isTaskPart(entry, plan.task)).map(resourceOf),
    command: spec.command,
    env: plan.env,
    uris: spec.uris,
    ...(check === undefined ? {} : { check }),
    killGraceMs: spec.killGraceMs,
    labels: plan.labels,
    parentVolumes: footprint.entries.flatMap((entry) => (entry.volume === undefined ? [] : [entry.volume.containerPath])),
    ports: Object.entries(numbers).map(([name, number]) => ({ name, number, advertise: spec.ports[name]?.advertise ?? false })),
  }
}
