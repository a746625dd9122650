/**
 * v1 JSON of what an agent has and a master offers: values, resources, reservations, volumes, attributes, fault
 * domains, offers. Types only, names exactly as on the wire. Floats live here and nowhere else: whoever computes
 * converts to integer thousandths first (Mesos keeps three decimals).
 */

/** An id as Mesos writes it: an object with one string. */
export interface IdValue {
  readonly value: string
}

export interface Scalar {
  readonly value: number
}

/** Inclusive on both ends. */
export interface Range {
  readonly begin: number
  readonly end: number
}

export interface Ranges {
  readonly range?: readonly Range[]
}

export interface SetValue {
  readonly item?: readonly string[]
}

export interface Label {
  readonly key: string
  readonly value?: string
}

export interface Labels {
  readonly labels?: readonly Label[]
}

export type ValueType = 'SCALAR' | 'RANGES' | 'SET' | 'TEXT'

/** One level of a reservation stack (new format). */
export interface ReservationInfo {
  readonly type: 'STATIC' | 'DYNAMIC'
  readonly role: string
  readonly principal?: string
  readonly labels?: Labels
}

export interface DiskSource {
  readonly type: 'PATH' | 'MOUNT' | 'BLOCK' | 'RAW'
  readonly path?: { readonly root?: string }
  readonly mount?: { readonly root?: string }
  readonly id?: string
  readonly profile?: string
  readonly vendor?: string
  readonly metadata?: Labels
}

export interface Persistence {
  readonly id: string
  readonly principal?: string
}

/** A reference is resolved on the agent; a value travels in clear text. */
export interface Secret {
  readonly type?: 'REFERENCE' | 'VALUE'
  readonly reference?: { readonly name: string; readonly key?: string }
  /** Base64. */
  readonly value?: { readonly data: string }
}

export interface DockerVolume {
  readonly driver?: string
  readonly name: string
  readonly driver_options?: { readonly parameter?: readonly { readonly key: string; readonly value: string }[] }
}

export interface ContainerVolumeSource {
  readonly type: 'DOCKER_VOLUME' | 'HOST_PATH' | 'SANDBOX_PATH' | 'SECRET' | 'CSI_VOLUME'
  readonly docker_volume?: DockerVolume
  readonly sandbox_path?: { readonly type: 'SELF' | 'PARENT'; readonly path: string }
  readonly host_path?: { readonly path: string }
  readonly secret?: Secret
  readonly csi_volume?: unknown
}

/** Where a disk appears in a container. In a resource it says how the task wants it; it is no part of identity. */
export interface Volume {
  readonly mode: 'RW' | 'RO'
  readonly container_path: string
  readonly host_path?: string
  readonly image?: unknown
  readonly source?: ContainerVolumeSource
}

export interface DiskInfo {
  readonly source?: DiskSource
  readonly persistence?: Persistence
  readonly volume?: Volume
}

export interface Resource {
  readonly name: string
  readonly type: ValueType
  readonly scalar?: Scalar
  readonly ranges?: Ranges
  readonly set?: SetValue
  /** Old format only; absent in offers to frameworks with RESERVATION_REFINEMENT. */
  readonly role?: string
  /** Old format only. */
  readonly reservation?: { readonly principal?: string; readonly labels?: Labels }
  /** New format: the stack, last one is the present owner. */
  readonly reservations?: readonly ReservationInfo[]
  readonly allocation_info?: { readonly role?: string }
  readonly disk?: DiskInfo
  readonly revocable?: Record<string, unknown>
  readonly shared?: Record<string, unknown>
  readonly provider_id?: IdValue
}

export interface Attribute {
  readonly name: string
  readonly type: ValueType
  readonly text?: { readonly value: string }
  readonly scalar?: Scalar
  readonly ranges?: Ranges
  readonly set?: SetValue
}

export interface DomainInfo {
  readonly fault_domain?: {
    readonly region: { readonly name: string }
    readonly zone: { readonly name: string }
  }
}

export interface Address {
  readonly hostname?: string
  readonly ip?: string
  readonly port: number
}

export interface Url {
  readonly scheme: string
  readonly address: Address
  readonly path?: string
}

/** Epoch nanoseconds; beyond 2^53, so rounded by JSON. */
export interface TimeInfo {
  readonly nanoseconds: number
}

export interface DurationInfo {
  readonly nanoseconds: number
}

export interface Unavailability {
  readonly start: TimeInfo
  /** Absent: for ever. */
  readonly duration?: DurationInfo
}

export interface Offer {
  readonly id: IdValue
  readonly framework_id: IdValue
  readonly agent_id: IdValue
  readonly hostname: string
  readonly url?: Url
  readonly domain?: DomainInfo
  readonly allocation_info?: { readonly role?: string }
  readonly resources?: readonly Resource[]
  readonly attributes?: readonly Attribute[]
  /** This framework's executors on the agent, without the hidden ones of command tasks. */
  readonly executor_ids?: readonly IdValue[]
  readonly unavailability?: Unavailability
}

export interface InverseOffer {
  readonly id: IdValue
  readonly url?: Url
  readonly framework_id: IdValue
  readonly agent_id?: IdValue
  readonly unavailability: Unavailability
  readonly resources?: readonly Resource[]
}

export interface MasterInfo {
  readonly id: string
  readonly ip?: number
  readonly port?: number
  readonly pid?: string
  readonly hostname?: string
  readonly version?: string
  readonly address?: Address
  readonly domain?: DomainInfo
  readonly capabilities?: readonly { readonly type?: string }[]
}

/** As GET_AGENTS shows it; resources there are in endpoint format (both notations side by side). */
export interface AgentInfo {
  readonly hostname: string
  readonly port?: number
  readonly id?: IdValue
  readonly resources?: readonly Resource[]
  readonly attributes?: readonly Attribute[]
  readonly domain?: DomainInfo
}
