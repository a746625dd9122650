/** What a virtual cluster has seen, for checkers that know nothing of the scheduler. One entry, one thing that happened. */
import type { Call, Event, TaskStatus } from '../../mesos/messages.js'
import type { SessionEnd, Write } from '../../ports/state-store.js'
import type { DriverEvent, JobOutcome, OperatorCommand } from '../../scheduler/events.js'
import type { Ack, Job, MesosCall } from '../../scheduler/output.js'
import type { ServiceSpec } from '../../spec/schema.js'

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
export type EndCause = 'itself' | 'signal' | 'executorKilled' | 'machineDown' | 'test'

/** One scheduler process of a run: `a1` is the first that ran in place `a`, `a2` the one after it, `b1` its rival. */
export type SchedulerName = string

export type LogEntry = { readonly atMs: number } & (
  | MasterEntry
  | AgentEntry
  | SchedulerEntry
  /** A fault began, or (`ended`) was over. `text` says it in words. */
  | { readonly type: 'fault'; readonly ended: boolean; readonly text: string }
)

type MasterEntry =
  /** The master took a call. */
  | { readonly type: 'callTaken'; readonly streamId: string; readonly call: Call }
  /** The master refused a request. */
  | { readonly type: 'requestRefused'; readonly status: number; readonly text: string; readonly body: string }
  /** The master sent an event. */
  | { readonly type: 'eventSent'; readonly streamId: string; readonly event: Event }
  /** The master process has ended, or another leads from now on. */
  | { readonly type: 'masterStopped' }
  | { readonly type: 'masterStarted' }

type AgentEntry =
  /** `agentId` is the one under which the machine was registered at that moment; empty before the first registration. */
  | {
      readonly type: 'volumeCreated' | 'volumeDestroyed'
      readonly persistenceId: string
      readonly agentId: string
      readonly hostname: string
    }
  /** The whole disk of a machine is lost, volumes included. */
  | { readonly type: 'diskLost'; readonly hostname: string }
  | { readonly type: 'agentRegistered'; readonly agentId: string; readonly hostname: string }
  /** An operator has marked it gone. */
  | { readonly type: 'agentGone'; readonly agentId: string }
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
  /** An agent got to know a status that its executor, or itself, made; the master does not know it yet. */
  | { readonly type: 'statusMade'; readonly hostname: string; readonly status: TaskStatus }

type SchedulerEntry =
  | { readonly type: 'schedulerStarted'; readonly scheduler: SchedulerName; readonly spec: ServiceSpec }
  /** `failed`: it ended by an error of its own, and says so. */
  | {
      readonly type: 'schedulerEnded'
      readonly scheduler: SchedulerName
      readonly how: 'stopped' | 'crashed' | 'failed'
      readonly error?: string
    }
  /** It holds the lock, and has loaded the store; `records` is what it loaded. */
  | {
      readonly type: 'sessionOpened'
      readonly scheduler: SchedulerName
      readonly epoch: number
      readonly records: ReadonlyMap<string, string>
    }
  | { readonly type: 'sessionEnded'; readonly scheduler: SchedulerName; readonly epoch: number; readonly end: SessionEnd }
  /** A batch has landed in the store. `decidedAtMs`: when it was handed over. A fenced write has no writes. */
  | {
      readonly type: 'committed'
      readonly scheduler: SchedulerName
      readonly epoch: number
      readonly decidedAtMs: number
      readonly writes: readonly Write[]
    }
  /** Its driver handed it an event. Several of one moment may be decided on together. */
  | { readonly type: 'eventDelivered'; readonly scheduler: SchedulerName; readonly event: DriverEvent }
  /** It wrote a call to its connection. `decidedAtMs`: the step behind it began then, or later. */
  | {
      readonly type: 'callSent'
      readonly scheduler: SchedulerName
      readonly streamId: string
      readonly decidedAtMs: number
      readonly call: MesosCall | Ack
    }
  | { readonly type: 'commandGiven'; readonly command: OperatorCommand }
  | { readonly type: 'jobStarted'; readonly scheduler: SchedulerName; readonly job: Omit<Job, 'input' | 'timeoutMs'> }
  | {
      readonly type: 'jobEnded'
      readonly scheduler: SchedulerName
      readonly job: Omit<Job, 'input' | 'timeoutMs'>
      readonly outcome: JobOutcome
    }

/** Leaves the time out of each member of the union. */
type Untimed<Entry> = Entry extends unknown ? Omit<Entry, 'atMs'> : never
/** A log entry before the clock stamps it. */
export type News = Untimed<LogEntry>
export type WriteLog = (news: News) => void
