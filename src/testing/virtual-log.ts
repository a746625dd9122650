/** What a virtual cluster has seen, for checkers that know nothing of the scheduler. */
import type { Call, Event } from '../mesos/messages.js'

/** A process of a task, as the agent sees it. */
export interface LoggedProcess {
  readonly taskId: string
  /** `<pod>-<index>-<task>`. */
  readonly name: string
  readonly agentId: string
  readonly hostname: string
  /** Persistence ids of the pod's volumes, sorted. */
  readonly volumes: readonly string[]
}

/** Why a process ended. */
export type EndCause = 'itself' | 'signal' | 'executorKilled' | 'test'

export type LogEntry = { readonly atMs: number } &
  /** The master took a call. */
  (
    | { readonly type: 'callTaken'; readonly streamId: string; readonly call: Call }
    /** The master refused a request. */
    | { readonly type: 'requestRefused'; readonly status: number; readonly text: string; readonly body: string }
    /** The master sent an event. */
    | { readonly type: 'eventSent'; readonly streamId: string; readonly event: Event }
    | { readonly type: 'volumeCreated' | 'volumeDestroyed'; readonly persistenceId: string; readonly agentId: string }
    | { readonly type: 'processStarted'; readonly process: LoggedProcess }
    /** A signal reached a process. */
    | { readonly type: 'processSignalled'; readonly process: LoggedProcess; readonly signal: 'SIGTERM' | 'SIGKILL' }
    /** Its check answered 0 for the first time. */
    | { readonly type: 'processReady'; readonly process: LoggedProcess }
    | {
        readonly type: 'processEnded'
        readonly process: LoggedProcess
        readonly cause: EndCause
        /** Exit code; absent after a signal. */
        readonly code?: number
      }
  )

/** Leaves the time out of each member of the union. */
type Untimed<Entry> = Entry extends unknown ? Omit<Entry, 'atMs'> : never
/** A log entry before the clock stamps it. */
export type News = Untimed<LogEntry>
export type WriteLog = (news: News) => void
