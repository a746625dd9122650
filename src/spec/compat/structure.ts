/**
 * Whether a value that `{{X}}` put into a file changed what the file is made of: a colon that made a key of it, a number sign that
 * cut off the rest, a line break that ended the text. The file is read a second time with a plain word in the place of every such
 * value, and both have to have the same parts. `{{{X}}}` is for values that are meant to be more than a text. Pure.
 */
import type { Rendered, Template, Use } from './template.js'
import { readSource } from './source-document.js'
import type { LocatedIssue } from '../yaml/document.js'

/** Values of these signs are one word wherever they stand, except for a colon at the end. */
const harmless = /^(\w[\w./@%+=~:-]{0,1000})?$/

/** Up to here each value is tried alone, to name the ones at fault; reading costs time. */
const maxSuspects = 8
const maxTriedLength = 200_000

/** Values that changed the structure, and the file with words in their places, in which the rest can still be looked at. */
export interface ChangedStructure {
  readonly issues: readonly LocatedIssue[]
  /** Lines of the template where the values are used. */
  readonly lines: readonly number[]
  readonly rendered: Rendered
}

/** Undefined when every value is one text, or where nothing can be said. */
export function findChangedStructure(template: Template, rendered: Rendered, print: Print): ChangedStructure | undefined {
  const suspects = [...new Set(rendered.uses.filter(isSuspect).map(({ name }) => name))]
  if (suspects.length === 0) return undefined
  const readWithout = (names: readonly string[]) => readWith(template, rendered.text, new Set(names), print)
  const neutral = readWithout(suspects)
  // Then it is not the values that are at fault.
  if (neutral === undefined) return undefined
  const isAtFault = (names: readonly string[]): boolean => {
    const found = readWithout(suspects.filter((name) => !names.includes(name)))
    return found === undefined || !isSame(neutral, neutral.value, found, found.value)
  }
  if (!isAtFault(suspects)) return undefined
  const tries = suspects.length > 1 && suspects.length <= maxSuspects && rendered.text.length <= maxTriedLength
  const alone = tries ? suspects.filter((name) => isAtFault([name])) : []
  const faulty = alone.length > 0 ? alone : suspects
  const uses = rendered.uses.filter((use) => isSuspect(use) && faulty.includes(use.name))
  return {
    issues: faulty.map((name) => toIssue(name, uses)),
    lines: uses.map(({ position }) => position.line),
    rendered: (alone.length > 0 ? readWithout(faulty) : neutral)?.rendered ?? neutral.rendered,
  }
}

type Print = (use: Use) => string

const isSuspect = ({ isEscaped, value = '' }: Use): boolean => isEscaped && (!harmless.test(value) || value.endsWith(':'))

function toIssue(name: string, uses: readonly Use[]): LocatedIssue {
  const use = uses.find((each) => each.name === name)
  return {
    path: '',
    message: `the value of ${name} does not stay one text here: its signs are read as YAML; put quotes around {{${name}}} that fit the value, or write {{{${name}}}} if it is meant as YAML`,
    ...use?.position,
  }
}

interface Reading {
  readonly value: unknown
  readonly rendered: Rendered
  /** Puts the values of the variables back in. */
  readonly restore: (text: string) => string
}

/** The file with a word for the values of some variables; undefined when it cannot be read. */
function readWith(template: Template, text: string, names: ReadonlySet<string>, print: Print): Reading | undefined {
  const values: string[] = []
  const word = unusedWord(text)
  const rendered = template.render((use) => {
    if (!names.has(use.name) || !isSuspect(use)) return print(use)
    values.push(print(use))
    return `${word}${values.length - 1}z`
  })
  const source = rendered.ok ? readSource(rendered) : undefined
  if (!rendered.ok || source?.ok !== true) return undefined
  const pattern = new RegExp(`${word}(\\d+)z`, 'g')
  return {
    value: source.document.value,
    rendered,
    restore: (found) => found.replace(pattern, (_, index: string) => values[Number(index)] ?? ''),
  }
}

function unusedWord(text: string): string {
  for (let number = 0; ; number += 1) {
    const word = `w${number}x`
    if (!text.includes(word)) return word
  }
}

/** The same maps, lists and texts, when words are replaced by the values that they stand for. */
function isSame(one: Reading, a: unknown, other: Reading, b: unknown): boolean {
  if (Array.isArray(a))
    return Array.isArray(b) && a.length === b.length && a.every((item, index) => isSame(one, item, other, b[index]))
  if (typeof a === 'object' && a !== null) {
    if (typeof b !== 'object' || b === null || Array.isArray(b)) return false
    const entries = Object.entries(a)
    const others = new Map(Object.entries(b).map(([key, value]) => [flat(other.restore(key)), value as unknown]))
    return (
      entries.length === others.size &&
      entries.every(([key, value]) => {
        const name = flat(one.restore(key))
        return others.has(name) && isSame(one, value, other, others.get(name))
      })
    )
  }
  if (typeof b === 'object' && b !== null) return false
  // A value may well be a number, or nothing.
  if (typeof a !== 'string' || typeof b !== 'string') return true
  return flat(one.restore(a)) === flat(other.restore(b))
}

/** Blanks and line breaks are folded in YAML. */
const flat = (text: string): string => text.replace(/\s+/g, ' ').trim()
