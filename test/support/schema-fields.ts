/** Every field that a schema knows, as a path: `pods.*.tasks.*.uris[].cache`. */
import type { z } from 'zod'

type AnySchema = z.core.$ZodType

interface Definition {
  readonly type: string
  readonly shape?: Readonly<Record<string, AnySchema>>
  readonly valueType?: AnySchema
  readonly element?: AnySchema
  readonly options?: readonly AnySchema[]
  readonly innerType?: AnySchema
  readonly in?: AnySchema
}

/** Fields that are no objects of named fields themselves, or need not be. */
export function fieldsOf(schema: AnySchema, path = ''): string[] {
  const def = schema._zod.def as Definition
  switch (def.type) {
    case 'object':
      return Object.entries(def.shape ?? {}).flatMap(([key, inner]) => fieldsOf(inner, path === '' ? key : `${path}.${key}`))
    case 'record':
      return ownOr(path, def.valueType, `${path}.*`)
    case 'array':
      return ownOr(path, def.element, `${path}[]`)
    case 'union':
      return [...new Set((def.options ?? []).flatMap((option) => fieldsOf(option, path)))]
    case 'pipe':
      return fieldsOf(def.in as AnySchema, path)
    default:
      return def.innerType === undefined ? [path] : fieldsOf(def.innerType, path)
  }
}

/** A list or record of plain values is one field. */
function ownOr(path: string, inner: AnySchema | undefined, innerPath: string): string[] {
  const fields = inner === undefined ? [] : fieldsOf(inner, innerPath)
  return [...new Set(fields.map((field) => (field === innerPath ? path : field)))]
}

/** Everything that stands at such a path in a value. */
export function valuesAt(value: unknown, path: string): unknown[] {
  const steps = path.split(/\.|(?=\[\])/)
  return steps
    .reduce<unknown[]>((values, step) => values.flatMap((each) => next(each, step)), [value])
    .filter((each) => each !== undefined)
}

function next(value: unknown, step: string): unknown[] {
  if (typeof value !== 'object' || value === null) return []
  return step === '*' || step === '[]' ? Object.values(value) : [(value as Readonly<Record<string, unknown>>)[step]]
}
