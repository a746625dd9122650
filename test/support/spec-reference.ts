/** The page on the service spec, made from the schema: one section per kind of object, one row per field. */
import { z } from 'zod'
import type { FieldNotes } from '../../src/spec/schema/fields.js'
import { definitionOf, innermost } from './spec-fields.js'

type AnySchema = z.core.$ZodType

/** Kinds of objects by the first place where they are met; a new one is given its name here. */
const sectionNames: Readonly<Record<string, string>> = {
  '': 'Service',
  'values.*': 'Value',
  'pods.*': 'Pod',
  'pods.*.placement.*': 'Placement rule',
  'pods.*.volumes.*': 'Volume',
  'pods.*.executor': 'Executor',
  'pods.*.tasks.*': 'Task',
  'pods.*.tasks.*.ports.*': 'Port',
  'pods.*.tasks.*.ports.*.ranges.*': 'Port range',
  'pods.*.tasks.*.ports.*.vip': 'Virtual address',
  'pods.*.tasks.*.limits': 'Limits',
  'pods.*.tasks.*.uris.*': 'URI',
  'pods.*.tasks.*.configs.*': 'Config',
  'pods.*.tasks.*.readinessCheck': 'Readiness check',
  'pods.*.tasks.*.readinessCheck.deadline': 'Readiness deadline',
  'pods.*.tasks.*.healthCheck': 'Health check',
  'pods.*.tasks.*.preStop': 'Pre-stop command',
  'pods.*.tasks.*.discovery': 'Discovery',
  'pods.*.tasks.*.transportEncryption.*': 'Certificate',
  'pods.*.resourceSets.*': 'Resource set',
  'pods.*.networks.*': 'Network',
  'pods.*.networks.*.portMappings.*': 'Port mapping',
  'pods.*.rlimits.*': 'Process limit',
  'pods.*.hostVolumes.*': 'Host volume',
  'pods.*.externalVolumes.*': 'External volume',
  'pods.*.secrets.*': 'Secret',
  'pods.*.seccomp': 'Seccomp profile',
  deploy: 'Deployment',
  'deploy.phases.*': 'Phase',
  'deploy.phases.*.steps.*': 'Steps of an instance',
  'deploy.phases.*.afterEach.*': 'Gate',
  update: 'Update',
  recovery: 'Recovery',
  'recovery.backoff': 'Back-off',
  'recovery.replace': 'Replacement',
  'plans.*': 'Plan of your own',
  'plans.*.parameters.*': 'Parameter',
}

const join = (path: string, key: string): string => (path === '' ? key : `${path}.${key}`)

const anchorOf = (name: string): string => name.toLowerCase().replaceAll(' ', '-')

/** An object, or a union of objects told apart by their `type`. */
interface Section {
  readonly name: string
  readonly path: string
  /** The path as an author would write it. */
  readonly place: string
  readonly schema: AnySchema
}

const isObject = (schema: AnySchema): boolean => definitionOf(schema).type === 'object'

/** What of a union is an object: a text may stand for it. */
const objectsIn = (schema: AnySchema): AnySchema[] => {
  const inner = innermost(schema)
  if (isObject(inner)) return [inner]
  return (definitionOf(inner).options ?? []).map(innermost).filter(isObject)
}

export function specReference(root: AnySchema): string {
  const sections: Section[] = []
  const known = new Map<AnySchema, string>()
  /** Rules that hold others are met again inside of themselves, in less depth. */
  const isRepeated = (path: string): boolean => /\.placement\.\*\.rules?(\.\*)?$/.test(path)
  const find = (schema: AnySchema, path: string, place: string): void => {
    const inner = innermost(schema)
    const { shape, valueType, element } = definitionOf(inner)
    if (valueType !== undefined) find(valueType, `${path}.*`, `${place}.NAME`)
    if (element !== undefined) find(element, `${path}.*`, `${place}[]`)
    const objects = objectsIn(inner)
    const [first] = objects
    if (first === undefined || known.has(first) || isRepeated(path)) return
    const name = sectionNames[path]
    if (name === undefined) throw new Error(`give the objects at ${path} a name in test/support/spec-reference.ts`)
    for (const object of objects) known.set(object, name)
    sections.push({ name, path, place, schema: inner })
    for (const object of shape === undefined ? objects : [inner])
      for (const [key, value] of Object.entries(definitionOf(object).shape ?? {})) find(value, join(path, key), join(place, key))
  }
  find(root, '', '')

  const link = (name: string): string => `[${name}](#${anchorOf(name)})`
  const typeOf = (schema: AnySchema, path: string): string => {
    const inner = innermost(schema)
    const { type, options, entries, values, valueType, element } = definitionOf(inner)
    if (isRepeated(path) && options !== undefined) return link('Placement rule')
    switch (type) {
      case 'object':
        return link(known.get(inner) ?? '')
      case 'record':
        return `map of ${typeOf(valueType ?? inner, `${path}.*`)}`
      case 'array':
        return `list of ${typeOf(element ?? inner, `${path}.*`)}`
      case 'union':
        return [...new Set((options ?? []).map((option) => typeOf(option, path)))].join(' or ')
      case 'enum':
        return Object.values(entries ?? {})
          .map((value) => `\`${value}\``)
          .join(', ')
      case 'literal':
        return (values ?? []).map((value) => `\`${String(value)}\``).join(', ')
      case 'number':
        return (definitionOf(inner) as { readonly format?: string }).format === 'safeint' ? 'whole number' : 'number'
      case 'string':
        return 'text'
      default:
        return type
    }
  }
  const row = (key: string, schema: AnySchema, path: string): string => {
    const notes = (z.globalRegistry.get(schema) ?? {}) as FieldNotes & { readonly description?: string }
    const type = `${typeOf(schema, path)}${notes.unit === undefined ? '' : `, ${notes.unit}`}`
    return `| \`${key}\` | ${[type, absence(schema, notes), rulesOf(schema).join('; '), notes.description ?? ''].map(cell).join(' | ')} |`
  }
  const table = (schema: AnySchema, path: string, without: readonly string[] = []): string[] => [
    '| field | type | left out | rules | what it is |',
    '| --- | --- | --- | --- | --- |',
    ...Object.entries(definitionOf(schema).shape ?? {}).flatMap(([key, value]) =>
      without.includes(key) ? [] : [row(key, value, join(path, key))],
    ),
  ]
  const section = ({ name, path, place, schema }: Section): string[] => {
    const objects = objectsIn(schema)
    const rules = objects.flatMap((object) => ownRules(object))
    const others = (definitionOf(schema).options ?? []).filter((option) => !objects.includes(innermost(option)))
    return [
      '',
      `## ${name}`,
      ...(path === '' ? [] : ['', `At \`${place}\`, and wherever else it is linked.`]),
      ...others.map((option) =>
        definitionOf(innermost(option)).type === 'literal' ? `Or ${typeOf(option, path)}.` : 'A text alone is its first field.',
      ),
      ...rules.map((rule) => `Rule: ${rule}.`),
      ...(objects.length === 1
        ? ['', ...table(objects[0] as AnySchema, path)]
        : objects.flatMap((object) => kindOf(object, path, table))),
    ]
  }
  return [
    '# The service spec, field by field',
    '',
    'Made from `src/spec/schema`; a test keeps it so (`npx vitest run test/spec/reference -u`). The same fields hold for `defineService`',
    'and for YAML. Unknown keys are errors everywhere. Units end the names: `Mb` is 2^20 bytes, `Ms` milliseconds. `left out` says what',
    'the absence of a field means; `-` where its description does, or where it means nothing. [Writing a service](../guides/writing-a-service.md)',
    'tells how they are used together.',
    ...sections.flatMap(section),
    '',
  ].join('\n')
}

/** One of several kinds of a rule or a parameter. */
function kindOf(
  object: AnySchema,
  path: string,
  table: (schema: AnySchema, path: string, without: readonly string[]) => string[],
): string[] {
  const { shape = {} } = definitionOf(object)
  const type = shape['type']
  const [kind] = (type === undefined ? [] : definitionOf(innermost(type)).values) ?? []
  const head = ['', `\`type: ${String(kind)}\``]
  return Object.keys(shape).length === 1 ? head : [...head, '', ...table(object, path, ['type'])]
}

const cell = (text: string): string => (text === '' ? '-' : text.replaceAll('|', '\\|'))

function absence(schema: AnySchema, { implied }: FieldNotes): string {
  if (implied !== undefined) return `\`${JSON.stringify(implied)}\``
  const { type, defaultValue, innerType } = definitionOf(schema) as ReturnType<typeof definitionOf> & {
    readonly defaultValue?: unknown
  }
  if (type === 'default') return `\`${JSON.stringify(defaultValue)}\``
  if (type === 'prefault') return 'its defaults'
  if (type === 'optional' && innerType !== undefined) return ''
  return 'required'
}

interface Check {
  readonly check: string
  readonly value?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly pattern?: RegExp
  readonly error?: (issue: object) => unknown
}

const checksOf = (schema: AnySchema): Check[] =>
  ((definitionOf(schema) as { readonly checks?: readonly z.core.$ZodCheck[] }).checks ?? []).map(({ _zod }) => _zod.def as Check)

/** What reads otherwise as a rule than as an answer to who has broken it. */
const asRules: Readonly<Record<string, string>> = {
  'is used by Mesos itself in the sandbox; choose another': 'none of the names that Mesos uses itself',
  'is no regular expression': 'a regular expression',
  'a value cannot have this name; choose another': 'not `constructor` and the like',
  'a step without a task could never end; remove it': 'not empty',
  'give envKey, file or both: nobody would get it': '`envKey`, `file` or both',
  'only a volume of type MOUNT can ask for profiles; remove them, or take type: MOUNT': '`profiles` only with type MOUNT',
}

/** The same for all names, and told in one go. */
const labelPattern = /^\^\[a-z\]\(\[a-z0-9-\]\*\[a-z0-9\]\)\?\$$/

/** The words that the schema itself answers with. */
function messageOf({ error }: Check): string | undefined {
  const said = error?.({ code: 'custom', input: undefined })
  const text = typeof said === 'object' && said !== null ? (said as { readonly message?: string }).message : said
  return typeof text === 'string' ? (asRules[text] ?? text) : undefined
}

/** What a value, a key or an element has to keep to. */
function rulesOf(schema: AnySchema): string[] {
  const inner = innermost(schema)
  const { type, keyType, valueType, element, options } = definitionOf(inner)
  if (type === 'object') return []
  if (type === 'union')
    return [...new Set((options ?? []).filter((option) => definitionOf(option).type !== 'pipe').flatMap(rulesOf))]
  const keys = keyType === undefined ? [] : rulesOf(keyType).map((rule) => `names: ${rule}`)
  const values =
    valueType === undefined || objectsIn(valueType).length > 0 ? [] : rulesOf(valueType).map((rule) => `values: ${rule}`)
  const elements = element === undefined || objectsIn(element).length > 0 ? [] : rulesOf(element).map((rule) => `each: ${rule}`)
  return [...keys, ...values, ...elements, ...ownRules(inner)]
}

function ownRules(schema: AnySchema): string[] {
  const checks = checksOf(schema)
  if (checks.some(({ pattern }) => pattern !== undefined && labelPattern.test(pattern.source))) {
    const longest = checks.find(({ maximum }) => maximum !== undefined)?.maximum ?? ''
    return [`at most ${longest} lower-case letters, digits and inner dashes, beginning with a letter`]
  }
  const least = checks.find(({ check }) => check === 'greater_than')?.value
  const most = checks.find(({ check }) => check === 'less_than')?.value
  const range =
    least === undefined
      ? most === undefined
        ? []
        : [`at most ${most}`]
      : [most === undefined ? `at least ${least}` : `${least} to ${most}`]
  const unit = definitionOf(schema).type === 'array' ? 'entries' : 'characters'
  const others = checks.flatMap((check): string[] => {
    const message = messageOf(check)
    if (check.check === 'greater_than' || check.check === 'less_than' || check.check === 'number_format') return []
    if (check.check === 'min_length')
      return [message ?? (check.minimum === 1 ? 'not empty' : `at least ${check.minimum} ${unit}`)]
    if (check.check === 'max_length') return [message ?? `at most ${check.maximum} ${unit}`]
    return message === undefined ? [] : [message]
  })
  const format = (definitionOf(schema) as { readonly format?: string }).format === 'url' ? ['an address with http or https'] : []
  return [...new Set([...range, ...format, ...others])]
}
