/**
 * A task status comes in: the task's record moves, and the status is acknowledged when what it says is stored. Pure.
 */
import { instanceOfTask, nameOfTask, type PodInstanceName, type TaskName } from '../ids.js'
import { backoffAfterFailure } from '../recovery/backoff.js'
import type { MesosTaskState } from '../state-machine/task-events.js'
import { mayBeAlive, newTaskRecord, type TaskContext, type TaskRecord } from '../state-machine/task-record.js'
import { advanceTask } from '../state-machine/transition.js'
import { isFootprintInitialised, podTasks, targetOf } from './assess.js'
import type { Draft } from './draft.js'
import type { TaskStatus } from './events.js'
import type { InstanceRecord } from './records/instance-record.js'
import type { Target } from './state.js'

/** Statuses carry texts of the agent; records are small. */
export const maxMessageLength = 500

/** Only executors and agents speak of a process; these states mean that one exists. */
const signsOfLife: ReadonlySet<MesosTaskState> = new Set(['STARTING', 'RUNNING', 'KILLING'])

const endings: ReadonlySet<MesosTaskState> = new Set(['FINISHED', 'FAILED', 'KILLED', 'GONE', 'ERROR', 'DROPPED'])

/** After these nothing of a task is left. */
export const isEnding = (state: MesosTaskState): boolean => endings.has(state)

export function applyTaskStatus(draft: Draft, status: TaskStatus, atMs: number): void {
  const name = nameOfTask(status.taskId)
  const record = draft.records.tasks.get(name)
  if (record?.presumed.includes(status.taskId) === true) killIfAlive(draft, status)
  else if (record?.context.launch?.taskId !== status.taskId) noteStranger(draft, status)
  else applyToLaunch(draft, name, record, status, atMs)
  if (status.uuid !== undefined && status.agentId !== undefined) {
    draft.ack({ type: 'acknowledgeTask', taskId: status.taskId, agentId: status.agentId, uuid: status.uuid })
  }
}

/** A task that the store does not know: held and shown, never killed on sight. */
function noteStranger(draft: Draft, status: TaskStatus): void {
  const strangers = draft.edit('strangers')
  if (isEnding(status.state)) strangers.delete(status.taskId)
  else strangers.set(status.taskId, status)
}

function applyToLaunch(draft: Draft, name: TaskName, record: TaskRecord, status: TaskStatus, atMs: number): void {
  draft.edit('unansweredTasks').delete(status.taskId)
  noteRegistered(draft, status)
  const owner = ownerOf(draft, name)
  if (owner === undefined) return
  const { record: next, ignored } = advanceTask(record, {
    type: status.state,
    atMs,
    ready: isReadyStatus(draft, owner, name, status),
    ...(status.healthy === undefined ? {} : { healthy: status.healthy }),
    ...(status.reason === undefined ? {} : { reason: status.reason }),
    ...(status.message === undefined ? {} : { message: status.message.slice(0, maxMessageLength) }),
  })
  if (ignored) return killReturned(draft, record, status)
  const after = { ...next, backoff: backoffAfter(record, next, owner, name, atMs) }
  if (saysSomethingNew(record, after, status)) draft.setTask(name, after)
  if (after.value === 'ended') {
    draft.edit('killsSentAtMs').delete(status.taskId)
    markInitialised(draft, owner.name)
  }
  draft.decided()
  // An ERROR or DROPPED that the master made for a task already heard of is not its end; only the master can tell what is.
  if (mayBeAlive(after) && (status.state === 'ERROR' || status.state === 'DROPPED')) {
    draft.edit('unansweredTasks').set(status.taskId, { askedAtMs: 0, tries: 0 })
  }
}

/** A launch that counts as ended is reported alive: it must not run beside what replaces it. */
function killReturned(draft: Draft, record: TaskRecord, status: TaskStatus): void {
  const { outcome } = record.context
  if (record.value === 'ended' && (outcome === 'neverRan' || outcome === 'gone')) killIfAlive(draft, status)
}

/**
 * Every report of it counts, those of reconciliation too: a KILL may be lost. Until its end is told it is asked for like a
 * stranger, and nothing is launched beside it.
 */
function killIfAlive(draft: Draft, status: TaskStatus): void {
  const { state, taskId, agentId } = status
  if (isEnding(state)) draft.edit('strangers').delete(taskId)
  if (!signsOfLife.has(state) || agentId === undefined) return
  draft.edit('strangers').set(taskId, status)
  draft.call({ type: 'kill', taskId, agentId })
}

interface TaskOwner {
  readonly name: PodInstanceName
  readonly instance: InstanceRecord
  readonly target: Target
}

function ownerOf(draft: Draft, name: TaskName): TaskOwner | undefined {
  const podInstance = instanceOfTask(name)
  const instance = podInstance === undefined ? undefined : draft.records.instances.get(podInstance)
  const target = instance === undefined ? undefined : targetOf(draft.records, instance)
  return podInstance === undefined || instance === undefined || target === undefined
    ? undefined
    : { name: podInstance, instance, target }
}

/** The check has succeeded, or the task as launched has none. */
function isReadyStatus(draft: Draft, { name, instance, target }: TaskOwner, task: TaskName, status: TaskStatus): boolean {
  if (status.state !== 'RUNNING') return false
  const launchedFrom = draft.records.targets.get(draft.records.tasks.get(task)?.context.launch?.targetId ?? target.id) ?? target
  const spec = launchedFrom.spec.pods[instance.pod]?.tasks[task.slice(name.length + 1)]
  return spec?.readinessCheck === undefined || status.checkExitCode === 0
}

/**
 * A launch that ended without being asked to has failed, also with success if it should have kept running; work that is done
 * forgets its failures; a launch that never ran is no crash.
 */
function backoffAfter(
  before: TaskRecord,
  after: TaskRecord,
  { name, instance, target }: TaskOwner,
  task: TaskName,
  atMs: number,
): TaskRecord['backoff'] {
  if (after.value !== 'ended') return after.backoff
  const { outcome, killAtMs, lastState } = after.context
  const policy = target.spec.recovery.backoff
  const goal = target.spec.pods[instance.pod]?.tasks[task.slice(name.length + 1)]?.goal
  if (outcome === 'finished' && goal !== 'RUNNING') return newTaskRecord.backoff
  if (killAtMs !== undefined) return after.backoff
  if (outcome === 'neverRan') {
    // ERROR: the request was refused. It may have met an ending executor, so it is tried again, but never in a tight loop.
    if (lastState === 'ERROR') return backoffAfterFailure(before.backoff, policy, atMs, undefined)
    // GONE: it was never sent. DROPPED: it got as far as the agent, where what dropped it may last for a moment.
    return lastState === 'GONE' ? after.backoff : { ...before.backoff, notBeforeMs: atMs + policy.initialMs }
  }
  return backoffAfterFailure(before.backoff, policy, atMs, before.context.readyAtMs)
}

/** The successful end of initialisation is stored together with the status that tells it. */
function markInitialised(draft: Draft, name: PodInstanceName): void {
  const instance = draft.records.instances.get(name)
  const target = instance === undefined ? undefined : targetOf(draft.records, instance)
  if (instance === undefined || target === undefined || instance.initialisedGeneration === instance.generation) return
  const tasks = podTasks(draft.records, instance, target)
  if (tasks.some((task) => task.spec.goal === 'INIT') && isFootprintInitialised(instance, tasks)) {
    draft.setInstance(name, { ...instance, initialisedGeneration: instance.generation })
  }
}

/** An answer to reconciliation that changes nothing but its own wording is not worth a write. */
function saysSomethingNew(before: TaskRecord, after: TaskRecord, status: TaskStatus): boolean {
  if (before.value !== after.value || before.presumed !== after.presumed) return true
  const isWordingOnly = status.reason === 'RECONCILIATION'
  const keys = Object.keys({ ...before.context, ...after.context }) as (keyof TaskContext)[]
  const isNews = (key: keyof TaskContext): boolean =>
    before.context[key] !== after.context[key] && !(isWordingOnly && (key === 'lastReason' || key === 'lastMessage'))
  if (keys.some(isNews)) return true
  return before.backoff.failures !== after.backoff.failures || before.backoff.notBeforeMs !== after.backoff.notBeforeMs
}

/** That a task is gone, and where, the master can say only of an agent that it has registered. */
function noteRegistered(draft: Draft, { source, state, agentId }: TaskStatus): void {
  if (source !== 'MASTER' || state !== 'GONE' || agentId === undefined || draft.volatile.registeredAgents.has(agentId)) return
  draft.setVolatile({ registeredAgents: new Set([...draft.volatile.registeredAgents, agentId]) })
}
