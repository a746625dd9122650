/**
 * What master, agents and executors say to each other. On real Mesos this is its internal protocol; here it is ours, so
 * that the local cluster and the simulation can carry the same messages. JSON only. Order must hold per connection;
 * any message may be lost.
 */
import type {
  Attribute,
  DomainInfo,
  DurationInfo,
  ExecutorInfo,
  KillPolicy,
  OperationStatus,
  Resource,
  TaskInfo,
  TaskState,
  TaskStatus,
} from '../mesos/messages.js'
import type { ResourceOperation } from './operations.js'

/** What an agent says of itself when it registers. */
export interface AgentDescription {
  readonly hostname: string
  readonly ip: string
  readonly port: number
  readonly attributes: readonly Attribute[]
  readonly domain?: DomainInfo
  /** As configured: unreserved and statically reserved, no volumes. */
  readonly resources: readonly Resource[]
}

/** What an agent must know of the framework whose work it runs. */
export interface FrameworkBrief {
  readonly id: string
  readonly checkpoint: boolean
  readonly hasTaskKilling: boolean
  readonly isPartitionAware: boolean
  readonly user: string
  /** For operators, who are shown it before the framework subscribes at a new master. */
  readonly name?: string
  readonly roles?: readonly string[]
  readonly principal?: string
}

export interface ReportedTask {
  readonly framework: FrameworkBrief
  readonly task: TaskInfo
  /** Absent for command tasks. */
  readonly executorId?: string
  /** The last status that was sent towards the scheduler; absent while the task was only queued. */
  readonly status?: TaskStatus
  readonly latestState: TaskState
}

export interface ReportedExecutor {
  readonly frameworkId: string
  readonly executor: ExecutorInfo
}

export interface ReportedOperation {
  readonly uuid: string
  readonly frameworkId: string
  readonly operationId?: string
  readonly operation: ResourceOperation
}

export interface AgentRegistration {
  readonly type: 'register'
  /** Absent at the very first registration. */
  readonly agentId?: string
  readonly agent: AgentDescription
  /** With reservations and volumes; wins over what the master has in its books. */
  readonly total: readonly Resource[]
  readonly tasks: readonly ReportedTask[]
  readonly executors: readonly ReportedExecutor[]
  readonly operations: readonly ReportedOperation[]
}

export type AgentToMaster =
  | AgentRegistration
  | { readonly type: 'alive' }
  | {
      readonly type: 'statusUpdate'
      readonly frameworkId: string
      readonly status: TaskStatus
      /** May be newer than the status: an unacknowledged one holds the others back. */
      readonly latestState: TaskState
    }
  | { readonly type: 'operationUpdate'; readonly frameworkId: string; readonly uuid: string; readonly status: OperationStatus }
  | {
      readonly type: 'executorExited'
      readonly frameworkId: string
      readonly executorId: string
      readonly isCommand: boolean
      readonly status: number
    }
  | { readonly type: 'unregister' }

export type MasterToAgent =
  | { readonly type: 'registered'; readonly agentId: string; readonly pingTimeoutMs: number }
  /** The master does not know this connection (any more): register again. */
  | { readonly type: 'registerAgain' }
  | { readonly type: 'alive' }
  | { readonly type: 'shutDown'; readonly message: string }
  | {
      readonly type: 'launch'
      readonly framework: FrameworkBrief
      readonly executor?: ExecutorInfo
      readonly tasks: readonly TaskInfo[]
    }
  | { readonly type: 'killTask'; readonly frameworkId: string; readonly taskId: string; readonly killPolicy?: KillPolicy }
  | { readonly type: 'shutDownExecutor'; readonly frameworkId: string; readonly executorId: string }
  | { readonly type: 'shutDownFramework'; readonly frameworkId: string }
  | {
      readonly type: 'applyOperation'
      readonly uuid: string
      readonly frameworkId: string
      readonly operationId?: string
      readonly operation: ResourceOperation
    }
  | { readonly type: 'acknowledgeStatus'; readonly frameworkId: string; readonly taskId: string; readonly uuid: string }
  | { readonly type: 'acknowledgeOperation'; readonly uuid: string; readonly statusUuid: string }
  /** Kill everything; policies that are longer, or missing, are lowered to `maxGrace`. With `markGone` it never comes back. */
  | { readonly type: 'drain'; readonly maxGrace?: DurationInfo; readonly markGone: boolean }
  /** A new stream: unacknowledged updates are to be sent again at once. */
  | { readonly type: 'frameworkSubscribed'; readonly frameworkId: string }
  /** The master knows these tasks, the agent did not mention them when it registered. */
  | {
      readonly type: 'reconcileTasks'
      readonly tasks: readonly { readonly framework: FrameworkBrief; readonly taskId: string }[]
    }

export type AgentToExecutor =
  | { readonly type: 'launch'; readonly tasks: readonly TaskInfo[] }
  | { readonly type: 'kill'; readonly taskId: string; readonly killPolicy?: KillPolicy }
  | { readonly type: 'acknowledged'; readonly taskId: string; readonly uuid: string }
  | { readonly type: 'shutDown' }

export type ExecutorToAgent =
  /** At first contact, and again after the agent was restarted. */
  | { readonly type: 'subscribe'; readonly unacknowledged: readonly TaskStatus[] }
  | { readonly type: 'update'; readonly status: TaskStatus }
