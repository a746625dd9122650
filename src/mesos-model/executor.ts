/**
 * What a default executor or a command executor does (mesos-v1.md 4.5-4.7), as a pure function: groups and their common
 * fate, kills with grace, checks, the end of the executor after its last task. Starting and signalling processes is left
 * to whoever applies the effects.
 */
import type { KillPolicy, TaskInfo, TaskState, TaskStatus } from '../mesos/messages.js'
import { graceMs } from './executor-state.js'
import type { ExecutorEffect, ExecutorInput, ExecutorState, ExecutorTask, ProcessEnd } from './executor-state.js'
import type { ModelEnv } from './master-state.js'
import type { AgentToExecutor } from './protocol.js'
import { uuidToBase64 } from './task-status.js'

export interface ExecutorStep {
  readonly state: ExecutorState
  readonly effects: readonly ExecutorEffect[]
}

interface Draft {
  state: ExecutorState
  readonly effects: ExecutorEffect[]
  readonly env: ModelEnv
}

export const createExecutor = (isCommand: boolean, hasTaskKilling: boolean, containerId: string): ExecutorState => ({
  isCommand,
  hasTaskKilling,
  containerId,
  groups: 0,
  tasks: {},
  unacknowledged: [],
  isShuttingDown: false,
  isExiting: false,
})

export function stepExecutor(state: ExecutorState, input: ExecutorInput, env: ModelEnv): ExecutorStep {
  const draft: Draft = { state, effects: [], env }
  apply(draft, input)
  exitWhenDone(draft)
  return { state: draft.state, effects: draft.effects }
}

function apply(draft: Draft, input: ExecutorInput): void {
  switch (input.type) {
    case 'fromAgent':
      return receive(draft, input.message)
    case 'agentConnected':
      return void draft.effects.push({
        type: 'toAgent',
        message: { type: 'subscribe', unacknowledged: draft.state.unacknowledged },
      })
    case 'agentLost':
      return shutDown(draft)
    case 'taskStarted':
      return taskStarted(draft, input)
    case 'taskNotStarted':
      return endTask(draft, input.taskId, 'TASK_FAILED', input.message, 'REASON_CONTAINER_LAUNCH_FAILED')
    case 'taskEnded':
      return taskEnded(draft, input.taskId, input.end)
    case 'checked':
      return receiveCheck(draft, input)
    case 'healthChecked':
      return receiveHealth(draft, input.taskId, input.isHealthy)
    case 'tick':
      return tick(draft)
  }
}

function change(draft: Draft, taskId: string, changes: Partial<ExecutorTask>): void {
  const task = draft.state.tasks[taskId]
  if (task !== undefined) draft.state = { ...draft.state, tasks: { ...draft.state.tasks, [taskId]: { ...task, ...changes } } }
}

interface StatusExtras {
  readonly message?: string
  readonly reason?: string
}

const NETWORK = { network_infos: [{ ip_addresses: [{ protocol: 'IPv4', ip_address: '127.0.0.1' }] }] }

function sendStatus(draft: Draft, taskId: string, state: TaskState, extras: StatusExtras = {}): void {
  const task = draft.state.tasks[taskId]
  if (task === undefined) return
  const { isCommand, containerId } = draft.state
  const isAlive = task.phase === 'running' || task.phase === 'killing'
  const status: TaskStatus = {
    task_id: { value: taskId },
    state,
    source: 'SOURCE_EXECUTOR',
    timestamp: draft.env.atMs / 1000,
    uuid: uuidToBase64(draft.env.uuid()),
    ...extras,
    ...(task.healthy === undefined ? {} : { healthy: task.healthy }),
    ...(task.checkStatus === undefined ? {} : { check_status: task.checkStatus }),
    container_status: {
      container_id: isCommand ? { value: containerId } : { value: task.containerId, parent: { value: containerId } },
      ...(isAlive || isCommand ? NETWORK : {}),
      ...(task.pid !== undefined && (isAlive || isCommand) ? { executor_pid: task.pid } : {}),
    },
  }
  draft.state = { ...draft.state, unacknowledged: [...draft.state.unacknowledged, status] }
  draft.effects.push({ type: 'toAgent', message: { type: 'update', status } })
}

function receive(draft: Draft, message: AgentToExecutor): void {
  switch (message.type) {
    case 'launch':
      return launch(draft, message.tasks)
    case 'kill':
      return kill(draft, message.taskId, message.killPolicy)
    case 'shutDown':
      return shutDown(draft)
    case 'acknowledged':
      draft.state = {
        ...draft.state,
        unacknowledged: draft.state.unacknowledged.filter((status) => status.uuid !== message.uuid),
      }
  }
}

/** What a check reports before it has a result, and once a kill has begun. */
const emptyCheck = (info: TaskInfo): Pick<ExecutorTask, 'checkStatus'> => {
  const type = info.check?.type
  return type === undefined || type === 'UNKNOWN' ? {} : { checkStatus: { type, [type.toLowerCase()]: {} } }
}

function launch(draft: Draft, tasks: readonly TaskInfo[]): void {
  // An executor on its way out takes nothing; the agent finds out when it has ended.
  if (draft.state.isShuttingDown || draft.state.isExiting) return
  const group = draft.state.groups + 1
  draft.state = { ...draft.state, groups: group }
  for (const info of tasks) {
    const taskId = info.task_id.value
    const limitNs = info.max_completion_time?.nanoseconds
    const task: ExecutorTask = {
      info,
      group,
      containerId: draft.state.isCommand ? draft.state.containerId : draft.env.uuid(),
      phase: 'starting',
      healthFailures: 0,
      hasBeenHealthy: false,
      ...(limitNs === undefined ? {} : { completeByMs: draft.env.atMs + limitNs / 1e6 }),
      ...emptyCheck(info),
    }
    draft.state = { ...draft.state, tasks: { ...draft.state.tasks, [taskId]: task } }
    sendStatus(draft, taskId, 'TASK_STARTING')
  }
  for (const info of tasks) {
    const containerId = draft.state.tasks[info.task_id.value]?.containerId ?? ''
    draft.effects.push({ type: 'startTask', taskId: info.task_id.value, containerId, info })
  }
}

const DEFAULT_DELAY_SECONDS = 15
const DEFAULT_INTERVAL_SECONDS = 10
const DEFAULT_GRACE_SECONDS = 10
const DEFAULT_FAILURES = 3

function taskStarted(draft: Draft, { taskId, pid, message }: Extract<ExecutorInput, { type: 'taskStarted' }>): void {
  const task = draft.state.tasks[taskId]
  if (task === undefined || task.phase === 'ended') return
  const { atMs } = draft.env
  const { check, health_check: health } = task.info
  if (task.phase === 'killing') {
    change(draft, taskId, { pid })
    return void draft.effects.push({ type: 'signalTask', taskId, signal: 'SIGTERM' })
  }
  change(draft, taskId, {
    phase: 'running',
    pid,
    runningSinceMs: atMs,
    ...(check === undefined ? {} : { nextCheckAtMs: atMs + (check.delay_seconds ?? DEFAULT_DELAY_SECONDS) * 1000 }),
    ...(health === undefined ? {} : { nextHealthCheckAtMs: atMs + (health.delay_seconds ?? DEFAULT_DELAY_SECONDS) * 1000 }),
  })
  sendStatus(draft, taskId, 'TASK_RUNNING', message === undefined ? {} : { message })
}

function withoutProbes(draft: Draft, taskId: string): void {
  const task = draft.state.tasks[taskId]
  if (task === undefined) return
  const { nextCheckAtMs: _, nextHealthCheckAtMs: __, ...rest } = task
  draft.state = { ...draft.state, tasks: { ...draft.state.tasks, [taskId]: { ...rest, ...emptyCheck(task.info) } } }
}

/** A task that is being killed already is left alone; its grace period stays. */
function kill(draft: Draft, taskId: string, override?: KillPolicy): void {
  const task = draft.state.tasks[taskId]
  if (task === undefined || task.phase === 'killing' || task.phase === 'ended') return
  withoutProbes(draft, taskId)
  const policy = draft.state.isCommand ? undefined : override
  change(draft, taskId, { phase: 'killing', killAtMs: draft.env.atMs + graceMs(policy, task.info.kill_policy) })
  if (draft.state.hasTaskKilling) sendStatus(draft, taskId, 'TASK_KILLING')
  // Also while the task has no process yet: then its preparation is given up.
  draft.effects.push({ type: 'signalTask', taskId, signal: 'SIGTERM' })
}

function shutDown(draft: Draft): void {
  draft.state = { ...draft.state, isShuttingDown: true }
  for (const taskId of Object.keys(draft.state.tasks)) kill(draft, taskId)
}

const SIGNAL_TEXT: Readonly<Record<string, string>> = {
  SIGTERM: 'Terminated',
  SIGKILL: 'Killed',
  SIGINT: 'Interrupt',
  SIGHUP: 'Hangup',
  SIGABRT: 'Aborted',
  SIGSEGV: 'Segmentation fault',
  SIGPIPE: 'Broken pipe',
}

const describeEnd = (end: ProcessEnd): string =>
  end.signal === undefined
    ? `Command exited with status ${end.code ?? 0}`
    : `Command terminated with signal ${SIGNAL_TEXT[end.signal] ?? end.signal}`

function taskEnded(draft: Draft, taskId: string, end: ProcessEnd): void {
  const task = draft.state.tasks[taskId]
  if (task === undefined || task.phase === 'ended') return
  const message = describeEnd(end)
  if (task.isOvertime === true) return endTask(draft, taskId, 'TASK_FAILED', message, 'REASON_MAX_COMPLETION_TIME_REACHED')
  const isClean = end.signal === undefined && (end.code ?? 0) === 0
  endTask(draft, taskId, task.phase === 'killing' ? 'TASK_KILLED' : isClean ? 'TASK_FINISHED' : 'TASK_FAILED', message)
}

function endTask(draft: Draft, taskId: string, state: TaskState, message: string, reason?: string): void {
  const task = draft.state.tasks[taskId]
  if (task === undefined || task.phase === 'ended') return
  if (!draft.state.isCommand) withoutProbes(draft, taskId)
  change(draft, taskId, { phase: 'ended' })
  sendStatus(draft, taskId, state, { message, ...(reason === undefined ? {} : { reason }) })
  if (state === 'TASK_FINISHED') return
  for (const [otherId, other] of Object.entries(draft.state.tasks)) {
    if (otherId !== taskId && other.group === task.group) kill(draft, otherId)
  }
}

function receiveCheck(draft: Draft, { taskId, result }: Extract<ExecutorInput, { type: 'checked' }>): void {
  const task = draft.state.tasks[taskId]
  const type = task?.info.check?.type
  if (task?.phase !== 'running' || type === undefined) return
  const intervalMs = (task.info.check?.interval_seconds ?? DEFAULT_INTERVAL_SECONDS) * 1000
  const checkStatus = { type, [type.toLowerCase()]: {}, ...result }
  const isChanged = JSON.stringify(checkStatus) !== JSON.stringify(task.checkStatus)
  change(draft, taskId, { checkStatus, nextCheckAtMs: draft.env.atMs + intervalMs })
  if (isChanged) sendStatus(draft, taskId, 'TASK_RUNNING', { reason: 'REASON_TASK_CHECK_STATUS_UPDATED' })
}

const HEALTH_REASON = 'REASON_TASK_HEALTH_CHECK_STATUS_UPDATED'

/** Failures in the grace period are ignored; it ends for good with the first success. */
function receiveHealth(draft: Draft, taskId: string, isHealthy: boolean): void {
  const task = draft.state.tasks[taskId]
  const health = task?.info.health_check
  if (task?.phase !== 'running' || health === undefined) return
  const next = { nextHealthCheckAtMs: draft.env.atMs + (health.interval_seconds ?? DEFAULT_INTERVAL_SECONDS) * 1000 }
  if (isHealthy) {
    const isNews = task.healthy !== true
    change(draft, taskId, { ...next, healthy: true, hasBeenHealthy: true, healthFailures: 0 })
    if (isNews) sendStatus(draft, taskId, 'TASK_RUNNING', { reason: HEALTH_REASON })
    return
  }
  const graceEndsAtMs = (task.runningSinceMs ?? 0) + (health.grace_period_seconds ?? DEFAULT_GRACE_SECONDS) * 1000
  if (!task.hasBeenHealthy && draft.env.atMs < graceEndsAtMs) return change(draft, taskId, next)
  const healthFailures = task.healthFailures + 1
  change(draft, taskId, { ...next, healthy: false, healthFailures })
  sendStatus(draft, taskId, 'TASK_RUNNING', { reason: HEALTH_REASON })
  if (healthFailures >= (health.consecutive_failures ?? DEFAULT_FAILURES)) kill(draft, taskId)
}

function tick(draft: Draft): void {
  const { atMs } = draft.env
  for (const [taskId, task] of Object.entries(draft.state.tasks)) {
    if (task.phase === 'ended') continue
    if (task.killAtMs !== undefined && task.killAtMs <= atMs && task.pid !== undefined) {
      draft.effects.push({ type: 'signalTask', taskId, signal: 'SIGKILL' })
      const { killAtMs: _, ...rest } = task
      draft.state = { ...draft.state, tasks: { ...draft.state.tasks, [taskId]: rest } }
    }
    if (task.phase !== 'running') continue
    if (task.completeByMs !== undefined && task.completeByMs <= atMs) overrun(draft, taskId)
    else startProbes(draft, taskId, task)
  }
}

/** No grace and no TASK_KILLING for a task that took too long. */
function overrun(draft: Draft, taskId: string): void {
  withoutProbes(draft, taskId)
  change(draft, taskId, { phase: 'killing', isOvertime: true, killAtMs: draft.env.atMs })
  draft.effects.push({ type: 'signalTask', taskId, signal: 'SIGTERM' })
}

function startProbes(draft: Draft, taskId: string, task: ExecutorTask): void {
  const { atMs } = draft.env
  const { nextCheckAtMs, nextHealthCheckAtMs, ...rest } = task
  const isCheckDue = nextCheckAtMs !== undefined && nextCheckAtMs <= atMs
  const isHealthDue = nextHealthCheckAtMs !== undefined && nextHealthCheckAtMs <= atMs
  if (!isCheckDue && !isHealthDue) return
  const waiting = {
    ...rest,
    ...(nextCheckAtMs === undefined || isCheckDue ? {} : { nextCheckAtMs }),
    ...(nextHealthCheckAtMs === undefined || isHealthDue ? {} : { nextHealthCheckAtMs }),
  }
  draft.state = { ...draft.state, tasks: { ...draft.state.tasks, [taskId]: waiting } }
  if (isCheckDue) draft.effects.push({ type: 'runCheck', taskId })
  if (isHealthDue) draft.effects.push({ type: 'runHealthCheck', taskId })
}

/** The executor ends after its last task, once the agent has all updates. */
function exitWhenDone(draft: Draft): void {
  const { tasks, unacknowledged, isShuttingDown, isExiting } = draft.state
  if (isExiting) return
  const all = Object.values(tasks)
  const hasWorked = all.length > 0 || isShuttingDown
  if (!hasWorked || unacknowledged.length > 0 || all.some((task) => task.phase !== 'ended')) return
  draft.state = { ...draft.state, isExiting: true }
  draft.effects.push({ type: 'exit' })
}

/** When `tick` has something to do next. */
export function nextExecutorTickAtMs(state: ExecutorState): number {
  let next = Infinity
  for (const task of Object.values(state.tasks)) {
    if (task.phase === 'ended') continue
    if (task.pid !== undefined) next = Math.min(next, task.killAtMs ?? Infinity)
    if (task.phase === 'running')
      next = Math.min(next, task.completeByMs ?? Infinity, task.nextCheckAtMs ?? Infinity, task.nextHealthCheckAtMs ?? Infinity)
  }
  return next
}
