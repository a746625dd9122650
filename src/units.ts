/**
 * Resource amounts. Mesos keeps three decimals, so every scalar is an integer number of thousandths here; floats appear
 * only where JSON is read or written. Ranges are inclusive at both ends. Pure.
 */

/** A scalar amount in thousandths: 1.5 cpus are 1500, 2048 MB are 2048000. */
export type Milli = number

/** Inclusive range of ports. */
export interface Range {
  readonly begin: number
  readonly end: number
}

/** Rounds as Mesos does: to three decimals. */
export const toMilli = (value: number): Milli => Math.round(value * 1000)
export const fromMilli = (milli: Milli): number => milli / 1000

/** Sorted, without overlaps, neighbours joined. */
export function normalizeRanges(ranges: readonly Range[]): Range[] {
  const sorted = [...ranges].sort((a, b) => a.begin - b.begin)
  const result: Range[] = []
  for (const range of sorted) {
    const last = result.at(-1)
    if (last !== undefined && range.begin <= last.end + 1) {
      result[result.length - 1] = { begin: last.begin, end: Math.max(last.end, range.end) }
    } else {
      result.push({ begin: range.begin, end: range.end })
    }
  }
  return result
}

export const addRanges = (a: readonly Range[], b: readonly Range[]): Range[] => normalizeRanges([...a, ...b])

/** `a` without the values of `b`. */
export function subtractRanges(a: readonly Range[], b: readonly Range[]): Range[] {
  let left = normalizeRanges(a)
  for (const taken of normalizeRanges(b)) {
    left = left.flatMap((range) => {
      if (taken.end < range.begin || taken.begin > range.end) return [range]
      const parts: Range[] = []
      if (range.begin < taken.begin) parts.push({ begin: range.begin, end: taken.begin - 1 })
      if (range.end > taken.end) parts.push({ begin: taken.end + 1, end: range.end })
      return parts
    })
  }
  return left
}

/** The values that are in both. */
export const intersectRanges = (a: readonly Range[], b: readonly Range[]): Range[] => subtractRanges(a, subtractRanges(a, b))

/** Whether every value of `b` is in `a`. */
export const containsRanges = (a: readonly Range[], b: readonly Range[]): boolean => subtractRanges(b, a).length === 0

/** Number of values. */
export const countRanges = (ranges: readonly Range[]): number =>
  normalizeRanges(ranges).reduce((sum, range) => sum + range.end - range.begin + 1, 0)
