/** The state of a default executor or a command executor: plain JSON, so that it can be looked at from outside. */
import type { CheckStatusInfo, KillPolicy, TaskInfo, TaskStatus } from '../mesos/messages.js'
import type { AgentToExecutor, ExecutorToAgent } from './protocol.js'

export type TaskPhase = 'starting' | 'running' | 'killing' | 'ended'

export interface ExecutorTask {
  readonly info: TaskInfo
  /** Tasks launched together share a fate. */
  readonly group: number
  readonly containerId: string
  readonly phase: TaskPhase
  readonly pid?: number
  /** SIGKILL then. */
  readonly killAtMs?: number
  readonly isOvertime?: boolean
  readonly completeByMs?: number
  readonly healthy?: boolean
  readonly checkStatus?: CheckStatusInfo
  readonly healthFailures: number
  readonly hasBeenHealthy: boolean
  readonly runningSinceMs?: number
  /** When the next probe starts; absent while one is under way. */
  readonly nextCheckAtMs?: number
  readonly nextHealthCheckAtMs?: number
}

export interface ExecutorState {
  readonly isCommand: boolean
  readonly hasTaskKilling: boolean
  readonly containerId: string
  readonly groups: number
  readonly tasks: Readonly<Record<string, ExecutorTask>>
  /** Not yet acknowledged by the agent, in order. */
  readonly unacknowledged: readonly TaskStatus[]
  readonly isShuttingDown: boolean
  readonly isExiting: boolean
}

/** How a process ended: with a code or by a signal. */
export interface ProcessEnd {
  readonly code?: number
  readonly signal?: string
}

export type ExecutorInput =
  | { readonly type: 'fromAgent'; readonly message: AgentToExecutor }
  | { readonly type: 'agentConnected' }
  /** The agent stayed away longer than executors wait for it. */
  | { readonly type: 'agentLost' }
  /** `message` goes with the status that says that it runs. */
  | { readonly type: 'taskStarted'; readonly taskId: string; readonly pid: number; readonly message?: string }
  | { readonly type: 'taskNotStarted'; readonly taskId: string; readonly message: string }
  | { readonly type: 'taskEnded'; readonly taskId: string; readonly end: ProcessEnd }
  /** The payload of the check's kind; empty after a timeout. */
  | { readonly type: 'checked'; readonly taskId: string; readonly result: Omit<CheckStatusInfo, 'type'> }
  | { readonly type: 'healthChecked'; readonly taskId: string; readonly isHealthy: boolean }
  | { readonly type: 'tick' }

export type ExecutorEffect =
  | { readonly type: 'startTask'; readonly taskId: string; readonly containerId: string; readonly info: TaskInfo }
  | { readonly type: 'signalTask'; readonly taskId: string; readonly signal: 'SIGTERM' | 'SIGKILL' }
  | { readonly type: 'runCheck'; readonly taskId: string }
  | { readonly type: 'runHealthCheck'; readonly taskId: string }
  | { readonly type: 'toAgent'; readonly message: ExecutorToAgent }
  | { readonly type: 'exit' }

const DEFAULT_GRACE_MS = 3_000

/** From the kill, else from the task, else the default. */
export const graceMs = (override: KillPolicy | undefined, own: KillPolicy | undefined): number =>
  (override?.grace_period ?? own?.grace_period)?.nanoseconds === undefined
    ? DEFAULT_GRACE_MS
    : ((override?.grace_period ?? own?.grace_period)?.nanoseconds ?? 0) / 1e6
