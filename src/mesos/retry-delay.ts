/**
 * How long to wait before the next attempt to subscribe: exponential with full jitter, so that hundreds of schedulers do not
 * come back at once. Pure. The master limits nobody's rate on this API, so restraint here is its only protection.
 */

export interface SubscribeBackoff {
  /** No pause is shorter. @defaultValue 100 */
  readonly minMs: number
  /** Upper end of the first pause. @defaultValue 500 */
  readonly initialMs: number
  /** Upper end of all pauses. @defaultValue 15000 */
  readonly maxMs: number
  /** By how much the upper end grows with each failure. @defaultValue 2 */
  readonly factor: number
}

export const defaultSubscribeBackoff: SubscribeBackoff = { minMs: 100, initialMs: 500, maxMs: 15_000, factor: 2 }

/**
 * `soon`: a leader is being elected or has just begun, it takes seconds. `normal`: nobody answers. `late`: somebody answers
 * and refuses, which only an operator can change.
 */
export type RetryKind = 'soon' | 'normal' | 'late'

/** While a leader is being elected, pauses grow to no more than so many times the first one. */
const soonLimitFactor = 4

/** `failures` counts the attempts in a row that failed before; `random` gives 0 up to 1. */
export function retryDelayMs(kind: RetryKind, failures: number, policy: SubscribeBackoff, random: () => number): number {
  if (kind === 'late') return Math.max(policy.minMs, Math.round(policy.maxMs * (0.5 + random() / 2)))
  const limit = kind === 'soon' ? Math.min(policy.maxMs, policy.initialMs * soonLimitFactor) : policy.maxMs
  const ceiling = Math.min(limit, policy.initialMs * policy.factor ** failures)
  return Math.round(policy.minMs + random() * Math.max(0, ceiling - policy.minMs))
}
