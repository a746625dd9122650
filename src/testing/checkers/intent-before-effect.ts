/**
 * Promise 1: what a call brings about is stored before the master takes the call, and a status is acknowledged only after it
 * is. Counts what was ever stored: a call may be on its way while the record has moved on, and may be taken twice.
 */
import type { Call, Event, Operation, OperationStatus, TaskStatus } from '../../mesos/messages.js'
import type { TaskRecord } from '../../state-machine/task-record.js'
import type { CheckerDefinition, CheckerContext } from './checker.js'
import { createMirror, instanceChanges, taskChanges, type Committed, type Mirror } from './mirror.js'
import { nameOfId } from './names.js'

export const intentBeforeEffect: CheckerDefinition = {
  name: 'intent-before-effect',
  watches: 'nothing is sent before the decision behind it is stored, and nothing acknowledged before what was told is stored',
  create(context) {
    const mirror = createMirror()
    const intents = createIntents(mirror)
    const acknowledgements = createAcknowledgements(mirror, intents, context)
    return {
      onEntry(entry) {
        if (entry.type === 'committed') intents.note(entry)
        if (entry.type === 'eventSent') acknowledgements.note(entry.event)
        if (entry.type !== 'callTaken') return
        checkCall(entry.call, intents, context)
        acknowledgements.check(entry.call)
      },
    }
  },
}

/** Everything that was ever decided on, by id. */
interface Intents {
  note(batch: Committed): void
  readonly launches: ReadonlySet<string>
  readonly executors: ReadonlySet<string>
  readonly operations: ReadonlySet<string>
  readonly kills: ReadonlySet<string>
  /** Launches that were stored as ended, or replaced: whoever reports such a one alive reports a ghost. */
  readonly over: ReadonlySet<string>
}

function createIntents(mirror: Mirror): Intents {
  const launches = new Set<string>()
  const executors = new Set<string>()
  const operations = new Set<string>()
  const kills = new Set<string>()
  const over = new Set<string>()

  const noteTask = (before: TaskRecord | undefined, after: TaskRecord): void => {
    const { launch, killAtMs } = after.context
    const earlier = before?.context.launch
    if (earlier !== undefined && earlier.taskId !== launch?.taskId) over.add(earlier.taskId)
    if (launch === undefined) return
    launches.add(launch.taskId)
    if (killAtMs !== undefined) kills.add(launch.taskId)
    if (after.value === 'ended') over.add(launch.taskId)
  }

  return {
    note(batch) {
      for (const { before, after } of taskChanges(batch, mirror)) noteTask(before, after)
      for (const { after } of instanceChanges(batch, mirror)) {
        for (const { id } of after?.footprint?.operations ?? []) operations.add(id)
        if (after?.executor !== undefined) executors.add(after.executor.executorId)
      }
      mirror.apply(batch)
    },
    launches,
    executors,
    operations,
    kills,
    over,
  }
}

function checkCall(call: Call, intents: Intents, { report }: CheckerContext): void {
  switch (call.type) {
    case 'ACCEPT':
      for (const operation of call.accept.operations ?? []) checkOperation(operation, intents, report)
      return
    case 'KILL': {
      const { value: id } = call.kill.task_id
      if (intents.kills.has(id) || intents.over.has(id)) return
      if (intents.launches.has(id)) report(`the master took a KILL of ${id}, and no record has decided to kill it`)
      else report(`the master took a KILL of ${id}, which the store has never known`)
      return
    }
    case 'SHUTDOWN':
    case 'TEARDOWN':
      report(`the master took a ${call.type}, and nothing stored decides on one`)
      return
    default:
      return
  }
}

function checkOperation(operation: Operation, intents: Intents, report: CheckerContext['report']): void {
  switch (operation.type) {
    case 'LAUNCH_GROUP': {
      const { executor, task_group: group } = operation.launch_group
      for (const task of group.tasks ?? []) checkLaunch(task.task_id.value, intents, report)
      const { value: id } = executor.executor_id
      if (!intents.executors.has(id)) report(`the master took a launch with executor ${id} before it was stored`)
      return
    }
    case 'LAUNCH':
      for (const task of operation.launch.task_infos ?? []) checkLaunch(task.task_id.value, intents, report)
      return
    case 'RESERVE':
    case 'CREATE': {
      const id = operation.id?.value
      if (id === undefined) report(`the master took a ${operation.type} without an id, so that its outcome cannot be told`)
      else if (!intents.operations.has(id)) report(`the master took operation ${id} (${operation.type}) before it was stored`)
      return
    }
    default:
      return
  }
}

function checkLaunch(id: string, intents: Intents, report: CheckerContext['report']): void {
  if (!intents.launches.has(id)) report(`the master took a launch of ${id} before it was stored`)
}

interface Acknowledgements {
  /** What the master tells, and has to be stored before it is acknowledged. */
  note(event: Event): void
  check(call: Call): void
}

function createAcknowledgements(mirror: Mirror, intents: Intents, { report }: CheckerContext): Acknowledgements {
  const statuses = new Map<string, TaskStatus>()
  const operations = new Map<string, OperationStatus>()

  const checkTask = (uuid: string, id: string): void => {
    const status = statuses.get(uuid)
    if (status === undefined) return report(`a status of ${id} was acknowledged that was never sent`)
    // What was never launched has no record: a stranger is shown, and there is nothing to store of it.
    if (!intents.launches.has(id) || shows(mirror.task(nameOfId(id)), status)) return
    report(`${status.state} of ${id} was acknowledged and is not stored`)
  }
  const checkOperation = (uuid: string, id: string): void => {
    const status = operations.get(uuid)
    if (status === undefined) return report(`a status of operation ${id} was acknowledged that was never sent`)
    const open = mirror.instance(nameOfId(id))?.footprint?.operations.some((operation) => operation.id === id)
    if (open === true && endsOperation.has(status.state))
      report(`${status.state} of operation ${id} was acknowledged, and the store still has it as open`)
  }

  return {
    note(event) {
      if (event.type === 'UPDATE') {
        const { status } = event.update
        if (status.uuid !== undefined) statuses.set(status.uuid, status)
      }
      if (event.type === 'UPDATE_OPERATION_STATUS') {
        const { status } = event.update_operation_status
        if (status.uuid !== undefined) operations.set(status.uuid.value, status)
      }
    },
    check(call) {
      if (call.type === 'ACKNOWLEDGE') checkTask(call.acknowledge.uuid, call.acknowledge.task_id.value)
      if (call.type === 'ACKNOWLEDGE_OPERATION_STATUS') {
        const { uuid, operation_id: id } = call.acknowledge_operation_status
        checkOperation(uuid, id.value)
      }
    },
  }
}

const endsOperation: ReadonlySet<string> = new Set([
  'OPERATION_FINISHED',
  'OPERATION_FAILED',
  'OPERATION_ERROR',
  'OPERATION_DROPPED',
])

/** How far a task has come; what is not here ends it, or makes it doubtful. */
const stages: Readonly<Record<string, number>> = { STAGING: 0, STARTING: 1, RUNNING: 2, KILLING: 3 }
const doubtful: ReadonlySet<string> = new Set(['LOST', 'UNKNOWN', 'UNREACHABLE', 'GONE_BY_OPERATOR'])
const stageOf = (record: TaskRecord): number =>
  Math.max(stages[record.value.toUpperCase()] ?? 0, stages[record.context.lastState ?? ''] ?? 0)

/** The record shows what the status told, or something that came later. */
function shows(record: TaskRecord | undefined, status: TaskStatus): boolean {
  if (record?.context.launch === undefined) return false
  const { launch, seen, ready } = record.context
  // A later launch exists only because the end of the earlier one was stored.
  if (launch.taskId !== status.task_id.value || record.value === 'ended') return true
  const state = status.state.slice('TASK_'.length)
  // Of a task that has been heard of, an ERROR or DROPPED tells of another launch under its id, and no end.
  if (state === 'ERROR' || state === 'DROPPED') return seen
  // Whether a task is away changes to and fro, and no record tells what it was before.
  if (doubtful.has(state)) return true
  const stage = stages[state]
  if (stage === undefined || (stage > 0 && !seen)) return false
  if (record.value !== 'unreachable' && stageOf(record) < stage) return false
  return state !== 'RUNNING' || status.check_status?.command?.exit_code !== 0 || ready
}
