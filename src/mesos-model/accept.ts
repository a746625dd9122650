/**
 * ACCEPT (mesos-v1.md 2.4): offers are consumed, operations applied in order to a running remainder, not as a
 * transaction; what is left goes back with the filter of the call, except what operations converted. Works on a draft.
 */
import type { ExecutorInfo, Operation, Resource, TaskInfo, TaskState } from '../mesos/messages.js'
import { putTask } from './frameworks.js'
import { agentPid, briefOf, changeAgent, drop, executorKey, put, sendEvent, sendToAgent, withEntry } from './master-state.js'
import type { Draft, MasterAgent, MasterFramework, MasterOffer } from './master-state.js'
import { addFilter, recoverOffer, recoverOffers, refuseMs, release } from './offers.js'
import { applyConversion, convert, describeMissing, findOperationProblem, findUnsupported } from './operations.js'
import type { ResourceOperation } from './operations.js'
import { bookResources } from './registration.js'
import { addResources, allocateTo, takeResources, toResources } from './resources.js'
import type { Resources } from './resources.js'
import { masterStatus, operationStatus } from './task-status.js'
import { hasCapability } from './validate-framework.js'
import { findGroupProblem, findLaunchProblem } from './validate-task.js'
import type { TaskContext } from './validate-task.js'

interface AcceptRequest {
  readonly offerIds: readonly string[]
  readonly operations: readonly Operation[]
  readonly refuseSeconds: number | undefined
}

/** What an ACCEPT works with while its operations are applied. */
interface Bench {
  readonly draft: Draft
  readonly frameworkId: string
  readonly agentId: string
  readonly role: string
  /** Allocated to the role. */
  remaining: Resources
  /** Converted by operations: exempt from the filter. */
  converted: Resources
}

const launchedTasks = (operation: Operation): readonly TaskInfo[] => {
  if (operation.type === 'LAUNCH') return operation.launch?.task_infos ?? []
  return operation.type === 'LAUNCH_GROUP' ? (operation.launch_group?.task_group?.tasks ?? []) : []
}

interface Refusal {
  readonly state: TaskState
  readonly reason: string
  readonly message: string
}

function refuseTasks(draft: Draft, framework: MasterFramework, tasks: readonly TaskInfo[], refusal: Refusal): void {
  const isAware = hasCapability(framework.info, 'PARTITION_AWARE')
  for (const task of tasks) {
    const state = refusal.state === 'TASK_DROPPED' && !isAware ? 'TASK_LOST' : refusal.state
    const status = masterStatus({
      ...refusal,
      state,
      taskId: task.task_id.value,
      agentId: task.agent_id.value,
      atMs: draft.env.atMs,
    })
    sendEvent(draft, framework, { type: 'UPDATE', update: { status } })
  }
}

function refuseOperation(draft: Draft, framework: MasterFramework, operation: Operation, message: string): void {
  if (operation.id === undefined) return
  const status = operationStatus(operation.id.value, 'OPERATION_ERROR', message)
  sendEvent(draft, framework, { type: 'UPDATE_OPERATION_STATUS', update_operation_status: { status } })
}

function findOffersProblem(draft: Draft, framework: MasterFramework, offerIds: readonly string[]): string | undefined {
  if (offerIds.length === 0) return 'No offers specified'
  for (const [index, id] of offerIds.entries()) {
    if (offerIds.indexOf(id) !== index) return `Duplicate offer ${id} in offer list`
    const offer = draft.state.offers.get(id)
    if (offer === undefined) return `Offer ${id} is no longer valid`
    if (offer.frameworkId !== framework.id)
      return `Offer ${id} has invalid framework ${offer.frameworkId} while framework ${framework.id} is expected`
  }
  const offers = offerIds.map((id) => draft.state.offers.get(id)).filter((offer) => offer !== undefined)
  const first = offers[0]
  for (const offer of offers) {
    if (first !== undefined && offer.agentId !== first.agentId) {
      return `Aggregated offers must belong to one single agent. Offer ${offer.id} uses agent ${offer.agentId} and agent ${first.agentId}`
    }
    if (first !== undefined && offer.role !== first.role)
      return `Aggregated offers must be allocated to the same role. Offer ${offer.id} uses role ${offer.role} but another is using role ${first.role}`
  }
  return undefined
}

export function acceptOffers(draft: Draft, framework: MasterFramework, request: AcceptRequest): void {
  const problem = findOffersProblem(draft, framework, request.offerIds)
  const offers = request.offerIds.map((id) => draft.state.offers.get(id)).filter((offer) => offer !== undefined)
  const first = offers[0]
  if (problem !== undefined || first === undefined) {
    for (const offer of new Set(offers)) recoverOffer(draft, offer)
    return refuseAll(draft, framework, request.operations, problem ?? 'No offers specified')
  }
  for (const offer of offers) drop(draft, 'offers', offer.id)
  const { agentId, role } = first
  const remaining = allocateTo(offers.map((offer) => offer.resources).reduce(addResources, []), role)
  const bench: Bench = { draft, frameworkId: framework.id, agentId, role, remaining, converted: [] }
  for (const operation of request.operations) perform(bench, operation)
  giveBack(bench, first, request.refuseSeconds)
}

function refuseAll(draft: Draft, framework: MasterFramework, operations: readonly Operation[], problem: string): void {
  for (const operation of operations) {
    const message = `Task launched with invalid offers: ${problem}`
    refuseTasks(draft, framework, launchedTasks(operation), { state: 'TASK_DROPPED', reason: 'REASON_INVALID_OFFERS', message })
    if (!isLaunch(operation)) refuseOperation(draft, framework, operation, `Operation attempted with invalid offers: ${problem}`)
  }
}

const isLaunch = (operation: Operation): operation is Extract<Operation, { type: 'LAUNCH' | 'LAUNCH_GROUP' }> =>
  operation.type === 'LAUNCH' || operation.type === 'LAUNCH_GROUP'

/** The rest is free again; the filter does not cover what operations made of it. */
function giveBack(bench: Bench, offer: MasterOffer, refuseSeconds: number | undefined): void {
  const rest = allocateTo(bench.remaining, undefined)
  release(bench.draft, bench.agentId, rest)
  const convertedKeys = new Set(bench.converted.map((holding) => holding.key))
  const unconverted = bench.remaining.filter((holding) => !convertedKeys.has(holding.key))
  addFilter(bench.draft, offer, allocateTo(unconverted, undefined), refuseMs(refuseSeconds))
}

function perform(bench: Bench, operation: Operation): void {
  const framework = bench.draft.state.frameworks.get(bench.frameworkId)
  const agent = bench.draft.state.agents.get(bench.agentId)
  if (framework === undefined || agent === undefined) return
  switch (operation.type) {
    case 'LAUNCH':
      return launch(bench, framework, operation.launch?.task_infos ?? [], operation.id !== undefined)
    case 'LAUNCH_GROUP':
      return launchGroup(bench, framework, operation.launch_group.executor, launchedTasks(operation), operation.id !== undefined)
    case 'RESERVE':
    case 'UNRESERVE':
    case 'CREATE':
    case 'DESTROY':
    case 'GROW_VOLUME':
    case 'SHRINK_VOLUME':
      return performResourceOperation(bench, framework, agent, operation)
    default:
      // An unknown or missing type: dropped, with feedback if asked for.
      return refuseOperation(bench.draft, framework, operation, 'Unsupported operation')
  }
}

/** Whether the payload that belongs to the type is there; the wire allows it to be missing. */
function hasPayload(operation: ResourceOperation): boolean {
  return (operation as unknown as Record<string, unknown>)[operation.type.toLowerCase()] !== undefined
}

function performResourceOperation(
  bench: Bench,
  framework: MasterFramework,
  agent: MasterAgent,
  operation: ResourceOperation,
): void {
  const { draft, role } = bench
  if (!hasPayload(operation))
    return refuseOperation(draft, framework, operation, `Expecting '${operation.type.toLowerCase()}' to be present`)
  const unsupported = findUnsupported(operation)
  if (unsupported !== undefined)
    return refuseOperation(draft, framework, operation, `Operation attempted with invalid resources: ${unsupported}`)
  const used = tasksOf(draft, agent.id)
  const problem = findOperationProblem(operation, { role, principal: framework.info.principal, agentTotal: agent.total, used })
  if (problem !== undefined)
    return refuseOperation(
      draft,
      framework,
      operation,
      `${problem}; on agent ${agent.id} at ${agentPid(agent)} (${agent.hostname})`,
    )
  const conversion = convert(operation, role)
  const remaining = applyConversion(bench.remaining, conversion)
  if (remaining === undefined) return refuseOperation(draft, framework, operation, describeMissing(bench.remaining, conversion))
  bench.remaining = remaining
  bench.converted = addResources(bench.converted, conversion.converted)
  bookOperation(draft, agent.id, framework.id, stripAllocation(operation))
}

const tasksOf = (draft: Draft, agentId: string): Resources =>
  [...draft.state.frameworks.values()].flatMap((framework) =>
    [...framework.tasks.values()].filter((task) => task.agentId === agentId).flatMap((task) => task.resources),
  )

/** An agent's books know no allocation. */
function stripAllocation<T>(value: T): T {
  return JSON.parse(JSON.stringify(value, (key, entry: unknown) => (key === 'allocation_info' ? undefined : entry))) as T
}

/** Booked at once, sent to the agent, confirmed later. */
function bookOperation(draft: Draft, agentId: string, frameworkId: string, operation: ResourceOperation): void {
  const uuid = draft.env.uuid()
  const operationId = operation.id?.value
  const conversion = convert(operation)
  const record = { uuid, frameworkId, operation, ...(operationId === undefined ? {} : { operationId }) }
  changeAgent(draft, agentId, (agent) => ({
    ...agent,
    total: applyConversion(agent.total, conversion) ?? agent.total,
    operations: withEntry(agent.operations, uuid, record),
  }))
  const message = { type: 'applyOperation', ...record } as const
  sendToAgent(draft, draft.state.agents.get(agentId), message)
  if (operation.type === 'DESTROY') rescindVolumeOffers(draft, conversion.consumed)
}

function rescindVolumeOffers(draft: Draft, volumes: Resources): void {
  const keys = new Set(volumes.map((volume) => volume.key))
  recoverOffers(draft, (offer) => offer.resources.some((holding) => keys.has(holding.key)), true)
}

function taskContext(bench: Bench, framework: MasterFramework): TaskContext {
  const { draft, agentId, role } = bench
  return {
    frameworkId: framework.id,
    agentId,
    role,
    isIdTaken: (taskId) => framework.tasks.has(taskId) || framework.unreachableTasks.has(taskId),
    runningExecutor: (executorId) => draft.state.agents.get(agentId)?.executors.get(executorKey(framework.id, executorId))?.info,
    tasksOfExecutor: (executorId) =>
      [...framework.tasks.values(), ...framework.unreachableTasks.values()].flatMap((task) =>
        task.agentId === agentId && task.executorId === executorId ? [task.info] : [],
      ),
  }
}

const inRole = (resources: readonly Resource[] | undefined, role: string): Resource[] =>
  (resources ?? []).map((resource) =>
    resource.allocation_info?.role === undefined ? { ...resource, allocation_info: { role } } : resource,
  )

function bookTask(bench: Bench, task: TaskInfo, executorId: string | undefined): TaskInfo {
  const info: TaskInfo = { ...task, resources: inRole(task.resources, bench.role) }
  bench.remaining = takeResources(bench.remaining, toResources(info.resources, bench.role)) ?? bench.remaining
  putTask(bench.draft, {
    frameworkId: bench.frameworkId,
    taskId: task.task_id.value,
    agentId: bench.agentId,
    info,
    ...(executorId === undefined ? {} : { executorId }),
    resources: bookResources(task.resources),
    state: 'TASK_STAGING',
    statuses: [],
  })
  return info
}

function launch(bench: Bench, framework: MasterFramework, tasks: readonly TaskInfo[], hasId: boolean): void {
  const { draft, agentId } = bench
  for (const task of tasks) {
    const current = draft.state.frameworks.get(framework.id) ?? framework
    const problem = hasId
      ? 'The `id` field cannot be set on LAUNCH operations'
      : findLaunchProblem(task, taskContext(bench, current), bench.remaining)
    if (problem !== undefined) {
      refuseTasks(draft, framework, [task], { state: 'TASK_ERROR', reason: 'REASON_TASK_INVALID', message: problem })
      continue
    }
    const info = bookTask(bench, task, undefined)
    sendToAgent(draft, draft.state.agents.get(agentId), { type: 'launch', framework: briefOf(framework), tasks: [info] })
  }
}

function launchGroup(
  bench: Bench,
  framework: MasterFramework,
  executor: ExecutorInfo,
  tasks: readonly TaskInfo[],
  hasId: boolean,
): void {
  const { draft, agentId, role } = bench
  const problem = hasId
    ? 'The `id` field cannot be set on LAUNCH_GROUP operations'
    : findGroupProblem(tasks, executor, taskContext(bench, framework), bench.remaining)
  if (problem !== undefined) {
    const message = problem.replace(/^Task '[^']*' is invalid: (Task has duplicate ID)/, '$1')
    return refuseTasks(draft, framework, tasks, { state: 'TASK_ERROR', reason: 'REASON_TASK_GROUP_INVALID', message })
  }
  const executorId = executor.executor_id.value
  const key = executorKey(framework.id, executorId)
  const agent = draft.state.agents.get(agentId)
  const info: ExecutorInfo = { ...executor, resources: inRole(executor.resources, role) }
  if (agent !== undefined && !agent.executors.has(key)) {
    bench.remaining = takeResources(bench.remaining, toResources(info.resources, role)) ?? bench.remaining
    const record = { frameworkId: framework.id, info, resources: bookResources(executor.resources) }
    put(draft, 'agents', agentId, { ...agent, executors: withEntry(agent.executors, key, record) })
  }
  const infos = tasks.map((task) => bookTask(bench, task, executorId))
  sendToAgent(draft, draft.state.agents.get(agentId), {
    type: 'launch',
    framework: briefOf(framework),
    executor: info,
    tasks: infos,
  })
}
