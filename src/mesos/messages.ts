/**
 * The v1 scheduler API in JSON: `parseEvent` checks what a master sent, loosely. Unknown fields are kept, unknown
 * event types become `UNKNOWN`, and a task state that this version does not know becomes TASK_UNKNOWN, which never
 * counts as an end. An operation state not known becomes OPERATION_UNSUPPORTED: OPERATION_UNKNOWN would say that the
 * operation never happened. The types live in the neighbouring files and are all exported here.
 */
import { z } from 'zod'
import { SdkError } from '../errors.js'
import type { Event } from './messages-calls.js'

export type {
  Address,
  AgentInfo,
  Attribute,
  ContainerVolumeSource,
  DiskInfo,
  DiskSource,
  DockerVolume,
  DomainInfo,
  DurationInfo,
  IdValue,
  InverseOffer,
  Label,
  Labels,
  MasterInfo,
  Offer,
  Persistence,
  Range,
  Ranges,
  ReservationInfo,
  Resource,
  Scalar,
  Secret,
  SetValue,
  TimeInfo,
  Unavailability,
  Url,
  ValueType,
  Volume,
} from './messages-resources.js'
export type {
  CheckInfo,
  CheckStatusInfo,
  CommandInfo,
  CommandUri,
  ContainerId,
  ContainerInfo,
  ContainerStatus,
  CreateOperation,
  DestroyOperation,
  DiscoveryInfo,
  DiscoveryPort,
  Environment,
  EnvironmentVariable,
  ExecutorInfo,
  GrowVolumeOperation,
  HealthCheck,
  KillPolicy,
  LaunchGroupOperation,
  LaunchOperation,
  LinuxInfo,
  Operation,
  OperationState,
  OperationStatus,
  RLimit,
  ReserveOperation,
  ShrinkVolumeOperation,
  StatusSource,
  TaskInfo,
  TaskState,
  TaskStatus,
  UnreserveOperation,
} from './messages-tasks.js'
export type {
  AttributeConstraint,
  AttributePredicate,
  Call,
  CallType,
  Event,
  Filters,
  FrameworkCall,
  FrameworkCapability,
  FrameworkInfo,
  OfferConstraints,
  OfferFilters,
  SubscribeCall,
} from './messages-calls.js'

export const TASK_STATES = [
  'TASK_STAGING',
  'TASK_STARTING',
  'TASK_RUNNING',
  'TASK_KILLING',
  'TASK_FINISHED',
  'TASK_FAILED',
  'TASK_KILLED',
  'TASK_ERROR',
  'TASK_DROPPED',
  'TASK_GONE',
  'TASK_GONE_BY_OPERATOR',
  'TASK_LOST',
  'TASK_UNREACHABLE',
  'TASK_UNKNOWN',
] as const

const OPERATION_STATES = [
  'OPERATION_UNSUPPORTED',
  'OPERATION_PENDING',
  'OPERATION_FINISHED',
  'OPERATION_FAILED',
  'OPERATION_ERROR',
  'OPERATION_DROPPED',
  'OPERATION_UNREACHABLE',
  'OPERATION_GONE_BY_OPERATOR',
  'OPERATION_RECOVERING',
  'OPERATION_UNKNOWN',
] as const

export const idSchema = z.looseObject({ value: z.string() })
const rangeSchema = z.looseObject({ begin: z.number(), end: z.number() })

export const resourceSchema = z.looseObject({
  name: z.string(),
  type: z.string(),
  scalar: z.looseObject({ value: z.number() }).optional(),
  ranges: z.looseObject({ range: z.array(rangeSchema).optional() }).optional(),
  set: z.looseObject({ item: z.array(z.string()).optional() }).optional(),
  reservations: z.array(z.looseObject({ role: z.string().optional() })).optional(),
})

const offerSchema = z.looseObject({
  id: idSchema,
  framework_id: idSchema,
  agent_id: idSchema,
  hostname: z.string(),
  resources: z.array(resourceSchema).optional(),
  attributes: z.array(z.looseObject({ name: z.string(), type: z.string() })).optional(),
  executor_ids: z.array(idSchema).optional(),
})

const inverseOfferSchema = z.looseObject({
  id: idSchema,
  framework_id: idSchema,
  agent_id: idSchema.optional(),
  unavailability: z.looseObject({ start: z.looseObject({ nanoseconds: z.number() }) }),
})

export const taskStatusSchema = z.looseObject({
  task_id: idSchema,
  state: z.enum(TASK_STATES).catch('TASK_UNKNOWN'),
  source: z.string().optional(),
  reason: z.string().optional(),
  message: z.string().optional(),
  agent_id: idSchema.optional(),
  executor_id: idSchema.optional(),
  timestamp: z.number().optional(),
  uuid: z.string().optional(),
  healthy: z.boolean().optional(),
})

export const operationStatusSchema = z.looseObject({
  operation_id: idSchema.optional(),
  state: z.enum(OPERATION_STATES).catch('OPERATION_UNSUPPORTED'),
  message: z.string().optional(),
  uuid: idSchema.optional(),
  agent_id: idSchema.optional(),
})

const eventSchemas: Readonly<Record<string, z.ZodType>> = {
  SUBSCRIBED: z.looseObject({
    subscribed: z.looseObject({ framework_id: idSchema, heartbeat_interval_seconds: z.number().optional() }),
  }),
  HEARTBEAT: z.looseObject({}),
  ERROR: z.looseObject({ error: z.looseObject({ message: z.string() }) }),
  OFFERS: z.looseObject({ offers: z.looseObject({ offers: z.array(offerSchema).optional() }) }),
  RESCIND: z.looseObject({ rescind: z.looseObject({ offer_id: idSchema }) }),
  INVERSE_OFFERS: z.looseObject({
    inverse_offers: z.looseObject({ inverse_offers: z.array(inverseOfferSchema).optional() }),
  }),
  RESCIND_INVERSE_OFFER: z.looseObject({ rescind_inverse_offer: z.looseObject({ inverse_offer_id: idSchema }) }),
  UPDATE: z.looseObject({ update: z.looseObject({ status: taskStatusSchema }) }),
  UPDATE_OPERATION_STATUS: z.looseObject({ update_operation_status: z.looseObject({ status: operationStatusSchema }) }),
  MESSAGE: z.looseObject({
    message: z.looseObject({ agent_id: idSchema, executor_id: idSchema, data: z.string() }),
  }),
  FAILURE: z.looseObject({
    failure: z.looseObject({
      agent_id: idSchema.optional(),
      executor_id: idSchema.optional(),
      status: z.number().optional(),
    }),
  }),
}

const envelopeSchema = z.looseObject({ type: z.string() })

/**
 * One record of the scheduler's stream, already parsed as JSON.
 *
 * @throws SdkError ERR_PROTOCOL if the record lacks what its type must carry.
 */
export function parseEvent(json: unknown): Event {
  const envelope = envelopeSchema.safeParse(json)
  const type = envelope.data?.type
  const schema = type === undefined ? envelopeSchema : eventSchemas[type]
  if (schema === undefined) return { type: 'UNKNOWN' }
  const parsed = schema.safeParse(json)
  if (parsed.success) return parsed.data as Event
  const [issue] = parsed.error.issues
  throw new SdkError(
    'ERR_PROTOCOL',
    `the master sent an event ${type ?? 'without type'} that cannot be read: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`,
  )
}
