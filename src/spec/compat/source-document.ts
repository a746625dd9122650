/**
 * The rendered text as data whose every part knows its place in the template. Two habits of the ancestor's reader are kept: the
 * index of an instance may be a key without quotes (`- 0: [[server]]`), and a number given where text is wanted is the text as it
 * was written (`0.10`). Pure.
 */
import { linesOf } from './source-map.js'
import type { Rendered } from './template.js'
import { parseYaml, type LocatedIssue, type Position } from '../yaml/document.js'

export type Path = readonly PropertyKey[]

export interface SourceDocument {
  readonly value: unknown
  /** In the template; for a path that is not there, the innermost entry around it. */
  locate(path: Path, what: 'key' | 'value'): Position | undefined
  /** A number or boolean as it was written, such as `0.10`; undefined where it cannot be told. */
  textOf(path: Path): string | undefined
}

export type SourceResult =
  { readonly ok: true; readonly document: SourceDocument } | { readonly ok: false; readonly issues: readonly LocatedIssue[] }

/** A round finds as many keys as the reader lists problems, and costs a reading; no plan names so many instances one by one. */
const maxRounds = 5

export function readSource({ text, toTemplate }: Pick<Rendered, 'text' | 'toTemplate'>): SourceResult {
  let quotes: readonly number[] = []
  for (let round = 0; ; round += 1) {
    const quoted = putQuotes(text, quotes)
    const lines = linesOf(quoted)
    const toRendered = (position: Position): number => withoutQuotes(quotes, lines.toOffset(position))
    const toPlace = (position: Position): Position => toTemplate(toRendered(position))
    const result = parseYaml(quoted)
    if (result.ok) return { ok: true, document: toSource(result.document, text, toRendered, toPlace) }
    const keys = result.issues.flatMap((issue) => findIndexKey(text, toRendered, issue))
    const more = [...new Set([...quotes, ...keys])].sort((a, b) => a - b)
    if (more.length === quotes.length || round >= maxRounds)
      return { ok: false, issues: result.issues.map((issue) => move(issue, toPlace)) }
    quotes = more
  }
}

type Parsed = Extract<ReturnType<typeof parseYaml>, { ok: true }>['document']

function toSource(
  document: Parsed,
  text: string,
  toOffset: (position: Position) => number,
  toPlace: (position: Position) => Position,
): SourceDocument {
  return {
    value: document.value,
    locate(path, what) {
      const position = document.locate(path, what)
      return position === undefined ? undefined : toPlace(position)
    },
    textOf(path) {
      const position = document.locate(path, 'value')
      if (position === undefined) return undefined
      const begin = toOffset(position)
      return /^[-+.\w]+/.exec(text.slice(begin, begin + 400))?.[0]
    },
  }
}

function move({ path, message, line, column }: LocatedIssue, toPlace: (position: Position) => Position): LocatedIssue {
  return line === undefined ? { path, message } : { path, message, ...toPlace({ line, column: column ?? 1 }) }
}

/** Both ends of a whole number that is a key, where the reader has found a fault: that it is no text. */
function findIndexKey(text: string, toRendered: (position: Position) => number, { line, column }: LocatedIssue): number[] {
  if (line === undefined || column === undefined) return []
  const begin = toRendered({ line, column })
  const found = /^\d{1,9}(?=[ \t]{0,100}:(?:\s|$))/.exec(text.slice(begin, begin + 200))?.[0]
  return found === undefined ? [] : [begin, begin + found.length]
}

/** The text with a quote put before each of the offsets. */
function putQuotes(text: string, offsets: readonly number[]): string {
  const parts = offsets.map((offset, index) => text.slice(offsets[index - 1] ?? 0, offset))
  return [...parts, text.slice(offsets.at(-1) ?? 0)].join('"')
}

/** Offset in the text without quotes for one in the text with them. */
function withoutQuotes(offsets: readonly number[], offset: number): number {
  let [low, high] = [0, offsets.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((offsets[middle] ?? 0) + middle < offset) low = middle + 1
    else high = middle
  }
  return offset - low
}
