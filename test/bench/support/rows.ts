/** What a part of `npm run bench` reports, and how it condenses several measurements. */

/** One measured figure. */
export interface Row {
  readonly name: string
  readonly value: number
  readonly unit: string
  /** What we want; absent where a figure is shown for comparison alone. */
  readonly aim?: number
  /** What this machine allows, measured in the same run: the best any implementation could do here. */
  readonly limit?: number
  readonly better: 'lower' | 'higher'
}

/** The middle value; of an even number of values the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const low = sorted[Math.floor((sorted.length - 1) / 2)]
  const high = sorted[Math.ceil((sorted.length - 1) / 2)]
  if (low === undefined || high === undefined) throw new RangeError('the median of no values')
  return (low + high) / 2
}
