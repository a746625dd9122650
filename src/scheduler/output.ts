/**
 * What the core asks the shell to do, after the changed records are durable and not before. Plain data: nothing is left
 * to choose while executing.
 */
import type { AgentId, OfferId, OperationId, RunId, StreamId, TaskId } from '../ids.js'
import type { Operation } from '../offer-evaluator/operations.js'

/** A call to the master. All but `accept` may be lost or repeated; an `accept` is sent at most once. */
export type MesosCall =
  /** `refuseSeconds` is the filter for what the operations leave over. */
  | {
      readonly type: 'accept'
      readonly offerIds: readonly OfferId[]
      readonly agentId: AgentId
      readonly operations: readonly Operation[]
      readonly refuseSeconds: number
    }
  | { readonly type: 'decline'; readonly offerIds: readonly OfferId[]; readonly refuseSeconds: number }
  | { readonly type: 'kill'; readonly taskId: TaskId; readonly agentId: AgentId; readonly graceMs?: number }
  /** An empty list is the implicit form: the master reports all tasks it knows. */
  | { readonly type: 'reconcileTasks'; readonly tasks: readonly { readonly taskId: TaskId; readonly agentId: AgentId }[] }
  | {
      readonly type: 'reconcileOperations'
      readonly operations: readonly { readonly operationId: OperationId; readonly agentId: AgentId }[]
    }
  | { readonly type: 'suppress' }
  | { readonly type: 'revive' }

/** An acknowledgement of something that is stored by now. */
export type Ack =
  | { readonly type: 'acknowledgeTask'; readonly taskId: TaskId; readonly agentId: AgentId; readonly uuid: string }
  | { readonly type: 'acknowledgeOperation'; readonly operationId: OperationId; readonly agentId: AgentId; readonly uuid: string }

/** Anything sent to the master; fenced: what was decided on one stream is never sent on another. */
export interface Outgoing<Call = MesosCall | Ack> {
  readonly streamId: StreamId
  readonly call: Call
}

/** Work for the author's code: run id and attempt identify it, the shell adds the abort signal. */
export interface Job {
  readonly runId: RunId
  readonly attempt: number
  /** Name of the hook in the spec. */
  readonly hook: string
  /** Plain JSON. */
  readonly input: unknown
  /** Time limit for this attempt in milliseconds. */
  readonly timeoutMs: number
}
