/** Kills: decided once and stored, sent until the task has ended. Pure. */
import type { TaskName } from '../ids.js'
import { advanceTask } from '../state-machine/transition.js'
import { needOf, tasksOf } from './assess.js'
import { restartBlocker } from './disruption-budget.js'
import type { Draft } from './draft.js'
import { openInstances } from './open-instances.js'

/** A KILL may be lost; it is sent again after this pause. */
export const killRepeatMs = 10_000

export function decideKills(draft: Draft): void {
  if (draft.volatile.stream === undefined) return
  for (const [, instance] of openInstances(draft)) {
    // What nobody owns is left alone: an older configuration is no reason to stop a task before its block begins.
    if (instance.owner === 'none') continue
    const need = needOf(draft, instance)
    if (need.kind === 'kill' && restartBlocker(draft, instance) === undefined) decide(draft, need.tasks)
  }
}

function decide(draft: Draft, tasks: readonly TaskName[]): void {
  for (const task of tasks) {
    const record = draft.records.tasks.get(task)
    if (record !== undefined) draft.setTask(task, advanceTask(record, { type: 'killDecided', atMs: draft.volatile.nowMs }).record)
  }
  draft.decided()
}

/** Sends what is due, also for kills that another process decided. */
export function sendKills(draft: Draft): void {
  const { stream, nowMs, unansweredTasks } = draft.volatile
  if (stream === undefined) return
  const tasks = openInstances(draft).flatMap(([, instance]) => tasksOf(draft.records, instance))
  for (const { value, context } of tasks.map(({ record }) => record)) {
    if (value !== 'killing' || context.launch === undefined || context.killAtMs === undefined) continue
    const { taskId, agentId } = context.launch
    if (unansweredTasks.has(taskId)) continue
    const sentAtMs = draft.volatile.killsSentAtMs.get(taskId)
    if (sentAtMs !== undefined && nowMs - sentAtMs < killRepeatMs) continue
    draft.edit('killsSentAtMs').set(taskId, nowMs)
    draft.call({ type: 'kill', taskId, agentId })
  }
}
