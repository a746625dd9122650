/**
 * What is left of a value when everything that the schema refuses is taken out of it, so that the rules across fields can be
 * looked at all the same: an author wants all problems at once, not first those of one kind. Pure.
 */
import type { z } from 'zod'
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
      const touched = mend(value, issue)
      if (touched === undefined) return undefined
      paths.push(touched.map(String).join('.'))
    }
  }
  return undefined
}

/** Unions report at the place of the alternative; what is inside is taken as a whole. Later elements of a list first. */
const deepest = (issues: readonly z.core.$ZodIssue[]): z.core.$ZodIssue[] =>
  [...issues].sort((a, b) => b.path.length - a.path.length || (String(a.path) < String(b.path) ? 1 : -1))

/** Takes out what is at the place, or puts something in where nothing is; answers the place. */
function mend(value: unknown, { path, ...issue }: z.core.$ZodIssue): readonly PropertyKey[] | undefined {
  const key = path.at(-1)
  const parent = path.slice(0, -1).reduce<unknown>((inner, step) => (isContainer(inner) ? inner[step] : undefined), value)
  if (issue.code === 'unrecognized_keys') {
    const holder = key === undefined ? value : isContainer(parent) ? parent[key] : undefined
    if (isContainer(holder)) for (const unknown of issue.keys) Reflect.deleteProperty(holder, unknown)
    return path
  }
  if (key === undefined) return undefined
  // Gone already with something around it.
  if (!isContainer(parent)) return path
  if (key in parent) {
    remove(parent, key)
    if (key in standIns && !Array.isArray(parent)) parent[key] = standIns[String(key)]
    return path
  }
  if (key in standIns) {
    parent[key] = structuredClone(standIns[String(key)])
    return path
  }
  return mend(value, { code: 'custom', path: path.slice(0, -1), message: '' })
}

const isContainer = (value: unknown): value is Container => typeof value === 'object' && value !== null

function remove(parent: Container, key: PropertyKey): void {
  if (Array.isArray(parent)) parent.splice(Number(key), 1)
  else Reflect.deleteProperty(parent, key)
}
