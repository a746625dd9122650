/** What an operator asks for becomes a stored fact, so that a restart of the scheduler keeps it. Pure. */
import { assertNever } from '../errors.js'
import type { PodInstanceName } from '../ids.js'
import { newTaskRecord } from '../state-machine/task-record.js'
import { tasksOf } from './assess.js'
import type { Draft } from './draft.js'
import type { OperatorCommand } from './events.js'

export function applyCommand(draft: Draft, command: OperatorCommand): void {
  switch (command.type) {
    case 'pausePlan':
      return setPaused(draft, command.plan, true)
    case 'resumePlan':
      return setPaused(draft, command.plan, false)
    case 'restartPod': {
      const instance = draft.records.instances.get(command.instance)
      // Tasks launched at this very moment count as older: the operator cannot have meant them.
      if (instance?.deployed === true)
        draft.setInstance(command.instance, { ...instance, restartBeforeMs: draft.volatile.nowMs + 1 })
      return
    }
    case 'pausePod':
    case 'resumePod':
      return setPodPaused(draft, command.instance, command.type === 'pausePod')
    default:
      return assertNever(command)
  }
}

/** Also of what is in somebody's hands: what keeps crashing is paused to be repaired in place. */
function setPodPaused(draft: Draft, name: PodInstanceName, paused: boolean): void {
  const instance = draft.records.instances.get(name)
  if (instance?.deployed !== true || (instance.paused === true) === paused) return
  const { paused: _before, ...rest } = instance
  draft.setInstance(name, { ...rest, ...(paused ? { paused } : {}) })
  if (paused) return
  // What was repaired does not wait for what it did before.
  for (const { name: task, record } of tasksOf(draft.records, instance))
    draft.setTask(task, { ...record, backoff: newTaskRecord.backoff })
}

/** Pausing what is paused already changes nothing. */
function setPaused(draft: Draft, plan: string, paused: boolean): void {
  if (plan !== 'deploy' && plan !== 'update') return
  const run = draft.records.runs.get(plan)
  if (run !== undefined && run.completedAtMs === undefined && run.paused !== paused) draft.setRun({ ...run, paused })
}
