/**
 * A question to the author's code (a gate, an order hook) as stored: asked, answered, asked again. The answer counts only when
 * it belongs to the attempt last asked; a takeover or a passed deadline asks again under the same run id. Pure.
 */
import { z } from 'zod'
import { runId, type RunId } from '../ids.js'

export const questionSchema = z.strictObject({
  runId: z
    .string()
    .min(1)
    .transform((text): RunId => runId(text)),
  attempt: z.int().min(1),
  /** `negative`: a gate is closed, or the hook failed; it is asked again after a pause. */
  state: z.enum(['asking', 'positive', 'negative']),
  firstAskedAtMs: z.number(),
  askedAtMs: z.number(),
  answeredAtMs: z.number().optional(),
  /** The hook's own words, or why it gave no usable answer. */
  reason: z.string().optional(),
  /** Names in the order wanted; only for order hooks. */
  order: z.array(z.string()).optional(),
})

export type Question = z.output<typeof questionSchema>
