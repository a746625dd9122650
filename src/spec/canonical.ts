/**
 * Canonical JSON: keys in code-unit order, nothing undefined. Equal content gives equal bytes, whatever order an author or
 * an editor wrote it in. Pure.
 */
export const canonicalJson = (value: unknown): string => JSON.stringify(withSortedKeys(value))

/** Sorted first and printed as a whole: a replacer would be called from the printer for every single value. */
function withSortedKeys(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(withSortedKeys)
  const inner = value as Readonly<Record<string, unknown>>
  // Without a prototype, so that every key is an ordinary one.
  const result = Object.create(null) as Record<string, unknown>
  // Sorts by code units.
  for (const key of Object.keys(inner).sort()) result[key] = withSortedKeys(inner[key])
  return result
}
