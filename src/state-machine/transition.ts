/**
 * The one place where the machine is used: record and event in, next record out, or `ignored`. Errors of guards and actions
 * come straight out. Pure.
 */
// eslint-disable-next-line no-restricted-imports -- never started; see `inert`
import { createActor } from 'xstate'
import { SdkError } from '../errors.js'
import { taskMachine, type TaskMachineEvent } from './task-machine.js'
import { newTaskRecord, taskStates, withHistory, withPresumed, type TaskRecord, type TaskState } from './task-record.js'

/**
 * What the machine asks for beside snapshot and event. The library's own `transition` makes it, and an actor for it, each time,
 * which is two thirds of the cost; this actor is never started and nothing in a flat machine speaks to it.
 */
const inert = createActor(taskMachine, { input: newTaskRecord.context })
const nothing = (): void => undefined
const scope: Parameters<typeof taskMachine.transition>[2] = {
  self: inert,
  system: inert.system,
  id: '',
  sessionId: '',
  logger: nothing,
  defer: nothing,
  stopChild: nothing,
  emit: nothing,
  actionExecutor: nothing,
}

/** The record after the event; `ignored` when the state has no use for it (the record is then the same object). */
export function advanceTask(
  record: TaskRecord,
  event: TaskMachineEvent,
): { readonly record: TaskRecord; readonly ignored: boolean } {
  const before = taskMachine.resolveState({ value: record.value, context: record.context })
  const after = taskMachine.transition(before, event, scope)
  if (after === before) return { record, ignored: true }
  const value = toState(after.value)
  return {
    record: {
      ...record,
      value,
      context: after.context,
      history: historyAfter(record, value, event),
      presumed: presumedAfter(record, event),
    },
    ignored: false,
  }
}

/** What is told again and again is kept once. */
function historyAfter({ value: before, history }: TaskRecord, value: TaskState, event: TaskMachineEvent): TaskRecord['history'] {
  if (value === before && history.at(-1)?.event === event.type) return history
  if (event.type === 'launchDecided') {
    const { atMs, taskId } = event.launch
    return withHistory(history, { atMs, event: event.type, taskId })
  }
  if (event.type === 'killDecided') return withHistory(history, { atMs: event.atMs, event: event.type })
  const { atMs, type, reason, message } = event
  const words = {
    ...(reason === undefined ? {} : { reason }),
    ...(message === undefined ? {} : { message: message.slice(0, maxHistoryText) }),
  }
  return withHistory(history, { atMs, event: type, ...words })
}

/** Gone by the master's word, or never sent as far as anybody knows: no executor has said that it ended. */
function presumedAfter({ context, presumed }: TaskRecord, event: TaskMachineEvent): TaskRecord['presumed'] {
  const { launch, outcome } = context
  if (event.type !== 'launchDecided' || launch === undefined || (outcome !== 'gone' && outcome !== 'neverRan')) return presumed
  return withPresumed(presumed, launch.taskId)
}

/** Twenty of them have to fit into a small record. */
const maxHistoryText = 200

function toState(value: unknown): TaskState {
  const known = taskStates.find((state) => state === value)
  if (known === undefined)
    throw new SdkError('ERR_INVARIANT', `the task machine reached ${JSON.stringify(value)}, which is no flat state`)
  return known
}
