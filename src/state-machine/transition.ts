/**
 * The one place where the machine is used: record and event in, next record out, or `ignored`. Errors of guards and actions
 * come straight out. Pure.
 */
import { transition } from 'xstate'
import { SdkError } from '../errors.js'
import { taskMachine, type TaskMachineEvent } from './task-machine.js'
import { taskStates, type TaskRecord, type TaskState } from './task-record.js'

/** The record after the event; `ignored` when the state has no use for it (the record is then the same object). */
export function advanceTask(
  record: TaskRecord,
  event: TaskMachineEvent,
): { readonly record: TaskRecord; readonly ignored: boolean } {
  const before = taskMachine.resolveState({ value: record.value, context: record.context })
  const [after] = transition(taskMachine, before, event)
  if (after === before) return { record, ignored: true }
  return { record: { ...record, value: toState(after.value), context: after.context }, ignored: false }
}

function toState(value: unknown): TaskState {
  const known = taskStates.find((state) => state === value)
  if (known === undefined)
    throw new SdkError('ERR_INVARIANT', `the task machine reached ${JSON.stringify(value)}, which is no flat state`)
  return known
}
