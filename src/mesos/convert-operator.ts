/**
 * Answers of the operator API -> the views of the core. Pure. Source: Mesos v1 `master::Response`; resources come in endpoint
 * format, both notations side by side.
 */
import { agentId, executorId, frameworkId, operationId, taskId } from '../ids.js'
import type {
  AgentView,
  AgentsView,
  DatedStatus,
  FrameworkView,
  KnownExecutor,
  KnownOperation,
  KnownTask,
} from '../scheduler/cluster-view.js'
import type { MesosTaskState } from '../state-machine/task-events.js'
import { fromContainer } from './convert-container.js'
import { fromOperationStatus, fromTaskStatus } from './convert-event.js'
import { fromLabels, fromResource } from './convert-resource.js'
import type * as wire from './messages.js'
import type {
  OperatorAgent,
  OperatorAnswers,
  OperatorExecutor,
  OperatorFramework,
  OperatorOperation,
  OperatorTask,
} from './messages-operator.js'

/** Calls have no payload but this one, whose payload must be there. */
export const operatorCall = (type: keyof OperatorAnswers): object =>
  type === 'GET_METRICS' ? { type, get_metrics: {} } : { type }

export function toFrameworkViews(answer: OperatorAnswers['GET_FRAMEWORKS']): FrameworkView[] {
  return [
    ...answer.frameworks.map((framework) => toFrameworkView(framework.framework_info, stateOf(framework))),
    ...answer.recovered_frameworks.map((info) => toFrameworkView(info, 'recovered')),
    ...answer.completed_frameworks.map((framework) => toFrameworkView(framework.framework_info, 'completed')),
  ]
}

const stateOf = ({ connected, active, recovered }: OperatorFramework): FrameworkView['state'] => {
  if (recovered === true) return 'recovered'
  return connected === true || active === true ? 'connected' : 'disconnected'
}

const toFrameworkView = (info: OperatorFramework['framework_info'], state: FrameworkView['state']): FrameworkView => ({
  id: frameworkId(info.id?.value ?? ''),
  name: info.name,
  roles: info.roles ?? (info.role === undefined ? [] : [info.role]),
  user: info.user,
  ...(info.principal === undefined ? {} : { principal: info.principal }),
  state,
})

/** `metrics` is absent where the master did not give them. */
export function toAgentsView(
  { agents, recovered_agents: recovered }: OperatorAnswers['GET_AGENTS'],
  metrics: OperatorAnswers['GET_METRICS'] | undefined,
): AgentsView {
  return {
    registered: agents.map(toAgentView),
    recovered: recovered.map((info) => ({ id: agentId(info.id?.value ?? ''), hostname: info.hostname })),
    unreachable: metrics?.metrics.find(({ name }) => name === 'master/slaves_unreachable')?.value,
  }
}

function toAgentView({ agent_info: info, active, deactivated, pid, total_resources: resources }: OperatorAgent): AgentView {
  const domain = info.domain?.fault_domain
  return {
    id: agentId(info.id?.value ?? ''),
    hostname: info.hostname,
    address: /@(.+):\d+$/.exec(pid ?? '')?.[1] ?? info.hostname,
    ...(domain === undefined ? {} : { region: domain.region.name, zone: domain.zone.name }),
    isActive: active === true && deactivated !== true,
    resources: toResources(resources),
  }
}

const toResources = (resources: readonly wire.Resource[] | undefined) =>
  (resources ?? []).flatMap((resource) => fromResource(resource) ?? [])

export const toKnownTasks = (answer: OperatorAnswers['GET_TASKS']): KnownTask[] => [
  ...answer.tasks.map((task) => toKnownTask(task, 'known')),
  ...answer.unreachable_tasks.map((task) => toKnownTask(task, 'unreachable')),
  ...answer.completed_tasks.map((task) => toKnownTask(task, 'completed')),
]

const toKnownTask = (task: OperatorTask, list: KnownTask['list']): KnownTask => ({
  id: taskId(task.task_id.value),
  name: task.name ?? '',
  frameworkId: frameworkId(task.framework_id.value),
  agentId: agentId(task.agent_id.value),
  ...(task.executor_id === undefined ? {} : { executorId: executorId(task.executor_id.value) }),
  state: task.state.slice('TASK_'.length) as MesosTaskState,
  list,
  labels: task.labels === undefined ? [] : fromLabels(task.labels),
  resources: toResources(task.resources),
  statuses: (task.statuses ?? []).map(toDatedStatus),
})

const toDatedStatus = (status: wire.TaskStatus): DatedStatus => ({
  ...fromTaskStatus(status),
  ...(status.timestamp === undefined ? {} : { sentAtMs: Math.round(status.timestamp * 1000) }),
})

export const toKnownExecutors = ({ executors }: OperatorAnswers['GET_EXECUTORS']): KnownExecutor[] =>
  executors.map(({ agent_id: agent, executor_info: info }: OperatorExecutor) => ({
    agentId: agentId(agent.value),
    ...(info.framework_id === undefined ? {} : { frameworkId: frameworkId(info.framework_id.value) }),
    executor: {
      executorId: executorId(info.executor_id.value),
      resources: toResources(info.resources),
      labels: info.labels === undefined ? [] : fromLabels(info.labels),
      ...(info.container === undefined ? {} : { container: fromContainer(info.container) }),
    },
  }))

export const toKnownOperations = ({ operations }: OperatorAnswers['GET_OPERATIONS']): KnownOperation[] =>
  operations.map(toKnownOperation)

function toKnownOperation(operation: OperatorOperation): KnownOperation {
  const { info, agent_id: agent, framework_id: framework, latest_status: status } = operation
  // A status that names no operation still has a state.
  const known = status === undefined ? undefined : fromOperationStatus({ operation_id: { value: '' }, ...status })
  return {
    ...(info.id === undefined ? {} : { id: operationId(info.id.value) }),
    ...(agent === undefined ? {} : { agentId: agentId(agent.value) }),
    ...(framework === undefined ? {} : { frameworkId: frameworkId(framework.value) }),
    type: info.type ?? 'UNKNOWN',
    ...(known === undefined ? {} : { state: known.state }),
    resources: toResources(resourcesOf(info)),
  }
}

/** Those that it reserves, or creates volumes on. */
function resourcesOf(info: OperatorOperation['info']): readonly wire.Resource[] {
  const payload = info[(info.type ?? '').toLowerCase()] as
    { readonly resources?: readonly wire.Resource[]; readonly volumes?: readonly wire.Resource[] } | undefined
  return payload?.resources ?? payload?.volumes ?? []
}
