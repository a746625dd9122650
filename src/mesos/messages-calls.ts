/**
 * v1 JSON of the scheduler API: the calls a framework sends and the events it receives. Types only, names exactly as
 * on the wire. A message is a tagged union: `type` names the variant, a field of the same name in lower case carries
 * the payload.
 */
import type { IdValue, InverseOffer, Labels, MasterInfo, Offer, Resource } from './messages-resources.js'
import type { KillPolicy, Operation, OperationStatus, TaskStatus } from './messages-tasks.js'

export type FrameworkCapability =
  | 'REVOCABLE_RESOURCES'
  | 'TASK_KILLING_STATE'
  | 'GPU_RESOURCES'
  | 'SHARED_RESOURCES'
  | 'PARTITION_AWARE'
  | 'MULTI_ROLE'
  | 'RESERVATION_REFINEMENT'
  | 'REGION_AWARE'

export interface OfferFilters {
  readonly min_allocatable_resources?: {
    readonly quantities?: readonly { readonly quantities?: Readonly<Record<string, { readonly value: number }>> }[]
  }
}

export interface FrameworkInfo {
  readonly user: string
  readonly name: string
  readonly id?: IdValue
  /** Seconds. Default 0: removed as soon as the stream ends. */
  readonly failover_timeout?: number
  /** Default false; can never change later. */
  readonly checkpoint?: boolean
  /** Without MULTI_ROLE only. */
  readonly role?: string
  readonly roles?: readonly string[]
  readonly hostname?: string
  readonly principal?: string
  readonly webui_url?: string
  readonly capabilities?: readonly { readonly type?: FrameworkCapability }[]
  readonly labels?: Labels
  readonly offer_filters?: Readonly<Record<string, OfferFilters>>
}

export interface TextPredicate {
  readonly value: string
}

export interface AttributePredicate {
  readonly exists?: Record<string, never>
  readonly not_exists?: Record<string, never>
  readonly text_equals?: TextPredicate
  readonly text_not_equals?: TextPredicate
  readonly text_matches?: { readonly regex: string }
  readonly text_not_matches?: { readonly regex: string }
}

export interface AttributeConstraint {
  readonly selector: {
    readonly attribute_name?: string
    readonly pseudoattribute_type?: 'HOSTNAME' | 'REGION' | 'ZONE' | 'UNKNOWN'
  }
  readonly predicate: AttributePredicate
}

export interface OfferConstraints {
  readonly role_constraints?: Readonly<
    Record<string, { readonly groups?: readonly { readonly attribute_constraints?: readonly AttributeConstraint[] }[] }>
  >
}

/** Default 5 seconds, 0 none. */
export interface Filters {
  readonly refuse_seconds?: number
}

export interface SubscribeCall {
  readonly type: 'SUBSCRIBE'
  readonly framework_id?: IdValue
  readonly subscribe: {
    readonly framework_info: FrameworkInfo
    readonly suppressed_roles?: readonly string[]
    readonly offer_constraints?: OfferConstraints
  }
}

/** Every call but SUBSCRIBE names its framework. */
export type FrameworkCall = { readonly framework_id: IdValue } & (
  | {
      readonly type: 'ACCEPT'
      readonly accept: {
        readonly offer_ids?: readonly IdValue[]
        readonly operations?: readonly Operation[]
        readonly filters?: Filters
      }
    }
  | { readonly type: 'DECLINE'; readonly decline: { readonly offer_ids?: readonly IdValue[]; readonly filters?: Filters } }
  | {
      readonly type: 'ACCEPT_INVERSE_OFFERS'
      readonly accept_inverse_offers: { readonly inverse_offer_ids?: readonly IdValue[]; readonly filters?: Filters }
    }
  | {
      readonly type: 'DECLINE_INVERSE_OFFERS'
      readonly decline_inverse_offers: { readonly inverse_offer_ids?: readonly IdValue[]; readonly filters?: Filters }
    }
  | { readonly type: 'REVIVE'; readonly revive?: { readonly roles?: readonly string[] } }
  | { readonly type: 'SUPPRESS'; readonly suppress?: { readonly roles?: readonly string[] } }
  | {
      readonly type: 'KILL'
      readonly kill: { readonly task_id: IdValue; readonly agent_id?: IdValue; readonly kill_policy?: KillPolicy }
    }
  | { readonly type: 'SHUTDOWN'; readonly shutdown: { readonly executor_id: IdValue; readonly agent_id: IdValue } }
  | {
      readonly type: 'ACKNOWLEDGE'
      readonly acknowledge: { readonly agent_id: IdValue; readonly task_id: IdValue; readonly uuid: string }
    }
  | {
      readonly type: 'ACKNOWLEDGE_OPERATION_STATUS'
      readonly acknowledge_operation_status: {
        readonly agent_id?: IdValue
        readonly resource_provider_id?: IdValue
        readonly operation_id: IdValue
        readonly uuid: string
      }
    }
  | {
      readonly type: 'RECONCILE'
      readonly reconcile: { readonly tasks?: readonly { readonly task_id: IdValue; readonly agent_id?: IdValue }[] }
    }
  | {
      readonly type: 'RECONCILE_OPERATIONS'
      readonly reconcile_operations: {
        readonly operations?: readonly {
          readonly operation_id: IdValue
          readonly agent_id?: IdValue
          readonly resource_provider_id?: IdValue
        }[]
      }
    }
  | {
      readonly type: 'MESSAGE'
      readonly message: { readonly agent_id: IdValue; readonly executor_id: IdValue; readonly data: string }
    }
  | {
      readonly type: 'REQUEST'
      readonly request: {
        readonly requests?: readonly { readonly agent_id?: IdValue; readonly resources?: readonly Resource[] }[]
      }
    }
  | { readonly type: 'TEARDOWN' }
  | {
      readonly type: 'UPDATE_FRAMEWORK'
      readonly update_framework: {
        readonly framework_info: FrameworkInfo
        readonly suppressed_roles?: readonly string[]
        readonly offer_constraints?: OfferConstraints
      }
    }
)

export type Call = SubscribeCall | FrameworkCall
export type CallType = Call['type']

export type Event =
  | {
      readonly type: 'SUBSCRIBED'
      readonly subscribed: {
        readonly framework_id: IdValue
        readonly heartbeat_interval_seconds?: number
        readonly master_info?: MasterInfo
      }
    }
  | { readonly type: 'HEARTBEAT' }
  | { readonly type: 'ERROR'; readonly error: { readonly message: string } }
  | { readonly type: 'OFFERS'; readonly offers: { readonly offers?: readonly Offer[] } }
  | { readonly type: 'RESCIND'; readonly rescind: { readonly offer_id: IdValue } }
  | { readonly type: 'INVERSE_OFFERS'; readonly inverse_offers: { readonly inverse_offers?: readonly InverseOffer[] } }
  | { readonly type: 'RESCIND_INVERSE_OFFER'; readonly rescind_inverse_offer: { readonly inverse_offer_id: IdValue } }
  | { readonly type: 'UPDATE'; readonly update: { readonly status: TaskStatus } }
  | { readonly type: 'UPDATE_OPERATION_STATUS'; readonly update_operation_status: { readonly status: OperationStatus } }
  | {
      readonly type: 'MESSAGE'
      readonly message: { readonly agent_id: IdValue; readonly executor_id: IdValue; readonly data: string }
    }
  | {
      readonly type: 'FAILURE'
      readonly failure: { readonly agent_id?: IdValue; readonly executor_id?: IdValue; readonly status?: number }
    }
  /** An event of a newer master that this version does not know; to be ignored. */
  | { readonly type: 'UNKNOWN' }
