/**
 * One virtual process: everything that happens inside it goes through its host. A host that is frozen keeps what arrives until
 * it is thawed, as a stopped process finds its sockets full and its timers due; a dead one drops everything.
 */
import type { Clock } from '../../ports/clock.js'
import type { VirtualClock } from './clock.js'

export interface Host extends Clock {
  /** Does it inside the process: now, at the thaw, or never. */
  deliver(run: () => void): void
  freeze(): void
  /** What has arrived meanwhile is done, in order. */
  thaw(): void
  die(): void
  readonly isFrozen: boolean
  readonly isDead: boolean
}

/** `giveTurn` is told whenever something was done inside, so that what follows from it is settled before time passes. */
export function createHost(clock: Pick<VirtualClock, 'nowMs' | 'after'>, giveTurn: () => void): Host {
  let isFrozen = false
  let isDead = false
  const backlog: (() => void)[] = []

  const deliver = (run: () => void): void => {
    if (isDead) return
    if (isFrozen) return void backlog.push(run)
    giveTurn()
    run()
  }

  return {
    now: () => clock.nowMs,
    after(ms, run) {
      let isCancelled = false
      const cancel = clock.after(ms, () =>
        deliver(() => {
          if (!isCancelled) run()
        }),
      )
      return () => {
        // It may be due already and wait for a thaw.
        isCancelled = true
        cancel()
      }
    },
    deliver,
    freeze: () => void (isFrozen = true),
    thaw() {
      isFrozen = false
      for (const run of backlog.splice(0)) deliver(run)
    },
    die() {
      isDead = true
      backlog.length = 0
    },
    get isFrozen() {
      return isFrozen
    },
    get isDead() {
      return isDead
    },
  }
}
