/**
 * Subscriptions and the life of a framework: identity, takeover, disconnection, failover timeout, removal
 * (mesos-v1.md 1.4, 1.8, 2.9). Works on a draft.
 */
import type { FrameworkInfo, OfferConstraints, SubscribeCall } from '../mesos/messages.js'
import { changeAgent, changeFramework, drop, put, putFramework, sendEvent, sendToAgent } from './master-state.js'
import type { Draft, MasterFramework, MasterTask } from './master-state.js'
import { allocate, recoverOffers, release } from './offers.js'
import type { FrameworkBrief } from './protocol.js'
import { isTerminalState, masterStatus } from './task-status.js'
import { findFrameworkProblem, findOptionsProblem, findUpdateProblem, rolesOf } from './validate-framework.js'

/** Ids of removed frameworks are remembered up to this number, as on Mesos. */
const MAX_REMOVED_FRAMEWORKS = 50
const MAX_COMPLETED_TASKS = 1000

interface SubscriptionParts {
  readonly info: FrameworkInfo
  readonly suppressed: readonly string[]
  readonly constraints: OfferConstraints | undefined
}

function openStream(draft: Draft, streamId: string): void {
  draft.effects.push({ type: 'respond', response: { status: 200, headers: { 'Mesos-Stream-Id': streamId }, streamId } })
}

function refuse(draft: Draft, streamId: string, message: string): void {
  openStream(draft, streamId)
  draft.effects.push(
    { type: 'sendEvent', streamId, event: { type: 'ERROR', error: { message } } },
    { type: 'closeStream', streamId },
  )
}

function findSubscriptionProblem(draft: Draft, parts: SubscriptionParts, id: string | undefined): string | undefined {
  const problem = findFrameworkProblem(parts.info) ?? findOptionsProblem(parts.info, parts.suppressed, parts.constraints)
  if (problem !== undefined || id === undefined) return problem
  if (draft.state.removedFrameworks.some((removed) => removed.id === id)) return 'Framework has been removed'
  const known = draft.state.frameworks.get(id)
  const isKnownInfo = known !== undefined && known.info.name !== ''
  return isKnownInfo && known.info.principal !== parts.info.principal
    ? "Changing framework's principal is not allowed."
    : undefined
}

const withoutUndefined = (constraints: OfferConstraints | undefined): { constraints?: OfferConstraints } =>
  constraints === undefined ? {} : { constraints }

/** Replaces everything but what can never change; roles that are no longer suppressed lose their filters. */
function replaceInfo(framework: MasterFramework, parts: SubscriptionParts): MasterFramework {
  const { constraints: _, recovered: _brief, ...rest } = framework
  const kept =
    framework.info.name === ''
      ? parts.info
      : { ...parts.info, user: framework.info.user, checkpoint: framework.info.checkpoint ?? false }
  const revived = framework.suppressed.filter((role) => !parts.suppressed.includes(role))
  return {
    ...rest,
    info: { ...kept, id: { value: framework.id } },
    roles: rolesOf(parts.info),
    suppressed: parts.suppressed,
    filters: framework.filters.filter((filter) => !revived.includes(filter.role)),
    ...withoutUndefined(parts.constraints),
  }
}

/** A framework that is known from its agents only has no name until it subscribes. */
export function unknownFramework(id: string, user: string, checkpoint: boolean, recovered?: FrameworkBrief): MasterFramework {
  const info: FrameworkInfo = { user, name: '', checkpoint, id: { value: id } }
  return {
    id,
    info,
    ...(recovered === undefined ? {} : { recovered }),
    roles: [],
    suppressed: [],
    nextHeartbeatAtMs: 0,
    filters: [],
    tasks: new Map(),
    unreachableTasks: new Map(),
    completedTasks: [],
    pendingKills: [],
  }
}

function newFrameworkId(draft: Draft): string {
  const { numbers } = draft.state
  draft.state.numbers = { ...numbers, framework: numbers.framework + 1 }
  return `${draft.state.info.id}-${String(numbers.framework).padStart(4, '0')}`
}

export function subscribe(draft: Draft, call: SubscribeCall, streamId: string): void {
  const { framework_info: info, suppressed_roles: suppressed = [], offer_constraints: constraints } = call.subscribe
  const parts: SubscriptionParts = { info, suppressed, constraints }
  const wantedId = call.framework_id?.value === '' ? undefined : call.framework_id?.value
  const problem = findSubscriptionProblem(draft, parts, wantedId)
  if (problem !== undefined) return refuse(draft, streamId, problem)

  const id = wantedId ?? newFrameworkId(draft)
  const known = draft.state.frameworks.get(id) ?? unknownFramework(id, info.user, info.checkpoint ?? false)
  const isTakeover = known.streamId !== undefined
  if (known.streamId !== undefined) {
    sendEvent(draft, known, { type: 'ERROR', error: { message: 'Framework failed over' } })
    draft.effects.push({ type: 'closeStream', streamId: known.streamId })
  }
  recoverOffers(draft, (offer) => offer.frameworkId === id, false)
  const { failoverAtMs: _, ...replaced } = replaceInfo(known, parts)
  const nextHeartbeatAtMs = draft.env.atMs + draft.state.timings.heartbeatIntervalMs
  putFramework(draft, { ...replaced, streamId, nextHeartbeatAtMs })
  welcome(draft, id, streamId)
  // A stream that replaces an open one is offered to in the next cycle, any other at once.
  if (!isTakeover) allocate(draft)
}

function welcome(draft: Draft, id: string, streamId: string): void {
  const heartbeatSeconds = draft.state.timings.heartbeatIntervalMs / 1000
  openStream(draft, streamId)
  const subscribed = { framework_id: { value: id }, heartbeat_interval_seconds: heartbeatSeconds, master_info: draft.state.info }
  draft.effects.push(
    { type: 'sendEvent', streamId, event: { type: 'SUBSCRIBED', subscribed } },
    { type: 'sendEvent', streamId, event: { type: 'HEARTBEAT' } },
  )
  for (const agent of draft.state.agents.values()) sendToAgent(draft, agent, { type: 'frameworkSubscribed', frameworkId: id })
}

/** UPDATE_FRAMEWORK; the text of a 400, or undefined when applied. */
export function updateFramework(draft: Draft, framework: MasterFramework, parts: SubscriptionParts): string | undefined {
  const invalid = findFrameworkProblem(parts.info)
  if (invalid !== undefined) return `Supplied FrameworkInfo is not valid: ${invalid}`
  const refused = findUpdateProblem(framework.info, parts.info)
  if (refused !== undefined) return `FrameworkInfo update is not valid: ${refused}`
  const options = findOptionsProblem(parts.info, parts.suppressed, parts.constraints)
  if (options !== undefined) return `'UpdateFramework' call is not valid: ${options}`
  const next = replaceInfo(framework, parts)
  const isRevived =
    framework.suppressed.some((role) => !next.suppressed.includes(role)) ||
    next.roles.some((role) => !framework.roles.includes(role))
  putFramework(draft, next)
  recoverOffers(draft, (offer) => offer.frameworkId === framework.id && !next.roles.includes(offer.role), true)
  if (isRevived) allocate(draft)
  return undefined
}

/** The subscription's connection ended. */
export function disconnectFramework(draft: Draft, streamId: string): void {
  const framework = [...draft.state.frameworks.values()].find((candidate) => candidate.streamId === streamId)
  if (framework === undefined) return
  recoverOffers(draft, (offer) => offer.frameworkId === framework.id, false)
  const { streamId: _, ...rest } = framework
  const failoverAtMs = draft.env.atMs + Math.max(framework.info.failover_timeout ?? 0, 0) * 1000
  putFramework(draft, { ...rest, filters: [], failoverAtMs })
  if (failoverAtMs <= draft.env.atMs) removeFramework(draft, framework.id)
}

/** Teardown or failover timeout: everything of it is shut down; reservations and volumes stay with the role. */
export function removeFramework(draft: Draft, id: string): void {
  const framework = draft.state.frameworks.get(id)
  if (framework === undefined) return
  recoverOffers(draft, (offer) => offer.frameworkId === id, false)
  for (const task of framework.tasks.values()) {
    if (!isTerminalState(task.state)) release(draft, task.agentId, task.resources)
  }
  for (const agent of draft.state.agents.values()) {
    sendToAgent(draft, agent, { type: 'shutDownFramework', frameworkId: id })
    forgetWorkOf(draft, agent.id, id)
  }
  drop(draft, 'frameworks', id)
  const { streamId: _, ...rest } = framework
  const tasks = [...framework.tasks.values()].map((task) => killedWithFramework(task, draft.env.atMs))
  const removed = { ...rest, tasks: new Map<string, MasterTask>(), completedTasks: [...framework.completedTasks, ...tasks] }
  draft.state.removedFrameworks = [...draft.state.removedFrameworks, removed].slice(-MAX_REMOVED_FRAMEWORKS)
  if (framework.streamId !== undefined) draft.effects.push({ type: 'closeStream', streamId: framework.streamId })
}

/** In the master's own books only: nobody is told. */
function killedWithFramework(task: MasterTask, atMs: number): MasterTask {
  if (isTerminalState(task.state)) return task
  const { taskId, agentId, executorId } = task
  const status = masterStatus({
    taskId,
    agentId,
    executorId,
    state: 'TASK_KILLED',
    reason: 'REASON_FRAMEWORK_REMOVED',
    message: 'Framework removed',
    atMs,
  })
  return { ...task, state: 'TASK_KILLED', forwarded: status, statuses: [...task.statuses, status] }
}

/** Its executors on an agent, and its operations: nobody is left who could acknowledge them. */
function forgetWorkOf(draft: Draft, agentId: string, frameworkId: string): void {
  const agent = draft.state.agents.get(agentId)
  if (agent === undefined) return
  const isMine = (record: { readonly frameworkId: string }): boolean => record.frameworkId === frameworkId
  const mine = [...agent.executors.values()].filter(isMine)
  if (mine.length === 0 && ![...agent.operations.values()].some(isMine)) return
  const executors = new Map([...agent.executors].filter(([, executor]) => !isMine(executor)))
  const operations = new Map([...agent.operations].filter(([, operation]) => !isMine(operation)))
  changeAgent(draft, agentId, (current) => ({ ...current, executors, operations }))
  for (const executor of mine) release(draft, agentId, executor.resources)
}

/** Moves a task out of the list of known ones. */
export function completeTask(draft: Draft, task: MasterTask): void {
  changeFramework(draft, task.frameworkId, (framework) => {
    const tasks = new Map(framework.tasks)
    tasks.delete(task.taskId)
    return { ...framework, tasks, completedTasks: [...framework.completedTasks, task].slice(-MAX_COMPLETED_TASKS) }
  })
}

export function putTask(draft: Draft, task: MasterTask): void {
  const framework = draft.state.frameworks.get(task.frameworkId)
  if (framework !== undefined)
    put(draft, 'frameworks', framework.id, { ...framework, tasks: new Map(framework.tasks).set(task.taskId, task) })
}
