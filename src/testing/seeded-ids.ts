/** Ids for tests: a counter per kind, so that one more id of a kind shifts no other kind and runs repeat exactly. */
import type { IdKind, IdSource } from '../ids.js'

const kinds: readonly IdKind[] = ['task', 'executor', 'operation', 'persistence', 'run', 'value']

/** Well-formed UUIDs whose first group counts and whose second names the kind. */
export function createCountingIds(): IdSource {
  const counters = new Map<IdKind, number>()
  return {
    uuid(kind) {
      const count = (counters.get(kind) ?? 0) + 1
      counters.set(kind, count)
      const hex = (value: number, width: number) => value.toString(16).padStart(width, '0')
      return `${hex(count, 8)}-${hex(kinds.indexOf(kind), 4)}-4000-8000-${hex(count, 12)}`
    },
  }
}
