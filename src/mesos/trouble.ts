/**
 * Tells an operator once what is wrong, not once a second: the same cause is repeated after growing pauses only, and told
 * afresh when it was over in between.
 */

const firstRepeatMs = 60_000
const repeatFactor = 2
const longestRepeatMs = 3_600_000
/** More causes than this at a time are not told apart; the oldest is forgotten, and so would be repeated sooner. */
const causeLimit = 64

export interface TroubleReporter {
  /** `cause` is what stays equal while the wording varies (seconds, counts). */
  report(cause: string, error: Error): void
  /** The causes that begin with this are over. */
  settle(prefix: string): void
}

export function createTroubleReporter(tell: (error: Error) => void, now: () => number): TroubleReporter {
  const told = new Map<string, { readonly againAtMs: number; readonly pauseMs: number }>()
  return {
    report(cause, error) {
      const before = told.get(cause)
      if (before !== undefined && now() < before.againAtMs) return
      const pauseMs = before === undefined ? firstRepeatMs : Math.min(longestRepeatMs, before.pauseMs * repeatFactor)
      told.delete(cause)
      told.set(cause, { againAtMs: now() + pauseMs, pauseMs })
      const oldest = told.keys().next().value
      if (told.size > causeLimit && oldest !== undefined) told.delete(oldest)
      tell(error)
    },
    settle(prefix) {
      for (const cause of told.keys()) if (cause.startsWith(prefix)) told.delete(cause)
    },
  }
}
