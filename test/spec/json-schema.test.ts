import { createRequire } from 'node:module'
import { join } from 'node:path'
import { readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { specJsonSchema } from '../../src/spec/json-schema.js'
import { defineService } from '../../src/spec/parse.js'
import { specFields, specInputs } from '../support/spec-arbitrary.js'

type Node = Readonly<Record<string, unknown>>

interface Validator {
  compile(schema: object): (value: unknown) => boolean
}

/** The HTTP server brings one along; strict, so that it refuses a keyword that it does not know. */
function createValidator(): Validator {
  const inServer = createRequire(createRequire(import.meta.url).resolve('fastify'))
  const { default: Ajv } = inServer(['ajv', 'dist', '2020.js'].join('/')) as { default: new (options: object) => Validator }
  return new Ajv({ strict: true, allowUnionTypes: true, formats: { uri: true }, allErrors: true })
}

const schema = specJsonSchema()
const isValid = createValidator().compile(schema)

/** The properties under a path of fields, over records, lists and alternatives. */
function nodesAt(node: Node, parts: readonly string[]): Node[] {
  const alternatives = [...((node['anyOf'] ?? node['oneOf'] ?? []) as Node[])]
  if (alternatives.length > 0) return alternatives.flatMap((each) => nodesAt(each, parts))
  const [part, ...rest] = parts
  if (part === undefined) return [node]
  const child =
    part === '*'
      ? (node['additionalProperties'] ?? node['items'])
      : (node['properties'] as Readonly<Record<string, Node>> | undefined)?.[part]
  return typeof child === 'object' && child !== null ? nodesAt(child as Node, rest) : []
}

/** The node of the field itself, without looking into its alternatives. */
const fieldAt = (path: string): Node | undefined => {
  const parts = path.split('.')
  const last = parts.at(-1) ?? ''
  return nodesAt(schema, parts.slice(0, -1))
    .map((node) => (node['properties'] as Readonly<Record<string, Node>> | undefined)?.[last])
    .find((node) => node !== undefined)
}

describe('the JSON Schema', () => {
  test('says what it is', () => {
    expect(schema).toMatchObject({
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      $id: 'urn:stateward:service-spec:1',
      title: 'Stateward service',
      type: 'object',
    })
  })

  test('has every field with its description, unit and default', () => {
    for (const { path, notes } of specFields) {
      const node = fieldAt(path)
      expect(node, path).toBeDefined()
      if (notes.description !== undefined) expect(node?.['description'], path).toContain(notes.description)
      if (notes.unit !== undefined) expect(node?.['description'], path).toContain(`In ${notes.unit}.`)
      if (notes.implied !== undefined) expect(node?.['default'], path).toEqual(notes.implied)
    }
  })

  test('takes what is valid, as it is written and with all defaults', () => {
    fc.assert(
      fc.property(specInputs, (input) => {
        expect(isValid(input)).toBe(true)
        expect(isValid(defineService(input))).toBe(true)
      }),
      { numRuns: 20 },
    )
    const folder = join(import.meta.dirname, '../golden/hashes')
    for (const file of readdirSync(folder))
      for (const { spec } of JSON.parse(readFileSync(join(folder, file), 'utf8')) as { spec: unknown }[])
        expect(isValid(spec)).toBe(true)
  })

  test.for([
    ['an unknown key', { name: 'store', pods: {}, colour: 'blue' }],
    ['a name that is none', { name: 'Store!', pods: {} }],
    ['a missing command', { name: 'store', pods: { db: { count: 1, tasks: { server: { cpus: 1, memoryMb: 64 } } } } }],
    ['too many instances', { name: 'store', pods: { db: { count: 10_001, tasks: {} } } }],
    ['a goal that is none', { name: 'store', pods: { db: { count: 1, tasks: { server: { command: 'x', goal: 'LOOP' } } } } }],
  ])('refuses %s', ([, value]) => {
    expect(isValid(value)).toBe(false)
  })
})
