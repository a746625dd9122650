/**
 * The stored form of one task: our own versioned record, never xstate's snapshot. Pure.
 */
import { z } from 'zod'
import {
  agentId,
  executorId,
  targetConfigId,
  taskId,
  type AgentId,
  type ExecutorId,
  type TargetConfigId,
  type TaskId,
} from '../ids.js'
import { mesosTaskStates } from './task-events.js'

/** Where a task stands. Only `idle` and `ended` are sure to have no process. */
export const taskStates = ['idle', 'launching', 'starting', 'running', 'killing', 'unreachable', 'ended'] as const
export type TaskState = (typeof taskStates)[number]

/** How a launch ended. `neverRan`: nothing was started, so it is no crash. */
export const taskOutcomes = ['finished', 'failed', 'killed', 'gone', 'neverRan'] as const
export type TaskOutcome = (typeof taskOutcomes)[number]

const branded = <Id>(brand: (text: string) => Id) => z.string().min(1).transform(brand)

const launchSchema = z.strictObject({
  taskId: branded<TaskId>(taskId),
  agentId: branded<AgentId>(agentId),
  executorId: branded<ExecutorId>(executorId),
  /** Spec that the launch was made from. */
  targetId: branded<TargetConfigId>(targetConfigId),
  taskHash: z.string(),
  podHash: z.string(),
  /** Generation of the footprint it was launched on. */
  generation: z.int().min(1),
  /** Launched to idle in the place of the real command. */
  idle: z.literal(true).optional(),
  atMs: z.number(),
})

const contextSchema = z.strictObject({
  /** The last launch; absent while idle. */
  launch: launchSchema.optional(),
  /** An executor has reported STARTING or RUNNING for this launch. */
  seen: z.boolean(),
  /** The readiness check has succeeded once for this launch. */
  ready: z.boolean(),
  readyAtMs: z.number().optional(),
  /** The last result of its health check was a failure. */
  unhealthy: z.literal(true).optional(),
  /** A kill was decided for this launch; it stays decided until the task has ended. */
  killAtMs: z.number().optional(),
  endedAtMs: z.number().optional(),
  outcome: z.enum(taskOutcomes).optional(),
  /** The last status that counted, for people. */
  lastState: z.enum(mesosTaskStates).optional(),
  lastReason: z.string().optional(),
  lastMessage: z.string().optional(),
  /** Task hash of the last launch that ended with success. */
  finishedHash: z.string().optional(),
})

const backoffSchema = z.strictObject({
  /** Failures in a row. */
  failures: z.int().min(0),
  /** No launch before this time. */
  notBeforeMs: z.number(),
})

/** So much is kept of a task's history. */
const historyLength = 20
/** So many earlier launches are remembered that may still turn up. */
const presumedLength = 20

const historyEntrySchema = z.strictObject({
  atMs: z.number(),
  /** A Mesos state, or `launchDecided` or `killDecided`. */
  event: z.string(),
  /** Of the launch that begins here. */
  taskId: branded<TaskId>(taskId).optional(),
  reason: z.string().optional(),
  message: z.string().optional(),
})

export const taskRecordSchema = z.strictObject({
  v: z.literal(2),
  value: z.enum(taskStates),
  context: contextSchema,
  backoff: backoffSchema,
  /** The last statuses and decisions, oldest first; for people, nothing is decided on it. */
  history: z.array(historyEntrySchema).max(historyLength),
  /** Earlier launches that count as ended although no executor has said so: they are killed if they turn up alive. */
  presumed: z.array(branded<TaskId>(taskId)).max(presumedLength),
})

export type TaskLaunch = z.output<typeof launchSchema>
export type TaskContext = z.output<typeof contextSchema>
export type HistoryEntry = z.output<typeof historyEntrySchema>
export type TaskRecord = z.output<typeof taskRecordSchema>

export const newTaskRecord: TaskRecord = {
  v: 2,
  value: 'idle',
  context: { seen: false, ready: false },
  backoff: { failures: 0, notBeforeMs: 0 },
  history: [],
  presumed: [],
}

export const withHistory = (history: TaskRecord['history'], entry: HistoryEntry): TaskRecord['history'] =>
  [...history, entry].slice(-historyLength)

export const withPresumed = (presumed: TaskRecord['presumed'], id: TaskId): TaskRecord['presumed'] =>
  [...presumed, id].slice(-presumedLength)

/** A process of the task may exist. */
export const mayBeAlive = (record: TaskRecord): boolean => record.value !== 'idle' && record.value !== 'ended'
