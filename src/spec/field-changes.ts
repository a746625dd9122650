/** Which fields of two values differ, down to the smallest that both have. Pure. */
import { own } from './own.js'

/** One field: what it was and what it is, as data; absent where there is none. */
export interface FieldChange {
  /** For example `pods.broker.tasks.server.command`. */
  readonly path: string
  readonly before?: unknown
  readonly after?: unknown
}

type Fields = Readonly<Record<string, unknown>>

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null

/** With the keys that lead to it; a key may have dots in it. */
export interface LocatedChange extends FieldChange {
  readonly keys: readonly string[]
}

/** In the order of the paths. Passwords in addresses are left out. */
export const diffFields = (before: unknown, after: unknown): FieldChange[] =>
  locateChanges(before, after).map(({ keys: _keys, ...change }) => change)

export function locateChanges(before: unknown, after: unknown, at: readonly string[] = []): LocatedChange[] {
  if (before === after) return []
  if (isFields(before) && isFields(after) && Array.isArray(before) === Array.isArray(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])]
    if (!Array.isArray(before)) keys.sort()
    return keys.flatMap((key) => locateChanges(own(before, key), own(after, key), [...at, key]))
  }
  return [
    {
      path: at.join('.'),
      keys: at,
      ...(before === undefined ? {} : { before: withoutPasswords(before) }),
      ...(after === undefined ? {} : { after: withoutPasswords(after) }),
    },
  ]
}

/** `http://user:password@host`: a fetched file may need one, and a diff is read by many. */
function withoutPasswords(value: unknown): unknown {
  if (typeof value === 'string') return value.replace(/(\w:\/\/[^/\s:@]*:)[^/\s@]+@/g, '$1***@')
  if (!isFields(value)) return value
  if (Array.isArray(value)) return value.map(withoutPasswords)
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withoutPasswords(inner)]))
}
