/** The record of one task, out of what the master knows of its launches: its statuses are played to the task's machine again. Pure. */
import { nameOfTask, type TaskName } from '../ids.js'
import { labelNames } from '../offer-evaluator/labels.js'
import { labelOf, type DatedStatus, type KnownTask } from '../scheduler/cluster-view.js'
import { maxMessageLength } from '../scheduler/task-status.js'
import { targetConfigId } from '../ids.js'
import type { TaskSpec } from '../spec/schema.js'
import { newTaskRecord, type TaskRecord } from '../state-machine/task-record.js'
import { advanceTask } from '../state-machine/transition.js'
import { generationOf, launchedAtMs } from './evidence.js'

/** Labels and the like that a launch cannot be recorded without. */
export function missingOf(task: KnownTask): string[] {
  const needed = [labelNames.spec, labelNames.generation, labelNames.task, labelNames.pod]
  const missing = needed.filter((key) => labelOf(task.labels, key) === undefined)
  return task.executorId === undefined ? [...missing, 'an executor id'] : missing
}

export const isIdle = ({ labels }: KnownTask): boolean => labelOf(labels, labelNames.idle) === 'true'

/** It has passed its readiness check at least once, as far as the kept statuses tell. */
export const wasReady = (task: KnownTask, spec: TaskSpec): boolean =>
  isIdle(task) || task.statuses.some((status) => isReady(spec, status))

const isReady = (spec: TaskSpec, { state, checkExitCode }: DatedStatus): boolean =>
  state === 'RUNNING' && (spec.readinessCheck === undefined || checkExitCode === 0)

/**
 * Content hash of the last launch of a task that is known to have ended with success: by its own statuses, or by the word of a
 * later launch in the pod.
 */
export function finishedHashOf(name: TaskName, task: string, ofInstance: readonly KnownTask[]): string | undefined {
  const told = ofInstance.flatMap((other) => {
    const isOwn = nameOfTask(other.id) === name && other.statuses.some(({ state }) => state === 'FINISHED')
    const own = isOwn ? labelOf(other.labels, labelNames.task) : undefined
    return own ?? labelOf(other.labels, `${labelNames.finished}${task}`) ?? []
  })
  return told.at(-1)
}

/** `latest` is the last launch of it, undefined if none is known. */
export function buildTaskRecord(
  latest: KnownTask | undefined,
  spec: TaskSpec,
  finishedHash: string | undefined,
  nowMs: number,
): TaskRecord {
  const start: TaskRecord = {
    ...newTaskRecord,
    context: { ...newTaskRecord.context, ...(finishedHash === undefined ? {} : { finishedHash }) },
  }
  if (latest === undefined) return start
  const { executorId, labels } = latest
  const label = (key: string): string => labelOf(labels, key) ?? ''
  let { record } = advanceTask(start, {
    type: 'launchDecided',
    launch: {
      taskId: latest.id,
      agentId: latest.agentId,
      // Looked at before.
      executorId: executorId as NonNullable<typeof executorId>,
      targetId: targetConfigId(label(labelNames.spec)),
      taskHash: label(labelNames.task),
      podHash: label(labelNames.pod),
      generation: generationOf(latest),
      ...(isIdle(latest) ? { idle: true } : {}),
      atMs: launchedAtMs(latest) ?? nowMs,
    },
  })
  for (const status of statusesOf(latest)) {
    const { healthy, reason, message } = status
    ;({ record } = advanceTask(record, {
      type: status.state,
      atMs: status.sentAtMs ?? nowMs,
      ready: isReady(spec, status),
      ...(healthy === undefined ? {} : { healthy }),
      ...(reason === undefined ? {} : { reason }),
      ...(message === undefined ? {} : { message: message.slice(0, maxMessageLength) }),
    }))
  }
  return record
}

/** The master may know a newer state than that of the last status it keeps. */
function statusesOf({ id, state, statuses }: KnownTask): readonly DatedStatus[] {
  return statuses.at(-1)?.state === state ? statuses : [...statuses, { taskId: id, state, source: 'MASTER' }]
}
