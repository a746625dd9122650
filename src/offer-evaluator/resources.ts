/**
 * Offers and resources as the core sees them: normalised once on arrival (reservations as a stack, amounts in integer
 * thousandths). The shape of Mesos' JSON is known only to `src/mesos`. Source: Mesos v1 `Resource`, `Offer`. Pure.
 */
import type { AgentId, ExecutorId, OfferId, PersistenceId } from '../ids.js'
import type { Milli, Range } from '../units.js'

/** Labels as a list in the order of the wire; keys may repeat there, ours do not. */
export type Labels = readonly { readonly key: string; readonly value: string }[]

/** One element of a reservation stack; the last one is the present owner. */
export interface Reservation {
  readonly type: 'STATIC' | 'DYNAMIC'
  readonly role: string
  readonly principal?: string
  readonly labels?: Labels
}

/** A persistent volume on a disk resource. */
export interface Volume {
  readonly persistenceId: PersistenceId
  /** Creator; Mesos leaves it out of the identity of a resource. */
  readonly principal?: string
  /** Path in the sandbox, one relative component. Absent when an offer shows the volume without one. */
  readonly containerPath?: string
}

interface ResourceBase {
  /** `cpus`, `mem` (MB), `disk` (MB), `ports`, `gpus` or a custom name. */
  readonly name: string
  /** Empty: unreserved. */
  readonly reservations: readonly Reservation[]
  readonly volume?: Volume
  /** `disk.source` of a PATH or MOUNT disk, canonical JSON text as offered; absent for the ROOT disk. */
  readonly diskSource?: string
  readonly revocable?: boolean
  readonly shared?: boolean
  readonly providerId?: string
}

export interface ScalarResource extends ResourceBase {
  readonly kind: 'scalar'
  readonly amount: Milli
}

export interface RangesResource extends ResourceBase {
  readonly kind: 'ranges'
  readonly ranges: readonly Range[]
}

export interface SetResource extends ResourceBase {
  readonly kind: 'set'
  readonly items: readonly string[]
}

export type Resource = ScalarResource | RangesResource | SetResource

/** Attribute of an agent; the value in Mesos' own text form (`ssd`, `7`, `[1-3]`, `{a,b}`). */
export interface Attribute {
  readonly name: string
  readonly value: string
}

/** What one agent offers to one role. */
export interface Offer {
  readonly id: OfferId
  readonly agentId: AgentId
  readonly hostname: string
  /** `url.address.ip`, the address that tasks and peers use; the host name when the master sends no url. */
  readonly address: string
  readonly role: string
  readonly region?: string
  readonly zone?: string
  readonly attributes: readonly Attribute[]
  readonly resources: readonly Resource[]
  /** This framework's executors that live on the agent. */
  readonly executorIds: readonly ExecutorId[]
  /** Start of planned maintenance in epoch milliseconds, if some is announced. */
  readonly unavailableFromMs?: number
}
