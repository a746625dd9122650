/**
 * Random service specs that are valid and use, taken together, every field of the schema. Their shape comes from the schema itself;
 * here stand only the words that it cannot know, and what is done about rules across fields: what breaks one is taken out.
 */
import fc from 'fast-check'
import type { z } from 'zod'
import { defineService, safeParseSpec, type SpecResult } from '../../src/spec/parse.js'
import { serviceSchema, type ServiceSpec, type ServiceSpecInput } from '../../src/spec/schema.js'
import { definitionOf, describedFields, innermost, type SchemaField } from './spec-fields.js'

type AnySchema = z.core.$ZodType

const podNames = ['db', 'web']
const taskNames = ['server', 'backup', 'format']

/** Names in records, and texts, by the end of the path. The longest end that fits counts. */
const words: Readonly<Record<string, readonly unknown[]>> = {
  name: ['store', 'shop'],
  user: ['nobody', 'service'],
  'pods.*.user': ['owner', 'other-owner'],
  principal: ['somebody', 'someone-else'],
  role: ['databases', 'teams/databases'],
  webUrl: ['http://web.example', 'https://web.example/store'],
  region: ['north', 'south'],
  'values {}': ['clusterId', 'token'],
  'pods {}': podNames,
  'tasks {}': taskNames,
  'resourceSets {}': ['main', 'extra'],
  'volumes {}': ['data', 'log'],
  'volumes.*.path': ['one', 'two'],
  'profiles.*': ['fast', 'slow'],
  'ports {}': ['client', 'admin'],
  'ports.*.port': [0, 7_000, 7_001],
  'ports.*.envKey': ['PORT', 'OTHER_PORT'],
  'vip.prefix': ['lb', 'front'],
  'placement.*.key': ['hostname', '@zone', 'rack'],
  'rule.key': ['hostname', '@zone', 'rack'],
  'rules.*.key': ['hostname', '@zone', 'rack'],
  value: ['a', 'b'],
  pattern: ['a.*', 'b|c'],
  pod: podNames,
  command: ['./run.sh', 'exec ./serve.sh --all'],
  'env {}': ['MODE', 'INDEX', 'PEERS'],
  'env.*': ['plain', '{{pod.index}}', '{{agent.address}}:{{peers.db.client}}', '{{values.clusterId}}'],
  resourceSet: ['main', 'extra'],
  'uris.*': ['http://files.example/a.tgz', 'file:///opt/b.tgz'],
  'uris.*.uri': ['http://files.example/c.tgz', 'https://files.example/d'],
  'uris.*.outputFile': ['fetched', 'lib/fetched'],
  'configs {}': ['main-config', 'log-config'],
  'configs.*.text': ['a={{A}}', 'b'],
  'configs.*.dest': ['conf/a', 'conf/b'],
  'discovery.prefix': ['known-as', 'also-known-as'],
  'labels {}': ['team', 'tier'],
  'labels.*': ['x', 'y'],
  'transportEncryption.*.name': ['inner', 'outer'],
  image: ['store:1', 'store:2'],
  'networks {}': ['dcos', 'mesos-bridge', 'blue'],
  hostPort: [0, 9_000, 9_001],
  'hostVolumes {}': ['certs', 'scratch'],
  'hostVolumes.*.hostPath': ['/etc/certs', '/srv/scratch'],
  'hostVolumes.*.path': ['host/certs', 'host/scratch'],
  'externalVolumes {}': ['archive', 'exports'],
  'externalVolumes.*.driver': ['pxd', 'rexray'],
  'externalVolumes.*.name': ['disk', 'other-disk'],
  'externalVolumes.*.path': ['ext/archive', 'ext/exports'],
  'options {}': ['size', 'kind'],
  'options.*': ['1', '2'],
  'secrets {}': ['password', 'certificate'],
  'secrets.*.secret': ['store/password', 'store/certificate'],
  'secrets.*.envKey': ['PASSWORD', 'CERTIFICATE'],
  'secrets.*.file': ['secret/password', 'secret/certificate'],
  preReservedRole: ['reserved', 'reserved/more'],
  'seccomp.profile': ['strict.json', 'lax.json'],
  'phases.*.name': ['first', 'second'],
  gate: ['healthy', 'inSync'],
  'Flight.*': ['healthy', 'inSync'],
  'Each.*': ['healthy', 'inSync'],
  order: ['leaderLast', 'smallestFirst'],
  'tasks.*.*': taskNames,
  'plans {}': ['save', 'repair'],
  'parameters {}': ['LEVEL', 'TARGET'],
  description: ['what it is for', 'something else'],
  'parameters.*.default': ['a', 'b'],
  'oneOf.*': ['a', 'b'],
  count: [1, 2, 3, 5],
  instance: [0, 1],
  begin: [1, 1_024],
  end: [2_048, 65_535],
  soft: [0, 64],
  hard: [64, 128],
}

function wordsFor(path: string): readonly unknown[] | undefined {
  const ends = Object.keys(words).filter(
    (end) => path === end || path.endsWith(end.startsWith('Flight') || end.startsWith('Each') ? end : `.${end}`),
  )
  const longest = ends.reduce<string | undefined>(
    (best, end) => (best === undefined || end.length > best.length ? end : best),
    undefined,
  )
  return longest === undefined ? undefined : words[longest]
}

/** Values of a schema, by the place that it has in the spec. Rules across fields are not looked at. */
function valuesOf(schema: AnySchema, path: string): fc.Arbitrary<unknown> {
  const inner = innermost(schema)
  const { type, shape, keyType, valueType, element, options, entries, values } = definitionOf(inner)
  const known = wordsFor(path)
  switch (type) {
    case 'object':
      return objectOf(Object.fromEntries(Object.entries(shape ?? {}).map(([key, each]) => [key, each])), path)
    case 'record': {
      const names = (wordsFor(`${path} {}`) ??
        Object.values(definitionOf(keyType ?? inner).entries ?? {}).slice(0, 2)) as string[]
      if (names.length === 0 || valueType === undefined) throw new Error(`words.ts knows no names for ${path}`)
      const value = valuesOf(valueType, `${path}.*`)
      const isNeeded = ['pods', 'pods.*.tasks'].includes(path)
      return fc.record(Object.fromEntries(names.map((name) => [name, value])), {
        requiredKeys: isNeeded ? names.slice(0, 1) : [],
        noNullPrototype: true,
      })
    }
    case 'array':
      return fc.uniqueArray(valuesOf(element ?? inner, `${path}.*`), {
        minLength: checksOf(inner)['min_length'] ?? 0,
        maxLength: path.endsWith('placement') ? 5 : 2,
        selector: (value) => JSON.stringify(value),
      })
    case 'union':
      return fc.oneof(...(options ?? []).map((option) => ({ arbitrary: valuesOf(option, path), weight: weightOf(option) })))
    case 'enum':
      return fc.constantFrom(...Object.values(entries ?? {}))
    case 'literal':
      return fc.constantFrom(...(values ?? []))
    case 'boolean':
      return fc.boolean()
    case 'number':
      return fc.constantFrom(...(known?.every((each) => typeof each === 'number') === true ? known : numbersOf(inner)))
    case 'string':
      if (known === undefined) throw new Error(`there are no words for ${path}: add some to test/support/spec-arbitrary.ts`)
      return fc.constantFrom(...known)
    default:
      throw new Error(`${path} is of a type that nobody has thought of here: ${type}`)
  }
}

function objectOf(shape: Readonly<Record<string, AnySchema>>, path: string): fc.Arbitrary<unknown> {
  const model = Object.entries(shape).map(
    ([key, schema]) => [key, valuesOf(schema, path === '' ? key : `${path}.${key}`)] as const,
  )
  // Both are needed where no resource set is named, and are taken out where one is.
  const isNeeded = (key: string, schema: AnySchema) => innermost(schema) === schema || key === 'cpus' || key === 'memoryMb'
  const requiredKeys = Object.entries(shape).flatMap(([key, schema]) => (isNeeded(key, schema) ? [key] : []))
  return fc.record(Object.fromEntries(model), { requiredKeys, noNullPrototype: true })
}

/** Placement rules that hold others have more to try out. */
const weightOf = (option: AnySchema): number => {
  const { shape = {} } = definitionOf(option)
  return 'rules' in shape || 'rule' in shape ? 3 : 1
}

/** What a schema checks beside its kind, by the name that zod gives it. */
const checksOf = (schema: AnySchema): Readonly<Record<string, number | undefined>> =>
  Object.fromEntries(
    ((definitionOf(schema) as { readonly checks?: readonly z.core.$ZodCheck[] }).checks ?? []).map(({ _zod }) => {
      const def = _zod.def as { readonly check: string; readonly value?: number; readonly minimum?: number }
      return [def.check, def.value ?? def.minimum]
    }),
  )

function numbersOf(schema: AnySchema): number[] {
  const { greater_than: least = 0, less_than: most = Infinity } = checksOf(schema)
  const isWhole = (definitionOf(schema) as { readonly format?: string }).format === 'safeint'
  return [0, 1, 3].map((each) => least + (isWhole ? each : each / 2)).filter((each) => each <= most)
}

type Fields = Record<PropertyKey, unknown>

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null

interface Raw {
  readonly pods: Readonly<Record<string, { readonly tasks: Record<string, Fields>; readonly resourceSets?: Fields }>>
  readonly deploy?: { phases?: Fields[] }
  readonly update?: { phases?: Fields[] }
}

/** What taking out would leave little of: each pod is in one phase, and has its resources in one place. */
function arrange(raw: unknown): Raw {
  const spec = structuredClone(raw) as Raw
  for (const plan of ['deploy', 'update'] as const) {
    const { phases = [] } = spec[plan] ?? {}
    if (spec[plan] === undefined || phases.length === 0) continue
    spec[plan].phases = Object.keys(spec.pods).map((pod, at) => ({ ...phases[at % phases.length], pod, name: `${plan}-${pod}` }))
  }
  for (const { tasks, resourceSets = {} } of Object.values(spec.pods)) {
    for (const task of Object.values(tasks)) {
      const isOnSet = typeof task['resourceSet'] === 'string' && task['resourceSet'] in resourceSets
      const unwanted = isOnSet ? ['cpus', 'memoryMb', 'gpus', 'volumes', 'limits', 'ports'] : ['resourceSet']
      for (const key of unwanted) Reflect.deleteProperty(task, key)
    }
  }
  return spec
}

const mostRounds = 30

/** Without what breaks rules across fields. */
function prune(raw: unknown): ServiceSpecInput {
  const spec = structuredClone(raw) as Fields
  for (let round = 0; ; round++) {
    const result = check(spec)
    if (result.ok) return spec as ServiceSpecInput
    if (round === mostRounds) throw new Error(`no valid spec is left: ${JSON.stringify(result.issues)}`)
    // Later elements of a list first, so that the places of the others stay.
    const paths = [...new Set(result.issues.map(({ path }) => path))].sort((a, b) => (a < b ? 1 : -1))
    for (const path of paths) if (!paths.some((outer) => path.startsWith(`${outer}.`))) takeOut(spec, path.split('.'))
  }
}

/** The schema first and by itself: looking for what else is wrong would take longer than all the rest. */
export function check(value: unknown): SpecResult {
  const parsed = serviceSchema.safeParse(value)
  return parsed.success
    ? safeParseSpec(value)
    : { ok: false, issues: parsed.error.issues.map(({ path, message }) => ({ path: path.map(String).join('.'), message })) }
}

/** What is at the place, or what is around it where nothing is. */
function takeOut(spec: Fields, place: readonly string[]): void {
  const parent = place.slice(0, -1).reduce<unknown>((inner, key) => (isFields(inner) ? inner[key] : undefined), spec)
  const key = place.at(-1)
  if (key === undefined || !isFields(parent) || parent[key] === undefined) {
    if (place.length > 1) takeOut(spec, place.slice(0, -1))
  } else if (Array.isArray(parent)) parent.splice(Number(key), 1)
  else Reflect.deleteProperty(parent, key)
}

/** Valid specs as an author may write them. */
export const specInputs: fc.Arbitrary<ServiceSpecInput> = valuesOf(serviceSchema, '').map((raw) => prune(arrange(raw)))

/** Checked specs, with all their defaults. */
export const specs: fc.Arbitrary<ServiceSpec> = specInputs.map((input) => defineService(input))

/** Every field of the schema. */
export const specFields: readonly SchemaField[] = describedFields(serviceSchema)

/** What a field may hold, apart from rules across fields; `undefined` for nothing, where it may be left out. */
export function fieldValues({ path, schemas, isOptional }: SchemaField): fc.Arbitrary<unknown> {
  const values = fc.oneof(...schemas.map((schema) => valuesOf(schema, path)))
  return isOptional ? fc.option(values, { nil: undefined }) : values
}
