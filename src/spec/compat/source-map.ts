/** Which place of a template a place of the rendered text comes from. Pure. */
import type { Position } from '../yaml/document.js'

/** A stretch of rendered text: copied from the template, or put there by one tag. */
export interface Segment {
  /** Offset in the rendered text. */
  readonly at: number
  /** Offset in the template: of the first character, or of the tag. */
  readonly from: number
  readonly isCopy: boolean
}

/** Offsets and positions of one text, in logarithmic time. */
export interface Lines {
  toPosition(offset: number): Position
  toOffset(position: Position): number
}

export function linesOf(text: string): Lines {
  const starts = [0]
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return {
    toPosition(offset) {
      const line = lastNotAfter(starts, offset, (start) => start)
      return { line: line + 1, column: offset - (starts[line] ?? 0) + 1 }
    },
    toOffset: ({ line, column }) => Math.min(text.length, (starts[line - 1] ?? text.length) + column - 1),
  }
}

/** Offset in the template for one in the rendered text. */
export function toTemplateOffset(segments: readonly Segment[], offset: number): number {
  const segment = segments[lastNotAfter(segments, offset, ({ at }) => at)]
  if (segment === undefined) return 0
  return segment.isCopy ? segment.from + offset - segment.at : segment.from
}

/** Index of the last item whose place is not after the wanted one; 0 when there is none. */
function lastNotAfter<Item>(items: readonly Item[], wanted: number, placeOf: (item: Item) => number): number {
  let [low, high] = [0, Math.max(0, items.length - 1)]
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    const item = items[middle]
    if (item !== undefined && placeOf(item) <= wanted) low = middle
    else high = middle - 1
  }
  return low
}
