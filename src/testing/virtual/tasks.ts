/** How virtual processes behave: a small function by task, so that a test says only what is unusual. Pure. */
import { podInstanceName, taskName } from '../../ids.js'
import type { TaskInfo } from '../../mesos/messages.js'
import type { ServiceSpec, TaskGoal } from '../../spec/schema.js'

export interface TaskBehaviour {
  /** From its start until it ends by itself; absent: it runs until it is killed. */
  readonly endsAfterMs?: number
  /** @defaultValue 0 */
  readonly exitCode?: number
  /** From its start until its check answers exit code 0. @defaultValue 0 */
  readonly readyAfterMs?: number
  /** From its start until its health check fails, for good. @defaultValue never */
  readonly unhealthyAfterMs?: number
  /** From SIGTERM to its end; SIGKILL ends it at once. @defaultValue 0 */
  readonly stopsAfterMs?: number
  /** SIGTERM does nothing; after its grace period SIGKILL ends it. @defaultValue false */
  readonly ignoresTerm?: boolean
}

/** `launch` counts the processes of a task's name from 1, over the whole life of the cluster. */
export type Behave = (task: TaskInfo, launch: number) => TaskBehaviour

const workMs = 2_000
const readyAfterMs = 3_000
const stopsAfterMs = 500

/** Tasks with the goal RUNNING run and become ready; all others do their work and exit with 0. */
export function behaveAsSpecified(spec: ServiceSpec): Behave {
  const goals = new Map<string, TaskGoal>()
  for (const [pod, { count, tasks }] of Object.entries(spec.pods)) {
    for (let index = 0; index < count; index++) {
      for (const [task, { goal }] of Object.entries(tasks)) goals.set(taskName(podInstanceName(pod, index), task), goal)
    }
  }
  return (task) => (goals.get(task.name) === 'RUNNING' ? { readyAfterMs, stopsAfterMs } : { endsAfterMs: workMs, stopsAfterMs })
}
