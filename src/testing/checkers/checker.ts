/**
 * What a checker is. A checker watches one run of a simulation from outside, entry by entry, and reports what breaks a promise.
 * It knows the cluster, the store and the spec, and nothing of how the scheduler decides: it may not import from the core
 * anything that decides. Adding one is a file here, a line in `all.ts` and a test.
 */
import type { RecordKey } from '../../ports/state-store.js'
import type { ServiceSpec } from '../../spec/schema.js'
import type { LogEntry } from '../virtual/log.js'

/** Reads one record as it is stored at the moment. */
export type ReadRecord = <Record>(key: RecordKey) => Record | undefined

export interface CheckerContext {
  /** What the store holds at the moment. */
  readonly read: ReadRecord
  readonly keys: () => Iterable<RecordKey>
  /** Specs handed in so far, oldest first; the last one is wanted. */
  readonly specs: () => readonly ServiceSpec[]
  /** Virtual milliseconds. */
  readonly nowMs: () => number
  /** Says in words what is wrong; the run goes on. */
  readonly report: (problem: string) => void
}

export interface Checker {
  /** Told of each thing at the moment it happens. */
  onEntry(entry: LogEntry): void
  /** Told once, when the run has come to rest and before the schedulers are stopped. */
  atRest?(): void
}

export interface CheckerDefinition {
  /** As printed: `at-most-one`. */
  readonly name: string
  /** What it watches over, in one sentence. */
  readonly watches: string
  readonly create: (context: CheckerContext) => Checker
}
