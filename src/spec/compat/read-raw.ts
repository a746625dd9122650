/**
 * A value of unknown shape against the shape of a service file: all faults at once, and what is sound goes on to the conversion.
 * Values are taken as the ancestor's reader took them: a number may be in quotes, text may look like a number. Pure.
 */
import { assertNever } from '../../errors.js'
import type { Findings } from './findings.js'
import type { Path, SourceDocument } from './source-document.js'
import type { ListShape, MapShape, ObjectShape, Raw, Shape } from './raw-shape.js'

interface Reading {
  readonly findings: Findings
  readonly textOf: SourceDocument['textOf']
}

/** `undefined` where nothing can be made of it; that was said then. */
export function readRaw<S extends Shape>(
  shape: S,
  value: unknown,
  findings: Findings,
  textOf: SourceDocument['textOf'],
): Raw<S> | undefined {
  if (value !== null && value !== undefined) return read(shape, value, [], { findings, textOf }) as Raw<S> | undefined
  findings.error([], 'there is no service in it')
  return undefined
}

function read(shape: Shape, value: unknown, path: Path, reading: Reading): unknown {
  switch (shape.kind) {
    case 'text':
      return readText(value, path, reading)
    case 'integer':
      return readInteger(value, path, reading)
    case 'decimal':
      return readNumber(value, path, reading)
    case 'boolean':
      return readBoolean(value, path, reading)
    case 'list':
      return readList(shape, value, path, reading)
    case 'map':
      return readMap(shape, value, path, reading)
    case 'object':
      return readObject(shape, value, path, reading)
    default:
      return assertNever(shape)
  }
}

function readText(value: unknown, path: Path, { findings, textOf }: Reading): string | undefined {
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean') return textOf(path) ?? String(value)
  findings.error(path, `must be text, and is ${kindOf(value)}; put it in quotes if it is meant as text`)
  return undefined
}

function readNumber(value: unknown, path: Path, { findings, textOf }: Reading): number | undefined {
  const written = typeof value === 'number' ? (textOf(path) ?? String(value)) : value
  if (typeof written === 'string') {
    const text = written.trim()
    if (/^[-+]?0\d/.test(text)) {
      findings.error(path, `${text} begins with a zero, which some readers take for an octal number; remove the zero`)
      return undefined
    }
    const number = /^[-+]?(\d{1,300}(\.\d{0,300})?|\.\d{1,300})([eE][-+]?\d{1,3})?$/.test(text) ? Number(text) : NaN
    if (Number.isFinite(number)) return number
  }
  findings.error(path, `must be a number, and is ${kindOf(value)}`)
  return undefined
}

function readInteger(value: unknown, path: Path, reading: Reading): number | undefined {
  const number = readNumber(value, path, reading)
  if (number === undefined || Number.isSafeInteger(number)) return number
  const whole = Math.trunc(number)
  if (reading.findings.lenient && Number.isSafeInteger(whole)) {
    reading.findings.note(path, `must be a whole number; ${number} is taken for ${whole}, as dcos-commons does`)
    return whole
  }
  reading.findings.error(path, `must be a whole number (got ${number})`)
  return undefined
}

function readBoolean(value: unknown, path: Path, { findings }: Reading): boolean | undefined {
  if (typeof value === 'boolean') return value
  const text = typeof value === 'string' ? value.trim().toLowerCase() : ''
  if (text === 'true' || text === 'false') return text === 'true'
  findings.error(path, `must be true or false, and is ${kindOf(value)}`)
  return undefined
}

function readList(shape: ListShape, value: unknown, path: Path, reading: Reading): unknown[] | undefined {
  if (!Array.isArray(value)) {
    reading.findings.error(path, `must be a list, and is ${kindOf(value)}; begin each item with a dash`)
    return undefined
  }
  return value.map((item: unknown, index) => {
    const at = [...path, index]
    if (item !== null) return read(shape.of, item, at, reading)
    reading.findings.error(at, 'is an item without a value; remove it')
    return undefined
  })
}

function readMap(shape: MapShape, value: unknown, path: Path, reading: Reading): Map<string, unknown> | undefined {
  const entries = entriesOf(value, path, reading)
  if (entries === undefined) return undefined
  const result = new Map<string, unknown>()
  for (const [name, inner] of entries) {
    const at = [...path, name]
    if (name === '') reading.findings.error(at, 'an entry without a name; give it one', 'key')
    const content = inner === null ? nothing(shape, at, reading) : read(shape.of, inner, at, reading)
    if (content === undefined) reading.findings.lacks(at)
    else result.set(name, content)
  }
  return result
}

function nothing({ nothingIs }: MapShape, path: Path, { findings }: Reading): unknown {
  if (nothingIs === 'empty') return {}
  if (nothingIs === undefined) findings.error(path, 'is empty; fill it in or remove it', 'key')
  return nothingIs
}

function readObject(shape: ObjectShape, value: unknown, path: Path, reading: Reading): object | undefined {
  const entries = entriesOf(value, path, reading)
  if (entries === undefined) return undefined
  const given = new Map(entries)
  for (const name of given.keys()) {
    if (!Object.hasOwn(shape.fields, name)) refuseUnknown(shape, [...path, name], name, reading.findings)
  }
  const result: [string, unknown][] = []
  for (const [name, inner] of Object.entries(shape.fields)) {
    const at = [...path, name]
    const found = given.get(name)
    const isAbsent = found === undefined || found === null || (found === '' && isDroppedWhenEmpty(inner))
    if (!isAbsent) result.push([name, read(inner, found, at, reading)])
    else if (inner.required === true) reading.findings.error(at, 'is missing, or has no value; the format demands it', 'key')
  }
  return Object.fromEntries(result.filter(([, content]) => content !== undefined))
}

/** A template often leaves optional texts empty; a number in quotes with nothing in them was absent to the ancestor too. */
const isDroppedWhenEmpty = (shape: Shape): boolean =>
  shape.kind !== 'text' || (shape.mayBeEmpty !== true && shape.required !== true)

function refuseUnknown(shape: ObjectShape, path: Path, name: string, findings: Findings): void {
  const hint = shape.hints !== undefined && Object.hasOwn(shape.hints, name) ? shape.hints[name] : undefined
  const near = Object.keys(shape.fields).find((known) => isNear(known, name))
  const toDo = hint ?? (near === undefined ? 'remove or correct it' : `did you mean ${near}?`)
  if (shape.tookUnknown === true) findings.ignored(path, 'unknown field', toDo)
  else findings.error(path, `unknown field; ${toDo}`, 'key')
}

function entriesOf(value: unknown, path: Path, { findings }: Reading): [string, unknown][] | undefined {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return Object.entries(value)
  findings.error(path, `must have fields of its own, and is ${kindOf(value)}`)
  return undefined
}

const longestShown = 60

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return value === null ? 'nothing' : 'a map'
  const text = JSON.stringify(value) ?? typeof value
  return text.length > longestShown ? `${text.slice(0, longestShown - 3)}...` : text
}

/** Other signs, another case, or at most two letters wrong: enough to say what was meant. */
function isNear(known: string, found: string): boolean {
  if (Math.abs(known.length - found.length) > 2) return false
  const [a, b] = [known, found].map((name) => name.toLowerCase().replace(/[-_]/g, '')) as [string, string]
  return a === b || (known.length > 4 && distance(a, b) <= 2)
}

/** Letters to put in, take out or change; both texts are short. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i]
    for (let j = 1; j <= b.length; j += 1) {
      const changed = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(changed, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
