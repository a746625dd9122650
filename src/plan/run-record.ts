/** The stored run of a plan: what an operator or the plan itself decided, that no task record tells. Pure. */
import { z } from 'zod'
import { runId, targetConfigId, type RunId, type TargetConfigId } from '../ids.js'
import { questionSchema } from './question-record.js'

export const runRecordSchema = z.strictObject({
  v: z.literal(2),
  plan: z.enum(['deploy', 'update']),
  runId: z
    .string()
    .min(1)
    .transform((text): RunId => runId(text)),
  targetId: z
    .string()
    .min(1)
    .transform((text): TargetConfigId => targetConfigId(text)),
  startedAtMs: z.number(),
  completedAtMs: z.number().optional(),
  /** Begun while the run before was incomplete: its own gates must not keep it from being the cure. */
  isCure: z.boolean(),
  /** No further block starts; the block in hand is finished. */
  paused: z.boolean(),
  /** Open questions that belong to no block: `preFlight/GATE`, `postFlight/GATE`, `before/INSTANCE/GATE`, `order`. */
  questions: z.record(z.string(), questionSchema),
})

export type RunRecord = z.output<typeof runRecordSchema>
