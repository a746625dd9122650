/**
 * The master's side of agents: registration and return, broken connections, unreachable, gone, replaced
 * (mesos-v1.md 4.3, 4.9, 5.3). Works on a draft. What an agent reports of itself wins over the master's books.
 */
import type { OperationState, TaskState } from '../mesos/messages.js'
import { completeTask, putTask, unknownFramework } from './frameworks.js'
import {
  briefOf,
  changeFramework,
  drop,
  executorKey,
  put,
  putAgent,
  putFramework,
  sendEvent,
  sendToAgent,
  storeRegistry,
} from './master-state.js'
import type { Draft, MasterAgent, MasterExecutor, MasterFramework, MasterOperation, MasterTask } from './master-state.js'
import { allocate, recoverOffers } from './offers.js'
import type { AgentRegistration, ReportedOperation, ReportedTask } from './protocol.js'
import { addResources, allocateTo, takeResources, toResources } from './resources.js'
import type { Resources } from './resources.js'
import { isTerminalState, masterStatus, operationStatus } from './task-status.js'
import { hasCapability } from './validate-framework.js'

export const findAgentByLink = (draft: Draft, link: string): MasterAgent | undefined =>
  [...draft.state.agents.values()].find((agent) => agent.link === link)

const pingBudgetMs = (draft: Draft): number => draft.state.timings.agentPingTimeoutMs * draft.state.timings.maxAgentPingTimeouts

const isPartitionAware = (framework: MasterFramework): boolean => hasCapability(framework.info, 'PARTITION_AWARE')

/** Tasks carry the role they run for; the books of agents do not. */
export const bookResources = (list: Parameters<typeof toResources>[0]): Resources => allocateTo(toResources(list), undefined)

const tasksOn = (draft: Draft, agentId: string): MasterTask[] =>
  [...draft.state.frameworks.values()].flatMap((framework) =>
    [...framework.tasks.values()].filter((task) => task.agentId === agentId),
  )

/** What an agent still has of frameworks that were removed while it was away ends now, and counts no more. */
function withoutRemoved(draft: Draft, link: string, message: AgentRegistration): AgentRegistration {
  const isRemoved = (frameworkId: string): boolean => draft.state.removedFrameworks.some(({ id }) => id === frameworkId)
  const tasks = message.tasks.filter((task) => !isRemoved(task.framework.id))
  const executors = message.executors.filter((executor) => !isRemoved(executor.frameworkId))
  const operations = message.operations.filter((operation) => !isRemoved(operation.frameworkId))
  const reported = [
    ...message.tasks.map((task) => task.framework.id),
    ...[...message.executors, ...message.operations].map((record) => record.frameworkId),
  ]
  for (const frameworkId of new Set(reported.filter(isRemoved)))
    draft.effects.push({ type: 'toAgent', link, message: { type: 'shutDownFramework', frameworkId } })
  return { ...message, tasks, executors, operations }
}

export function registerAgent(draft: Draft, link: string, received: AgentRegistration): void {
  const { agentId } = received
  if (agentId !== undefined && draft.state.gone.has(agentId)) {
    draft.effects.push({ type: 'toAgent', link, message: { type: 'shutDown', message: 'Agent has been marked gone' } })
    return
  }
  const registered = (id: string): void =>
    void draft.effects.push({
      type: 'toAgent',
      link,
      message: { type: 'registered', agentId: id, pingTimeoutMs: draft.state.timings.agentPingTimeoutMs },
    })
  const present = agentId === undefined ? agentAt(draft, received) : undefined
  // It has not had its answer yet, which is given again; what was sent to it since is on its way, and not lost.
  if (present?.link === link) return registered(present.id)
  const id = agentId ?? assignAgentId(draft, present)
  const message = withoutRemoved(draft, link, received)
  recoverOffers(draft, (offer) => offer.agentId === id, true)
  const wasUnreachable = draft.state.unreachable.has(id)
  putAgent(draft, buildAgent(draft, id, link, message))
  if (wasUnreachable) drop(draft, 'unreachable', id)
  if (draft.state.recovered.has(id)) drop(draft, 'recovered', id)
  registered(id)
  reconcileRegistered(draft, id, message, wasUnreachable)
  storeRegistry(draft)
  allocate(draft, [id])
}

const agentAt = (draft: Draft, { agent: { ip, port } }: AgentRegistration): MasterAgent | undefined =>
  [...draft.state.agents.values()].find((agent) => agent.ip === ip && agent.port === port)

/** A new agent at the address of an old one replaces it: the old one's tasks are lost, capability or not. */
function assignAgentId(draft: Draft, old: MasterAgent | undefined): string {
  if (old !== undefined)
    removeAgent(
      draft,
      old,
      'TASK_LOST',
      'REASON_AGENT_REMOVED',
      `Agent ${old.hostname} removed: a new agent registered at the same address`,
    )
  const { numbers } = draft.state
  draft.state.numbers = { ...numbers, agent: numbers.agent + 1 }
  return `${draft.state.info.id}-S${numbers.agent}`
}

function buildAgent(draft: Draft, id: string, link: string, message: AgentRegistration): MasterAgent {
  const { hostname, ip, port, attributes, domain, resources } = message.agent
  const known = draft.state.agents.get(id)
  const total = bookResources(message.total)
  const executors = new Map<string, MasterExecutor>(
    message.executors.map(({ frameworkId, executor }) => [
      executorKey(frameworkId, executor.executor_id.value),
      { frameworkId, info: executor, resources: bookResources(executor.resources) },
    ]),
  )
  let used: Resources = []
  for (const executor of executors.values()) used = addResources(used, executor.resources)
  for (const task of message.tasks) {
    if (!isTerminalState(task.latestState)) used = addResources(used, bookResources(task.task.resources))
  }
  return {
    id,
    hostname,
    ip,
    port,
    attributes,
    ...(domain === undefined ? {} : { domain }),
    configured: resources,
    registeredAtMs: known?.registeredAtMs ?? draft.env.atMs,
    total,
    free: takeResources(total, used) ?? [],
    link,
    executors,
    // Of those that a new master, or one that gave the agent up, does not know, the agent tells the result next.
    operations: new Map([...message.operations.map(toOperation), ...(known?.operations ?? [])]),
  }
}

const toOperation = (reported: ReportedOperation): [string, MasterOperation] => [reported.uuid, reported]

function reconcileRegistered(draft: Draft, agentId: string, message: AgentRegistration, wasUnreachable: boolean): void {
  const reported = new Set(message.tasks.map((task) => executorKey(task.framework.id, task.task.task_id.value)))
  for (const task of message.tasks) adoptTask(draft, agentId, task, wasUnreachable)
  forgetUnreachableTasks(draft, agentId)
  const missing = tasksOn(draft, agentId).filter((task) => !reported.has(executorKey(task.frameworkId, task.taskId)))
  const lost = missing.filter((task) => !isTerminalState(task.state))
  for (const task of missing) {
    if (isTerminalState(task.state)) completeTask(draft, task)
    // Their resources are no longer in the agent's books: whatever end they find must not free them once more.
    else putTask(draft, { ...task, resources: [] })
  }
  const agent = draft.state.agents.get(agentId)
  const questions = lost.flatMap(({ frameworkId, taskId }) => {
    const framework = draft.state.frameworks.get(frameworkId)
    return framework === undefined ? [] : [{ framework: briefOf(framework), taskId }]
  })
  if (questions.length > 0) sendToAgent(draft, agent, { type: 'reconcileTasks', tasks: questions })
  dropLostOperations(draft, agentId, new Set(message.operations.map((operation) => operation.uuid)))
  deliverKills(draft, agentId)
}

/** Those that the agent has not brought back are no longer out of reach: they are gone. */
function forgetUnreachableTasks(draft: Draft, agentId: string): void {
  for (const framework of draft.state.frameworks.values()) {
    const left = [...framework.unreachableTasks].filter(([, task]) => task.agentId !== agentId)
    if (left.length < framework.unreachableTasks.size) putFramework(draft, { ...framework, unreachableTasks: new Map(left) })
  }
}

function dropLostOperations(draft: Draft, agentId: string, reported: ReadonlySet<string>): void {
  const agent = draft.state.agents.get(agentId)
  if (agent === undefined) return
  for (const operation of agent.operations.values()) {
    if (reported.has(operation.uuid)) continue
    if (operation.operationId !== undefined && operation.status === undefined) {
      const status = operationStatus(operation.operationId, 'OPERATION_DROPPED', undefined, agentId)
      sendEvent(draft, draft.state.frameworks.get(operation.frameworkId), {
        type: 'UPDATE_OPERATION_STATUS',
        update_operation_status: { status },
      })
    }
  }
  putAgent(draft, { ...agent, operations: new Map([...agent.operations].filter(([uuid]) => reported.has(uuid))) })
}

function deliverKills(draft: Draft, agentId: string): void {
  const agent = draft.state.agents.get(agentId)
  for (const framework of draft.state.frameworks.values()) {
    const mine = framework.pendingKills.filter((kill) => kill.agentId === agentId)
    if (mine.length === 0) continue
    for (const kill of mine) sendToAgent(draft, agent, kill.message)
    putFramework(draft, { ...framework, pendingKills: framework.pendingKills.filter((kill) => kill.agentId !== agentId) })
  }
}

/** A task that the agent reports: known, back from being unreachable, or new to this master. */
function adoptTask(draft: Draft, agentId: string, report: ReportedTask, wasUnreachable: boolean): void {
  const { id, user, checkpoint } = report.framework
  const framework = draft.state.frameworks.get(id) ?? unknownFramework(id, user, checkpoint, report.framework)
  const taskId = report.task.task_id.value
  const unreachableTask = framework.unreachableTasks.get(taskId)
  const known = framework.tasks.get(taskId) ?? unreachableTask
  const task: MasterTask = {
    frameworkId: id,
    taskId,
    agentId,
    info: report.task,
    ...(report.executorId === undefined ? {} : { executorId: report.executorId }),
    resources: bookResources(report.task.resources),
    state: report.latestState,
    ...(report.status === undefined ? {} : { forwarded: report.status }),
    statuses: known?.statuses ?? (report.status === undefined ? [] : [report.status]),
  }
  const unreachableTasks = new Map(framework.unreachableTasks)
  unreachableTasks.delete(taskId)
  putFramework(draft, { ...framework, unreachableTasks, tasks: new Map(framework.tasks).set(taskId, task) })
  if (wasUnreachable && known !== undefined) announceReturn(draft, task)
}

function announceReturn(draft: Draft, task: MasterTask): void {
  const { check_status, healthy, container_status } = task.forwarded ?? {
    task_id: { value: '' },
    state: 'TASK_STAGING' as TaskState,
  }
  const status = {
    ...masterStatus({
      taskId: task.taskId,
      state: task.forwarded?.state ?? 'TASK_STAGING',
      reason: 'REASON_AGENT_REREGISTERED',
      message: 'Unreachable agent re-reregistered',
      agentId: task.agentId,
      executorId: task.executorId,
      atMs: draft.env.atMs,
    }),
    ...(healthy === undefined ? {} : { healthy }),
    ...(check_status === undefined ? {} : { check_status }),
    ...(container_status === undefined ? {} : { container_status }),
  }
  sendEvent(draft, draft.state.frameworks.get(task.frameworkId), { type: 'UPDATE', update: { status } })
}

/** The connection broke: offers go at once, tasks only after the ping budget (unless their framework keeps no checkpoint). */
export function disconnectAgent(draft: Draft, link: string): void {
  const agent = findAgentByLink(draft, link)
  if (agent === undefined) return
  const { link: _, ...rest } = agent
  putAgent(draft, { ...rest, unreachableAtMs: agent.unreachableAtMs ?? draft.env.atMs + pingBudgetMs(draft) })
  recoverOffers(draft, (offer) => offer.agentId === agent.id, true)
  for (const task of tasksOn(draft, agent.id)) {
    const framework = draft.state.frameworks.get(task.frameworkId)
    if (framework?.info.checkpoint === true || isTerminalState(task.state)) continue
    loseTask(draft, task, 'TASK_LOST', 'REASON_AGENT_DISCONNECTED', `Agent ${agent.hostname} disconnected`)
    const current = draft.state.agents.get(agent.id)
    if (current !== undefined) putAgent(draft, { ...current, free: addResources(current.free, task.resources) })
  }
}

export function suspectAgent(draft: Draft, link: string, sinceMs: number): void {
  const agent = findAgentByLink(draft, link)
  if (agent !== undefined && agent.unreachableAtMs === undefined)
    putAgent(draft, { ...agent, unreachableAtMs: sinceMs + pingBudgetMs(draft) })
}

export function hearAgent(draft: Draft, link: string): void {
  const agent = findAgentByLink(draft, link)
  if (agent?.unreachableAtMs === undefined) return
  const { unreachableAtMs: _, ...rest } = agent
  putAgent(draft, rest)
}

function loseTask(
  draft: Draft,
  task: MasterTask,
  state: TaskState,
  reason: string,
  message: string,
  unreachableAtMs?: number,
): void {
  const framework = draft.state.frameworks.get(task.frameworkId)
  if (framework === undefined) return
  const lostState = state === 'TASK_LOST' || isPartitionAware(framework) ? state : 'TASK_LOST'
  const status = {
    ...masterStatus({
      taskId: task.taskId,
      state: lostState,
      reason,
      message,
      agentId: task.agentId,
      executorId: task.executorId,
      atMs: draft.env.atMs,
    }),
    ...(unreachableAtMs === undefined ? {} : { unreachable_time: { nanoseconds: Math.round(unreachableAtMs * 1e6) } }),
  }
  sendEvent(draft, framework, { type: 'UPDATE', update: { status } })
  const ended = { ...task, state: lostState, forwarded: status, statuses: [...task.statuses, status] }
  if (unreachableAtMs === undefined) return completeTask(draft, ended)
  changeFramework(draft, framework.id, (current) => {
    const tasks = new Map(current.tasks)
    tasks.delete(task.taskId)
    return { ...current, tasks, unreachableTasks: new Map(current.unreachableTasks).set(task.taskId, ended) }
  })
}

/** Its silence exceeded the ping budget. */
export function markUnreachable(draft: Draft, agent: MasterAgent): void {
  put(draft, 'unreachable', agent.id, draft.env.atMs)
  removeAgent(draft, agent, 'TASK_UNREACHABLE', 'REASON_AGENT_REMOVED', 'health check timed out', draft.env.atMs)
}

/** Operations and tasks first, then rescinds, then FAILURE to everybody: the order of a real master. */
export function removeAgent(
  draft: Draft,
  agent: MasterAgent,
  state: TaskState,
  reason: string,
  message: string,
  unreachableAtMs?: number,
): void {
  loseOperations(draft, agent, state)
  for (const task of tasksOn(draft, agent.id)) {
    if (isTerminalState(task.state)) completeTask(draft, task)
    else loseTask(draft, task, state, reason, message, unreachableAtMs)
  }
  recoverOffers(draft, (offer) => offer.agentId === agent.id, true)
  drop(draft, 'agents', agent.id)
  // An agent that is only out of reach is drained when it is back; one that is removed is forgotten.
  if (unreachableAtMs === undefined) drop(draft, 'deactivated', agent.id)
  // The connection stays: an agent that is heard of again is told to register anew.
  for (const framework of draft.state.frameworks.values())
    sendEvent(draft, framework, { type: 'FAILURE', failure: { agent_id: { value: agent.id } } })
  storeRegistry(draft)
}

/** An agent that unregisters or is replaced says nothing of its operations. */
const LOST_OPERATIONS: Partial<Record<TaskState, readonly [state: OperationState, message: string]>> = {
  TASK_UNREACHABLE: ['OPERATION_UNREACHABLE', 'Agent was marked unreachable'],
  TASK_GONE_BY_OPERATOR: ['OPERATION_GONE_BY_OPERATOR', 'Agent has been marked gone'],
}

function loseOperations(draft: Draft, agent: MasterAgent, taskState: TaskState): void {
  const [state, message] = LOST_OPERATIONS[taskState] ?? []
  if (state === undefined) return
  for (const operation of agent.operations.values()) {
    const isOver = operation.status !== undefined && state !== 'OPERATION_GONE_BY_OPERATOR'
    if (operation.operationId === undefined || isOver) continue
    const status = operationStatus(operation.operationId, state, message, agent.id)
    sendEvent(draft, draft.state.frameworks.get(operation.frameworkId), {
      type: 'UPDATE_OPERATION_STATUS',
      update_operation_status: { status },
    })
  }
}

/** MARK_AGENT_GONE: an operator vouches that its tasks have ended and its data is lost. */
export function markGone(draft: Draft, agentId: string): boolean {
  const agent = draft.state.agents.get(agentId)
  const isKnown = agent !== undefined || draft.state.unreachable.has(agentId) || draft.state.recovered.has(agentId)
  if (draft.state.gone.has(agentId)) return true
  if (!isKnown) return false
  draft.state.gone = new Set([...draft.state.gone, agentId])
  if (agent !== undefined) {
    sendToAgent(draft, agent, { type: 'shutDown', message: 'Agent has been marked gone' })
    removeAgent(draft, agent, 'TASK_GONE_BY_OPERATOR', 'REASON_AGENT_REMOVED_BY_OPERATOR', 'Agent has been marked gone')
  } else {
    loseUnreachableTasks(draft, agentId)
  }
  if (draft.state.unreachable.has(agentId)) drop(draft, 'unreachable', agentId)
  if (draft.state.recovered.has(agentId)) drop(draft, 'recovered', agentId)
  drop(draft, 'deactivated', agentId)
  storeRegistry(draft)
  return true
}

function loseUnreachableTasks(draft: Draft, agentId: string): void {
  for (const framework of draft.state.frameworks.values()) {
    for (const task of framework.unreachableTasks.values()) {
      if (task.agentId !== agentId) continue
      loseTask(draft, task, 'TASK_GONE_BY_OPERATOR', 'REASON_AGENT_REMOVED_BY_OPERATOR', 'Agent has been marked gone')
      changeFramework(draft, framework.id, (current) => {
        const unreachableTasks = new Map(current.unreachableTasks)
        unreachableTasks.delete(task.taskId)
        return { ...current, unreachableTasks }
      })
    }
  }
}
