/**
 * Everything the service knows, as one readonly value: the durable records, and what is volatile because the master or the
 * author will tell it again. Pure.
 */
import type {
  AgentId,
  FrameworkId,
  OfferId,
  OperationId,
  PodInstanceName,
  RunId,
  StreamId,
  TargetConfigId,
  TaskId,
  TaskName,
} from '../ids.js'
import type { Offer } from '../offer-evaluator/resources.js'
import type { RunRecord } from '../plan/run-record.js'
import type { Refusal } from '../spec/check-update.js'
import type { ContentHash } from '../spec/identity.js'
import type { ServiceSpec } from '../spec/schema.js'
import type { TaskRecord } from '../state-machine/task-record.js'
import type { InstanceRecord } from './records/instance-record.js'
import type { ServiceRecord } from './records/service-record.js'
import type { TaskStatus } from './events.js'

/** A spec with the hashes that identify its parts. */
export interface Target {
  readonly id: TargetConfigId
  readonly spec: ServiceSpec
  readonly pods: Readonly<Record<string, PodHashes>>
}

export interface PodHashes {
  readonly pod: ContentHash
  readonly footprint: ContentHash
  readonly tasks: Readonly<Record<string, ContentHash>>
}

/** What is stored. */
export interface Records {
  readonly service: ServiceRecord | undefined
  readonly targets: ReadonlyMap<TargetConfigId, Target>
  readonly instances: ReadonlyMap<PodInstanceName, InstanceRecord>
  readonly tasks: ReadonlyMap<TaskName, TaskRecord>
  readonly runs: ReadonlyMap<RunRecord['plan'], RunRecord>
}

/** Something asked on this stream and not answered yet. */
export interface OpenAsk {
  readonly askedAtMs: number
  readonly tries: number
}

export interface HeldOffer {
  readonly offer: Offer
  readonly receivedAtMs: number
}

/** Why an instance has not been placed or launched by the last look at the offers. */
export interface OfferOutcome {
  readonly sinceMs: number
  readonly reason: string
}

/** What is lost with the process, and may be. */
export interface Volatile {
  readonly nowMs: number
  /** Ticks before then change nothing. */
  readonly quietUntilMs: number
  /** Derived from the records: all that are not at rest, the longest open first. */
  readonly openInstances: ReadonlySet<PodInstanceName>
  readonly stream: { readonly id: StreamId; readonly frameworkId: FrameworkId; readonly sinceMs: number } | undefined
  readonly offers: ReadonlyMap<OfferId, HeldOffer>
  /** Agents that the master has shown on this stream to know as registered: by an offer, or by a task it knows to be gone. */
  readonly registeredAgents: ReadonlySet<AgentId>
  /** Tasks whose state this stream has not told yet; nothing is done to their instances before. */
  readonly unansweredTasks: ReadonlyMap<TaskId, OpenAsk>
  readonly unansweredOperations: ReadonlyMap<OperationId, OpenAsk>
  /** When all tasks were last asked for without naming them. */
  readonly reconciledAtMs: number
  /** When what has been in doubt for long was last asked for. */
  readonly doubtsAskedAtMs: number
  /** Instances for which offers were last called for; undefined right after subscribing, empty when suppressed. */
  readonly offersWantedFor: ReadonlySet<PodInstanceName> | undefined
  readonly killsSentAtMs: ReadonlyMap<TaskId, number>
  /** Attempts of questions that this process has handed to the author's code. */
  readonly jobsInFlight: ReadonlySet<RunId>
  /** Tasks of this framework that the store does not know: held and shown, never killed on sight. */
  readonly strangers: ReadonlyMap<TaskId, TaskStatus>
  readonly outcomes: ReadonlyMap<PodInstanceName, OfferOutcome>
  /** Why the last spec handed in was not taken as the target; worked out anew by every process that is given the same one. */
  readonly rejected: { readonly targetId: TargetConfigId; readonly reasons: readonly Refusal[] } | undefined
}

export interface State {
  readonly records: Records
  readonly volatile: Volatile
}

export const noRecords: Records = {
  service: undefined,
  targets: new Map(),
  instances: new Map(),
  tasks: new Map(),
  runs: new Map(),
}

export const newVolatile: Volatile = {
  nowMs: 0,
  quietUntilMs: 0,
  openInstances: new Set(),
  stream: undefined,
  offers: new Map(),
  registeredAgents: new Set(),
  unansweredTasks: new Map(),
  unansweredOperations: new Map(),
  reconciledAtMs: 0,
  doubtsAskedAtMs: 0,
  offersWantedFor: undefined,
  killsSentAtMs: new Map(),
  jobsInFlight: new Set(),
  strangers: new Map(),
  outcomes: new Map(),
  rejected: undefined,
}
