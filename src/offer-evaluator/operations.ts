/**
 * Operations on an offer as data: everything is chosen here (ids, ports, volumes), nothing while sending. Pure.
 */
import type { AgentId, ExecutorId, OperationId, TaskId, TaskName } from '../ids.js'
import type { Milli } from '../units.js'
import type { Container } from './container-record.js'
import type { Labels, Resource } from './resources.js'

/** The default executor of one pod incarnation. Stored as sent and repeated unchanged while it lives. */
export interface ExecutorInfo {
  readonly executorId: ExecutorId
  /** Includes the pod's persistent volumes: tasks see them through the executor's sandbox. */
  readonly resources: readonly Resource[]
  readonly labels: Labels
  readonly container?: Container | undefined
}

/** A command that the agent runs inside the task now and then; exit code 0 means ready. */
export interface CommandCheck {
  readonly command: string
  readonly delayMs: number
  readonly intervalMs: number
  readonly timeoutMs: number
}

/** The same, and the agent kills the task after so many failures in a row. */
export interface HealthCheck extends CommandCheck {
  /** Failures do not count for so long after the launch, until one has succeeded. */
  readonly graceMs: number
  readonly maxFailures: number
}

/** A file that the agent fetches into the sandbox before the task starts. */
export interface TaskUri {
  readonly uri: string
  readonly extract: boolean
  readonly executable: boolean
  readonly cache: boolean
  /** Name in the sandbox; the last part of the URI when absent. */
  readonly outputFile?: string | undefined
}

/** A port of a task, made known in its discovery info if it is advertised or has a virtual address. */
export interface TaskPort {
  readonly name: string
  readonly number: number
  readonly advertise: boolean
  /** `key` tells it from the task's other ones. */
  readonly vip?: { readonly key: string; readonly name: string; readonly port: number }
}

type Limit = Milli | 'unlimited'

export interface TaskInfo {
  readonly taskId: TaskId
  readonly name: TaskName
  readonly agentId: AgentId
  readonly resources: readonly Resource[]
  /** Run by `/bin/sh -c`. */
  readonly command: string
  readonly env: readonly { readonly name: string; readonly value: string }[]
  readonly uris: readonly TaskUri[]
  readonly check?: CommandCheck
  readonly killGraceMs: number
  readonly labels: Labels
  /** Container paths of the executor's volumes to show in the task's sandbox under the same path. */
  readonly parentVolumes: readonly string[]
  readonly ports: readonly TaskPort[]
  /** The framework's when absent. */
  readonly user?: string
  /** Environment that the agent gets from the secret store. */
  readonly secretEnv?: readonly { readonly name: string; readonly secret: string }[]
  readonly healthCheck?: HealthCheck
  /** What may be used beyond what is reserved. */
  readonly limits?: { readonly cpus?: Limit; readonly mem?: Limit }
  readonly container?: Container
  readonly discovery?: { readonly name: string; readonly visibility: 'FRAMEWORK' | 'CLUSTER' | 'EXTERNAL' }
}

export type Operation =
  | { readonly type: 'reserve'; readonly id: OperationId; readonly resources: readonly Resource[] }
  | { readonly type: 'create'; readonly id: OperationId; readonly volumes: readonly Resource[] }
  | { readonly type: 'launchGroup'; readonly executor: ExecutorInfo; readonly tasks: readonly TaskInfo[] }
