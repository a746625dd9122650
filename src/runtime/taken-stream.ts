/**
 * "Framework failed over": somebody subscribed as this service and has the stream now. Who leads is for the store to say: when
 * a fenced write still lands, the other one was deposed, and this scheduler takes the stream back. It keeps its session for
 * that, because giving it back would hand the lock to whoever waits in line, the deposed one included.
 */
import type { Clock } from '../ports/clock.js'
import type { Logger } from '../ports/logger.js'
import type { StoreSession } from '../ports/state-store.js'

/** One that was deposed takes the stream once. Who takes it again so soon has another store, and goes on taking it. */
const calmMs = 60_000
const minPauseMs = 1_000
const maxPauseMs = 30_000

export interface TakenStreamParts {
  readonly session: Pick<StoreSession, 'commit'>
  readonly clock: Clock
  readonly logger: Logger
  readonly subscribeAgain: () => void
  /** The fenced write failed, so nothing more may be sent in this session. */
  readonly onUnproved: (cause: unknown) => void
}

export interface TakenStream {
  onTaken(): void
  /** Nothing happens after this. */
  close(): void
}

export function createTakenStream({ session, clock, logger, subscribeAgain, onUnproved }: TakenStreamParts): TakenStream {
  let isClosed = false
  let cancel: () => void = () => undefined
  let lastAtMs = -Infinity
  let pauseMs = 0

  const onProved = (): void => {
    if (isClosed) return
    const nowMs = clock.now()
    pauseMs = nowMs - lastAtMs >= calmMs ? 0 : Math.min(maxPauseMs, Math.max(minPauseMs, pauseMs * 2))
    lastAtMs = nowMs
    logger.warn({ pauseMs }, describe(pauseMs))
    cancel = clock.after(pauseMs, subscribeAgain)
  }

  return {
    onTaken() {
      void session.commit([]).then(onProved, (cause: unknown) => {
        if (!isClosed) onUnproved(cause)
      })
    },
    close() {
      isClosed = true
      cancel()
    },
  }
}

const describe = (pauseMs: number): string =>
  pauseMs === 0
    ? 'another scheduler took the stream, and this one leads; subscribing again'
    : `another scheduler takes the stream again and again, and this one leads; subscribing again in ${Math.round(pauseMs / 1000)} s; ` +
      'look for a scheduler of this service with another store, and stop it'
