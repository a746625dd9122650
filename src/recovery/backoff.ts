/**
 * When a task that failed may be launched again. Stored as a count and a deadline, so that a restart of the scheduler keeps
 * it. Crashes after RUNNING count too: a loop of "starts, runs, dies" must slow down. Pure.
 */

/** Pauses between attempts. */
export interface BackoffPolicy {
  readonly initialMs: number
  readonly factor: number
  readonly maxMs: number
  /** A task that was ready for this long has its failures forgotten. */
  readonly resetAfterMs: number
}

export interface Backoff {
  readonly failures: number
  readonly notBeforeMs: number
}

/** `readyAtMs` is when the failed launch became ready, if it ever did. */
export function backoffAfterFailure(
  present: Backoff,
  policy: BackoffPolicy,
  atMs: number,
  readyAtMs: number | undefined,
): Backoff {
  const forgiven = readyAtMs !== undefined && atMs - readyAtMs >= policy.resetAfterMs
  const failures = (forgiven ? 0 : present.failures) + 1
  const delay = Math.min(policy.maxMs, policy.initialMs * policy.factor ** (failures - 1))
  return { failures, notBeforeMs: atMs + Math.round(delay) }
}
