/**
 * Target and known state of one pod instance compared: what it needs next, whether it is ready. Level-triggered: no question
 * here depends on how the state came about. Pure.
 */
import { nameOfTask, podInstanceName, taskName, type PodInstanceName, type TaskName } from '../ids.js'
import { isComplete, isSeen } from '../offer-evaluator/footprint-record.js'
import { resolveTasks, type ResolvedTask } from '../spec/task-resources.js'
import { mayBeAlive, newTaskRecord, type TaskRecord } from '../state-machine/task-record.js'
import type { TaskStatus } from './events.js'
import type { InstanceRecord } from './records/instance-record.js'
import type { Records, State, Target } from './state.js'

/** What an instance needs next. */
export type Need =
  /** Something is under way or uncertain; `reason` says what would end the wait. */
  | { readonly kind: 'wait'; readonly reason: string }
  | { readonly kind: 'kill'; readonly tasks: readonly TaskName[]; readonly reason: string }
  | { readonly kind: 'place' }
  | { readonly kind: 'complete' }
  /** `joinExecutor`: other tasks of the pod run, their executor takes the new ones too. */
  | { readonly kind: 'launch'; readonly tasks: readonly string[]; readonly joinExecutor: boolean }
  | { readonly kind: 'delayed'; readonly untilMs: number; readonly reason: string }
  | { readonly kind: 'nothing' }

export interface PodTask {
  readonly task: string
  readonly name: TaskName
  readonly spec: ResolvedTask
  readonly hash: string
  readonly record: TaskRecord
}

const names = new WeakMap<InstanceRecord, PodInstanceName>()

export function nameOf(instance: InstanceRecord): PodInstanceName {
  const known = names.get(instance)
  if (known !== undefined) return known
  const name = podInstanceName(instance.pod, instance.index)
  names.set(instance, name)
  return name
}

/** What was worked out last for a record; it holds while target and task records are the same objects. */
const lastTasks = new WeakMap<InstanceRecord, { readonly target: Target; readonly tasks: readonly PodTask[] }>()

/** The tasks of an instance under a target, in the order of the spec. */
export function podTasks(records: Records, instance: InstanceRecord, target: Target): readonly PodTask[] {
  const last = lastTasks.get(instance)
  const isSame = ({ name, record }: PodTask): boolean => (records.tasks.get(name) ?? newTaskRecord) === record
  if (last?.target === target && last.tasks.every(isSame)) return last.tasks
  const hashes = target.pods[instance.pod]?.tasks ?? {}
  const pod = target.spec.pods[instance.pod]
  const tasks = (pod === undefined ? [] : resolveTasks(pod)).map(([task, spec]) => {
    const name = taskName(nameOf(instance), task)
    return { task, name, spec, hash: hashes[task] ?? '', record: records.tasks.get(name) ?? newTaskRecord }
  })
  lastTasks.set(instance, { target, tasks })
  return tasks
}

/** The target that the instance's launches are made from. */
export const targetOf = (records: Records, instance: InstanceRecord): Target | undefined => records.targets.get(instance.targetId)

/** The tasks of an instance under the target that it is on. */
export function tasksOf(records: Records, instance: InstanceRecord): readonly PodTask[] {
  const target = targetOf(records, instance)
  return target === undefined ? [] : podTasks(records, instance, target)
}

/** May be alive, and was launched from other content than `target` has for it. */
function isOutdated(instance: InstanceRecord, task: PodTask, target: Target): boolean {
  const launch = task.record.context.launch
  if (launch === undefined || !mayBeAlive(task.record)) return false
  if (launch.podHash !== target.pods[instance.pod]?.pod) return true
  return launch.taskHash !== task.hash && task.spec.goal !== 'ONCE' && task.spec.goal !== 'INIT'
}

/** An operator asked for a restart after it was launched. */
function isToRestart(instance: InstanceRecord, task: PodTask): boolean {
  const launch = task.record.context.launch
  return launch !== undefined && mayBeAlive(task.record) && launch.atMs < (instance.restartBeforeMs ?? 0)
}

/** It idles and should work, or the other way round. */
function isOutOfStep(instance: InstanceRecord, task: PodTask): boolean {
  const launch = task.record.context.launch
  return launch !== undefined && isPausable(task) && mayBeAlive(task.record) && launch.idle !== instance.paused
}

/** Only what keeps running can idle instead. */
export const isPausable = (task: PodTask): boolean => task.spec.goal === 'RUNNING'

const isStale = (instance: InstanceRecord, task: PodTask, target: Target): boolean =>
  isOutdated(instance, task, target) || isToRestart(instance, task) || isOutOfStep(instance, task)

/** The task has reached what its goal asks for under this content. */
function isAtGoal(instance: InstanceRecord, task: PodTask): boolean {
  const { context, value } = task.record
  switch (task.spec.goal) {
    case 'RUNNING':
      if (value !== 'running' || context.launch?.taskHash !== task.hash || context.killAtMs !== undefined) return false
      // What the agent is about to kill counts as down already: nothing else is taken down beside it.
      return (context.ready && context.unhealthy !== true) || context.launch.idle === true
    case 'FINISH':
      return context.finishedHash === task.hash && !mayBeAlive(task.record)
    case 'ONCE':
      return context.finishedHash !== undefined
    case 'INIT':
      return instance.initialisedGeneration === instance.generation && instance.generation > 0
  }
}

/** Everything runs, is ready and is on the content of `target`. */
function isReadyOn(records: Records, instance: InstanceRecord, target: Target): boolean {
  if (instance.footprint === undefined) return false
  const tasks = podTasks(records, instance, target)
  return tasks.length > 0 && tasks.every((task) => isAtGoal(instance, task) && !isStale(instance, task, target))
}

/** Ready on the spec that it is on. */
export function isReady(records: Records, instance: InstanceRecord): boolean {
  const target = targetOf(records, instance)
  return target !== undefined && isReadyOn(records, instance, target)
}

/** The instance would not have to be touched to be on `target`, apart from recovering. */
export function matchesTarget(records: Records, instance: InstanceRecord, target: Target): boolean {
  if (instance.footprint === undefined) return false
  return podTasks(records, instance, target).every((task) => {
    const { context } = task.record
    if (isOutdated(instance, task, target)) return false
    if (task.spec.goal === 'FINISH') return context.finishedHash === task.hash || instance.targetId === target.id
    if (task.spec.goal !== 'RUNNING') return true
    return context.launch === undefined
      ? instance.targetId === target.id
      : context.launch.taskHash === task.hash && context.launch.podHash === target.pods[instance.pod]?.pod
  })
}

/** A task with goal RUNNING is not running, on a pod that has been deployed. */
export function hasFailed(records: Records, instance: InstanceRecord): boolean {
  const target = targetOf(records, instance)
  if (!instance.deployed || target === undefined) return false
  return podTasks(records, instance, target).some((task) => task.spec.goal === 'RUNNING' && task.record.value !== 'running')
}

/** Everything runs, and an operator wants it restarted, paused or resumed. */
export function isRestartDue(records: Records, instance: InstanceRecord): boolean {
  const target = targetOf(records, instance)
  if (!instance.deployed || target === undefined) return false
  return podTasks(records, instance, target).some((task) => isToRestart(instance, task) || isOutOfStep(instance, task))
}

/** Ready on the spec that it is on, whether or not somebody wants it restarted. */
export function isServing(records: Records, instance: InstanceRecord): boolean {
  const target = targetOf(records, instance)
  if (instance.footprint === undefined || target === undefined) return false
  return podTasks(records, instance, target).every(
    (task) => isAtGoal(instance, task) && !isOutdated(instance, task, target) && task.record.context.launch?.idle === undefined,
  )
}

/** Failures in a row after which an instance counts as broken on its present configuration: a newer one may be the cure. */
const brokenAfterFailures = 3
/** So long in recovery without getting ready means the same. */
export const brokenAfterMs = 300_000

/** In recovery, and not coming back on its present configuration. An agent that is away is no fault of the configuration. */
export function isBroken({ records, volatile }: State, instance: InstanceRecord): boolean {
  const own = targetOf(records, instance)
  if (own === undefined || instance.owner !== 'recovery' || isReady(records, instance)) return false
  const tasks = podTasks(records, instance, own)
  if (tasks.some((task) => task.record.value === 'unreachable')) return false
  const sinceMs = volatile.nowMs - (instance.block?.startedAtMs ?? volatile.nowMs)
  return sinceMs >= brokenAfterMs || tasks.some((task) => task.record.backoff.failures >= brokenAfterFailures)
}

/** What the instance needs next to be ready on the target it is on. */
export function needOf(state: State, instance: InstanceRecord): Need {
  const { records, volatile } = state
  const target = targetOf(records, instance)
  if (target === undefined) return { kind: 'wait', reason: `its target ${instance.targetId} is not stored` }
  const tasks = podTasks(records, instance, target)
  return (
    uncertainty(state, instance, tasks) ??
    killing(instance, tasks, target) ??
    footprintNeed(instance, volatile.nowMs) ??
    launching(instance, tasks, volatile.nowMs) ?? { kind: 'nothing' }
  )
}

/** After (re)subscribing nothing is done before the master has told about every task and operation of the instance. */
function uncertainty({ volatile }: State, instance: InstanceRecord, tasks: readonly PodTask[]): Need | undefined {
  const stranger = strangerAmong(volatile, tasks)
  if (stranger !== undefined) {
    const { taskId, agentId, state } = stranger
    return {
      kind: 'wait',
      reason: `task ${taskId} on agent ${agentId ?? 'unknown'} is ${state}, and the store does not know it (an older backup?) or counts it as ended; nothing is launched beside it until it has ended`,
    }
  }
  for (const { name, record } of tasks) {
    const { launch, lastState } = record.context
    if (launch === undefined || !mayBeAlive(record)) continue
    if (record.value === 'unreachable') {
      return {
        kind: 'wait',
        reason: `${uncertainText(name, launch.agentId, lastState ?? 'UNREACHABLE')}, or until ${permitToReplace(instance)}`,
      }
    }
    if (volatile.unansweredTasks.has(launch.taskId)) {
      return { kind: 'wait', reason: `the master has not yet told what became of task ${name} on agent ${launch.agentId}` }
    }
  }
  const { footprint } = instance
  const open = footprint?.operations.find(
    (operation) => volatile.unansweredOperations.has(operation.id) && !isSeen(footprint, operation),
  )
  return open === undefined
    ? undefined
    : {
        kind: 'wait',
        reason: `a ${open.type} operation on agent ${footprint?.agentId} is in doubt until an offer of that agent or the master tells, or until ${permitToReplace(instance)}`,
      }
}

/** A task of this instance that the store does not know, and that may live. */
function strangerAmong({ strangers }: State['volatile'], tasks: readonly PodTask[]): TaskStatus | undefined {
  for (const status of strangers.values()) if (tasks.some(({ name }) => name === nameOfTask(status.taskId))) return status
  return undefined
}

const uncertainText = (task: string, agent: string, state: string): string =>
  state === 'GONE_BY_OPERATOR'
    ? `task ${task} was declared gone with agent ${agent}, and may still run; it is kept until the agent proves it ended`
    : `task ${task} on agent ${agent} is ${state} and may still run; it is kept until the agent returns`

/** What alone ends a wait for something that is lost for ever. This version takes no such permit yet. */
export function permitToReplace(instance: InstanceRecord): string {
  const volumes = (instance.footprint?.entries ?? []).flatMap(({ volume }) => volume?.persistenceId ?? [])
  const loss = volumes.length === 0 ? '' : `, which gives up volume ${volumes.join(', ')}`
  return `there is a permit to replace ${nameOf(instance)}${loss}`
}

function killing(instance: InstanceRecord, tasks: readonly PodTask[], target: Target): Need | undefined {
  const stale = tasks.filter((task) => isStale(instance, task, target))
  const due = stale.filter((task) => task.record.context.killAtMs === undefined)
  if (due.length > 0)
    return {
      kind: 'kill',
      tasks: due.map((task) => task.name),
      reason: 'they run an older configuration, or a restart was asked for',
    }
  const dying = tasks.filter((task) => task.record.value === 'killing')
  return dying.length === 0
    ? undefined
    : { kind: 'wait', reason: `${dying.map((task) => task.name).join(', ')} is being stopped` }
}

function footprintNeed(instance: InstanceRecord, nowMs: number): Need | undefined {
  const { footprint } = instance
  if (footprint !== undefined && isComplete(footprint)) return undefined
  const { refusal } = instance
  if (refusal !== undefined && refusal.notBeforeMs > nowMs) {
    const times = refusal.failures === 1 ? 'once' : `${refusal.failures} times in a row`
    return {
      kind: 'delayed',
      untilMs: refusal.notBeforeMs,
      reason: `reserving was refused ${times} (${refusal.message}); it is tried again after a pause`,
    }
  }
  if (footprint === undefined) return { kind: 'place' }
  if (footprint.operations.length > 0) {
    return {
      kind: 'wait',
      reason: `reserving resources on ${footprint.hostname} (${footprint.operations.length} operations not confirmed yet)`,
    }
  }
  return { kind: 'complete' }
}

function launching(instance: InstanceRecord, tasks: readonly PodTask[], nowMs: number): Need | undefined {
  const alive = tasks.filter((task) => mayBeAlive(task.record))
  const initialising = tasks.find((task) => task.spec.goal === 'INIT' && !isInitialised(instance, task))
  if (initialising !== undefined) {
    if (alive.length > 0) return { kind: 'wait', reason: `${alive.map((task) => task.name).join(', ')} is under way` }
    return launchOrDelay(instance, [initialising], nowMs, false)
  }
  const due = tasks.filter((task) => isDue(instance, task))
  if (due.length === 0) {
    const slow = alive.find((task) => !isAtGoal(instance, task))
    return slow === undefined ? undefined : { kind: 'wait', reason: progressOf(slow) }
  }
  if (alive.length === 0) return launchOrDelay(instance, due, nowMs, false)
  const steady = alive.every((task) => task.record.value === 'running')
  if (!steady) return { kind: 'wait', reason: `${alive.map((task) => task.name).join(', ')} is under way` }
  return launchOrDelay(instance, due, nowMs, true)
}

const isInitialised = (instance: InstanceRecord, task: PodTask): boolean =>
  instance.initialisedGeneration === instance.generation ||
  (task.record.context.outcome === 'finished' && task.record.context.launch?.generation === instance.generation)

/** Every initialisation task of the present footprint has succeeded. */
export const isFootprintInitialised = (instance: InstanceRecord, tasks: readonly PodTask[]): boolean =>
  tasks.every((task) => task.spec.goal !== 'INIT' || isInitialised(instance, task))

function isDue(instance: InstanceRecord, task: PodTask): boolean {
  return task.spec.goal !== 'INIT' && !mayBeAlive(task.record) && !isAtGoal(instance, task)
}

/** Tasks whose back-off has passed go now; the others follow when theirs has. */
function launchOrDelay(instance: InstanceRecord, due: readonly PodTask[], nowMs: number, joinExecutor: boolean): Need {
  // What idles is not what has failed.
  const isOther = (task: PodTask): boolean =>
    instance.paused === true && isPausable(task) && task.record.context.launch?.idle === undefined
  const free = due.filter((task) => task.record.backoff.notBeforeMs <= nowMs || isOther(task))
  if (free.length > 0) return { kind: 'launch', tasks: free.map((task) => task.task), joinExecutor }
  const first = due.reduce((a, b) => (a.record.backoff.notBeforeMs <= b.record.backoff.notBeforeMs ? a : b))
  const { failures, notBeforeMs } = first.record.backoff
  return {
    kind: 'delayed',
    untilMs: notBeforeMs,
    reason: `${first.name} has failed ${failures === 1 ? 'once' : `${failures} times in a row`}; the next launch waits for its back-off`,
  }
}

function progressOf({ name, record, spec }: PodTask): string {
  if (record.value === 'launching') return `${name} is being launched`
  if (record.value === 'starting') return `${name} is starting`
  if (spec.goal !== 'RUNNING') return `${name} has not finished yet`
  if (record.context.unhealthy === true)
    return `${name} runs, and its health check fails; the agent kills it after ${spec.healthCheck?.maxFailures ?? 'some'} failures in a row`
  return `${name} runs and has not passed its readiness check yet`
}
