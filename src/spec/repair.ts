/**
 * What is left of a value when everything that the schema refuses is taken out of it, so that the rules across fields can be
 * looked at all the same: an author wants all problems at once, not first those of one kind. Pure.
 */
import type { z } from 'zod'
import { own } from './own.js'
import { serviceSchema, type ServiceSpec } from './schema.js'

export interface Repaired {
  readonly spec: ServiceSpec
  /** Where something was taken out or put in; what is said about these places would be about the repair. */
  readonly paths: readonly string[]
}

/** Stands in for fields without which their whole neighbourhood would have to go. */
const standIns: Readonly<Record<string, unknown>> = { name: 'service', count: 1, command: 'true', sizeMb: 1, tasks: {}, pods: {} }

/** Faults may hide others, each round uncovers some; a value that needs more rounds is no spec at all. */
const maxRounds = 12

type Container = Record<PropertyKey, unknown>

export function repair(input: unknown): Repaired | undefined {
  let value: unknown
  try {
    value = structuredClone(input)
  } catch {
    // Functions and the like.
    return undefined
  }
  const paths: string[] = []
  for (let round = 0; round < maxRounds; round += 1) {
    const parsed = serviceSchema.safeParse(value)
    if (parsed.success) return { spec: parsed.data, paths }
    for (const issue of deepest(parsed.error.issues)) {
      if (issue.code === 'unrecognized_keys') {
        dropKeys(value, issue)
        continue
      }
      const touched = mend(value, issue.path)
      if (touched === undefined) return undefined
      paths.push(touched.map(String).join('.'))
    }
  }
  return undefined
}

/** Unions report at the place of the alternative; what is inside is taken as a whole. Later elements of a list first. */
const deepest = (issues: readonly z.core.$ZodIssue[]): z.core.$ZodIssue[] =>
  issues
    .map((issue) => ({ issue, text: issue.path.map(String).join() }))
    .sort((a, b) => b.issue.path.length - a.issue.path.length || (a.text < b.text ? 1 : -1))
    .map(({ issue }) => issue)

/** Nobody misses an unknown key, so nothing is said about where it was. */
function dropKeys(value: unknown, { path, keys }: z.core.$ZodIssueUnrecognizedKeys): void {
  const holder = at(value, path)
  if (isContainer(holder)) for (const key of keys) Reflect.deleteProperty(holder, key)
}

const at = (value: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>((inner, step) => (isContainer(inner) && Object.hasOwn(inner, step) ? inner[step] : undefined), value)

/** Takes out what is at the place, or puts something in where nothing is; answers the place. */
function mend(value: unknown, path: readonly PropertyKey[]): readonly PropertyKey[] | undefined {
  const key = path.at(-1)
  if (key === undefined) return undefined
  const parent = at(value, path.slice(0, -1))
  // Gone already with something around it.
  if (!isContainer(parent)) return path
  const standIn = Array.isArray(parent) ? undefined : own(standIns, String(key))
  if (!Object.hasOwn(parent, key) && standIn === undefined) return mend(value, path.slice(0, -1))
  remove(parent, key)
  if (standIn !== undefined) parent[key] = structuredClone(standIn)
  return path
}

const isContainer = (value: unknown): value is Container => typeof value === 'object' && value !== null

function remove(parent: Container, key: PropertyKey): void {
  if (Array.isArray(parent)) parent.splice(Number(key), 1)
  else Reflect.deleteProperty(parent, key)
}
