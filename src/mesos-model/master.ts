/**
 * The master as a pure function: books and an input in, books and effects out. Time and ids are inputs. Effects are in the
 * order in which they must happen; a response stands among the events as a real master would send it, its own answers
 * mostly before the 202.
 */
import type { Call, FrameworkCall, MasterInfo } from '../mesos/messages.js'
import { acceptOffers } from './accept.js'
import { finishDrains, resumeDrain } from './drain.js'
import { disconnectFramework, removeFramework, subscribe, updateFramework } from './frameworks.js'
import { openDraft, putFramework, sendEvent, sendToAgent, storeRegistry } from './master-state.js'
import type {
  Draft,
  MasterEffect,
  MasterFramework,
  MasterInput,
  MasterRegistry,
  MasterResponse,
  MasterState,
  MasterTimings,
  ModelEnv,
} from './master-state.js'
import { declineOffers, recoverOffers, reviveRoles, runAllocationCycle, suppressRoles } from './offers.js'
import { acknowledgeOperation, receiveOperationStatus, reconcileOperations } from './operation-feedback.js'
import { answerOperator } from './operator.js'
import type { AgentToMaster } from './protocol.js'
import {
  disconnectAgent,
  findAgentByLink,
  hearAgent,
  markUnreachable,
  registerAgent,
  removeAgent,
  suspectAgent,
} from './registration.js'
import { checkOperatorRequest, checkSchedulerRequest } from './request.js'
import { acknowledge, killTask, receiveExecutorExit, receiveStatus, reconcileTasks } from './tasks.js'

export const DEFAULT_MASTER_TIMINGS: MasterTimings = {
  allocationIntervalMs: 1_000,
  heartbeatIntervalMs: 15_000,
  agentPingTimeoutMs: 15_000,
  maxAgentPingTimeouts: 5,
  agentReregisterTimeoutMs: 600_000,
  offerTimeoutMs: 0,
}

/** A master that starts, with what its predecessor stored. */
export function createMaster(info: MasterInfo, timings: MasterTimings, registry: MasterRegistry, atMs: number): MasterState {
  const deadline = atMs + timings.agentReregisterTimeoutMs
  return {
    info,
    timings,
    numbers: { framework: 0, agent: 0, offer: 0 },
    frameworks: new Map(),
    removedFrameworks: [],
    agents: new Map(),
    offers: new Map(),
    unreachable: new Map(registry.unreachable.map(({ id, atMs: since }) => [id, since])),
    gone: new Set(registry.gone),
    deactivated: new Map((registry.deactivated ?? []).map(({ id, ...deactivation }) => [id, deactivation])),
    recovered: new Map(registry.agents.map(({ id }) => [id, deadline])),
    registryAgents: new Map(registry.agents.map((agent) => [agent.id, agent])),
    lastAllocationAtMs: atMs,
    isAllocationDue: false,
  }
}

export interface MasterStep {
  readonly state: MasterState
  readonly effects: readonly MasterEffect[]
}

export function stepMaster(state: MasterState, input: MasterInput, env: ModelEnv): MasterStep {
  const draft = openDraft(state, env)
  if (input.type !== 'tick') skipIdleCycles(draft)
  switch (input.type) {
    case 'request':
      receiveRequest(draft, input)
      break
    case 'streamClosed':
      disconnectFramework(draft, input.streamId)
      break
    case 'agentMessage':
      receiveAgentMessage(draft, input.link, input.message)
      break
    case 'agentLinkBroken':
      disconnectAgent(draft, input.link)
      break
    case 'agentSilent':
      suspectAgent(draft, input.link, input.sinceMs)
      break
    case 'agentHeard':
      hearAgent(draft, input.link)
      break
    case 'rescindOffers':
      recoverOffers(draft, () => true, true)
      break
    case 'tick':
      tick(draft)
  }
  finishDrains(draft)
  return { state: draft.state, effects: draft.effects }
}

/** Cycles in which nothing was due were not run; what is due from now on waits for the next one of the same beat. */
function skipIdleCycles(draft: Draft): void {
  const { isAllocationDue, lastAllocationAtMs, timings } = draft.state
  const passed = Math.floor((draft.env.atMs - lastAllocationAtMs) / timings.allocationIntervalMs)
  if (!isAllocationDue && passed > 0) draft.state.lastAllocationAtMs += passed * timings.allocationIntervalMs
}

const respond = (draft: Draft, response: MasterResponse): void => void draft.effects.push({ type: 'respond', response })

function receiveRequest(draft: Draft, { request }: Extract<MasterInput, { type: 'request' }>): void {
  if (request.path === '/api/v1' || request.path === '/master/api/v1') {
    const checked = checkOperatorRequest(request)
    return respond(draft, checked.ok ? answerOperator(draft, checked.call) : checked.response)
  }
  const checked = checkSchedulerRequest(request)
  if (!checked.ok) return respond(draft, checked.response)
  const { call } = checked
  if (call.type === 'SUBSCRIBE') {
    draft.effects.push({ type: 'accepted', streamId: request.streamId, call })
    return subscribe(draft, call, request.streamId)
  }
  receiveCall(draft, call, request.headers['mesos-stream-id'])
}

/** Checks 13 to 18, then dispatch. */
function receiveCall(draft: Draft, call: FrameworkCall, streamId: string | undefined): void {
  const id = call.framework_id.value
  const framework = draft.state.frameworks.get(id)
  if (framework === undefined || framework.info.name === '')
    return respond(draft, { status: 400, body: 'Framework cannot be found' })
  if (framework.streamId === undefined) return respond(draft, { status: 403, body: 'Framework is not subscribed' })
  if (streamId === undefined)
    return respond(draft, { status: 400, body: "All non-subscribe calls should include the 'Mesos-Stream-Id' header" })
  if (streamId !== framework.streamId) {
    return respond(draft, {
      status: 400,
      body: `The stream ID '${streamId}' included in this request didn't match the stream ID currently associated with framework ID ${id}`,
    })
  }
  // A real master aborts here; nobody wants that of a development cluster.
  if ((call.type as string) === 'UNKNOWN') return respond(draft, { status: 501, body: 'Call type UNKNOWN' })
  draft.effects.push({ type: 'accepted', streamId, call })
  if (call.type === 'UPDATE_FRAMEWORK') {
    const { framework_info: info, suppressed_roles: suppressed = [], offer_constraints: constraints } = call.update_framework
    const problem = updateFramework(draft, framework, { info, suppressed, constraints })
    return respond(draft, problem === undefined ? { status: 200 } : { status: 400, body: problem })
  }
  dispatch(draft, framework, call)
  respond(draft, { status: 202 })
}

const valueOf = (id: { readonly value: string } | undefined): string | undefined => id?.value
const values = (ids: readonly { readonly value: string }[] | undefined): string[] => (ids ?? []).map((id) => id.value)

function dispatch(
  draft: Draft,
  framework: MasterFramework,
  call: Exclude<Call, { type: 'SUBSCRIBE' | 'UPDATE_FRAMEWORK' }>,
): void {
  switch (call.type) {
    case 'ACCEPT': {
      const { offer_ids: offerIds, operations = [], filters } = call.accept
      return acceptOffers(draft, framework, { offerIds: values(offerIds), operations, refuseSeconds: filters?.refuse_seconds })
    }
    case 'DECLINE':
      return declineOffers(draft, framework.id, values(call.decline.offer_ids), call.decline.filters?.refuse_seconds)
    case 'REVIVE':
      return reviveRoles(draft, framework, call.revive?.roles)
    case 'SUPPRESS':
      return suppressRoles(draft, framework, call.suppress?.roles)
    case 'KILL':
      return killTask(draft, framework, call.kill.task_id.value, valueOf(call.kill.agent_id), call.kill.kill_policy)
    case 'SHUTDOWN': {
      const { agent_id: agentId, executor_id: executorId } = call.shutdown
      return void sendToAgent(draft, draft.state.agents.get(agentId.value), {
        type: 'shutDownExecutor',
        frameworkId: framework.id,
        executorId: executorId.value,
      })
    }
    case 'ACKNOWLEDGE': {
      const { agent_id: agentId, task_id: taskId, uuid } = call.acknowledge
      return acknowledge(draft, framework, agentId.value, taskId.value, uuid)
    }
    case 'ACKNOWLEDGE_OPERATION_STATUS': {
      const { agent_id: agentId, operation_id: operationId, uuid } = call.acknowledge_operation_status
      return acknowledgeOperation(draft, framework, valueOf(agentId), operationId.value, uuid)
    }
    case 'RECONCILE':
      return reconcileTasks(
        draft,
        framework,
        (call.reconcile.tasks ?? []).map((task) => ({ taskId: task.task_id.value, agentId: valueOf(task.agent_id) })),
      )
    case 'RECONCILE_OPERATIONS': {
      const { operations = [] } = call.reconcile_operations
      return reconcileOperations(
        draft,
        framework,
        operations.map((one) => ({ operationId: one.operation_id.value, agentId: valueOf(one.agent_id) })),
      )
    }
    case 'TEARDOWN':
      return removeFramework(draft, framework.id)
    // Answers to inverse offers are for schedules of maintenance, which this cluster does not have; the default executor
    // ignores messages and the allocator ignores requests, here as on Mesos.
    case 'ACCEPT_INVERSE_OFFERS':
    case 'DECLINE_INVERSE_OFFERS':
    case 'MESSAGE':
    case 'REQUEST':
      return
  }
}

function receiveAgentMessage(draft: Draft, link: string, message: AgentToMaster): void {
  if (message.type === 'register') {
    registerAgent(draft, link, message)
    return resumeDrain(draft, link)
  }
  const agent = findAgentByLink(draft, link)
  if (agent === undefined) return void draft.effects.push({ type: 'toAgent', link, message: { type: 'registerAgain' } })
  switch (message.type) {
    case 'alive':
      hearAgent(draft, link)
      return void sendToAgent(draft, agent, { type: 'alive' })
    case 'statusUpdate':
      return receiveStatus(draft, agent, message)
    case 'operationUpdate':
      return receiveOperationStatus(draft, agent, message)
    case 'executorExited':
      return receiveExecutorExit(draft, agent, message)
    case 'unregister':
      return removeAgent(
        draft,
        agent,
        'TASK_LOST',
        'REASON_AGENT_REMOVED',
        `Agent ${agent.hostname} removed: the agent unregistered`,
      )
  }
}

function tick(draft: Draft): void {
  const { atMs } = draft.env
  const { timings } = draft.state
  for (const agent of [...draft.state.agents.values()]) {
    if (agent.unreachableAtMs !== undefined && agent.unreachableAtMs <= atMs) markUnreachable(draft, agent)
  }
  for (const framework of [...draft.state.frameworks.values()]) {
    if (framework.failoverAtMs !== undefined && framework.failoverAtMs <= atMs) removeFramework(draft, framework.id)
    else if (framework.streamId !== undefined && framework.nextHeartbeatAtMs <= atMs) {
      sendEvent(draft, framework, { type: 'HEARTBEAT' })
      putFramework(draft, { ...framework, nextHeartbeatAtMs: framework.nextHeartbeatAtMs + timings.heartbeatIntervalMs })
    }
  }
  if ([...draft.state.recovered.values()].some((deadline) => deadline <= atMs)) forgetRecovered(draft)
  if (timings.offerTimeoutMs > 0) recoverOffers(draft, (offer) => offer.atMs + timings.offerTimeoutMs <= atMs, true)
  if (atMs >= draft.state.lastAllocationAtMs + timings.allocationIntervalMs) runAllocationCycle(draft)
}

/** Agents that did not come back after a failover count as unreachable; their tasks are unknown to this master. */
function forgetRecovered(draft: Draft): void {
  const { atMs } = draft.env
  const late = [...draft.state.recovered].filter(([, deadline]) => deadline <= atMs).map(([id]) => id)
  draft.state.recovered = new Map([...draft.state.recovered].filter(([id]) => !late.includes(id)))
  draft.state.unreachable = new Map([...draft.state.unreachable, ...late.map((id): [string, number] => [id, atMs])])
  storeRegistry(draft)
}

/** When `tick` has something to do next; a cycle that could offer nothing is not waited for. */
export function nextMasterTickAtMs(state: MasterState): number {
  const cycle = state.lastAllocationAtMs + state.timings.allocationIntervalMs
  let next = state.isAllocationDue ? cycle : Infinity
  for (const framework of state.frameworks.values()) {
    if (framework.streamId !== undefined) next = Math.min(next, framework.nextHeartbeatAtMs)
    if (framework.failoverAtMs !== undefined) next = Math.min(next, framework.failoverAtMs)
    for (const filter of framework.filters) next = Math.min(next, Math.max(cycle, filter.untilMs))
  }
  for (const agent of state.agents.values()) next = Math.min(next, agent.unreachableAtMs ?? Infinity)
  for (const deadline of state.recovered.values()) next = Math.min(next, deadline)
  if (state.timings.offerTimeoutMs > 0)
    for (const offer of state.offers.values()) next = Math.min(next, offer.atMs + state.timings.offerTimeoutMs)
  return next
}
