/** A service file: YAML text with parameters, to a checked spec; every problem with its line. Pure. */
import type { SpecIssue } from '../issues.js'
import { safeParseSpec } from '../parse.js'
import type { ServiceSpec } from '../schema.js'
import { parseYaml, type LocatedIssue, type YamlDocument } from './document.js'
import { substituteParameters, type GivenParameters } from './parameters.js'

export interface YamlSpecOptions {
  /**
   * Values of the parameters that the file declares, by name. Text given for a number or a boolean is read as one.
   * @defaultValue none
   */
  readonly parameters?: GivenParameters
}

export type YamlSpecResult =
  { readonly ok: true; readonly spec: ServiceSpec } | { readonly ok: false; readonly issues: readonly LocatedIssue[] }

/**
 * The spec in a YAML text: the same fields as in TypeScript, and `parameters` beside them. Never throws; all problems are
 * reported at once, in the order of the text.
 */
export function parseYamlSpec(text: string, { parameters = {} }: YamlSpecOptions = {}): YamlSpecResult {
  const read = parseYaml(text)
  if (!read.ok) return read
  const { document } = read
  if (!isMap(document.value))
    return { ok: false, issues: [{ path: '', message: 'a service file holds a map: name, pods ...', ...document.locate([]) }] }
  const { value, issues, holes } = substituteParameters(document.value, parameters)
  const result = safeParseSpec(value)
  if (result.ok && issues.length === 0) return result
  const isHole = isWithinAny(holes.map((path) => path.map(String).join('.')))
  const found = result.ok ? [] : result.issues.filter(({ path }) => !isHole(path))
  return { ok: false, issues: locateIssues([...issues, ...found], document) }
}

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Whether a path is one of the places or inside of one. */
function isWithinAny(places: readonly string[]): (path: string) => boolean {
  const known = new Set(places)
  // Looked at by length, so that a path of a great many parts is not put together part by part.
  const lengths = [...new Set(places.map((place) => place.length))]
  return (path) => lengths.some((length) => (length === path.length || path[length] === '.') && known.has(path.slice(0, length)))
}

/** The problems with their places, in the order of the text. */
export function locateIssues(issues: readonly SpecIssue[], document: YamlDocument): LocatedIssue[] {
  const located = issues.map(({ path, message }): LocatedIssue => {
    const { keys, isThere, value } = resolvePath(document.value, path)
    // Of a map or list its name is shown; its value may begin anywhere below.
    const what = typeof value === 'object' && value !== null ? 'key' : 'value'
    return {
      path,
      message: withAdvice(message, isThere ? value : undefined),
      ...document.locate(keys, keyIsMeant(message) ? 'key' : what),
    }
  })
  const placeOf = ({ line = 0, column = 0 }: LocatedIssue): readonly [number, number] => [line, column]
  return located.sort((a, b) => {
    const [[lineA, columnA], [lineB, columnB]] = [placeOf(a), placeOf(b)]
    return lineA - lineB || columnA - columnB
  })
}

const keyIsMeant = (message: string): boolean => message.startsWith('unknown key')

/** In YAML a text that looks like a number is one. */
const withAdvice = (message: string, value: unknown): string =>
  (typeof value === 'number' || typeof value === 'boolean') && message.startsWith('Invalid input: expected string')
    ? `${message}; put it in quotes`
    : message

/** Dots in a key that are looked for when a path is taken apart. */
const maxKeyParts = 16

/** The keys of a path that was written with dots, as far as the value has them; a key may itself have dots. */
function resolvePath(
  root: unknown,
  path: string,
): { readonly keys: readonly string[]; readonly isThere: boolean; readonly value: unknown } {
  const parts = path === '' ? [] : path.split('.')
  const keys: string[] = []
  let value = root
  for (let at = 0; at < parts.length;) {
    if (typeof value !== 'object' || value === null) return { keys: [...keys, ...parts.slice(at, at + 1)], isThere: false, value }
    let taken = 0
    for (let size = Math.min(maxKeyParts, parts.length - at); size > 0 && taken === 0; size -= 1) {
      if (Object.hasOwn(value, keyOf(parts.slice(at, at + size)))) taken = size
    }
    if (taken === 0) return { keys: [...keys, parts[at] ?? ''], isThere: false, value: undefined }
    const key = keyOf(parts.slice(at, at + taken))
    keys.push(key)
    value = (value as Readonly<Record<string, unknown>>)[key]
    at += taken
  }
  return { keys, isThere: true, value }
}

/** A name of no letters is written as two quotes. */
const keyOf = (parts: readonly string[]): string => (parts.length === 1 && parts[0] === '""' ? '' : parts.join('.'))
