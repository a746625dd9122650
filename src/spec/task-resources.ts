/** What a task runs on: its own resources, or those of the resource set that it names. Pure. */
import { own } from './own.js'
import type { PodSpec, TaskSpec } from './schema.js'

/** A task with its resources in it, wherever they were written. */
export interface ResolvedTask extends TaskSpec {
  readonly cpus: number
  readonly memoryMb: number
}

/** Of a checked spec. */
export function resolveTask(pod: Pick<PodSpec, 'resourceSets'>, task: TaskSpec): ResolvedTask {
  const set = task.resourceSet === undefined ? undefined : own(pod.resourceSets, task.resourceSet)
  // The check demands both where no set is named.
  return set === undefined ? (task as ResolvedTask) : { ...task, ...set }
}

/** The tasks of a pod type in their order, each with its resources. */
export const resolveTasks = (pod: PodSpec): [string, ResolvedTask][] =>
  Object.entries(pod.tasks).map(([name, task]) => [name, resolveTask(pod, task)])

/** With limits on one task, all tasks of its executor have control groups of their own. */
export const hasLimits = (pod: PodSpec): boolean => resolveTasks(pod).some(([, { limits }]) => limits !== undefined)
