/**
 * What the operator API of the leading master shows, in the words of the core: the other half of every comparison with the
 * stored records. Answers are filtered to what the asker may see, so that something is not shown is no proof that it is not
 * there. Pure.
 */
import type { AgentId, ExecutorId, FrameworkId, OperationId, TaskId } from '../ids.js'
import type { ExecutorInfo } from '../offer-evaluator/operations.js'
import type { Labels, Resource } from '../offer-evaluator/resources.js'
import type { MesosTaskState } from '../state-machine/task-events.js'
import type { OperationState, TaskStatus } from './events.js'

export interface FrameworkView {
  readonly id: FrameworkId
  /** Empty for one of which the master knows nothing but its tasks. */
  readonly name: string
  readonly roles: readonly string[]
  readonly user: string
  readonly principal?: string
  /**
   * `connected`: a scheduler is subscribed. `disconnected`: it is away. `recovered`: known from agents only, after a failover of
   * the master. `completed`: removed, its tasks are killed; what it had reserved stays.
   */
  readonly state: 'connected' | 'disconnected' | 'recovered' | 'completed'
}

export interface AgentView {
  readonly id: AgentId
  readonly hostname: string
  /** Of its process; the host name where the master shows none. */
  readonly address: string
  readonly region?: string
  readonly zone?: string
  /** Connected, and offered to frameworks. */
  readonly isActive: boolean
  /** Everything it has: unreserved, reserved, volumes. */
  readonly resources: readonly Resource[]
}

export interface AgentsView {
  readonly registered: readonly AgentView[]
  /** Known from the registry after a failover of the master, and not back yet: what they hold cannot be seen. */
  readonly recovered: readonly { readonly id: AgentId; readonly hostname: string }[]
  /** How many the master has given up for the time being; what they hold cannot be seen. Undefined: it did not say. */
  readonly unreachable: number | undefined
}

/** A status with the time that its sender gave it. */
export type DatedStatus = TaskStatus & { readonly sentAtMs?: number }

export interface KnownTask {
  readonly id: TaskId
  readonly name: string
  readonly frameworkId: FrameworkId
  readonly agentId: AgentId
  readonly executorId?: ExecutorId
  readonly state: MesosTaskState
  /** `known`: in the master's books, ended or not; `unreachable`: its agent is; `completed`: ended, and acknowledged. */
  readonly list: 'known' | 'unreachable' | 'completed'
  readonly labels: Labels
  readonly resources: readonly Resource[]
  /** The last status of each state that it went through, in order. */
  readonly statuses: readonly DatedStatus[]
}

export interface KnownExecutor {
  readonly agentId: AgentId
  readonly frameworkId?: FrameworkId
  readonly executor: ExecutorInfo
}

/** An offer operation that is pending, or whose outcome nobody has acknowledged. */
export interface KnownOperation {
  readonly id?: OperationId
  readonly agentId?: AgentId
  readonly frameworkId?: FrameworkId
  /** As Mesos writes it, for example `RESERVE`. */
  readonly type: string
  /** Absent when this version does not know the state. */
  readonly state?: OperationState
  readonly resources: readonly Resource[]
}

export interface ClusterView {
  readonly frameworks: readonly FrameworkView[]
  readonly agents: AgentsView
  readonly tasks: readonly KnownTask[]
  readonly executors: readonly KnownExecutor[]
  readonly operations: readonly KnownOperation[]
}

/** The value of one label. */
export const labelOf = (labels: Labels | undefined, key: string): string | undefined =>
  labels?.find((label) => label.key === key)?.value
