/**
 * Fields whose absence means something that the schema does not fill in. Writing that out is taken away again, so that equal
 * content is equal, whoever wrote it; and a field that a later version adds changes no hash of a spec that does not use it. Pure.
 */
import { z } from 'zod'
import { canonicalJson } from './canonical.js'
import type { ServiceSpec } from './schema.js'

type AnySchema = z.core.$ZodType

/** The value as the schema gave it out, without what is implied. */
export function withoutImplied(schema: AnySchema, value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  const { def } = schema._zod as { readonly def: Definition }
  switch (def.type) {
    case 'object':
      return withoutImpliedFields(def.shape ?? {}, value as Fields)
    case 'record':
      return mapFields(value as Fields, (inner) => strip(def.valueType, inner))
    case 'array':
      return (value as readonly unknown[]).map((inner) => strip(def.element, inner))
    case 'union':
      return strip(
        def.options?.find((option) => takes(option, value)),
        value,
      )
    default:
      return strip(def.innerType, value)
  }
}

interface Definition {
  readonly type: string
  readonly shape?: Readonly<Record<string, AnySchema>>
  readonly valueType?: AnySchema
  readonly element?: AnySchema
  readonly options?: readonly AnySchema[]
  readonly innerType?: AnySchema
}

type Fields = Readonly<Record<string, unknown>>

const strip = (schema: AnySchema | undefined, value: unknown): unknown =>
  schema === undefined ? value : withoutImplied(schema, value)

/** Of the alternatives that an object may be, the one that it is: none here transforms objects. */
const takes = (option: AnySchema, value: unknown): boolean => z.safeParse(option, value).success

function withoutImpliedFields(shape: Readonly<Record<string, AnySchema>>, value: Fields): Fields {
  return mapFields(value, (inner, key) => {
    const schema = shape[key]
    if (schema === undefined) return inner
    const stripped = withoutImplied(schema, inner)
    const { implied } = (z.globalRegistry.get(schema) ?? {}) as { readonly implied?: unknown }
    return implied !== undefined && canonicalJson(stripped) === canonicalJson(implied) ? undefined : stripped
  })
}

function mapFields(value: Fields, change: (inner: unknown, key: string) => unknown): Fields {
  const entries = Object.entries(value).map(([key, inner]) => [key, change(inner, key)] as const)
  return Object.fromEntries(entries.filter(([, inner]) => inner !== undefined))
}

/**
 * Takes away what repeats the value that leaving it out means, where that value stands elsewhere in the spec. Paths of volumes,
 * names of phases and the principal stay as they are written: they are in hashes from before there was this rule.
 */
export function dropRepeated(spec: ServiceSpec): void {
  drop(spec, 'role', `${spec.name}-role`)
  for (const [name, pod] of Object.entries(spec.pods)) {
    drop(pod, 'user', spec.user)
    for (const volume of Object.values(pod.externalVolumes ?? {})) drop(volume, 'name', `${spec.name}_${name}`)
    for (const uri of pod.uris ?? []) drop(uri, 'outputFile', lastPart(uri.uri))
    const tasks = Object.values(pod.tasks)
    for (const uri of tasks.flatMap(({ uris }) => uris)) drop(uri, 'outputFile', lastPart(uri.uri))
    for (const { ports } of [...tasks, ...Object.values(pod.resourceSets ?? {})])
      for (const [port, { vip }] of Object.entries(ports)) if (vip !== undefined) drop(vip, 'prefix', port)
  }
}

function drop<Holder extends object>(holder: Holder, key: keyof Holder, repeated: string): void {
  if (holder[key] === repeated) Reflect.deleteProperty(holder, key)
}

/** What the fetcher calls the file. */
const lastPart = (uri: string): string => uri.slice(uri.lastIndexOf('/') + 1)
