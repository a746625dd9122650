/**
 * Names of the file as names of the spec, which are lower-case DNS labels: dots and underscores become dashes. A name that others
 * see changes with a note, and only if no other name becomes the same; one that dcos-commons never used is chosen freely. Pure.
 */
import type { Findings } from './findings.js'
import type { Path } from './source-document.js'
import { isInherited } from '../schema/fields.js'

/** One kind of names, in one place of the file. */
export interface NameRules {
  /** For example `the pod`. */
  readonly what: string
  readonly max: number
  /** What else changes with the name, for the note. */
  readonly effect?: string
}

const isLabel = (name: string, max: number): boolean => name.length <= max && /^[a-z]([a-z0-9-]*[a-z0-9])?$/.test(name)

const toLabel = (name: string): string => name.toLowerCase().replace(/[._]/g, '-')

/**
 * The names of the spec by those of the file. A name that cannot be converted is said and gets a stand-in, so that what it holds is
 * looked at all the same.
 */
export function convertNames(names: Iterable<string>, path: Path, rules: NameRules, findings: Findings): Map<string, string> {
  const labels = new Map<string, string>()
  const taken = new Map<string, string>()
  for (const name of names) {
    const label = convertName(name, [...path, name], rules, findings) ?? `unusable-name-n${labels.size}`
    const other = taken.get(label)
    labels.set(name, other === undefined ? label : `unusable-name-n${labels.size}`)
    if (other === undefined) taken.set(label, name)
    else
      findings.error(
        [...path, name],
        `${rules.what} ${name} would be called ${label}, and ${other} is already; rename one of them`,
        'key',
      )
  }
  return labels
}

/** A name that stands alone; undefined when it cannot be converted, which was said then. */
export function convertName(
  name: string,
  path: Path,
  rules: NameRules,
  findings: Findings,
  at: 'key' | 'value' = 'key',
): string | undefined {
  const label = toLabel(name)
  if (isLabel(label, rules.max)) {
    if (label !== name)
      findings.note(
        path,
        `${rules.what} ${name} is called ${label} here${rules.effect === undefined ? '' : `: ${rules.effect}`}`,
        at,
      )
    return label
  }
  const found = name.length > rules.max ? `it has ${name.length}` : `got ${JSON.stringify(name)}`
  findings.error(
    path,
    `${rules.what} must be named with letters, digits and inner dashes, beginning with a letter, at most ${rules.max} characters (${found}); rename it`,
    at,
  )
  return undefined
}

/** Names that have no effect outside the spec: each made of its text, whatever that is, and given once. */
export function createChooser(fallback: string, max: number): (text: string) => string {
  const taken = new Set<string>()
  /** The number to go on with, so that many alike cost no more than many others. */
  const next = new Map<string, number>()
  return (text) => {
    const label = trimDashes(toLabel(text).replace(/[^a-z0-9-]/g, '-'))
    const start = trimDashes((/^[a-z]/.test(label) ? label : `${fallback}-${label}`).slice(0, max))
    for (let number = next.get(start) ?? 1; ; number += 1) {
      const end = number === 1 ? '' : `-${number}`
      const name = `${trimDashes(start.slice(0, max - end.length))}${end}`
      if (taken.has(name) || isInherited(name)) continue
      taken.add(name)
      next.set(start, number + 1)
      return name
    }
  }
}

function trimDashes(text: string): string {
  let [begin, end] = [0, text.length]
  while (begin < end && text.charAt(begin) === '-') begin += 1
  while (end > begin && text.charAt(end - 1) === '-') end -= 1
  return text.slice(begin, end)
}
