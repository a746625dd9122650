/**
 * The port to durable state: small records under keys, changed by chained, fenced transactions. One contract suite
 * (test/contract/state-store.ts) holds for every adapter. Contract:
 *
 * - `open` takes the service's lock, bumps the epoch, makes a commit node of this epoch, removes the one before, and then
 *   loads every record. Whoever held an older epoch can commit nothing from then on.
 * - `commit` is atomic over all writes of a batch. Batches of one session are applied in the order of the calls; they may be
 *   pipelined; once one of them failed, none behind it can land. A batch whose outcome is unknown (connection lost after a
 *   write) is sent again with the same bytes until it is known to stand or another epoch is found.
 * - A batch without writes is a fenced write: it proves that this session still leads.
 * - A failed commit ends the session, a refusal by size included: what was called before it still lands, nothing behind it
 *   does, and the way on is a new `open`, which reloads. Otherwise a decision could land whose predecessor is missing.
 */

/** `kind/name`, both `[A-Za-z0-9._-]+`, for example `instances/broker-1`. */
export type RecordKey = string

/** Sets a record to a text (canonical JSON), or deletes it with `null`. Deleting what is not there is no error. */
export interface Write {
  readonly key: RecordKey
  readonly value: string | null
}

/** What the shell hands over at once: one or several decisions. */
export type Batch = readonly Write[]

/** What one batch may hold. Whoever joins several decisions into a batch stays below; a single decision above is an error. */
export interface StoreLimits {
  /** Most bytes (UTF-8) of the text of one record. */
  readonly recordBytes: number
  /** Most bytes of a batch: for each write, its key and text in UTF-8 plus `writeOverheadBytes`. */
  readonly batchBytes: number
  readonly writeOverheadBytes: number
}

export interface OpenOptions {
  /** Shown to whoever finds the lock taken, for example `host1 pid 4711`. */
  readonly holder: string
  /** How long to wait for a lock that another process holds, in milliseconds; then `ERR_LOCK_HELD`. `Infinity`: for ever. */
  readonly lockWaitMs: number
  /** Told when waiting begins, with the present holder, and again whenever another one holds the lock. */
  readonly onWaiting?: (holder: string) => void
  readonly signal?: AbortSignal
}

export interface StateStore {
  /**
   * @throws SdkError `ERR_LOCK_HELD` (another scheduler leads), `ERR_STORE_UNREACHABLE` (retryable),
   * `ERR_STORE_REFUSED` (authentication, or a layout this version does not know).
   */
  open(options: OpenOptions): Promise<StoreSession>
}

/** Why a session is over. */
export type SessionEnd = 'closed' | 'lost' | 'deposed'

export interface StoreSession {
  /** Grows by at least one with every `open` of a service. */
  readonly epoch: number
  /** Every record as loaded after the lock was held and the epoch bumped. */
  readonly records: ReadonlyMap<RecordKey, string>
  readonly limits: StoreLimits
  /**
   * Resolves when the batch is durable. While the store is away the promise stays open and the batch is tried again.
   * @throws SdkError `ERR_STORE_DEPOSED` (another epoch stands), `ERR_STORE_SESSION_LOST` (retryable by a new `open`; a batch
   * under way may have landed, the records loaded then say so), `ERR_STORE_LIMIT` (a record or batch is larger than the store
   * takes; nothing of it was written).
   */
  commit(batch: Batch): Promise<void>
  /** Told when the store stops or starts answering, for messages and to hold back offers. */
  onAvailability(listener: (available: boolean) => void): void
  /** Resolves once, when no further commit can succeed. */
  readonly ended: Promise<SessionEnd>
  /** Waits for commits under way, gives the lock back and disconnects. Idempotent. */
  close(): Promise<void>
}
