/** A stored target configuration: the whole spec, under the hash of its content. Kept while an instance is on it. Pure. */
import { z } from 'zod'
import { serviceSchema } from '../../spec/schema.js'

export const targetRecordSchema = z.strictObject({ v: z.literal(2), spec: serviceSchema })
