import fc from 'fast-check'
import { expect, test } from 'vitest'
import { defaultSubscribeBackoff, retryDelayMs } from '../../src/mesos/retry-delay.js'

const policy = defaultSubscribeBackoff
const delay = (kind: 'soon' | 'normal' | 'late', failures: number, random: number) =>
  retryDelayMs(kind, failures, policy, () => random)

test('the upper end doubles up to its limit, the lower end stays (B2)', () => {
  expect([0, 1, 2, 3, 4, 5, 50].map((failures) => delay('normal', failures, 1))).toEqual([
    500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000,
  ])
  expect([0, 3, 50].map((failures) => delay('normal', failures, 0))).toEqual([100, 100, 100])
})

test('while a leader is elected the pauses stay short; after a refusal they are long at once', () => {
  expect(delay('soon', 20, 1)).toBe(2_000)
  expect(delay('late', 0, 0)).toBe(7_500)
  expect(delay('late', 0, 1)).toBe(15_000)
})

test('never faster than the minimum, never slower than the maximum', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('soon' as const, 'normal' as const, 'late' as const),
      fc.nat({ max: 2_000 }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (kind, failures, random) => {
        const pause = delay(kind, failures, random)
        expect(pause).toBeGreaterThanOrEqual(policy.minMs)
        expect(pause).toBeLessThanOrEqual(policy.maxMs)
      },
    ),
  )
})
