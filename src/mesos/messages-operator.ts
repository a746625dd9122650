/**
 * The answers of the v1 operator API in JSON: `parseOperatorAnswer` checks what is needed of them, loosely. Unknown fields are
 * kept; a list that is left out is empty, as is a payload. An entry that lacks what it must carry is an error and not left
 * out: what is missing from a list counts as not being there.
 */
import { z } from 'zod'
import { SdkError } from '../errors.js'
import { TASK_STATES, idSchema, operationStatusSchema, resourceSchema, taskStatusSchema } from './messages.js'
import type * as wire from './messages.js'

/** The calls that this library makes; none of them changes anything. */
export type OperatorCallType = 'GET_FRAMEWORKS' | 'GET_AGENTS' | 'GET_TASKS' | 'GET_EXECUTORS' | 'GET_OPERATIONS' | 'GET_METRICS'

export interface OperatorFramework {
  readonly framework_info: wire.FrameworkInfo & { readonly role?: string }
  readonly active?: boolean
  readonly connected?: boolean
  readonly recovered?: boolean
}

export interface OperatorAgent {
  readonly agent_info: wire.AgentInfo
  readonly active?: boolean
  readonly deactivated?: boolean
  /** `slave(1)@ip:port` */
  readonly pid?: string
  readonly total_resources?: readonly wire.Resource[]
}

export interface OperatorTask {
  readonly name?: string
  readonly task_id: wire.IdValue
  readonly framework_id: wire.IdValue
  readonly executor_id?: wire.IdValue
  readonly agent_id: wire.IdValue
  readonly state: wire.TaskState
  readonly resources?: readonly wire.Resource[]
  readonly statuses?: readonly wire.TaskStatus[]
  readonly labels?: wire.Labels
}

export interface OperatorExecutor {
  readonly agent_id: wire.IdValue
  readonly executor_info: wire.ExecutorInfo
}

export interface OperatorOperation {
  readonly framework_id?: wire.IdValue
  readonly agent_id?: wire.IdValue
  readonly info: Readonly<Record<string, unknown>> & { readonly type?: string; readonly id?: wire.IdValue }
  readonly latest_status?: wire.OperationStatus
}

export interface OperatorAnswers {
  readonly GET_FRAMEWORKS: {
    readonly frameworks: readonly OperatorFramework[]
    readonly completed_frameworks: readonly OperatorFramework[]
    /** Written by old masters, which keep these apart. */
    readonly recovered_frameworks: readonly wire.FrameworkInfo[]
  }
  readonly GET_AGENTS: { readonly agents: readonly OperatorAgent[]; readonly recovered_agents: readonly wire.AgentInfo[] }
  readonly GET_TASKS: {
    readonly tasks: readonly OperatorTask[]
    readonly unreachable_tasks: readonly OperatorTask[]
    readonly completed_tasks: readonly OperatorTask[]
  }
  readonly GET_EXECUTORS: { readonly executors: readonly OperatorExecutor[] }
  readonly GET_OPERATIONS: { readonly operations: readonly OperatorOperation[] }
  readonly GET_METRICS: { readonly metrics: readonly { readonly name: string; readonly value?: number }[] }
}

/** Lists are left out when empty, and by an older master those that it does not have. */
const listOf = <Entry extends z.ZodType>(entry: Entry) => z.array(entry).default([])
const labelsSchema = z.looseObject({
  labels: z.array(z.looseObject({ key: z.string(), value: z.string().optional() })).optional(),
})

const frameworkInfoSchema = z.looseObject({ id: idSchema, name: z.string(), user: z.string().default('') })
const frameworkSchema = z.looseObject({
  framework_info: frameworkInfoSchema,
  active: z.boolean().optional(),
  connected: z.boolean().optional(),
  recovered: z.boolean().optional(),
})
const agentInfoSchema = z.looseObject({ id: idSchema.optional(), hostname: z.string().default('') })
const agentSchema = z.looseObject({
  agent_info: agentInfoSchema.extend({ id: idSchema }),
  active: z.boolean().optional(),
  deactivated: z.boolean().optional(),
  pid: z.string().optional(),
  total_resources: z.array(resourceSchema).optional(),
})
const taskSchema = z.looseObject({
  name: z.string().optional(),
  task_id: idSchema,
  framework_id: idSchema,
  executor_id: idSchema.optional(),
  agent_id: idSchema,
  state: z.enum(TASK_STATES).catch('TASK_UNKNOWN'),
  resources: z.array(resourceSchema).optional(),
  statuses: z.array(taskStatusSchema).optional(),
  labels: labelsSchema.optional(),
})
const executorSchema = z.looseObject({
  agent_id: idSchema,
  executor_info: z.looseObject({
    executor_id: idSchema,
    framework_id: idSchema.optional(),
    resources: z.array(resourceSchema).optional(),
    labels: labelsSchema.optional(),
  }),
})
const operationSchema = z.looseObject({
  framework_id: idSchema.optional(),
  agent_id: idSchema.optional(),
  info: z.looseObject({ type: z.string().optional(), id: idSchema.optional() }),
  latest_status: operationStatusSchema.optional(),
})

const schemas: Readonly<Record<OperatorCallType, z.ZodType>> = {
  GET_FRAMEWORKS: z.looseObject({
    frameworks: listOf(frameworkSchema),
    completed_frameworks: listOf(frameworkSchema),
    recovered_frameworks: listOf(frameworkInfoSchema),
  }),
  GET_AGENTS: z.looseObject({ agents: listOf(agentSchema), recovered_agents: listOf(agentInfoSchema) }),
  GET_TASKS: z.looseObject({
    tasks: listOf(taskSchema),
    unreachable_tasks: listOf(taskSchema),
    completed_tasks: listOf(taskSchema),
  }),
  GET_EXECUTORS: z.looseObject({ executors: listOf(executorSchema) }),
  GET_OPERATIONS: z.looseObject({ operations: listOf(operationSchema) }),
  GET_METRICS: z.looseObject({ metrics: listOf(z.looseObject({ name: z.string(), value: z.number().optional() })) }),
}

const envelopeSchema = z.looseObject({ type: z.string() })

/**
 * One answer, already parsed as JSON.
 * @throws SdkError ERR_PROTOCOL if it is no answer to this call, or lacks what it must carry.
 */
export function parseOperatorAnswer<Type extends OperatorCallType>(type: Type, json: unknown): OperatorAnswers[Type] {
  const envelope = envelopeSchema.safeParse(json)
  const found = envelope.data?.type
  if (found !== type) throw new SdkError('ERR_PROTOCOL', `the master answered ${type} with ${found ?? 'something else'}`)
  const parsed = schemas[type].safeParse(envelope.data?.[type.toLowerCase()] ?? {})
  if (parsed.success) return parsed.data as OperatorAnswers[Type]
  const [issue] = parsed.error.issues
  throw new SdkError(
    'ERR_PROTOCOL',
    `the master's answer to ${type} cannot be read: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`,
  )
}
