/**
 * v1 JSON of what runs: commands, checks, tasks, executors, statuses, operations on resources. Types only, names
 * exactly as on the wire.
 */
import type { DurationInfo, IdValue, Labels, Resource, Scalar, Secret, TimeInfo, Volume } from './messages-resources.js'

export type TaskState =
  | 'TASK_STAGING'
  | 'TASK_STARTING'
  | 'TASK_RUNNING'
  | 'TASK_KILLING'
  | 'TASK_FINISHED'
  | 'TASK_FAILED'
  | 'TASK_KILLED'
  | 'TASK_ERROR'
  | 'TASK_DROPPED'
  | 'TASK_GONE'
  | 'TASK_GONE_BY_OPERATOR'
  | 'TASK_LOST'
  | 'TASK_UNREACHABLE'
  | 'TASK_UNKNOWN'

export type StatusSource = 'SOURCE_MASTER' | 'SOURCE_AGENT' | 'SOURCE_EXECUTOR'

export interface EnvironmentVariable {
  readonly name: string
  readonly type?: 'VALUE' | 'SECRET'
  readonly value?: string
  readonly secret?: Secret
}

export interface Environment {
  readonly variables?: readonly EnvironmentVariable[]
}

export interface CommandUri {
  readonly value: string
  readonly executable?: boolean
  /** Default true: archives are extracted into the sandbox. */
  readonly extract?: boolean
  readonly cache?: boolean
  readonly output_file?: string
}

export interface CommandInfo {
  /** Default true: `value` is run by `/bin/sh -c`; otherwise `value` is the path and `arguments` the whole argv. */
  readonly shell?: boolean
  readonly value?: string
  readonly arguments?: readonly string[]
  readonly user?: string
  readonly uris?: readonly CommandUri[]
  readonly environment?: Environment
}

export interface CheckInfo {
  readonly type?: 'COMMAND' | 'HTTP' | 'TCP' | 'UNKNOWN'
  readonly command?: { readonly command: CommandInfo }
  readonly http?: { readonly port: number; readonly path?: string }
  readonly tcp?: { readonly port: number }
  /** Default 15. */
  readonly delay_seconds?: number
  /** Default 10. */
  readonly interval_seconds?: number
  /** Default 20; 0 means none. */
  readonly timeout_seconds?: number
}

export interface CheckStatusInfo {
  readonly type?: 'COMMAND' | 'HTTP' | 'TCP' | 'UNKNOWN'
  readonly command?: { readonly exit_code?: number }
  readonly http?: { readonly status_code?: number }
  readonly tcp?: { readonly succeeded?: boolean }
}

export interface HealthCheck {
  readonly type?: 'COMMAND' | 'HTTP' | 'TCP' | 'UNKNOWN'
  readonly command?: CommandInfo
  readonly http?: { readonly port: number; readonly path?: string; readonly scheme?: string; readonly protocol?: string }
  readonly tcp?: { readonly port: number; readonly protocol?: string }
  /** Default 15. */
  readonly delay_seconds?: number
  /** Default 10. */
  readonly interval_seconds?: number
  /** Default 20. */
  readonly timeout_seconds?: number
  /** Default 3. */
  readonly consecutive_failures?: number
  /** Default 10. */
  readonly grace_period_seconds?: number
}

export interface KillPolicy {
  readonly grace_period?: DurationInfo
}

export interface Image {
  readonly type: 'DOCKER' | 'APPC'
  readonly docker?: { readonly name: string; readonly config?: Secret }
  readonly appc?: unknown
  /** Default true. */
  readonly cached?: boolean
}

export interface LinuxInfo {
  readonly capability_info?: unknown
  readonly bounding_capabilities?: unknown
  readonly effective_capabilities?: unknown
  readonly share_pid_namespace?: boolean
  readonly seccomp?: { readonly profile_name?: string; readonly unconfined?: boolean }
  readonly ipc_mode?: 'PRIVATE' | 'SHARE_PARENT'
  /** MB; only with the mode PRIVATE. */
  readonly shm_size?: number
  /** Default true: held to the amounts of the executor's whole container. The same for all tasks of an executor. */
  readonly share_cgroups?: boolean
}

/** Both numbers or none, which is unlimited. */
export interface RLimit {
  /** `RLMT_NOFILE` for `RLIMIT_NOFILE`. */
  readonly type?: string
  readonly soft?: number
  readonly hard?: number
}

export interface ContainerInfo {
  readonly type?: 'MESOS' | 'DOCKER'
  readonly hostname?: string
  readonly volumes?: readonly Volume[]
  readonly network_infos?: readonly unknown[]
  readonly docker?: unknown
  readonly mesos?: { readonly image?: Image }
  readonly linux_info?: LinuxInfo
  readonly rlimit_info?: { readonly rlimits?: readonly RLimit[] }
  readonly tty_info?: unknown
}

export interface DiscoveryPort {
  readonly number: number
  readonly name?: string
  readonly protocol?: string
  /** That of the whole discovery info when absent. */
  readonly visibility?: Visibility
  readonly labels?: Labels
}

export type Visibility = 'FRAMEWORK' | 'CLUSTER' | 'EXTERNAL'

export interface DiscoveryInfo {
  readonly visibility: Visibility
  readonly name?: string
  readonly environment?: string
  readonly location?: string
  readonly version?: string
  readonly ports?: { readonly ports?: readonly DiscoveryPort[] }
  readonly labels?: Labels
}

export interface ExecutorInfo {
  readonly type?: 'DEFAULT' | 'CUSTOM' | 'UNKNOWN'
  readonly executor_id: IdValue
  readonly framework_id?: IdValue
  readonly name?: string
  readonly source?: string
  readonly command?: CommandInfo
  readonly container?: ContainerInfo
  readonly resources?: readonly Resource[]
  readonly labels?: Labels
  readonly discovery?: DiscoveryInfo
  readonly shutdown_grace_period?: DurationInfo
  readonly data?: string
}

/** JSON has no infinite number; Mesos reads this text as one. */
export interface LimitValue {
  readonly value: number | 'Infinity'
}

export interface TaskInfo {
  readonly name: string
  readonly task_id: IdValue
  readonly agent_id: IdValue
  readonly resources?: readonly Resource[]
  readonly command?: CommandInfo
  readonly executor?: ExecutorInfo
  readonly container?: ContainerInfo
  readonly health_check?: HealthCheck
  readonly check?: CheckInfo
  readonly kill_policy?: KillPolicy
  readonly labels?: Labels
  readonly discovery?: DiscoveryInfo
  readonly max_completion_time?: DurationInfo
  readonly limits?: Readonly<Record<string, LimitValue>>
  readonly data?: string
}

export interface ContainerId {
  readonly value: string
  readonly parent?: ContainerId
}

export interface ContainerStatus {
  readonly container_id?: ContainerId
  readonly executor_pid?: number
  readonly network_infos?: readonly unknown[]
}

export interface TaskStatus {
  readonly task_id: IdValue
  readonly state: TaskState
  readonly source?: StatusSource
  readonly reason?: string
  readonly message?: string
  readonly agent_id?: IdValue
  readonly executor_id?: IdValue
  /** Seconds since the epoch, with fraction. */
  readonly timestamp?: number
  /** Base64 of 16 bytes. Present: store, then acknowledge. Absent: never acknowledge. */
  readonly uuid?: string
  readonly healthy?: boolean
  readonly check_status?: CheckStatusInfo
  readonly container_status?: ContainerStatus
  readonly unreachable_time?: TimeInfo
  readonly labels?: Labels
  readonly limitation?: { readonly resources?: readonly Resource[] }
  readonly data?: string
}

export type OperationState =
  | 'OPERATION_UNSUPPORTED'
  | 'OPERATION_PENDING'
  | 'OPERATION_FINISHED'
  | 'OPERATION_FAILED'
  | 'OPERATION_ERROR'
  | 'OPERATION_DROPPED'
  | 'OPERATION_UNREACHABLE'
  | 'OPERATION_GONE_BY_OPERATOR'
  | 'OPERATION_RECOVERING'
  | 'OPERATION_UNKNOWN'

export interface OperationStatus {
  readonly operation_id?: IdValue
  readonly state: OperationState
  readonly message?: string
  /** An object here; the acknowledgement wants the bare string. */
  readonly uuid?: IdValue
  readonly agent_id?: IdValue
  readonly resource_provider_id?: IdValue
  readonly converted_resources?: readonly Resource[]
}

interface OperationBase {
  /** Asks for feedback. Forbidden on launches. */
  readonly id?: IdValue
}

export interface LaunchOperation extends OperationBase {
  readonly type: 'LAUNCH'
  readonly launch: { readonly task_infos?: readonly TaskInfo[] }
}

export interface LaunchGroupOperation extends OperationBase {
  readonly type: 'LAUNCH_GROUP'
  readonly launch_group: {
    readonly executor: ExecutorInfo
    readonly task_group: { readonly tasks?: readonly TaskInfo[] }
  }
}

export interface ReserveOperation extends OperationBase {
  readonly type: 'RESERVE'
  readonly reserve: { readonly resources?: readonly Resource[]; readonly source?: readonly Resource[] }
}

export interface UnreserveOperation extends OperationBase {
  readonly type: 'UNRESERVE'
  readonly unreserve: { readonly resources?: readonly Resource[] }
}

export interface CreateOperation extends OperationBase {
  readonly type: 'CREATE'
  readonly create: { readonly volumes?: readonly Resource[] }
}

export interface DestroyOperation extends OperationBase {
  readonly type: 'DESTROY'
  readonly destroy: { readonly volumes?: readonly Resource[] }
}

export interface GrowVolumeOperation extends OperationBase {
  readonly type: 'GROW_VOLUME'
  readonly grow_volume: { readonly volume: Resource; readonly addition: Resource }
}

export interface ShrinkVolumeOperation extends OperationBase {
  readonly type: 'SHRINK_VOLUME'
  readonly shrink_volume: { readonly volume: Resource; readonly subtract: Scalar }
}

export type Operation =
  | LaunchOperation
  | LaunchGroupOperation
  | ReserveOperation
  | UnreserveOperation
  | CreateOperation
  | DestroyOperation
  | GrowVolumeOperation
  | ShrinkVolumeOperation
