/**
 * Opening the store with patience: a store that does not answer is said once and tried again; a lock held by another scheduler
 * is waited for as long as a dead holder's session may last, and then named.
 */
import pRetry, { AbortError } from 'p-retry'
import { isSdkError } from '../errors.js'
import type { Logger } from '../ports/logger.js'
import type { StateStore, StoreSession } from '../ports/state-store.js'

export interface OpenSessionOptions {
  readonly holder: string
  readonly lockWaitMs: number
  readonly logger: Logger
  readonly signal: AbortSignal
}

/** @throws SdkError of `StateStore.open`: `ERR_LOCK_HELD`, or one that is not retryable. */
export function openSession(
  store: StateStore,
  { holder, lockWaitMs, logger, signal }: OpenSessionOptions,
): Promise<StoreSession> {
  return pRetry(
    async () => {
      try {
        return await store.open({
          holder,
          lockWaitMs,
          signal,
          onWaiting: (present) =>
            logger.info(
              { holder: present },
              `waiting for the lock of this service, held by ${present}, for at most ${Math.ceil(lockWaitMs / 1000)} s`,
            ),
        })
      } catch (error) {
        // A lock that is held is not retryable: a holder that outlives the wait is alive, and trying on would only hide it.
        if (isSdkError(error) && error.retryable) throw error
        throw new AbortError(error instanceof Error ? error : new Error(String(error), { cause: error }))
      }
    },
    {
      retries: Infinity,
      minTimeout: 500,
      maxTimeout: 5_000,
      signal,
      onFailedAttempt: ({ error, attemptNumber }) => {
        // Once, and then now and then: the same line every few seconds would bury everything else.
        if (attemptNumber === 1 || attemptNumber % 12 === 0)
          logger.error({ attempt: attemptNumber }, `${error.message}; trying again`)
      },
    },
  )
}
