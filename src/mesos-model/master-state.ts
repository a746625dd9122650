/**
 * The books of a master as one readonly value, what goes in and what comes out. Records are replaced, never changed;
 * the maps are copied at most once per input (`openDraft`), so that a step looks pure from outside and costs little.
 */
import type {
  Attribute,
  Call,
  DomainInfo,
  DurationInfo,
  Event,
  ExecutorInfo,
  FrameworkInfo,
  MasterInfo,
  OfferConstraints,
  TaskInfo,
  TaskState,
  TaskStatus,
  OperationStatus,
} from '../mesos/messages.js'
import type { ResourceOperation } from './operations.js'
import type { AgentDescription, AgentToMaster, FrameworkBrief, MasterToAgent } from './protocol.js'
import type { Resources } from './resources.js'

export interface MasterTimings {
  readonly allocationIntervalMs: number
  readonly heartbeatIntervalMs: number
  /** An agent that is silent for `agentPingTimeoutMs * maxAgentPingTimeouts` becomes unreachable. */
  readonly agentPingTimeoutMs: number
  readonly maxAgentPingTimeouts: number
  /** How long agents may take to come back after a master failover. */
  readonly agentReregisterTimeoutMs: number
  /** 0: offers never time out. */
  readonly offerTimeoutMs: number
}

/** What an operator asked for with DRAIN_AGENT. */
export interface DrainConfig {
  readonly maxGrace?: DurationInfo
  readonly markGone: boolean
}

/** An agent that is offered to nobody. */
export interface Deactivation {
  /** Absent after a mere DEACTIVATE_AGENT. */
  readonly drain?: { readonly state: 'DRAINING' | 'DRAINED'; readonly config: DrainConfig }
}

export interface RegistryAgent {
  readonly id: string
  readonly hostname: string
  readonly ip: string
  readonly port: number
}

/** What the master keeps over a failover. */
export interface MasterRegistry {
  readonly agents: readonly RegistryAgent[]
  readonly unreachable: readonly { readonly id: string; readonly atMs: number }[]
  readonly gone: readonly string[]
  readonly deactivated?: readonly ({ readonly id: string } & Deactivation)[]
}

export interface OfferFilter {
  readonly agentId: string
  readonly role: string
  /** Offers that hold nothing but (a part of) these are suppressed. */
  readonly resources: Resources
  readonly untilMs: number
}

export interface MasterTask {
  readonly frameworkId: string
  readonly taskId: string
  readonly agentId: string
  readonly info: TaskInfo
  /** Absent for command tasks. */
  readonly executorId?: string
  readonly resources: Resources
  /** The newest state the agent told; decides about resources. */
  readonly state: TaskState
  /** What was last forwarded to the scheduler; reconciliation answers with it. */
  readonly forwarded?: TaskStatus
  /** All states that were forwarded, one each, for operators. */
  readonly statuses: readonly TaskStatus[]
}

export interface MasterFramework {
  readonly id: string
  /** Without a name until it subscribes, if it is known from its agents only. */
  readonly info: FrameworkInfo
  /** What agents say of one that has not subscribed at this master. */
  readonly recovered?: FrameworkBrief
  readonly roles: readonly string[]
  readonly suppressed: readonly string[]
  readonly constraints?: OfferConstraints
  /** The open subscription; absent while disconnected. */
  readonly streamId?: string
  readonly nextHeartbeatAtMs: number
  /** Removed then; absent while connected, and for frameworks known from agents only. */
  readonly failoverAtMs?: number
  readonly filters: readonly OfferFilter[]
  readonly tasks: ReadonlyMap<string, MasterTask>
  readonly unreachableTasks: ReadonlyMap<string, MasterTask>
  readonly completedTasks: readonly MasterTask[]
  /** Kills to be delivered when their agent is back. */
  readonly pendingKills: readonly { readonly agentId: string; readonly message: MasterToAgent }[]
}

export interface MasterExecutor {
  readonly frameworkId: string
  readonly info: ExecutorInfo
  readonly resources: Resources
}

export interface MasterOperation {
  readonly uuid: string
  readonly frameworkId: string
  readonly operationId?: string
  readonly operation: ResourceOperation
  /** Absent while pending. */
  readonly status?: OperationStatus
}

export interface MasterAgent {
  readonly id: string
  readonly hostname: string
  readonly ip: string
  readonly port: number
  readonly attributes: readonly Attribute[]
  readonly domain?: DomainInfo
  readonly configured: AgentDescription['resources']
  readonly registeredAtMs: number
  /** With reservations and volumes. Always free + offered + used. */
  readonly total: Resources
  readonly free: Resources
  /** The open connection; absent while disconnected. */
  readonly link?: string
  /** Unreachable from then on, unless it is heard of again. */
  readonly unreachableAtMs?: number
  readonly executors: ReadonlyMap<string, MasterExecutor>
  readonly operations: ReadonlyMap<string, MasterOperation>
}

export interface MasterOffer {
  readonly id: string
  readonly frameworkId: string
  readonly agentId: string
  readonly role: string
  /** Without allocation. */
  readonly resources: Resources
  readonly atMs: number
}

export interface MasterState {
  readonly info: MasterInfo
  readonly timings: MasterTimings
  readonly numbers: { readonly framework: number; readonly agent: number; readonly offer: number }
  readonly frameworks: ReadonlyMap<string, MasterFramework>
  /** Removed ones with what became of their tasks, newest last; bounded as on Mesos. */
  readonly removedFrameworks: readonly MasterFramework[]
  readonly agents: ReadonlyMap<string, MasterAgent>
  readonly offers: ReadonlyMap<string, MasterOffer>
  readonly unreachable: ReadonlyMap<string, number>
  readonly gone: ReadonlySet<string>
  /** By agent id, whether the agent is there or not. */
  readonly deactivated: ReadonlyMap<string, Deactivation>
  /** Known from the registry, not yet back; the value is when they count as unreachable. */
  readonly recovered: ReadonlyMap<string, number>
  /** Agents as this master found them in the registry when it started. */
  readonly registryAgents: ReadonlyMap<string, RegistryAgent>
  readonly lastAllocationAtMs: number
  /** Something became free or wanted since the last allocation. */
  readonly isAllocationDue: boolean
}

/** One HTTP request to the master. `streamId` is the id a new stream would get. */
export interface MasterRequest {
  readonly method: string
  readonly path: string
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: string
  readonly streamId: string
}

export type MasterInput =
  | { readonly type: 'request'; readonly request: MasterRequest }
  | { readonly type: 'streamClosed'; readonly streamId: string }
  | { readonly type: 'agentMessage'; readonly link: string; readonly message: AgentToMaster }
  | { readonly type: 'agentLinkBroken'; readonly link: string }
  /** Nothing was heard on this connection since then, though it is open. */
  | { readonly type: 'agentSilent'; readonly link: string; readonly sinceMs: number }
  | { readonly type: 'agentHeard'; readonly link: string }
  /** For tests: every offer is taken back, as after a change that none of them survives. */
  | { readonly type: 'rescindOffers' }
  | { readonly type: 'tick' }

export interface MasterResponse {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  /** Text, or JSON to be written. */
  readonly body?: unknown
  /** Opened by this response: events follow. */
  readonly streamId?: string
}

export type MasterEffect =
  | { readonly type: 'respond'; readonly response: MasterResponse }
  | { readonly type: 'sendEvent'; readonly streamId: string; readonly event: Event }
  | { readonly type: 'closeStream'; readonly streamId: string }
  | { readonly type: 'toAgent'; readonly link: string; readonly message: MasterToAgent }
  | { readonly type: 'closeLink'; readonly link: string }
  | { readonly type: 'storeRegistry'; readonly registry: MasterRegistry }
  /** For tests and demonstrations: which calls were taken, on which stream. */
  | { readonly type: 'accepted'; readonly streamId: string; readonly call: Call }

export interface ModelEnv {
  readonly atMs: number
  /** A fresh UUID in lower-case text. */
  readonly uuid: () => string
}

type Table = 'frameworks' | 'agents' | 'offers' | 'unreachable' | 'recovered' | 'deactivated' | 'gone'
type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/** One step in the making: a private copy of the state and what is to be done. */
export interface Draft {
  readonly state: Mutable<MasterState>
  readonly effects: MasterEffect[]
  readonly env: ModelEnv
  readonly owned: Set<Table>
}

export const openDraft = (state: MasterState, env: ModelEnv): Draft => ({
  state: { ...state },
  effects: [],
  env,
  owned: new Set(),
})

type MapTable = Exclude<Table, 'gone'>
type ValueOf<T extends MapTable> = MasterState[T] extends ReadonlyMap<string, infer V> ? V : never

/** The table, copied once per step. */
function ownTable<T extends MapTable>(draft: Draft, table: T): Map<string, ValueOf<T>> {
  if (!draft.owned.has(table)) {
    draft.owned.add(table)
    const copy: unknown = new Map(draft.state[table] as ReadonlyMap<string, unknown>)
    ;(draft.state as Record<MapTable, unknown>)[table] = copy
  }
  return draft.state[table] as unknown as Map<string, ValueOf<T>>
}

export const put = <T extends MapTable>(draft: Draft, table: T, id: string, value: ValueOf<T>): void =>
  void ownTable(draft, table).set(id, value)
export const drop = (draft: Draft, table: MapTable, id: string): void => void ownTable(draft, table).delete(id)

export const putFramework = (draft: Draft, framework: MasterFramework): void => put(draft, 'frameworks', framework.id, framework)
export const putAgent = (draft: Draft, agent: MasterAgent): void => put(draft, 'agents', agent.id, agent)

/** Changes a record that may have gone meanwhile. */
export function changeFramework(draft: Draft, id: string, change: (framework: MasterFramework) => MasterFramework): void {
  const framework = draft.state.frameworks.get(id)
  if (framework !== undefined) putFramework(draft, change(framework))
}

export function changeAgent(draft: Draft, id: string, change: (agent: MasterAgent) => MasterAgent): void {
  const agent = draft.state.agents.get(id)
  if (agent !== undefined) putAgent(draft, change(agent))
}

export const withEntry = <V>(map: ReadonlyMap<string, V>, key: string, value: V): ReadonlyMap<string, V> =>
  new Map(map).set(key, value)

export function withoutEntry<V>(map: ReadonlyMap<string, V>, key: string): ReadonlyMap<string, V> {
  const copy = new Map(map)
  copy.delete(key)
  return copy
}

/** Sends to the scheduler if it is connected; otherwise the event is lost, as on Mesos. */
export function sendEvent(draft: Draft, framework: MasterFramework | undefined, event: Event): void {
  if (framework?.streamId !== undefined) draft.effects.push({ type: 'sendEvent', streamId: framework.streamId, event })
}

/** Sends to the agent if it is connected. */
export function sendToAgent(draft: Draft, agent: MasterAgent | undefined, message: MasterToAgent): boolean {
  if (agent?.link === undefined) return false
  draft.effects.push({ type: 'toAgent', link: agent.link, message })
  return true
}

const isCapable = (framework: MasterFramework, capability: string): boolean =>
  (framework.info.capabilities ?? []).some((entry) => entry.type === capability)

export const briefOf = (framework: MasterFramework): FrameworkBrief => ({
  id: framework.id,
  checkpoint: framework.info.checkpoint ?? false,
  hasTaskKilling: isCapable(framework, 'TASK_KILLING_STATE'),
  isPartitionAware: isCapable(framework, 'PARTITION_AWARE'),
  user: framework.info.user,
  name: framework.info.name,
  roles: framework.roles,
  ...(framework.info.principal === undefined ? {} : { principal: framework.info.principal }),
})

export const executorKey = (frameworkId: string, executorId: string): string => `${frameworkId}/${executorId}`

function registryOf(state: MasterState): MasterRegistry {
  // Those that are not back yet are still admitted.
  const awaited = [...state.recovered.keys()].flatMap((id) => state.registryAgents.get(id) ?? [])
  const agents = [...state.agents.values(), ...awaited].map(({ id, hostname, ip, port }) => ({ id, hostname, ip, port }))
  const unreachable = [...state.unreachable].map(([id, atMs]) => ({ id, atMs }))
  const deactivated = [...state.deactivated].map(([id, deactivation]) => ({ id, ...deactivation }))
  return { agents, unreachable, gone: [...state.gone], deactivated }
}

export const storeRegistry = (draft: Draft): void =>
  void draft.effects.push({ type: 'storeRegistry', registry: registryOf(draft.state) })

/** Pid-like address that Mesos puts into messages and GET_AGENTS. */
export const agentPid = (agent: MasterAgent): string => `slave(1)@${agent.ip}:${agent.port}`
