/**
 * The stored form of one pod instance: who owns it, which spec it is on, and its footprint as a ledger of what was wanted,
 * reserved and created. Pure.
 */
import { z } from 'zod'
import { executorId, runId, targetConfigId, type ExecutorId, type RunId, type TargetConfigId } from '../../ids.js'
import { questionSchema } from '../../plan/question-record.js'
import { containerSchema } from '../../offer-evaluator/container-record.js'
import { footprintSchema } from '../../offer-evaluator/footprint-record.js'
import type { Resource } from '../../offer-evaluator/resources.js'

const branded = <Id>(brand: (text: string) => Id) => z.string().min(1).transform(brand)

/** Resources are our own canonical form, read back only to be repeated unchanged. */
const executorSchema = z.strictObject({
  executorId: branded<ExecutorId>(executorId),
  resources: z.array(z.custom<Resource>((value) => typeof value === 'object' && value !== null)),
  labels: z.array(z.strictObject({ key: z.string(), value: z.string() })),
  container: containerSchema.optional(),
})

/** A stretch of work of one plan on the instance; the last one stays on record. */
const blockSchema = z.strictObject({
  plan: z.enum(['deploy', 'update', 'recovery']),
  runId: branded<RunId>(runId),
  startedAtMs: z.number(),
  endedAtMs: z.number().optional(),
  /** Answers of the gates after the block, by gate. */
  gates: z.record(z.string(), questionSchema),
})

export const owners = ['none', 'deploy', 'update', 'recovery'] as const

export const instanceRecordSchema = z.strictObject({
  v: z.literal(2),
  pod: z.string(),
  index: z.int().min(0),
  owner: z.enum(owners),
  /** Spec that its launches are made from. */
  targetId: branded<TargetConfigId>(targetConfigId),
  /** Number of footprints it has had; the present one's generation. */
  generation: z.int().min(0),
  footprint: footprintSchema.optional(),
  /** Generation on which initialisation is known to have succeeded. */
  initialisedGeneration: z.int().min(0),
  /** Some task of it was launched at least once: from then on it waits for no peer. */
  launched: z.boolean(),
  /** It was ready at least once. */
  joined: z.boolean(),
  /** Its deploy step is done. */
  deployed: z.boolean(),
  /** The last executor, as sent; repeated unchanged while it lives. */
  executor: executorSchema.optional(),
  block: blockSchema.optional(),
  /** Reservations that were refused in a row: the next attempt waits. */
  refusal: z.strictObject({ failures: z.int().min(1), notBeforeMs: z.number(), message: z.string() }).optional(),
  /** A restart was asked for: tasks launched before this time are to be restarted in place. */
  restartBeforeMs: z.number().optional(),
  /** An operator wants its tasks to idle, with everything of theirs in place, until further notice. */
  paused: z.literal(true).optional(),
})

export type InstanceRecord = z.output<typeof instanceRecordSchema>
export type Block = z.output<typeof blockSchema>
export type Owner = (typeof owners)[number]

export const newInstanceRecord = (pod: string, index: number, targetId: TargetConfigId): InstanceRecord => ({
  v: 2,
  pod,
  index,
  owner: 'none',
  targetId,
  generation: 0,
  initialisedGeneration: 0,
  launched: false,
  joined: false,
  deployed: false,
})
