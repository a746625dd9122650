import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  addRanges,
  containsRanges,
  countRanges,
  fromMilli,
  normalizeRanges,
  subtractRanges,
  toMilli,
  type Range,
} from '../src/units.js'

const range = fc.tuple(fc.nat(60), fc.nat(12)).map(([begin, length]): Range => ({ begin, end: begin + length }))
const ranges = fc.array(range, { maxLength: 8 })

/** The values one by one: slow, and obviously right. */
const valuesOf = (list: readonly Range[]): Set<number> =>
  new Set(list.flatMap(({ begin, end }) => Array.from({ length: end - begin + 1 }, (_, index) => begin + index)))
const sorted = (values: Iterable<number>): number[] => [...values].sort((a, b) => a - b)

describe('ranges', () => {
  test('normalising keeps the values, sorts, and leaves gaps between the ranges', () => {
    fc.assert(
      fc.property(ranges, (list) => {
        const normal = normalizeRanges(list)
        expect(sorted(valuesOf(normal))).toEqual(sorted(valuesOf(list)))
        normal.slice(1).forEach((next, index) => expect(next.begin).toBeGreaterThan((normal[index] as Range).end + 1))
        expect(normalizeRanges(normal)).toEqual(normal)
      }),
    )
  })

  test('sum, difference, containment and count are those of sets', () => {
    fc.assert(
      fc.property(ranges, ranges, (a, b) => {
        const [inA, inB] = [valuesOf(a), valuesOf(b)]
        expect(sorted(valuesOf(addRanges(a, b)))).toEqual(sorted(new Set([...inA, ...inB])))
        expect(sorted(valuesOf(subtractRanges(a, b)))).toEqual(sorted([...inA].filter((value) => !inB.has(value))))
        expect(containsRanges(a, b)).toBe([...inB].every((value) => inA.has(value)))
        expect(countRanges(a)).toBe(inA.size)
      }),
    )
  })

  test('nothing given is changed', () => {
    fc.assert(
      fc.property(ranges, ranges, (a, b) => {
        const before = JSON.stringify([a, b])
        subtractRanges(a, b)
        addRanges(a, b)
        expect(JSON.stringify([a, b])).toBe(before)
      }),
    )
  })
})

describe('scalars', () => {
  test('thousandths survive the way to Mesos and back', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 2 ** 40 }), (milli) => toMilli(fromMilli(milli)) === milli))
  })

  test('sums do not drift', () => {
    expect(toMilli(0.1) + toMilli(0.2)).toBe(toMilli(0.3))
  })
})
