/**
 * The fields of a service spec with what is known of them, walked from the schema: a field that is added there is met by every test
 * that asks for all. Records and lists stand in a path as `*`; the alternatives of a union share theirs.
 */
import { z } from 'zod'
import type { FieldNotes } from '../../src/spec/schema/fields.js'

type AnySchema = z.core.$ZodType

interface Definition {
  readonly type: string
  readonly shape?: Readonly<Record<string, AnySchema>>
  readonly keyType?: AnySchema
  readonly valueType?: AnySchema
  readonly element?: AnySchema
  readonly options?: readonly AnySchema[]
  readonly innerType?: AnySchema
  readonly in?: AnySchema
  readonly entries?: Readonly<Record<string, string>>
  readonly values?: readonly unknown[]
}

export const definitionOf = (schema: AnySchema): Definition => (schema._zod as unknown as { readonly def: Definition }).def

/** What a field takes when it is there: without default and optional, as an author writes it. */
export function innermost(schema: AnySchema): AnySchema {
  const { type, innerType, in: input } = definitionOf(schema)
  if (innerType !== undefined) return innermost(innerType)
  return type === 'pipe' && input !== undefined ? innermost(input) : schema
}

/** A property of an object of the schema. */
export interface SchemaField {
  /** For example `pods.*.tasks.*.env`. */
  readonly path: string
  readonly schemas: readonly AnySchema[]
  readonly isOptional: boolean
  readonly notes: FieldNotes & { readonly description?: string }
}

/** All fields below a schema, outer ones first; placement rules inside others, which repeat, once. */
export function describedFields(root: AnySchema): SchemaField[] {
  const fields = new Map<string, SchemaField>()
  const walk = (schema: AnySchema, path: string): void => {
    const { shape, valueType, element, options } = definitionOf(innermost(schema))
    for (const [key, value] of Object.entries(shape ?? {})) {
      const place = path === '' ? key : `${path}.${key}`
      if (/\.rules?\.(\*\.)?rules?$/.test(place)) continue
      const known = fields.get(place)
      const notes = (z.globalRegistry.get(value) ?? {}) as SchemaField['notes']
      const isOptional = z.safeParse(value, undefined).success
      if (known === undefined) fields.set(place, { path: place, schemas: [value], isOptional, notes })
      else if (!known.schemas.includes(value)) fields.set(place, { ...known, schemas: [...known.schemas, value] })
      walk(value, place)
    }
    for (const child of [valueType, element]) if (child !== undefined) walk(child, `${path}.*`)
    for (const option of options ?? []) walk(option, path)
  }
  walk(root, '')
  return [...fields.values()]
}
