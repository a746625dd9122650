/**
 * Placeholders: values known only at launch. `{{name}}` anywhere in an `env` value; lists of peers take a format for their
 * entries: `{{peers.controller.quorum as 300{index}@{address}:{port}}}`. They are not part of a task's identity: when a peer
 * moves, nobody restarts. Pure.
 */

/** `peers`: instances that have a footprint. `joined`: those that were once ready, or the instance itself if there is none. */
export type Placeholder =
  | { readonly kind: 'value'; readonly name: string }
  | { readonly kind: 'port'; readonly port: string }
  | { readonly kind: 'simple'; readonly name: SimplePlaceholder }
  | { readonly kind: 'peers' | 'joined'; readonly pod: string; readonly port: string; readonly format: string }

export const simplePlaceholders = [
  'service.name',
  'pod.type',
  'pod.name',
  'pod.index',
  'pod.count',
  'task.name',
  'agent.id',
  'agent.address',
  'agent.hostname',
  'agent.region',
  'agent.zone',
  'resources.cpus',
  'resources.memoryMb',
] as const

export type SimplePlaceholder = (typeof simplePlaceholders)[number]

/**
 * Formats may hold single braces, so the end is the last `}}` of a run of closing braces. No two parts of the pattern take the
 * same character one after the other: a long text without an end is looked at once.
 */
const pattern = /\{\{\s*([A-Za-z][A-Za-z0-9.-]*)(?:\s+as\s((?:[^{}]|\{[a-z]+\})*)|\s*)\}\}/g

/** Entry of a list of peers when no format is given. */
const defaultFormat = '{address}:{port}'

/** All placeholders of a text, with the stretch of text each one replaces; `undefined` for a name that means nothing. */
export function findPlaceholders(text: string): { readonly text: string; readonly placeholder: Placeholder | undefined }[] {
  return [...text.matchAll(pattern)].map((match) => ({ text: match[0], placeholder: parse(match[1] ?? '', match[2]) }))
}

function parse(name: string, format: string | undefined): Placeholder | undefined {
  const parts = name.split('.')
  const [first, second, third] = parts
  if ((first === 'peers' || first === 'joined') && second !== undefined && third !== undefined && parts.length === 3) {
    return { kind: first, pod: second, port: third, format: format?.trim() ?? defaultFormat }
  }
  if (format !== undefined) return undefined
  if (first === 'values' && second !== undefined && parts.length === 2) return { kind: 'value', name: second }
  if (first === 'ports' && second !== undefined && parts.length === 2) return { kind: 'port', port: second }
  const simple = simplePlaceholders.find((known) => known === name)
  return simple === undefined ? undefined : { kind: 'simple', name: simple }
}

/** Replaces every placeholder by what `resolve` gives for it; an unknown one stays as it is. */
export function replacePlaceholders(text: string, resolve: (placeholder: Placeholder) => string): string {
  return text.replace(pattern, (whole, name: string, format: string | undefined) => {
    const placeholder = parse(name, format)
    return placeholder === undefined ? whole : resolve(placeholder)
  })
}
