/**
 * The books of an agent: what it checkpoints. Plain JSON, so that a file can hold it. The state is stored before the
 * effects of a step are carried out.
 */
import type {
  DurationInfo,
  ExecutorInfo,
  KillPolicy,
  OperationStatus,
  Resource,
  TaskInfo,
  TaskState,
  TaskStatus,
} from '../mesos/messages.js'
import type { ResourceOperation } from './operations.js'
import type {
  AgentDescription,
  AgentToExecutor,
  AgentToMaster,
  ExecutorToAgent,
  FrameworkBrief,
  MasterToAgent,
} from './protocol.js'

export interface AgentTimings {
  /** First repetition of an unacknowledged update; doubled each time. */
  readonly updateRetryMs: number
  readonly updateRetryMaxMs: number
  readonly executorRegistrationTimeoutMs: number
  readonly executorReregistrationTimeoutMs: number
  readonly executorShutdownGraceMs: number
}

export const DEFAULT_AGENT_TIMINGS: AgentTimings = {
  updateRetryMs: 10_000,
  updateRetryMaxMs: 600_000,
  executorRegistrationTimeoutMs: 60_000,
  executorReregistrationTimeoutMs: 2_000,
  executorShutdownGraceMs: 5_000,
}

/**
 * starting: its process was asked for; running: it has subscribed; recovering: the agent was restarted and waits for it;
 * ending: all its tasks have ended or it was told to; ended: its process is gone, updates are not yet acknowledged.
 */
export type ExecutorPhase = 'starting' | 'running' | 'recovering' | 'ending' | 'ended'

export interface AgentExecutor {
  readonly key: string
  readonly framework: FrameworkBrief
  readonly executorId: string
  readonly isCommand: boolean
  /** Of a command task: made up by the agent. */
  readonly info: ExecutorInfo
  readonly containerId: string
  readonly phase: ExecutorPhase
  /** Groups that wait until the executor has subscribed. */
  readonly queued: readonly (readonly TaskInfo[])[]
  /** Kills that wait for the same. */
  readonly kills: readonly { readonly taskId: string; readonly killPolicy?: KillPolicy }[]
  /** It must have subscribed, or ended, by then. */
  readonly deadlineAtMs?: number
  readonly isKilled?: boolean
  /** Its framework was removed: nothing is reported any more. */
  readonly isAbandoned?: boolean
}

export interface AgentTask {
  readonly framework: FrameworkBrief
  readonly info: TaskInfo
  readonly executorKey: string
  /** Absent for command tasks. */
  readonly executorId?: string
  readonly latestState: TaskState
  /** Unacknowledged, in order; only the first one is sent. */
  readonly pending: readonly TaskStatus[]
  /** The last one that was sent. */
  readonly sent?: TaskStatus
  readonly sendAtMs: number
  readonly retryMs: number
  /** Uuids of statuses received, so that an executor's repetition is not taken twice. */
  readonly seen: readonly string[]
}

export interface AgentOperation {
  readonly uuid: string
  readonly frameworkId: string
  readonly operationId?: string
  readonly operation: ResourceOperation
  readonly status: OperationStatus
  readonly sendAtMs: number
  readonly retryMs: number
}

export interface AgentState {
  readonly id?: string
  readonly description: AgentDescription
  /** With reservations and volumes. */
  readonly total: readonly Resource[]
  readonly executors: Readonly<Record<string, AgentExecutor>>
  readonly tasks: Readonly<Record<string, AgentTask>>
  readonly operations: Readonly<Record<string, AgentOperation>>
  /** The master wants everything gone from here. */
  readonly drain?: { readonly maxGrace?: DurationInfo; readonly markGone: boolean }
  /** The connection is up. */
  readonly isConnected: boolean
  /** The master has answered the registration on this connection. */
  readonly isRegistered: boolean
}

export type AgentInput =
  /** The process came up, with checkpointed state or without. */
  | { readonly type: 'started' }
  | { readonly type: 'masterConnected' }
  | { readonly type: 'masterDisconnected' }
  | { readonly type: 'fromMaster'; readonly message: MasterToAgent }
  | { readonly type: 'fromExecutor'; readonly key: string; readonly message: ExecutorToAgent }
  /** A raw wait status; -1 if unknown. */
  | { readonly type: 'executorEnded'; readonly key: string; readonly status: number }
  | { readonly type: 'tick' }

export type AgentEffect =
  | { readonly type: 'toMaster'; readonly message: AgentToMaster }
  | { readonly type: 'toExecutor'; readonly key: string; readonly message: AgentToExecutor }
  | { readonly type: 'startExecutor'; readonly executor: AgentExecutor; readonly tasks: readonly TaskInfo[] }
  /** Its process and all processes of its tasks. */
  | { readonly type: 'killExecutor'; readonly key: string }
  | { readonly type: 'createVolume'; readonly volume: Resource }
  | { readonly type: 'destroyVolume'; readonly volume: Resource }
  | { readonly type: 'stop'; readonly message: string }
