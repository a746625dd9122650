/**
 * All that can arrive at the core. Past tense; every event carries `atMs`, epoch milliseconds, the only clock the core
 * knows. Mesos' own messages are converted in `src/mesos`; a heartbeat never gets here.
 */
import type { AgentId, ExecutorId, FrameworkId, OfferId, OperationId, PodInstanceName, RunId, StreamId, TaskId } from '../ids.js'
import type { Offer } from '../offer-evaluator/resources.js'
import type { ServiceSpec } from '../spec/schema.js'
import type { MesosTaskState } from '../state-machine/task-events.js'

/** A task status as the driver hands it over. */
export interface TaskStatus {
  readonly taskId: TaskId
  readonly state: MesosTaskState
  readonly agentId?: AgentId
  readonly executorId?: ExecutorId
  readonly source: 'MASTER' | 'AGENT' | 'EXECUTOR' | 'UNKNOWN'
  /** Mesos reason without the `REASON_` prefix, for example `RECONCILIATION`. */
  readonly reason?: string
  readonly message?: string
  /** Base64 text; present exactly when the update must be acknowledged. */
  readonly uuid?: string
  readonly healthy?: boolean
  /** Exit code of the task's check, once it has a result. */
  readonly checkExitCode?: number
  /** Task labels, if the master sent any. */
  readonly labels?: readonly { readonly key: string; readonly value: string }[]
}

export type OperationState =
  'PENDING' | 'FINISHED' | 'FAILED' | 'ERROR' | 'DROPPED' | 'UNREACHABLE' | 'GONE_BY_OPERATOR' | 'RECOVERING' | 'UNKNOWN'

export interface OperationStatus {
  readonly operationId: OperationId
  readonly state: OperationState
  readonly agentId?: AgentId
  readonly message?: string
  /** Base64 text; present exactly when the update must be acknowledged. */
  readonly uuid?: string
}

/** What became of one attempt of a job. */
export type JobOutcome =
  | { readonly ok: true; readonly value: unknown }
  /** `error` is the text of what was thrown, or says that the deadline passed. */
  | { readonly ok: false; readonly error: string }

/** What an operator asks for. */
export type OperatorCommand =
  | { readonly type: 'pausePlan'; readonly plan: string }
  | { readonly type: 'resumePlan'; readonly plan: string }
  | { readonly type: 'restartPod'; readonly instance: PodInstanceName }
  /** Its tasks idle in place, until they are resumed. */
  | { readonly type: 'pausePod'; readonly instance: PodInstanceName }
  | { readonly type: 'resumePod'; readonly instance: PodInstanceName }

/** Why the stream ended for good. */
export type FrameworkErrorKind = 'failedOver' | 'removed' | 'refused' | 'other'

/** What the driver reports. */
export type DriverEvent =
  | { readonly type: 'subscribed'; readonly streamId: StreamId; readonly frameworkId: FrameworkId; readonly atMs: number }
  /** The stream of the last `subscribed` is over; the driver subscribes again by itself. */
  | { readonly type: 'disconnected'; readonly reason: string; readonly atMs: number }
  /** The master ended the stream with an ERROR; the driver has stopped unless `kind` is `other`. */
  | {
      readonly type: 'frameworkErrorReceived'
      readonly kind: FrameworkErrorKind
      readonly message: string
      readonly atMs: number
    }
  | { readonly type: 'offersReceived'; readonly offers: readonly Offer[]; readonly atMs: number }
  | { readonly type: 'offerRescinded'; readonly offerId: OfferId; readonly atMs: number }
  | { readonly type: 'taskStatusReceived'; readonly status: TaskStatus; readonly atMs: number }
  | { readonly type: 'operationStatusReceived'; readonly status: OperationStatus; readonly atMs: number }
  /** The agent left (unreachable, removed, gone); a hint, tasks get statuses of their own. */
  | { readonly type: 'agentFailed'; readonly agentId: AgentId; readonly atMs: number }
  /** An executor ended, orderly or not; a hint. `status` is a raw wait status, -1 if unknown. */
  | {
      readonly type: 'executorFailed'
      readonly agentId: AgentId
      readonly executorId: ExecutorId
      readonly status: number
      readonly atMs: number
    }

/** Everything the core is fed with. */
export type Event =
  | DriverEvent
  /** The spec that the program was started with. */
  | { readonly type: 'targetSubmitted'; readonly spec: ServiceSpec; readonly atMs: number }
  /** The cluster has nothing of this service, so the first subscription may be sent once this is stored. */
  | { readonly type: 'foundingDecided'; readonly atMs: number }
  | {
      readonly type: 'jobFinished'
      readonly runId: RunId
      readonly attempt: number
      readonly outcome: JobOutcome
      readonly atMs: number
    }
  | { readonly type: 'commandReceived'; readonly command: OperatorCommand; readonly atMs: number }
  | { readonly type: 'ticked'; readonly atMs: number }
