/** Each field of the spec, changed in random specs, touches the hashes that it should, and no other. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { buildTarget } from '../../src/scheduler/target.js'
import { canonicalJson } from '../../src/spec/canonical.js'
import { defineService } from '../../src/spec/parse.js'
import type { PodSpec, ServiceSpec } from '../../src/spec/schema.js'
import { identityDecisions, type Touched } from '../support/identity-fields.js'
import type { SchemaField } from '../support/spec-fields.js'
import { check, fieldValues, specFields, specInputs, specs } from '../support/spec-arbitrary.js'

const seed = 20_260
const samples = fc.sample(specs, { seed, numRuns: 80 })
/** Changes of one field that are looked at. */
const wanted = 3

type Place = readonly string[]

/** Where the field is, or could be, in a spec. */
function placesOf(spec: unknown, path: string): Place[] {
  const go = (value: unknown, parts: readonly string[], place: Place): Place[] => {
    const [part, ...rest] = parts
    if (typeof value !== 'object' || value === null || part === undefined) return []
    if (rest.length === 0) return part === '*' || Array.isArray(value) ? [] : [[...place, part]]
    const keys = part === '*' ? Object.keys(value) : part in value ? [part] : []
    return keys.flatMap((key) => go((value as Record<string, unknown>)[key], rest, [...place, key]))
  }
  return go(spec, path.split('.'), [])
}

function withValue(spec: ServiceSpec, place: Place, value: unknown): unknown {
  const copy = structuredClone(spec) as unknown as Record<string, unknown>
  const holder = place.slice(0, -1).reduce<Record<string, unknown>>((inner, key) => inner[key] as Record<string, unknown>, copy)
  const key = place.at(-1) ?? ''
  if (value === undefined) Reflect.deleteProperty(holder, key)
  else holder[key] = value
  return copy
}

interface Change {
  readonly place: Place
  readonly before: ServiceSpec
  readonly after: ServiceSpec
}

/** Of a record with several entries, one less: values of their own would hardly go with the rest of the spec. */
function withOneLess(value: unknown): unknown[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return []
  const entries = Object.entries(value)
  return entries.length < 2 ? [] : entries.map((left) => Object.fromEntries(entries.filter((entry) => entry !== left)))
}

/** Valid specs that differ in one field, from as many of the random ones as it takes. */
function changesOf(field: SchemaField): Change[] {
  const values = fc.sample(fieldValues(field), { seed, numRuns: samples.length })
  const found: Change[] = []
  for (const [at, before] of samples.entries()) {
    const places = placesOf(before, field.path)
    const place = places[at % Math.max(1, places.length)]
    if (place === undefined) continue
    const present = place.reduce<unknown>((inner, key) => (inner as Record<string, unknown>)[key], before)
    const others = field.path.endsWith('pods') || field.path.endsWith('tasks') ? withOneLess(present) : []
    for (const value of [...others, values[at], values[(at + 1) % values.length]]) {
      const after = check(withValue(before, place, value))
      if (!after.ok || canonicalJson(after.spec) === canonicalJson(before)) continue
      found.push({ place, before, after: after.spec })
      break
    }
    if (found.length === wanted) break
  }
  return found
}

/** What differs: `POD pod`, `POD footprint`, `POD task NAME`; of what both specs have. */
function differences(before: ServiceSpec, after: ServiceSpec): string[] {
  const [one, other] = [buildTarget(before), buildTarget(after)]
  const differing = Object.entries(one.pods).flatMap(([pod, hashes]) => {
    const next = other.pods[pod]
    if (next === undefined) return []
    const tasks = Object.keys(hashes.tasks).filter(
      (task) => next.tasks[task] !== undefined && next.tasks[task] !== hashes.tasks[task],
    )
    return [
      ...(['pod', 'footprint'] as const).filter((hash) => next[hash] !== hashes[hash]).map((hash) => `${pod} ${hash}`),
      ...tasks.map((task) => `${pod} task ${task}`),
    ]
  })
  return [...(one.id === other.id ? [] : ['spec']), ...differing].sort()
}

function expectedOf({ path }: SchemaField, { place, before, after }: Change): string[] {
  const [, pod = '', kind, name = ''] = place
  const [one, other] = [before.pods[pod], after.pods[pod]]
  const decision = identityDecisions[path]
  const touched = typeof decision === 'function' ? decision(one as PodSpec, other as PodSpec) : decision
  const tasks =
    kind === 'tasks'
      ? [name]
      : Object.entries(one?.tasks ?? {}).flatMap(([task, { resourceSet }]) => (resourceSet === name ? [task] : []))
  const named = (each: Touched): string[] => (each === 'task' ? tasks.map((task) => `${pod} task ${task}`) : [`${pod} ${each}`])
  return ['spec', ...(touched as readonly Touched[]).flatMap(named)].sort()
}

/** Of its own accord, without which tasks there are. */
const alone = specFields.filter(({ path }) => identityDecisions[path] !== 'together')

describe('each field of the spec', () => {
  test('has a decision what a change of it touches', () => {
    expect(Object.keys(identityDecisions).sort()).toEqual(specFields.map(({ path }) => path).sort())
  })

  test.for(alone)('$path touches the hashes it should, and no other', (field) => {
    const changes = changesOf(field)
    expect(changes.length, 'no random spec could be changed there').toBeGreaterThan(0)
    for (const change of changes) {
      // A pod or a task that is there once only has no hash to compare.
      const found = differences(change.before, change.after)
      expect(found, `${change.place.join('.')} of ${JSON.stringify(change.before)}`).toEqual(expectedOf(field, change))
    }
  })

  test('who shares resources is part of the footprint; by what name, of no task', () => {
    const set = { cpus: 1, memoryMb: 64 }
    const of = (pod: object) =>
      defineService({
        name: 'store',
        pods: { db: { count: 1, ...pod } as never },
      })
    const own = of({ tasks: { server: { command: 'x', ...set } } })
    const onSet = of({ tasks: { server: { command: 'x', resourceSet: 'main' } }, resourceSets: { main: set } })
    const renamed = of({ tasks: { server: { command: 'x', resourceSet: 'other' } }, resourceSets: { other: set } })
    const larger = of({ tasks: { server: { command: 'x', resourceSet: 'main' } }, resourceSets: { main: { ...set, cpus: 2 } } })
    for (const [before, after] of [
      [own, onSet],
      [onSet, renamed],
    ] as const)
      expect(differences(before, after)).toEqual(['db footprint', 'spec'])
    expect(differences(onSet, larger)).toEqual(['db footprint', 'db task server', 'spec'])
  })
})

describe('what is no content', () => {
  const shuffled = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(shuffled)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(
      Object.entries(value)
        .reverse()
        .map(([key, inner]) => [key, shuffled(inner)]),
    )
  }

  test('the order of keys, and a way over text, touch no hash', () => {
    fc.assert(
      fc.property(specInputs, (input) => {
        const { spec: _spec, ...hashes } = buildTarget(defineService(input))
        for (const same of [shuffled(input), JSON.parse(JSON.stringify(input, undefined, 4))])
          expect(buildTarget(defineService(same as typeof input))).toMatchObject(hashes)
      }),
      { numRuns: 20 },
    )
  })

  test('writing out what leaving it out means touches no hash', () => {
    const implied = specFields.filter(({ notes }) => notes.implied !== undefined)
    expect(implied.length).toBeGreaterThan(20)
    for (const field of implied) {
      let count = 0
      for (const [at, before] of samples.entries()) {
        const places = placesOf(before, field.path)
        for (const place of places.slice(at % Math.max(1, places.length)).slice(0, 1)) {
          const written = check(withValue(before, place, field.notes.implied))
          const left = check(withValue(before, place, undefined))
          if (!written.ok || !left.ok) continue
          count += 1
          expect(differences(left.spec, written.spec), place.join('.')).toEqual([])
        }
        if (count >= wanted) break
      }
      expect(count, field.path).toBeGreaterThan(0)
    }
  })

  test('neither does writing out what its neighbourhood gives', () => {
    const port = { port: 0, vip: { port: 80 } }
    const build = (repeat: boolean) =>
      defineService({
        name: 'store',
        ...(repeat ? { role: 'store-role' } : {}),
        pods: {
          db: {
            count: 1,
            ...(repeat ? { user: 'root' } : {}),
            uris: [repeat ? { uri: 'http://host/a/b.tgz', outputFile: 'b.tgz' } : 'http://host/a/b.tgz'],
            externalVolumes: {
              disk: { driver: 'pxd', mode: 'RW', path: 'disk', ...(repeat ? { name: 'store_db' } : {}) },
            },
            tasks: {
              server: {
                command: 'x',
                cpus: 1,
                memoryMb: 32,
                ports: { client: repeat ? { ...port, vip: { port: 80, prefix: 'client' } } : port },
                uris: [repeat ? { uri: 'http://host/c', outputFile: 'c' } : 'http://host/c'],
              },
            },
          },
        },
      })
    expect(differences(build(false), build(true))).toEqual([])
  })
})
