import { describe, expect, test } from 'vitest'
import { backoffAfterFailure, type Backoff, type BackoffPolicy } from '../../src/recovery/backoff.js'

const policy: BackoffPolicy = { initialMs: 1_000, factor: 2, maxMs: 10_000, resetAfterMs: 60_000 }
const none: Backoff = { failures: 0, notBeforeMs: 0 }

describe('back-off', () => {
  test('grows by its factor up to its limit', () => {
    let present = none
    const pauses = [1, 2, 3, 4, 5, 6].map(() => {
      present = backoffAfterFailure(present, policy, 100, undefined)
      return present.notBeforeMs - 100
    })
    expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 10_000, 10_000])
    expect(present.failures).toBe(6)
  })

  test('stays at its limit after very many failures', () => {
    expect(backoffAfterFailure({ failures: 100_000, notBeforeMs: 0 }, policy, 0, undefined)).toEqual({
      failures: 100_001,
      notBeforeMs: 10_000,
    })
  })

  test('counts a crash after RUNNING, and forgets the failures before a long time of being ready', () => {
    const present = { failures: 4, notBeforeMs: 0 }
    expect(backoffAfterFailure(present, policy, 100_000, 99_000).failures).toBe(5)
    expect(backoffAfterFailure(present, policy, 100_000, 40_001).failures).toBe(5)
    expect(backoffAfterFailure(present, policy, 100_000, 40_000)).toEqual({ failures: 1, notBeforeMs: 101_000 })
  })

  test('pauses of no length are allowed', () => {
    expect(backoffAfterFailure(none, { ...policy, initialMs: 0 }, 7, undefined)).toEqual({ failures: 1, notBeforeMs: 7 })
  })
})
