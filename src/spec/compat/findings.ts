/**
 * What is found wrong or worth knowing in a service file, each at its place, and where each part of the spec comes from, so that
 * a problem of the spec is told as one of the file. Pure but for the lists that it collects.
 */
import { list } from '../issues.js'
import type { LocatedIssue, Position } from '../yaml/document.js'
import type { Path, SourceDocument } from './source-document.js'

export interface Findings {
  readonly lenient: boolean
  /** The file cannot be loaded. */
  error(path: Path, message: string, what?: 'key' | 'value'): void
  /** The file can be loaded; what is other than it reads, or than it was. */
  note(path: Path, message: string, what?: 'key' | 'value'): void
  /** What dcos-commons passed over without a word: an error that says what to do, or, leniently, done alike with a note. */
  ignored(path: Path, found: string, toDo: string, what?: 'key' | 'value', habit?: Habit): void
  /** A reference to something that is not there: an error, unless it is an entry that nothing could be made of. */
  noSuch(path: Path, what: string, name: string, known: Iterable<string>): void
  /** An entry that nothing could be made of: what the spec then lacks is no further problem. */
  lacks(path: Path): void
}

/** What became of something without a word. */
export interface Habit {
  /** For example `left it out`. */
  readonly theirs: string
  /** For example `left out`. */
  readonly ours: string
}

const leavesOut: Habit = { theirs: 'left it out', ours: 'left out' }

export interface Collected extends Findings {
  readonly errors: LocatedIssue[]
  readonly notes: LocatedIssue[]
  /** Whether what is said of a place only comes from what is known to be wrong. */
  isKnown(path: Path, message: string): boolean
}

export function createFindings(document: Pick<SourceDocument, 'locate'>, lenient: boolean): Collected {
  const errors: LocatedIssue[] = []
  const notes: LocatedIssue[] = []
  /** Places with a fault of their own; those with a faulty value, where nothing inside is of use; and entries that are gone. */
  const faulty = new Set<string>()
  const useless = new Set<string>()
  const lacking: string[] = []
  const located = (path: Path, message: string, what: 'key' | 'value'): LocatedIssue =>
    toIssue(path, message, isEnvironment(path) ? undefined : document.locate(path, what))
  const error: Findings['error'] = (path, message, what = 'value') => {
    errors.push(located(path, message, what))
    faulty.add(textOf(path))
    if (what === 'value') useless.add(textOf(path))
  }
  const note: Findings['note'] = (path, message, what = 'value') => void notes.push(located(path, message, what))
  return {
    lenient,
    errors,
    notes,
    error,
    note,
    ignored(path, found, toDo, what = 'key', { theirs, ours } = leavesOut) {
      if (lenient) note(path, `${found}; it is ${ours}, as dcos-commons ${theirs}`, what)
      else error(path, `${found}; dcos-commons ${theirs} without a word: ${toDo}`, what)
    },
    noSuch(path, what, name, known) {
      if (!lacking.includes(JSON.stringify(name)))
        error(path, `there is no ${what} ${JSON.stringify(name)} (there are: ${some(known)})`)
    },
    lacks(path) {
      lacking.push(JSON.stringify(path.at(-1)))
      faulty.add(textOf(path.slice(0, -1)))
    },
    isKnown: (path, message) =>
      faulty.has(textOf(path)) ||
      path.some((_, end) => useless.has(textOf(path.slice(0, end)))) ||
      lacking.some((name) => message.includes(name)),
  }
}

const mostNames = 20

/** The first names of a list, for a message. */
export function some(names: Iterable<string>): string {
  const all = [...names]
  return list(all.length <= mostNames ? all : [...all.slice(0, mostNames), '...'])
}

const textOf = (path: Path): string => path.map(String).join('.')

export function toIssue(path: Path, message: string, position: Position | undefined): LocatedIssue {
  return { path: textOf(path), message, ...position }
}

/** Path of a variable of the environment that is no part of the file. */
export const environmentPath = (name: string): Path => [environment, name]
const environment = 'environment'
const isEnvironment = (path: Path): boolean => path.length === 2 && path[0] === environment

/** Place of a part of the spec, and of what it is made from. */
export interface Place {
  readonly to: Path
  readonly from: Path
}

export const inside = ({ to, from }: Place, toKey: PropertyKey, fromKey: PropertyKey | Path): Place => ({
  to: [...to, toKey],
  from: [...from, ...(typeof fromKey === 'object' ? fromKey : [fromKey])],
})

/** Where the parts of the spec come from. */
export interface Origins {
  set(to: Path, from: Path): void
  /** Of the innermost part that has an origin; whether it is the part asked for. */
  find(to: string): { readonly from: Path; readonly isExact: boolean }
}

export function createOrigins(): Origins {
  const origins = new Map<string, Path>([['', []]])
  return {
    set: (to, from) => void origins.set(to.map(String).join('.'), from),
    find(to) {
      for (let path = to; ; path = path.slice(0, Math.max(0, path.lastIndexOf('.')))) {
        const from = origins.get(path)
        if (from !== undefined) return { from, isExact: path === to }
      }
    },
  }
}

export type Fields = Record<string, unknown>

/** Its field or path in the file, seen from the place, and its value; undefined: the file does not say. */
export type Entry = readonly [from: string | Path, value: unknown]

/** A part of the spec of its fields. What is absent has its origin too: that it is missing is said where it would be. */
export function build(origins: Origins, place: Place, entries: Readonly<Record<string, Entry>>): Fields {
  origins.set(place.to, place.from)
  const fields: Fields = {}
  for (const [key, [from, value]] of Object.entries(entries)) {
    const { to: toPath, from: fromPath } = inside(place, key, from)
    origins.set(toPath, fromPath)
    if (value !== undefined) fields[key] = value
  }
  return fields
}
