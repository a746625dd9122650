/**
 * Opening the store with patience: a store that does not answer is said once and tried again; a lock held by another scheduler
 * is waited for as long as a dead holder's session may last, and then named. A standby waits for it as long as it takes.
 */
import { isSdkError } from '../errors.js'
import type { Clock } from '../ports/clock.js'
import type { Logger } from '../ports/logger.js'
import type { StateStore, StoreSession } from '../ports/state-store.js'

export interface OpenSessionOptions {
  readonly holder: string
  /** `Infinity`: stands by. */
  readonly lockWaitMs: number
  /** Told who holds the lock that is waited for, and `undefined` when that is no longer known. */
  readonly onWaiting: (holder: string | undefined) => void
  readonly logger: Logger
  readonly clock: Clock
  readonly signal: AbortSignal
}

const minPauseMs = 500
const maxPauseMs = 5_000
/** The same line every few seconds would bury everything else: said at first, and then once in so many attempts. */
const attemptsPerLine = 12

/** @throws SdkError of `StateStore.open`: `ERR_LOCK_HELD`, or one that is not retryable; the signal's reason when aborted. */
export async function openSession(
  store: StateStore,
  { holder, lockWaitMs, onWaiting, logger, clock, signal }: OpenSessionOptions,
): Promise<StoreSession> {
  let attempt = 1
  const wait = (present: string): void => {
    const text = Number.isFinite(lockWaitMs)
      ? `waiting for the lock of this service, held by ${present}, for at most ${Math.ceil(lockWaitMs / 1000)} s`
      : `standing by: ${present} leads this service; taking over as soon as its lock is free`
    logger.info({ holder: present }, text)
    // The store answers: what fails after a long wait is a new trouble, to be told at once.
    attempt = 1
    onWaiting(present)
  }
  for (; ; attempt++) {
    try {
      const session = await store.open({ holder, lockWaitMs, signal, onWaiting: wait })
      // A stop that came while the session was being opened has nobody else to see it.
      if (signal.aborted) await session.close()
      signal.throwIfAborted()
      return session
    } catch (error) {
      signal.throwIfAborted()
      // A lock that is held is not retryable: a holder that outlives the wait is alive, and trying on would only hide it.
      if (!isSdkError(error) || !error.retryable) throw error
      onWaiting(undefined)
      if (attempt % attemptsPerLine === 1) logger.error({ attempt }, `${error.message}; trying again`)
      await pause(clock, Math.min(maxPauseMs, minPauseMs * 2 ** (attempt - 1)), signal)
    }
  }
}

function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      cancel()
      reject(signal.reason as Error)
    }
    const cancel = clock.after(ms, () => {
      signal.removeEventListener('abort', onAbort)
      resolve()
    })
    signal.addEventListener('abort', onAbort, { once: true })
  })
}
