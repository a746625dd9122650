/**
 * One leader's session with an lmdb store: takes batches in order, writes all that wait in one transaction, and ends when
 * another epoch stands or a write fails. A disk without room shows as a store that is away: what waits is written once there is.
 */
import { SdkError } from '../errors.js'
import { type Batch, type RecordKey, type SessionEnd, type StoreSession } from '../ports/state-store.js'
import { batchBytes, findBatchProblem, storeLimits } from './batch.js'
import { roomBytes } from './lmdb-data-file.js'
import { type LmdbEnvironment } from './lmdb-environment.js'
import { type Presence } from './lmdb-presence.js'
import { type StoreLogger } from './store-logger.js'

/** Bytes of one transaction: it blocks the thread, and others want a turn. A single batch may hold less than this. */
const transactionBytes = 4 * 1024 * 1024
/** Pause before a full disk is looked at again. */
const retryMs = 500
/** How often an idle leader looks whether it still leads. */
const lookMs = 1_000

export interface LmdbSessionParts {
  readonly environment: LmdbEnvironment
  readonly presence: Presence
  readonly epoch: number
  readonly holder: string
  readonly records: ReadonlyMap<RecordKey, string>
  readonly logger: StoreLogger | undefined
}

interface Waiting {
  readonly batch: Batch
  readonly resolve: () => void
  readonly reject: (error: SdkError) => void
}

export function createLmdbSession(parts: LmdbSessionParts): StoreSession {
  const { environment, epoch, logger } = parts
  const { directory } = environment
  const queue: Waiting[] = []
  const listeners: ((available: boolean) => void)[] = []
  const idlers: (() => void)[] = []
  let reportEnd!: (end: SessionEnd) => void
  const ended = new Promise<SessionEnd>((resolve) => (reportEnd = resolve))
  let isAvailable = true
  let isOver = false
  /** Why commits are refused from now on. */
  let refusal: SdkError | undefined
  let due: NodeJS.Immediate | undefined
  let retry: NodeJS.Timeout | undefined
  let closing: Promise<void> | undefined

  const lost = (why: string, cause?: unknown): SdkError =>
    new SdkError(
      'ERR_STORE_SESSION_LOST',
      `the session of ${parts.holder} (epoch ${epoch}) with the lmdb store in ${directory} is over: ${why}; open the store again`,
      { retryable: true, details: { path: directory, epoch }, cause },
    )
  const deposed = (found: number | undefined): SdkError =>
    new SdkError(
      'ERR_STORE_DEPOSED',
      `cannot commit to the lmdb store in ${directory} in epoch ${epoch}: found epoch ${found ?? 'gone'}; ` +
        'another scheduler of this service has taken over, stop this one',
      { details: { path: directory, epoch, found } },
    )

  let released: Promise<void> | undefined
  /** A session that can commit nothing must not hold the lock. */
  const release = (): Promise<void> =>
    (released ??= (async () => {
      await parts.presence.close()
      // What failed while it was used may fail again, and nothing of it is used any more.
      await environment.close().catch(() => undefined)
    })())
  const wakeIdlers = (): void => {
    for (const wake of idlers.splice(0)) wake()
  }
  const end = (how: SessionEnd, error: SdkError): void => {
    if (isOver) return
    isOver = true
    refusal = how === 'closed' ? (refusal ?? error) : error
    clearImmediate(due)
    clearTimeout(retry)
    clearInterval(looking)
    for (const waiting of queue.splice(0)) waiting.reject(error)
    if (how !== 'closed') logger?.warn({ store: directory, epoch, end: how }, 'the session with the store is over')
    reportEnd(how)
    wakeIdlers()
    void release()
  }
  const setAvailable = (available: boolean, why: string): void => {
    if (isAvailable === available) return
    isAvailable = available
    const message = available
      ? `the store in ${directory} takes writes again`
      : `the store in ${directory} takes no writes: ${why}; nothing is decided until there is room, the tasks go on running`
    logger?.warn({ store: directory, available }, message)
    for (const listener of listeners) listener(available)
  }

  /** An idle leader learns this way that it was deposed. */
  const look = (): void => {
    try {
      const found = environment.readEpoch()
      if (found !== epoch) end('deposed', deposed(found))
    } catch (error) {
      end('lost', lost(`it cannot be read (${String(error)})`, error))
    }
  }

  /** In a later turn, so that what arrives in this one shares a transaction and other work gets its turn. */
  const schedule = (): void => {
    due ??= setImmediate(() => {
      due = undefined
      writeNext()
    })
  }
  const writeNext = (): void => {
    const group = takeGroup(queue)
    if (isOver || group.length === 0) return
    try {
      const free = environment.freeBytes()
      if (free < roomBytes) return waitForRoom(free)
      const found = environment.write(
        epoch,
        group.map(({ batch }) => batch),
      )
      if (found !== epoch) return end('deposed', deposed(found))
    } catch (error) {
      return end('lost', lost(`a write failed (${String(error)})`, error))
    }
    setAvailable(true, 'there is room')
    for (const { resolve } of queue.splice(0, group.length)) resolve()
    if (queue.length > 0) schedule()
    else wakeIdlers()
  }
  const waitForRoom = (free: number): void => {
    const why = `its disk has ${free} bytes left, and ${roomBytes} are needed`
    if (closing !== undefined) return end('closed', lost(`it was closed while ${why}`))
    setAvailable(false, why)
    retry = setTimeout(() => {
      retry = undefined
      writeNext()
    }, retryMs)
  }
  const looking = setInterval(look, lookMs).unref()

  const idle = (): Promise<void> =>
    queue.length === 0 || isOver ? Promise.resolve() : new Promise((resolve) => idlers.push(resolve))
  const close = async (): Promise<void> => {
    refusal ??= lost('it was closed')
    // One more try for what waits on a full disk; then it is given up.
    if (retry !== undefined) {
      clearTimeout(retry)
      retry = undefined
      schedule()
    }
    await idle()
    end('closed', lost('it was closed'))
    await release()
  }

  return {
    epoch,
    records: parts.records,
    limits: storeLimits,
    commit: (batch) => {
      if (refusal !== undefined) return Promise.reject(refusal)
      const problem = findBatchProblem(batch)
      if (problem !== undefined) {
        const refused = (refusal = lost(`an earlier commit was refused (${problem.message})`))
        void idle().then(() => end('lost', refused))
        return Promise.reject(problem)
      }
      return new Promise((resolve, reject) => {
        queue.push({ batch, resolve, reject })
        if (retry === undefined) schedule()
      })
    },
    onAvailability: (listener) => void listeners.push(listener),
    ended,
    close: () => (closing ??= close()),
  }
}

/** The first of the queue, as many as one transaction takes. */
function takeGroup(queue: readonly Waiting[]): Waiting[] {
  let bytes = 0
  const count = queue.findIndex(({ batch }, index) => (bytes += batchBytes(batch)) > transactionBytes && index > 0)
  return queue.slice(0, count === -1 ? queue.length : count)
}
