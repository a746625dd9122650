/** The stored service: its framework id, its target and its generated values. Pure. */
import { z } from 'zod'
import { frameworkId, targetConfigId, type FrameworkId, type TargetConfigId } from '../../ids.js'

export const serviceRecordSchema = z.strictObject({
  v: z.literal(2),
  name: z.string(),
  /** What can never change later; a spec that says otherwise is refused. */
  user: z.string(),
  principal: z.string(),
  frameworkId: z
    .string()
    .min(1)
    .transform((text): FrameworkId => frameworkId(text))
    .optional(),
  /** A first subscription may have been sent, and its answer has not been stored: the cluster may hold an empty framework of ours. */
  founding: z.literal(true).optional(),
  targetId: z
    .string()
    .min(1)
    .transform((text): TargetConfigId => targetConfigId(text)),
  values: z.record(z.string(), z.string()),
  /** Count at which each pod type was first deployed: so many peers the first launches wait for. */
  firstCounts: z.record(z.string(), z.int()),
})

export type ServiceRecord = z.output<typeof serviceRecordSchema>
