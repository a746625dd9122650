/**
 * The spec as a published JSON Schema, for editors and for other languages: the shape of what an author writes. Rules across fields
 * are not in it. What leaving a field out means is its `default`; a unit stands in the description. Pure.
 */
import { z } from 'zod'
import type { FieldNotes } from './schema/fields.js'
import { serviceSchema } from './schema/service.js'

/** Goes up when a spec that was valid under it may no longer be. */
const schemaVersion = 1

/** A new object on every call, JSON Schema 2020-12. */
export function specJsonSchema(): Record<string, unknown> {
  const { $schema, ...schema } = z.toJSONSchema(serviceSchema, { io: 'input', target: 'draft-2020-12', override: annotate })
  return {
    $schema,
    $id: `urn:stateward:service-spec:${schemaVersion}`,
    $comment: `version ${schemaVersion}`,
    title: 'Stateward service',
    description: 'A service of pods and tasks with its plans, as defineService and a YAML file state it.',
    ...schema,
  }
}

/** Only keywords that every validator knows. */
function annotate({ zodSchema, jsonSchema }: { zodSchema: z.core.$ZodType; jsonSchema: Record<string, unknown> }): void {
  const { unit, implied, description } = jsonSchema as FieldNotes & { readonly description?: string }
  if (unit !== undefined) jsonSchema['description'] = `${description ?? ''} In ${unit}.`.trim()
  const filledIn = defaultOf(zodSchema)
  if (filledIn !== undefined) jsonSchema['default'] = filledIn
  if (implied !== undefined) jsonSchema['default'] = implied
  delete jsonSchema['unit']
  delete jsonSchema['implied']
}

/** Left out by zod where a text stands for an object, because the type of the default is that of the object. */
function defaultOf({ _zod: { def } }: z.core.$ZodType): unknown {
  const { type, defaultValue } = def as { readonly type: string; readonly defaultValue?: unknown }
  return type === 'default' ? defaultValue : undefined
}
