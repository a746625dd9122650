/** How long the store was away for a scheduler, by its own log. */
import type { LogLine } from '../../e2e/support/scheduler-program.js'

export interface StoreOutages {
  /** In milliseconds, each from the first word of it to the answer or the new session that ended it. */
  readonly outagesMs: readonly number[]
  readonly lostSessions: number
}

const isAway = / does not answer; nothing is decided until it does/
const isBack = /^the store on .* answers again$|^leading this service/
const isLost = /^the session with the store is over$/

export function readOutages(log: readonly LogLine[]): StoreOutages {
  const outagesMs: number[] = []
  let awayAtMs: number | undefined
  for (const { msg, time } of log) {
    if (isAway.test(msg)) awayAtMs ??= time
    if (awayAtMs === undefined || !isBack.test(msg)) continue
    outagesMs.push(time - awayAtMs)
    awayAtMs = undefined
  }
  return { outagesMs, lostSessions: log.filter(({ msg }) => isLost.test(msg)).length }
}
