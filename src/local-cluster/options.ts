/** Options of the local cluster and what its processes are told at start. */
import type { ContainerInfo } from '../mesos/messages.js'
import type { AgentTimings } from '../mesos-model/agent-state.js'
import type { MasterTimings } from '../mesos-model/master-state.js'

/** What one agent offers. */
export interface AgentOptions {
  /** @defaultValue 4 */
  readonly cpus?: number
  /** MB of 2^20 bytes. @defaultValue 4096 */
  readonly memoryMb?: number
  /** @defaultValue 10240 */
  readonly diskMb?: number
  /**
   * Inclusive. @defaultValue 21000 to 22000: below the kernel's ephemeral ports (32768 and up), so that no outgoing
   * connection takes a task's port. Every agent has an address of its own, so all may have the same range.
   */
  readonly ports?: { readonly begin: number; readonly end: number }
  /** Text attributes. @defaultValue rack r1, r2, r3 in turn */
  readonly attributes?: Readonly<Record<string, string>>
  /** @defaultValue region-a */
  readonly region?: string
  /** @defaultValue zone-1, zone-2, zone-3 in turn */
  readonly zone?: string
}

/** Timings; the defaults suit development and are shorter than those of Mesos. */
export interface ClusterTimings extends Partial<MasterTimings>, Partial<AgentTimings> {
  /** How long executors wait for an agent that is away. @defaultValue 15 minutes */
  readonly executorRecoveryTimeoutMs?: number
}

export interface LocalClusterOptions {
  /** A number, or one entry per agent. @defaultValue 3 */
  readonly agents?: number | readonly AgentOptions[]
  /** Everything the cluster writes is below this directory. */
  readonly workDir: string
  /** Of the master, on 127.0.0.1. @defaultValue 0: any free port */
  readonly port?: number
  /** For agents that do not say otherwise. */
  readonly agentDefaults?: AgentOptions
  readonly timings?: ClusterTimings
  /** The cluster keeps running when the process that started it ends. @defaultValue false */
  readonly detached?: boolean
}

export interface MasterProcessOptions {
  readonly port: number
  readonly directory: string
  readonly timings: MasterTimings
  readonly isDetached: boolean
}

export interface AgentProcessOptions {
  readonly directory: string
  readonly masterUrl: string
  readonly ip: string
  readonly port: number
  readonly options: Required<AgentOptions>
  readonly timings: AgentTimings
  readonly executorRecoveryTimeoutMs: number
  readonly isDetached: boolean
}

export interface ExecutorProcessOptions {
  /** `<run>`: the executor's sandbox. */
  readonly directory: string
  readonly workDir: string
  readonly agentUrl: string
  readonly agentId: string
  readonly key: string
  readonly frameworkId: string
  readonly executorId: string
  readonly containerId: string
  readonly isCommand: boolean
  readonly hasTaskKilling: boolean
  readonly hasCheckpoint: boolean
  readonly recoveryTimeoutMs: number
  /** The executor's own resources, for its volumes. */
  readonly resources: readonly unknown[]
  readonly container?: ContainerInfo
}

/** An agent that falls silent is unreachable after about six seconds; Mesos waits 75. */
export const DEFAULT_CLUSTER_TIMINGS: MasterTimings & AgentTimings & { readonly executorRecoveryTimeoutMs: number } = {
  allocationIntervalMs: 500,
  heartbeatIntervalMs: 5_000,
  agentPingTimeoutMs: 2_000,
  maxAgentPingTimeouts: 3,
  agentReregisterTimeoutMs: 600_000,
  offerTimeoutMs: 0,
  updateRetryMs: 10_000,
  updateRetryMaxMs: 600_000,
  executorRegistrationTimeoutMs: 60_000,
  executorReregistrationTimeoutMs: 5_000,
  executorShutdownGraceMs: 5_000,
  executorRecoveryTimeoutMs: 900_000,
}
