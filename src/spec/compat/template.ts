/**
 * A template of a service file with the variables of the environment in it: Mustache, as far as dcos-commons could use it. Every
 * place of the result knows its place in the template, so that whatever is said later is said of the file that the author has.
 * The work grows no faster than template and result, and the result is bounded. Pure.
 */
import Mustache from 'mustache'
import { linesOf, toTemplateOffset, type Segment } from './source-map.js'
import { findTagProblems } from './template-tags.js'
import { escapeHtml, isTrue, printed, variable, type Env } from './variables.js'
import type { LocatedIssue, Position } from '../yaml/document.js'

/** UTF-16 code units; the YAML reader takes no more either. */
const maxLength = 1_000_000

/** A tag that prints a variable, once per time that it is rendered. */
export interface Use {
  readonly name: string
  /** Undefined where the environment has no such variable. */
  readonly value: string | undefined
  /** `{{X}}`, where HTML would be escaped, and not `{{{X}}}`. */
  readonly isEscaped: boolean
  readonly position: Position
}

export interface Template {
  /** Puts `print(use)` in the place of each tag; refused when it would get too long. */
  render(print: (use: Use) => string): Rendered | { readonly ok: false; readonly issue: LocatedIssue }
}

export interface Rendered {
  readonly ok: true
  readonly text: string
  readonly uses: readonly Use[]
  /** The place in the template that an offset of the text comes from. */
  toTemplate(offset: number): Position
}

export type TemplateResult =
  { readonly ok: true; readonly template: Template } | { readonly ok: false; readonly issues: readonly LocatedIssue[] }

/** Every fault of the tags at once. Sections are decided here, since the variables they ask are known. */
export function parseTemplate(text: string, env: Env): TemplateResult {
  if (text.length > maxLength) return { ok: false, issues: [tooLong(`the file has ${text.length} characters`, start)] }
  const lines = linesOf(text)
  const problems = findTagProblems(text)
  if (problems.length > 0) {
    const issues = problems.map(({ offset, message }): LocatedIssue => ({ path: '', message, ...lines.toPosition(offset) }))
    return { ok: false, issues }
  }
  const pieces = toPieces(text, env, (offset) => lines.toPosition(offset))
  return { ok: true, template: { render: (print) => render(pieces, print, (offset) => lines.toPosition(offset)) } }
}

const start: Position = { line: 1, column: 1 }

const tooLong = (found: string, position: Position): LocatedIssue => ({
  path: '',
  message: `${found}, ${maxLength} is the limit`,
  ...position,
})

/** What is left when sections are decided: text to copy and tags that print, in their order. */
type Piece = { readonly from: number } & ({ readonly text: string } | { readonly use: Use })

type Token = [kind: string, value: string, start: number, end: number, inner?: Token[]]

function toPieces(text: string, env: Env, toPosition: (offset: number) => Position): Piece[] {
  const pieces: Piece[] = []
  // The depth was bounded when the tags were checked.
  const walk = (tokens: readonly Token[]): void => {
    for (const [kind, value, from, , inner = []] of tokens) {
      if (kind === 'text') pieces.push({ from, text: value })
      else if (kind === '#' && isTrue(variable(env, value))) walk(inner)
      else if (kind === '^' && !isTrue(variable(env, value))) walk(inner)
      else if (kind === 'name' || kind === '&') {
        const use = { name: value, value: variable(env, value), isEscaped: kind === 'name', position: toPosition(from) }
        pieces.push({ from, use })
      }
    }
  }
  // A writer of its own: the shared one keeps every template for ever.
  walk(new Mustache.Writer().parse(text) as Token[])
  return pieces
}

function render(
  pieces: readonly Piece[],
  print: (use: Use) => string,
  toPosition: (offset: number) => Position,
): ReturnType<Template['render']> {
  const parts: string[] = []
  const segments: Segment[] = []
  const uses: Use[] = []
  let at = 0
  for (const piece of pieces) {
    const isCopy = 'text' in piece
    const part = isCopy ? piece.text : print(piece.use)
    if (!isCopy) uses.push(piece.use)
    segments.push({ at, from: piece.from, isCopy })
    parts.push(part)
    at += part.length
    if (at > maxLength) return { ok: false, issue: tooLong('the file gets too long here', toPosition(piece.from)) }
  }
  return { ok: true, text: parts.join(''), uses, toTemplate: (offset) => toPosition(toTemplateOffset(segments, offset)) }
}

/** What dcos-commons would print for the tag. */
export const ancestorPrint = ({ value = '', isEscaped }: Use): string => (isEscaped ? escapeHtml(printed(value)) : printed(value))

/** The value as it is. */
export const plainPrint = ({ value = '' }: Use): string => printed(value)
