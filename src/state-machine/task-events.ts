/**
 * Mesos task states and what they say about a task's life. Exhaustive. Source: Mesos v1 `TaskState`, with
 * PARTITION_AWARE and TASK_KILLING_STATE. Pure.
 */

/** Mesos task states without the `TASK_` prefix. */
export const mesosTaskStates = [
  'STAGING',
  'STARTING',
  'RUNNING',
  'KILLING',
  'FINISHED',
  'FAILED',
  'KILLED',
  'ERROR',
  'DROPPED',
  'GONE',
  'GONE_BY_OPERATOR',
  'LOST',
  'UNREACHABLE',
  'UNKNOWN',
] as const

export type MesosTaskState = (typeof mesosTaskStates)[number]
