/**
 * Operations on an offer as data: everything is chosen here (ids, ports, volumes), nothing while sending. Pure.
 */
import type { AgentId, ExecutorId, OperationId, TaskId, TaskName } from '../ids.js'
import type { Labels, Resource } from './resources.js'

/** The default executor of one pod incarnation. Stored as sent and repeated unchanged while it lives. */
export interface ExecutorInfo {
  readonly executorId: ExecutorId
  /** Includes the pod's persistent volumes: tasks see them through the executor's sandbox. */
  readonly resources: readonly Resource[]
  readonly labels: Labels
}

/** A command that the agent runs inside the task now and then; exit code 0 means ready. */
export interface CommandCheck {
  readonly command: string
  readonly delayMs: number
  readonly intervalMs: number
  readonly timeoutMs: number
}

/** A file that the agent fetches into the sandbox before the task starts. */
export interface TaskUri {
  readonly uri: string
  readonly extract: boolean
  readonly executable: boolean
  readonly cache: boolean
}

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
  /** Ports made known in the task's discovery info. */
  readonly ports: readonly { readonly name: string; readonly number: number; readonly advertise: boolean }[]
}

export type Operation =
  | { readonly type: 'reserve'; readonly id: OperationId; readonly resources: readonly Resource[] }
  | { readonly type: 'create'; readonly id: OperationId; readonly volumes: readonly Resource[] }
  | { readonly type: 'launchGroup'; readonly executor: ExecutorInfo; readonly tasks: readonly TaskInfo[] }
