/**
 * The state store in memory, for tests and simulations: the same contract as the ZooKeeper store, with no timer and no I/O;
 * everything settles in microtasks. Several `open`s of one store object stand for several schedulers of one service. Faults
 * are injected per commit, so that a harness can stop a scheduler at any store write, before it, after it, or with the outcome
 * unknown to the scheduler.
 */
import { assertNever, SdkError } from '../errors.js'
import {
  type Batch,
  type OpenOptions,
  type RecordKey,
  type SessionEnd,
  type StateStore,
  type StoreSession,
} from '../ports/state-store.js'
import { findBatchProblem, storeLimits } from './batch.js'

/**
 * What happens to one attempt of a commit:
 * - `none`: it lands and resolves.
 * - `stopBefore`, `stopAfter`: the process dies before (after) it lands. Its promise and all later ones of the session stay
 *   open for ever, and the lock stays held until `abandon` or `expireSession`.
 * - `unknownBefore`, `unknownAfter`: the connection breaks before (after) it lands. The session reports the store as away and
 *   back, and sends the same batch again; the fault is asked again with the next attempt.
 * - `lostBefore`, `lostAfter`: the session with the store ends before (after) it lands: `ERR_STORE_SESSION_LOST`.
 */
export type StoreFault = 'none' | 'stopBefore' | 'stopAfter' | 'unknownBefore' | 'unknownAfter' | 'lostBefore' | 'lostAfter'

/** The commit that a fault is asked for. */
export interface CommitAttempt {
  /** Counts all commits of the store object from 1, over all its sessions; a repetition keeps its number. */
  readonly commit: number
  /** From 1; above 1 after an unknown outcome. */
  readonly attempt: number
  readonly epoch: number
  readonly batch: Batch
}

export interface MemoryStoreOptions {
  /** What the store holds at the start. @defaultValue nothing */
  readonly records?: Iterable<readonly [RecordKey, string]>
  /** @defaultValue no fault, ever */
  readonly fault?: (attempt: CommitAttempt) => StoreFault
  /** Told at the moment a batch has landed, fenced writes included. */
  readonly onLanded?: (batch: Batch, epoch: number) => void
}

export interface MemorySession extends StoreSession {
  /** The process dies: nothing of this session lands or settles any more, and its lock is free. */
  abandon(): void
  /** The store forgets this session, and its process is told. */
  expire(): void
}

export interface MemoryStore extends StateStore {
  /**
   * With `lockWaitMs` 0 a held lock is refused at once; with more, the call waits until the lock is free or the signal
   * aborts, however long that takes: this store has no clock.
   */
  open(options: OpenOptions): Promise<MemorySession>
  /** One record as it stands. */
  read(key: RecordKey): string | undefined
  /** A copy of all records, sorted by key. */
  dump(): ReadonlyMap<RecordKey, string>
  /**
   * The store forgets the session that holds the lock, as ZooKeeper does with a silent one. Its process learns it from its next
   * commit (lost, or deposed if another has opened since), or at once with `tell`.
   */
  expireSession(options?: { readonly tell?: boolean }): void
  /** While the store is away commits stay open and `open` is refused. */
  setAvailable(available: boolean): void
  /** How many commits were tried so far, repetitions not counted. */
  readonly commits: number
}

interface Pending {
  readonly batch: Batch
  readonly number: number
  readonly resolve: () => void
  readonly reject: (error: SdkError) => void
}

/** What the session in hand shows to the store object. */
interface Holder {
  readonly holder: string
  readonly expire: (tell: boolean) => void
  readonly availabilityChanged: (available: boolean) => void
}

/** Makes a store that lives as long as the object. */
export function createMemoryStore(options: MemoryStoreOptions = {}): MemoryStore {
  const records = new Map(options.records)
  const faultOf = options.fault ?? (() => 'none' as const)
  let epoch = 0
  let commits = 0
  let available = true
  let lockedBy: Holder | undefined
  /** Sessions that are not over for their process, those that the store has forgotten included. */
  const sessions = new Set<Holder>()
  /** Wakes every opener that waits for the lock; the first of them takes it. */
  const waiting = new Set<() => void>()

  const freeLock = (by: Holder): void => {
    if (lockedBy !== by) return
    lockedBy = undefined
    for (const wake of [...waiting]) wake()
  }

  /** Waits until the lock is free, the signal aborts, or gives up at once; then opens in the same turn, so that two never do. */
  const openLocked = async (open: OpenOptions): Promise<MemorySession> => {
    let told: string | undefined
    while (lockedBy !== undefined) {
      const { holder } = lockedBy
      if (open.lockWaitMs <= 0) {
        throw new SdkError(
          'ERR_LOCK_HELD',
          `cannot open the memory store as ${open.holder}: its lock is held by ${holder}; stop that scheduler first`,
          {
            details: { holder },
          },
        )
      }
      if (holder !== told) open.onWaiting?.(holder)
      told = holder
      open.signal?.throwIfAborted()
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          waiting.delete(wake)
          open.signal?.removeEventListener('abort', wake)
          resolve()
        }
        waiting.add(wake)
        open.signal?.addEventListener('abort', wake)
      })
      open.signal?.throwIfAborted()
    }
    return openSession(open)
  }

  const openSession = (open: OpenOptions): MemorySession => {
    const ownEpoch = ++epoch
    const loaded = new Map(records)
    const queue: Pending[] = []
    const listeners: ((available: boolean) => void)[] = []
    let reportEnd!: (end: SessionEnd) => void
    const ended = new Promise<SessionEnd>((resolve) => (reportEnd = resolve))
    /** Why commits are refused from now on. */
    let refusal: SdkError | undefined
    let dead = false
    let expired = false
    let draining = false
    let idle: (() => void)[] = []

    const lost = (why: string): SdkError =>
      new SdkError(
        'ERR_STORE_SESSION_LOST',
        `the session of ${open.holder} (epoch ${ownEpoch}) with the memory store is over: ${why}; open the store again`,
        {
          retryable: true,
          details: { epoch: ownEpoch },
        },
      )

    const self: Holder = {
      holder: open.holder,
      expire: (tell) => {
        expired = true
        freeLock(self)
        if (tell) end('lost', lost('it expired'))
      },
      availabilityChanged: (now) => {
        for (const listener of listeners) listener(now)
        if (now) void drain()
      },
    }
    lockedBy = self
    sessions.add(self)

    const end = (how: SessionEnd, error: SdkError): void => {
      if (dead) return
      sessions.delete(self)
      refusal ??= error
      for (const pending of queue.splice(0)) pending.reject(refusal)
      if (how !== 'closed') freeLock(self)
      reportEnd(how)
      settleIdle()
    }
    const settleIdle = (): void => {
      const resolvers = idle
      idle = []
      for (const resolve of resolvers) resolve()
    }
    const die = (): void => {
      dead = true
      sessions.delete(self)
      queue.length = 0
    }
    const apply = (batch: Batch): void => {
      for (const { key, value } of batch) {
        if (value === null) records.delete(key)
        else records.set(key, value)
      }
    }

    /** Why nothing of this session can land any more, found by the store when a commit arrives. */
    const findEnd = (): readonly [SessionEnd, SdkError] | undefined => {
      if (epoch !== ownEpoch) {
        const message = `cannot commit in epoch ${ownEpoch}: epoch ${epoch} stands, another scheduler of this service has taken over; stop this one`
        return ['deposed', new SdkError('ERR_STORE_DEPOSED', message, { details: { epoch: ownEpoch, found: epoch } })]
      }
      return expired ? ['lost', lost('it expired')] : undefined
    }

    /** Tries the first batch of the queue until its fate is settled. Answers whether the one behind it may follow. */
    const settleHead = async (pending: Pending): Promise<boolean> => {
      let landed = false
      for (let attempt = 1; ; attempt += 1) {
        await Promise.resolve()
        if (dead || !available || queue[0] !== pending) return false
        const over = findEnd()
        if (over !== undefined) {
          end(...over)
          return false
        }
        const fault = faultOf({ commit: pending.number, attempt, epoch: ownEpoch, batch: pending.batch })
        if (!fault.endsWith('Before') && !landed) {
          apply(pending.batch)
          landed = true
          options.onLanded?.(pending.batch, ownEpoch)
        }
        switch (fault) {
          case 'none':
            queue.shift()
            pending.resolve()
            return true
          case 'stopBefore':
          case 'stopAfter':
            die()
            return false
          case 'lostBefore':
          case 'lostAfter':
            end('lost', lost('the connection broke and the session expired'))
            return false
          case 'unknownBefore':
          case 'unknownAfter':
            for (const listener of listeners) listener(false)
            await Promise.resolve()
            for (const listener of listeners) listener(true)
            continue
          default:
            return assertNever(fault)
        }
      }
    }
    const drain = async (): Promise<void> => {
      if (draining) return
      draining = true
      for (let head = queue[0]; head !== undefined && (await settleHead(head)); head = queue[0]);
      draining = false
      if (queue.length === 0 && !dead) settleIdle()
    }

    const commit = (batch: Batch): Promise<void> => {
      if (dead) return new Promise(() => undefined)
      if (refusal !== undefined) return Promise.reject(refusal)
      const problem = findBatchProblem(batch)
      if (problem !== undefined) {
        refusal = lost(`an earlier commit was refused (${problem.message})`)
        void whenIdle().then(() => end('lost', problem))
        return Promise.reject(problem)
      }
      return new Promise((resolve, reject) => {
        queue.push({ batch, number: ++commits, resolve, reject })
        void drain()
      })
    }
    const whenIdle = (): Promise<void> =>
      queue.length === 0 && !draining ? Promise.resolve() : new Promise((resolve) => idle.push(resolve))

    let closing: Promise<void> | undefined
    const close = (): Promise<void> =>
      (closing ??= (async () => {
        refusal ??= lost('it was closed')
        await whenIdle()
        end('closed', refusal)
        freeLock(self)
      })())

    return {
      epoch: ownEpoch,
      records: loaded,
      limits: storeLimits,
      commit,
      onAvailability: (listener) => void listeners.push(listener),
      ended,
      close,
      abandon: () => {
        die()
        freeLock(self)
      },
      expire: () => self.expire(true),
    }
  }

  return {
    open: async (open) => {
      await Promise.resolve()
      open.signal?.throwIfAborted()
      if (!available) {
        throw new SdkError(
          'ERR_STORE_UNREACHABLE',
          `cannot open the memory store as ${open.holder}: it is set to be away; set it available`,
          {
            retryable: true,
          },
        )
      }
      return openLocked(open)
    },
    read: (key) => records.get(key),
    dump: () => new Map([...records].sort(([a], [b]) => (a < b ? -1 : 1))),
    expireSession: ({ tell = false } = {}) => lockedBy?.expire(tell),
    setAvailable: (now) => {
      if (available === now) return
      available = now
      for (const session of [...sessions]) session.availabilityChanged(now)
    },
    get commits() {
      return commits
    },
  }
}
