/**
 * Canonical JSON: keys in code-unit order, nothing undefined. Equal content gives equal bytes, whatever order an author or
 * an editor wrote it in. Pure.
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : inner,
  )
}
