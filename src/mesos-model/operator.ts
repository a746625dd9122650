/**
 * The operator calls that a scheduler or a test needs (mesos-v1.md 6.1): GET_* views, MARK_AGENT_GONE, draining, TEARDOWN.
 * All others are answered 501. Works on a draft.
 */
import type { Resource } from '../mesos/messages.js'
import { deactivateAgent, drainAgent, reactivateAgent, toDurationInfo } from './drain.js'
import { removeFramework } from './frameworks.js'
import { agentPid } from './master-state.js'
import type {
  Deactivation,
  Draft,
  MasterAgent,
  MasterFramework,
  MasterResponse,
  MasterState,
  MasterTask,
} from './master-state.js'
import { markGone } from './registration.js'
import type { OperatorCall } from './request.js'
import { addResources, allocateTo, toEndpointFormat, toResources, toWire } from './resources.js'
import type { Resources } from './resources.js'
import { isTerminalState } from './task-status.js'

const AGENT_CAPABILITIES = [
  'MULTI_ROLE',
  'HIERARCHICAL_ROLE',
  'RESERVATION_REFINEMENT',
  'RESIZE_VOLUME',
  'AGENT_OPERATION_FEEDBACK',
  'AGENT_DRAINING',
]

const nonEmpty = (name: string, list: readonly unknown[]): Record<string, unknown> => (list.length === 0 ? {} : { [name]: list })

const endpointResources = (resources: Resources): Resource[] => toWire(resources).map(toEndpointFormat)

const nanoseconds = (atMs: number): { nanoseconds: number } => ({ nanoseconds: Math.round(atMs * 1e6) })

/** Durations are asked for in seconds and shown in nanoseconds. */
function toDrainView({ state, config }: NonNullable<Deactivation['drain']>): object {
  const { maxGrace, markGone: marksGone } = config
  return { state, config: { ...(maxGrace === undefined ? {} : { max_grace_period: maxGrace }), mark_gone: marksGone } }
}

function toAgentView(state: MasterState, agent: MasterAgent): object {
  const offers = [...state.offers.values()].filter((offer) => offer.agentId === agent.id)
  const offered = offers.reduce<Resources>((sum, offer) => addResources(sum, allocateTo(offer.resources, offer.role)), [])
  const tasks = [...state.frameworks.values()].flatMap((framework) => [...framework.tasks.values()])
  const live = tasks.filter((task) => task.agentId === agent.id && !isTerminalState(task.state))
  const executors = [...agent.executors.values()].map((executor) => executor.info)
  const used = [...live.map((task) => task.info), ...executors].flatMap((info) => info.resources ?? [])
  const allocated = toWire(toResources(used))
  const deactivation = state.deactivated.get(agent.id)
  return {
    agent_info: {
      hostname: agent.hostname,
      port: agent.port,
      id: { value: agent.id },
      resources: agent.configured.map(toEndpointFormat),
      ...nonEmpty('attributes', agent.attributes),
      ...(agent.domain === undefined ? {} : { domain: agent.domain }),
    },
    active: agent.link !== undefined && deactivation === undefined,
    deactivated: deactivation !== undefined,
    version: state.info.version,
    pid: agentPid(agent),
    registered_time: nanoseconds(agent.registeredAtMs),
    ...nonEmpty('total_resources', endpointResources(agent.total)),
    ...nonEmpty('allocated_resources', allocated.map(toEndpointFormat)),
    ...nonEmpty('offered_resources', endpointResources(offered)),
    capabilities: AGENT_CAPABILITIES.map((type) => ({ type })),
    ...(deactivation?.drain === undefined ? {} : { drain_info: toDrainView(deactivation.drain) }),
  }
}

function toTaskView(task: MasterTask): object {
  const { name, labels, discovery, container, health_check: healthCheck } = task.info
  return {
    name,
    task_id: { value: task.taskId },
    framework_id: { value: task.frameworkId },
    ...(task.executorId === undefined ? {} : { executor_id: { value: task.executorId } }),
    agent_id: { value: task.agentId },
    state: task.state,
    ...nonEmpty('resources', task.info.resources ?? []),
    ...nonEmpty('statuses', task.statuses),
    ...(task.forwarded === undefined ? {} : { status_update_state: task.forwarded.state }),
    ...(task.forwarded?.uuid === undefined ? {} : { status_update_uuid: task.forwarded.uuid }),
    ...(labels === undefined ? {} : { labels }),
    ...(discovery === undefined ? {} : { discovery }),
    ...(container === undefined ? {} : { container }),
    ...(healthCheck === undefined ? {} : { health_check: healthCheck }),
  }
}

/** A master learns a framework's description from its agents before the framework subscribes. */
function recoveredInfo(brief: MasterFramework['recovered']): object {
  if (brief === undefined) return {}
  const { name = '', roles = [], principal } = brief
  return { name, ...nonEmpty('roles', roles), ...(principal === undefined ? {} : { principal }) }
}

const toFrameworkView = (framework: MasterFramework): object => ({
  framework_info: { ...framework.info, ...recoveredInfo(framework.recovered) },
  active: framework.streamId !== undefined,
  connected: framework.streamId !== undefined,
  recovered: framework.info.name === '',
})

/** These three and the two of GET_FRAMEWORKS are written even when empty. */
function tasksView(state: MasterState): Record<string, unknown> {
  const frameworks = [...state.frameworks.values()]
  return {
    tasks: frameworks.flatMap((framework) => [...framework.tasks.values()].map(toTaskView)),
    unreachable_tasks: frameworks.flatMap((framework) => [...framework.unreachableTasks.values()].map(toTaskView)),
    completed_tasks: [...frameworks, ...state.removedFrameworks].flatMap((framework) => framework.completedTasks.map(toTaskView)),
  }
}

const agentsView = (state: MasterState): Record<string, unknown> => ({
  ...nonEmpty(
    'agents',
    [...state.agents.values()].map((agent) => toAgentView(state, agent)),
  ),
  ...nonEmpty(
    'recovered_agents',
    [...state.recovered.keys()].map((id) => {
      const { hostname = '', port } = state.registryAgents.get(id) ?? {}
      return { id: { value: id }, hostname, ...(port === undefined ? {} : { port }) }
    }),
  ),
})

const frameworksView = (state: MasterState): Record<string, unknown> => ({
  frameworks: [...state.frameworks.values()].map(toFrameworkView),
  completed_frameworks: state.removedFrameworks.map((framework) => ({
    ...toFrameworkView(framework),
    active: false,
    connected: false,
  })),
})

const executorsView = (state: MasterState): Record<string, unknown> =>
  nonEmpty(
    'executors',
    [...state.agents.values()].flatMap((agent) =>
      [...agent.executors.values()].map((executor) => ({ agent_id: { value: agent.id }, executor_info: executor.info })),
    ),
  )

function operationsView(state: MasterState): Record<string, unknown> {
  const operations = [...state.agents.values()].flatMap((agent) =>
    [...agent.operations.values()].map((operation) => ({
      framework_id: { value: operation.frameworkId },
      agent_id: { value: agent.id },
      info: operation.operation,
      latest_status: operation.status ?? { state: 'OPERATION_PENDING' },
      uuid: { value: operation.uuid },
    })),
  )
  return nonEmpty('operations', operations)
}

/** Of the many that a real master has, those that count agents and frameworks. */
function metricsView(state: MasterState): Record<string, unknown> {
  const agents = [...state.agents.values()]
  const frameworks = [...state.frameworks.values()]
  const isActive = (agent: MasterAgent): boolean => agent.link !== undefined && !state.deactivated.has(agent.id)
  const counts = {
    'master/elected': 1,
    'master/slaves_connected': agents.filter((agent) => agent.link !== undefined).length,
    'master/slaves_disconnected': agents.filter((agent) => agent.link === undefined).length,
    'master/slaves_active': agents.filter(isActive).length,
    'master/slaves_inactive': agents.filter((agent) => !isActive(agent)).length,
    'master/slaves_unreachable': state.unreachable.size,
    'master/frameworks_connected': frameworks.filter((framework) => framework.streamId !== undefined).length,
    'master/frameworks_disconnected': frameworks.filter((framework) => framework.streamId === undefined).length,
  }
  return { metrics: Object.entries(counts).map(([name, value]) => ({ name, value })) }
}

function view(state: MasterState, type: string): Record<string, unknown> | undefined {
  switch (type) {
    case 'GET_HEALTH':
      return { healthy: true }
    case 'GET_VERSION':
      return { version_info: { version: state.info.version } }
    case 'GET_MASTER':
      return { master_info: state.info }
    case 'GET_AGENTS':
      return agentsView(state)
    case 'GET_FRAMEWORKS':
      return frameworksView(state)
    case 'GET_EXECUTORS':
      return executorsView(state)
    case 'GET_TASKS':
      return tasksView(state)
    case 'GET_OPERATIONS':
      return operationsView(state)
    case 'GET_METRICS':
      return metricsView(state)
    case 'GET_STATE':
      return {
        get_tasks: tasksView(state),
        get_executors: executorsView(state),
        get_frameworks: frameworksView(state),
        get_agents: agentsView(state),
      }
    default:
      return undefined
  }
}

const answerProblem = (problem: string | undefined): MasterResponse =>
  problem === undefined ? { status: 200 } : { status: 400, body: problem }

const missingPayload = (call: OperatorCall): MasterResponse => ({
  status: 400,
  body: `Failed to validate master::Call: Expecting '${call.type.toLowerCase()}' to be present`,
})

function answerMarkGone(draft: Draft, agentId: string): MasterResponse {
  return markGone(draft, agentId) ? { status: 200 } : { status: 404, body: `Agent '${agentId}' not found` }
}

function answerDrain(draft: Draft, payload: NonNullable<OperatorCall['drain_agent']>): MasterResponse {
  const { agent_id: agentId, max_grace_period: period, mark_gone: marksGone = false } = payload
  const maxGrace = period === undefined ? {} : { maxGrace: toDurationInfo(period) }
  return answerProblem(drainAgent(draft, agentId.value, { ...maxGrace, markGone: marksGone }))
}

function answerTeardown(draft: Draft, frameworkId: string): MasterResponse {
  if (!draft.state.frameworks.has(frameworkId)) return { status: 400, body: 'No framework found with specified ID' }
  removeFramework(draft, frameworkId)
  return { status: 200 }
}

export function answerOperator(draft: Draft, call: OperatorCall): MasterResponse {
  if (call.type === 'GET_METRICS' && call.get_metrics === undefined) return missingPayload(call)
  const answer = view(draft.state, call.type)
  if (answer !== undefined)
    return {
      status: 200,
      headers: { 'Content-Type': 'application/json' },
      body: { type: call.type, [call.type.toLowerCase()]: answer },
    }
  const { mark_agent_gone: gone, drain_agent: drain, deactivate_agent: deactivate, reactivate_agent: reactivate, teardown } = call
  switch (call.type) {
    case 'MARK_AGENT_GONE':
      return gone === undefined ? missingPayload(call) : answerMarkGone(draft, gone.agent_id.value)
    case 'DRAIN_AGENT':
      return drain === undefined ? missingPayload(call) : answerDrain(draft, drain)
    case 'DEACTIVATE_AGENT':
      return deactivate === undefined ? missingPayload(call) : answerProblem(deactivateAgent(draft, deactivate.agent_id.value))
    case 'REACTIVATE_AGENT':
      return reactivate === undefined ? missingPayload(call) : answerProblem(reactivateAgent(draft, reactivate.agent_id.value))
    case 'TEARDOWN':
      return teardown === undefined ? missingPayload(call) : answerTeardown(draft, teardown.framework_id.value)
    default:
      return { status: 501, body: `The local cluster does not have ${call.type}` }
  }
}
