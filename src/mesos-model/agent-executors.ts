/**
 * Executors of an agent and their tasks (mesos-v1.md 2.6, 4.2, 4.7): launches, queues, kills, ends. Works on a draft. Part
 * of `agent.ts`, which decides when each of these happens.
 */
import type { ExecutorInfo, Resource, TaskInfo, TaskState, TaskStatus } from '../mesos/messages.js'
import type { AgentExecutor, AgentTask } from './agent-state.js'
import { addStatus, putExecutor, putOperation, putTask } from './agent-updates.js'
import type { AgentDraft } from './agent-updates.js'
import { executorKey } from './master-state.js'
import type { ExecutorToAgent, FrameworkBrief, MasterToAgent } from './protocol.js'
import { addResources, allocateTo, containsResources, toResources } from './resources.js'
import type { Resources } from './resources.js'
import { agentStatus, isTerminalState } from './task-status.js'

const tasksOf = (draft: AgentDraft, key: string): [string, AgentTask][] =>
  Object.entries(draft.state.tasks).filter(([, task]) => task.executorKey === key)

/** An executor is forgotten when it has ended and the last of its updates was acknowledged. */
export function forgetExecutor(draft: AgentDraft, key: string): void {
  if (draft.state.executors[key]?.phase === 'ended' && tasksOf(draft, key).length === 0) putExecutor(draft, key, undefined)
}

export function newTask(
  draft: AgentDraft,
  framework: FrameworkBrief,
  info: TaskInfo,
  key: string,
  executorId: string | undefined,
): void {
  putTask(draft, executorKey(framework.id, info.task_id.value), {
    framework,
    info,
    executorKey: key,
    ...(executorId === undefined ? {} : { executorId }),
    latestState: 'TASK_STAGING',
    pending: [],
    sendAtMs: 0,
    retryMs: draft.timings.updateRetryMs,
    seen: [],
  })
}

interface Refusal {
  readonly state: TaskState
  readonly reason: string
  readonly message: string
}

/** What frameworks that do not know the finer states are told instead. */
const COARSE_STATES: Partial<Record<TaskState, TaskState>> = { TASK_DROPPED: 'TASK_LOST', TASK_GONE: 'TASK_LOST' }

/** Ends a task with a status of the agent's own. */
export function endTask(draft: AgentDraft, key: string, refusal: Refusal, withExecutor: boolean): void {
  const task = draft.state.tasks[key]
  if (task === undefined) return
  const executor = draft.state.executors[task.executorKey]
  const executorId = withExecutor ? (task.executorId ?? executor?.executorId) : undefined
  const state = (task.framework.isPartitionAware ? undefined : COARSE_STATES[refusal.state]) ?? refusal.state
  const parts = { taskId: task.info.task_id.value, ...refusal, state, agentId: draft.state.id, executorId, atMs: draft.env.atMs }
  addStatus(draft, key, agentStatus(parts, draft.env.uuid()))
}

const isSpecial = (resource: Resource): boolean =>
  resource.reservations !== undefined || resource.reservation !== undefined || resource.disk !== undefined

/** Worked out once for each task and executor: they never change, and every operation asks. */
const heldBy = new WeakMap<TaskInfo | ExecutorInfo, Resources>()

function heldByOne(info: TaskInfo | ExecutorInfo): Resources {
  const known = heldBy.get(info)
  if (known !== undefined) return known
  const held = allocateTo(toResources((info.resources ?? []).filter(isSpecial)), undefined)
  heldBy.set(info, held)
  return held
}

/** Reservations and volumes that live tasks and executors hold; those of a removed framework are free for the master already. */
export function heldResources(draft: AgentDraft, launched: readonly TaskInfo[] = []): Resources {
  const tasks = Object.values(draft.state.tasks).filter(
    ({ info, latestState }) => !isTerminalState(latestState) && !launched.includes(info),
  )
  const executors = Object.values(draft.state.executors).filter(
    ({ phase, isAbandoned }) => phase !== 'ended' && isAbandoned !== true,
  )
  return [...tasks, ...executors].map(({ info }) => heldByOne(info)).reduce(addResources, [])
}

/**
 * Dynamic reservations and volumes must have reached the agent before a task can use them. Mesos compares with all that is
 * reserved, whoever holds it, and so has more in use than there is after a RESERVE was lost; here nothing is ever used twice.
 */
function lacksResources(draft: AgentDraft, tasks: readonly TaskInfo[], executor: ExecutorInfo | undefined): boolean {
  const wanted = [...tasks.flatMap((task) => task.resources ?? []), ...(executor?.resources ?? [])].filter(isSpecial)
  if (wanted.length === 0) return false
  const needed = allocateTo(toResources(wanted), undefined)
  return !containsResources(toResources(draft.state.total), addResources(heldResources(draft, tasks), needed))
}

export function launch(
  draft: AgentDraft,
  framework: FrameworkBrief,
  executor: ExecutorInfo | undefined,
  tasks: readonly TaskInfo[],
): void {
  const first = tasks[0]
  // An empty group is charged by the master and ignored here, as on Mesos.
  if (first === undefined) return
  const executorId = executor?.executor_id.value ?? first.task_id.value
  const key = executorKey(framework.id, executorId)
  const known = draft.state.executors[key]
  for (const task of tasks) newTask(draft, framework, task, key, executor === undefined ? undefined : executorId)
  const refuse = (refusal: Refusal): void => {
    // The master counts the executor from the launch on; one that never was has ended, too.
    if (known === undefined && executor !== undefined) reportExit(draft, { framework, executorId, isCommand: false }, -1)
    for (const task of tasks) endTask(draft, executorKey(framework.id, task.task_id.value), refusal, true)
  }
  if (draft.state.drain !== undefined)
    return refuse({ state: 'TASK_DROPPED', reason: 'REASON_AGENT_DRAINING', message: 'The agent is draining' })
  if (lacksResources(draft, tasks, known === undefined ? executor : undefined)) {
    return refuse({
      state: 'TASK_DROPPED',
      reason: 'REASON_RESOURCES_UNKNOWN',
      message: 'Unknown reservations or persistent volumes',
    })
  }
  if (known === undefined)
    return startExecutor(draft, framework, executor ?? commandExecutor(first, framework.id), key, executor === undefined, tasks)
  if (known.isCommand)
    return refuse({
      state: 'TASK_DROPPED',
      reason: 'REASON_TASK_INVALID',
      message: 'Executor of a command task cannot take another task',
    })
  if (known.phase === 'ended' || known.phase === 'ending') {
    return refuse({ state: 'TASK_DROPPED', reason: 'REASON_EXECUTOR_TERMINATED', message: 'Executor terminating or terminated' })
  }
  if (known.phase === 'running') return void draft.effects.push({ type: 'toExecutor', key, message: { type: 'launch', tasks } })
  putExecutor(draft, key, { ...known, queued: [...known.queued, tasks] })
}

const commandExecutor = (task: TaskInfo, frameworkId: string): ExecutorInfo => ({
  executor_id: task.task_id,
  framework_id: { value: frameworkId },
  name: `Command Executor (Task: ${task.task_id.value})`,
})

function startExecutor(
  draft: AgentDraft,
  framework: FrameworkBrief,
  info: ExecutorInfo,
  key: string,
  isCommand: boolean,
  tasks: readonly TaskInfo[],
): void {
  const executor: AgentExecutor = {
    key,
    framework,
    executorId: info.executor_id.value,
    isCommand,
    info,
    containerId: draft.env.uuid(),
    phase: 'starting',
    queued: [tasks],
    kills: [],
    deadlineAtMs: draft.env.atMs + draft.timings.executorRegistrationTimeoutMs,
  }
  putExecutor(draft, key, executor)
  draft.effects.push({ type: 'startExecutor', executor, tasks })
}

export function killTask(draft: AgentDraft, message: Extract<MasterToAgent, { type: 'killTask' }>): void {
  const task = draft.state.tasks[executorKey(message.frameworkId, message.taskId)]
  const executor = task === undefined ? undefined : draft.state.executors[task.executorKey]
  if (executor === undefined || executor.phase === 'ended') return
  const group = executor.queued.find((tasks) => tasks.some((queued) => queued.task_id.value === message.taskId))
  if (group !== undefined) return killQueued(draft, executor, group)
  const kill = { taskId: message.taskId, ...(message.killPolicy === undefined ? {} : { killPolicy: message.killPolicy }) }
  if (executor.phase === 'recovering') return putExecutor(draft, executor.key, { ...executor, kills: [...executor.kills, kill] })
  draft.effects.push({ type: 'toExecutor', key: executor.key, message: { type: 'kill', ...kill } })
}

function killQueued(draft: AgentDraft, executor: AgentExecutor, group: readonly TaskInfo[]): void {
  const queued = executor.queued.filter((tasks) => tasks !== group)
  putExecutor(draft, executor.key, { ...executor, queued, ...(queued.length === 0 ? { phase: 'ending' as const } : {}) })
  const refusal: Refusal = {
    state: 'TASK_KILLED',
    reason: 'REASON_TASK_KILLED_DURING_LAUNCH',
    message: 'Killed before delivery to the executor',
  }
  // A drain names the executor, a mere kill does not.
  const withExecutor = draft.state.drain !== undefined
  for (const task of group) endTask(draft, executorKey(executor.framework.id, task.task_id.value), refusal, withExecutor)
  if (queued.length === 0) draft.effects.push({ type: 'killExecutor', key: executor.key })
}

export function shutDownExecutor(draft: AgentDraft, executor: AgentExecutor | undefined): void {
  if (executor === undefined || executor.phase === 'ended') return
  const ownGraceNs = executor.info.shutdown_grace_period?.nanoseconds
  const graceMs = ownGraceNs === undefined ? draft.timings.executorShutdownGraceMs : ownGraceNs / 1e6
  if (executor.phase === 'starting') draft.effects.push({ type: 'killExecutor', key: executor.key })
  else draft.effects.push({ type: 'toExecutor', key: executor.key, message: { type: 'shutDown' } })
  putExecutor(draft, executor.key, { ...executor, phase: 'ending', queued: [], deadlineAtMs: draft.env.atMs + graceMs })
}

/** A removed framework: its executors end, its updates are nobody's any more. */
export function abandonFramework(draft: AgentDraft, frameworkId: string): void {
  for (const executor of Object.values(draft.state.executors)) {
    if (executor.framework.id !== frameworkId) continue
    if (executor.phase === 'ended') putExecutor(draft, executor.key, undefined)
    else {
      shutDownExecutor(draft, executor)
      const current = draft.state.executors[executor.key]
      if (current !== undefined) putExecutor(draft, executor.key, { ...current, isAbandoned: true })
    }
  }
  for (const [key, task] of Object.entries(draft.state.tasks))
    if (task.framework.id === frameworkId) putTask(draft, key, undefined)
  for (const operation of Object.values(draft.state.operations))
    if (operation.frameworkId === frameworkId) putOperation(draft, operation.uuid, undefined)
}

export function receiveFromExecutor(draft: AgentDraft, key: string, message: ExecutorToAgent): void {
  const executor = draft.state.executors[key]
  if (executor === undefined || executor.phase === 'ended') return
  if (message.type === 'update') return receiveUpdate(draft, executor, message.status)
  subscribeExecutor(draft, executor, message.unacknowledged)
}

function subscribeExecutor(draft: AgentDraft, executor: AgentExecutor, unacknowledged: readonly TaskStatus[]): void {
  const { deadlineAtMs: _, ...rest } = executor
  if (executor.phase === 'ending') return void draft.effects.push({ type: 'killExecutor', key: executor.key })
  putExecutor(draft, executor.key, { ...rest, phase: 'running', queued: [], kills: [] })
  for (const status of unacknowledged) receiveUpdate(draft, executor, status)
  for (const tasks of executor.queued)
    draft.effects.push({ type: 'toExecutor', key: executor.key, message: { type: 'launch', tasks } })
  for (const kill of executor.kills)
    draft.effects.push({ type: 'toExecutor', key: executor.key, message: { type: 'kill', ...kill } })
}

function receiveUpdate(draft: AgentDraft, executor: AgentExecutor, received: TaskStatus): void {
  const taskId = received.task_id.value
  const agentField = draft.state.id === undefined ? {} : { agent_id: { value: draft.state.id } }
  const status: TaskStatus = { ...received, ...agentField, executor_id: { value: executor.executorId } }
  addStatus(draft, executorKey(executor.framework.id, taskId), status)
  draft.effects.push({
    type: 'toExecutor',
    key: executor.key,
    message: { type: 'acknowledged', taskId, uuid: received.uuid ?? '' },
  })
  const current = draft.state.executors[executor.key]
  const isDone = tasksOf(draft, executor.key).every(([, task]) => isTerminalState(task.latestState))
  if (current?.phase === 'running' && isDone) putExecutor(draft, executor.key, { ...current, phase: 'ending' })
}

type ExitedExecutor = Pick<AgentExecutor, 'framework' | 'executorId' | 'isCommand'>

function reportExit(draft: AgentDraft, { framework, executorId, isCommand }: ExitedExecutor, status: number): void {
  // Also while the registration, which named the executor, is on its way.
  if (!draft.state.isConnected) return
  const message = { type: 'executorExited', frameworkId: framework.id, executorId, isCommand, status } as const
  draft.effects.push({ type: 'toMaster', message })
}

/** Its process is gone: what had not ended has ended now. A task of which nothing was ever heard never ran. */
export function executorEnded(draft: AgentDraft, key: string, status: number): void {
  const executor = draft.state.executors[key]
  if (executor === undefined || executor.phase === 'ended') return
  if (executor.isAbandoned === true) {
    putExecutor(draft, key, undefined)
    for (const [taskKey] of tasksOf(draft, key)) putTask(draft, taskKey, undefined)
    return
  }
  const { deadlineAtMs: _, ...rest } = executor
  putExecutor(draft, key, { ...rest, phase: 'ended', queued: [] })
  // The FAILURE of an executor overtakes the updates of its tasks, as on Mesos.
  reportExit(draft, executor, status)
  for (const [taskKey, task] of tasksOf(draft, key)) {
    if (isTerminalState(task.latestState)) continue
    const state = task.latestState === 'TASK_STAGING' ? 'TASK_DROPPED' : 'TASK_FAILED'
    endTask(draft, taskKey, { state, reason: 'REASON_EXECUTOR_TERMINATED', message: 'Executor terminated' }, true)
  }
  forgetExecutor(draft, key)
}

const seconds = (ms: number): string => `${ms / 1000}secs`

/** An executor that did not come, come back, or end in time is killed. */
export function giveUp(draft: AgentDraft, executor: AgentExecutor): void {
  putExecutor(draft, executor.key, {
    ...executor,
    isKilled: true,
    ...(executor.phase === 'recovering' ? {} : { phase: 'ending' as const }),
  })
  draft.effects.push({ type: 'killExecutor', key: executor.key })
  const { executorReregistrationTimeoutMs, executorRegistrationTimeoutMs } = draft.timings
  if (executor.phase === 'ending') return
  const refusal: Refusal =
    executor.phase === 'recovering'
      ? {
          state: 'TASK_GONE',
          reason: 'REASON_EXECUTOR_REREGISTRATION_TIMEOUT',
          message: `Executor did not reregister within ${seconds(executorReregistrationTimeoutMs)}`,
        }
      : {
          state: 'TASK_FAILED',
          reason: 'REASON_EXECUTOR_REGISTRATION_TIMEOUT',
          message: `Executor did not register within ${seconds(executorRegistrationTimeoutMs)}`,
        }
  for (const [key] of tasksOf(draft, executor.key)) endTask(draft, key, refusal, true)
}
