/**
 * Update streams of an agent (mesos-v1.md 2.7): per task one unacknowledged status at a time, repeated with doubling
 * pauses; the same for operations. Works on a draft.
 */
import type { OperationStatus, TaskStatus } from '../mesos/messages.js'
import type { AgentEffect, AgentExecutor, AgentOperation, AgentState, AgentTask, AgentTimings } from './agent-state.js'
import type { ModelEnv } from './master-state.js'
import { isTerminalState } from './task-status.js'

export interface AgentDraft {
  state: AgentState
  readonly effects: AgentEffect[]
  readonly env: ModelEnv
  readonly timings: AgentTimings
}

export function putTask(draft: AgentDraft, key: string, task: AgentTask | undefined): void {
  const { [key]: _, ...rest } = draft.state.tasks
  draft.state = { ...draft.state, tasks: task === undefined ? rest : { ...draft.state.tasks, [key]: task } }
}

export function putExecutor(draft: AgentDraft, key: string, executor: AgentExecutor | undefined): void {
  const { [key]: _, ...rest } = draft.state.executors
  draft.state = { ...draft.state, executors: executor === undefined ? rest : { ...draft.state.executors, [key]: executor } }
}

export function putOperation(draft: AgentDraft, uuid: string, operation: AgentOperation | undefined): void {
  const { [uuid]: _, ...rest } = draft.state.operations
  draft.state = { ...draft.state, operations: operation === undefined ? rest : { ...draft.state.operations, [uuid]: operation } }
}

/** Sends the first unacknowledged status, again or for the first time. */
function sendFirst(draft: AgentDraft, key: string, task: AgentTask, isRepeated: boolean): void {
  const status = task.pending[0]
  if (status === undefined || !draft.state.isRegistered) return
  const retryMs = isRepeated ? Math.min(task.retryMs * 2, draft.timings.updateRetryMaxMs) : draft.timings.updateRetryMs
  putTask(draft, key, { ...task, sent: status, retryMs, sendAtMs: draft.env.atMs + retryMs })
  draft.effects.push({
    type: 'toMaster',
    message: { type: 'statusUpdate', frameworkId: task.framework.id, status, latestState: task.latestState },
  })
}

/**
 * While an agent drains, that is the reason of every kill, whoever asked for it. One that will be marked gone says at the
 * beginning of the kill already that an operator vouches for the end; what follows is ignored.
 */
function asDrained(draft: AgentDraft, task: AgentTask, status: TaskStatus): TaskStatus {
  const { drain } = draft.state
  if (drain === undefined || (status.state !== 'TASK_KILLING' && status.state !== 'TASK_KILLED')) return status
  const state = drain.markGone && task.framework.isPartitionAware ? 'TASK_GONE_BY_OPERATOR' : status.state
  return { ...status, state, reason: 'REASON_AGENT_DRAINING' }
}

/** Takes a status into the stream of its task; the first one in line is sent at once. */
export function addStatus(draft: AgentDraft, key: string, received: TaskStatus): void {
  const task = draft.state.tasks[key]
  const uuid = received.uuid ?? ''
  if (task === undefined || task.seen.includes(uuid)) return
  // Nothing follows an end.
  if (isTerminalState(task.latestState)) return
  const status = asDrained(draft, task, received)
  const next = { ...task, latestState: status.state, pending: [...task.pending, status], seen: [...task.seen, uuid] }
  putTask(draft, key, next)
  if (task.pending.length === 0) sendFirst(draft, key, next, false)
}

/** The scheduler has stored the status: the next one is released. True if the task is over and forgotten. */
export function acknowledgeStatus(draft: AgentDraft, key: string, uuid: string): boolean {
  const task = draft.state.tasks[key]
  const first = task?.pending[0]
  if (task === undefined || first?.uuid !== uuid) return false
  const next = { ...task, pending: task.pending.slice(1) }
  const isOver = next.pending.length === 0 && isTerminalState(task.latestState)
  putTask(draft, key, isOver ? undefined : next)
  if (!isOver) sendFirst(draft, key, next, false)
  return isOver
}

function sendOperation(draft: AgentDraft, operation: AgentOperation, isRepeated: boolean): void {
  if (!draft.state.isRegistered) return
  const retryMs = isRepeated ? Math.min(operation.retryMs * 2, draft.timings.updateRetryMaxMs) : draft.timings.updateRetryMs
  putOperation(draft, operation.uuid, { ...operation, retryMs, sendAtMs: draft.env.atMs + retryMs })
  const { uuid, frameworkId, status } = operation
  draft.effects.push({ type: 'toMaster', message: { type: 'operationUpdate', frameworkId, uuid, status } })
}

export function addOperation(
  draft: AgentDraft,
  operation: Omit<AgentOperation, 'sendAtMs' | 'retryMs' | 'status'>,
  status: OperationStatus,
): void {
  const record = { ...operation, status, retryMs: draft.timings.updateRetryMs, sendAtMs: draft.env.atMs }
  putOperation(draft, operation.uuid, record)
  sendOperation(draft, record, false)
}

/** After a registration or a new subscription: everything unacknowledged, at once. */
export function resendAll(draft: AgentDraft, frameworkId?: string): void {
  for (const [key, task] of Object.entries(draft.state.tasks)) {
    if (frameworkId === undefined || task.framework.id === frameworkId) sendFirst(draft, key, task, false)
  }
  for (const operation of Object.values(draft.state.operations)) {
    if (frameworkId === undefined || operation.frameworkId === frameworkId) sendOperation(draft, operation, false)
  }
}

export function resendDue(draft: AgentDraft): void {
  const { atMs } = draft.env
  for (const [key, task] of Object.entries(draft.state.tasks)) {
    if (task.pending.length > 0 && task.sendAtMs <= atMs) sendFirst(draft, key, task, true)
  }
  for (const operation of Object.values(draft.state.operations)) {
    if (operation.sendAtMs <= atMs) sendOperation(draft, operation, true)
  }
}
