/**
 * Reconciliation as state: after every subscription each task that may be alive and each open operation is asked for, again and
 * again with growing pauses, until the master has told; then once for everything, to find tasks the store does not know. Pure.
 * Source: Mesos v1 RECONCILE, RECONCILE_OPERATIONS.
 */
import type { AgentId, OperationId, TaskId } from '../ids.js'
import { mayBeAlive } from '../state-machine/task-record.js'
import type { Draft } from './draft.js'
import type { OpenAsk, Records, Volatile } from './state.js'

const firstPauseMs = 2_000
const maxPauseMs = 60_000
/** All tasks are asked for again this often, in case master and store have come to differ in a way that nobody has told. */
const periodMs = 3_600_000

/** What has stood open for this long is asked for: its answer may have been lost, or nobody has made one. */
const doubtAfterMs = 60_000

const neverAsked: OpenAsk = { askedAtMs: 0, tries: 0 }

/** What a new stream has to tell about. */
export function openAsks(records: Records): {
  tasks: Map<TaskId, OpenAsk>
  operations: Map<OperationId, OpenAsk>
} {
  const tasks = new Map<TaskId, OpenAsk>()
  const operations = new Map<OperationId, OpenAsk>()
  for (const record of records.tasks.values()) {
    if (record.context.launch !== undefined && mayBeAlive(record)) tasks.set(record.context.launch.taskId, neverAsked)
  }
  for (const { footprint } of records.instances.values()) {
    for (const operation of footprint?.operations ?? []) operations.set(operation.id, neverAsked)
  }
  return { tasks, operations }
}

export function reconcile(draft: Draft): void {
  if (draft.volatile.stream === undefined) return
  doubt(draft)
  askTasks(draft)
  askOperations(draft)
  askForAll(draft)
}

/** Launches and operations without any news, and tasks that may have come back: feedback is lost where an agent is lost. */
function doubt(draft: Draft): void {
  const { nowMs, doubtsAskedAtMs } = draft.volatile
  if (nowMs - doubtsAskedAtMs < doubtAfterMs) return
  draft.setVolatile({ doubtsAskedAtMs: nowMs })
  for (const { value, context } of draft.records.tasks.values()) {
    const isOld = context.launch !== undefined && nowMs - context.launch.atMs >= doubtAfterMs
    const inDoubt = value === 'unreachable' || ((value === 'launching' || value === 'killing') && isOld)
    if (context.launch !== undefined && inDoubt && !draft.volatile.unansweredTasks.has(context.launch.taskId)) {
      draft.edit('unansweredTasks').set(context.launch.taskId, neverAsked)
    }
  }
  // Nobody may ever tell of the end of a task that the store does not know.
  const strangers = [...draft.volatile.strangers.values()].flatMap(({ taskId, agentId }) =>
    agentId === undefined ? [] : [{ taskId, agentId }],
  )
  if (strangers.length > 0) draft.call({ type: 'reconcileTasks', tasks: strangers })
  for (const { footprint } of draft.records.instances.values()) {
    for (const { id, sentAtMs } of footprint?.operations ?? []) {
      const isOld = nowMs - sentAtMs >= doubtAfterMs
      if (isOld && !draft.volatile.unansweredOperations.has(id)) draft.edit('unansweredOperations').set(id, neverAsked)
    }
  }
}

/** When an open ask is repeated. */
export const nextAskMs = ({ askedAtMs, tries }: OpenAsk): number =>
  tries === 0 ? 0 : askedAtMs + Math.min(maxPauseMs, firstPauseMs * 2 ** (tries - 1))

const isDue = (ask: OpenAsk, nowMs: number): boolean => nowMs >= nextAskMs(ask)

/** When doubts, or everything, are asked for again. */
export const nextReconciliationMs = ({ doubtsAskedAtMs, reconciledAtMs }: Volatile): number =>
  Math.min(doubtsAskedAtMs + doubtAfterMs, reconciledAtMs + periodMs)

function askTasks(draft: Draft): void {
  const { unansweredTasks, nowMs } = draft.volatile
  if (unansweredTasks.size === 0) return
  const due: { taskId: TaskId; agentId: AgentId }[] = []
  for (const { context } of draft.records.tasks.values()) {
    const ask = context.launch === undefined ? undefined : unansweredTasks.get(context.launch.taskId)
    if (context.launch === undefined || ask === undefined || !isDue(ask, nowMs)) continue
    due.push({ taskId: context.launch.taskId, agentId: context.launch.agentId })
  }
  if (due.length === 0) return
  const edited = draft.edit('unansweredTasks')
  for (const { taskId } of due) edited.set(taskId, { askedAtMs: nowMs, tries: (edited.get(taskId)?.tries ?? 0) + 1 })
  draft.call({ type: 'reconcileTasks', tasks: due })
}

function askOperations(draft: Draft): void {
  const { unansweredOperations, nowMs } = draft.volatile
  if (unansweredOperations.size === 0) return
  const due: { operationId: OperationId; agentId: AgentId }[] = []
  for (const { footprint } of draft.records.instances.values()) {
    for (const { id } of footprint?.operations ?? []) {
      const ask = unansweredOperations.get(id)
      if (footprint !== undefined && ask !== undefined && isDue(ask, nowMs))
        due.push({ operationId: id, agentId: footprint.agentId })
    }
  }
  if (due.length === 0) return
  const edited = draft.edit('unansweredOperations')
  for (const { operationId } of due)
    edited.set(operationId, { askedAtMs: nowMs, tries: (edited.get(operationId)?.tries ?? 0) + 1 })
  draft.call({ type: 'reconcileOperations', operations: due })
}

/** Once per stream, when the named tasks are answered, without names: that finds tasks that the store does not know. Then now and then by name. */
function askForAll(draft: Draft): void {
  const { reconciledAtMs, nowMs, unansweredTasks, stream } = draft.volatile
  if (unansweredTasks.size > 0 || stream === undefined) return
  if (reconciledAtMs >= stream.sinceMs && nowMs - reconciledAtMs < periodMs) return
  const isRepeat = reconciledAtMs >= stream.sinceMs
  draft.setVolatile({ reconciledAtMs: nowMs })
  if (!isRepeat) return draft.call({ type: 'reconcileTasks', tasks: [] })
  const alive = [...draft.records.tasks.values()].flatMap(({ context, value }) =>
    context.launch === undefined || value === 'idle' || value === 'ended' ? [] : [context.launch],
  )
  if (alive.length > 0) draft.call({ type: 'reconcileTasks', tasks: alive.map(({ taskId, agentId }) => ({ taskId, agentId })) })
}
