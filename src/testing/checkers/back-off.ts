/**
 * After a failure that was told, the next launch of a task waits for the back-off of the spec, whichever scheduler decides on
 * it. Counts only what surely is a failure: FAILED, or FINISHED of what should have kept running, with no kill asked for. So the
 * pause demanded here is never longer than the one that is due.
 */
import type { TaskStatus } from '../../scheduler/events.js'
import type { ServiceSpec } from '../../spec/schema.js'
import type { TaskRecord } from '../../state-machine/task-record.js'
import type { CheckerContext, CheckerDefinition } from './checker.js'
import { createMirror, taskChanges, type Committed, type TaskChange } from './mirror.js'
import { nameOfId } from './names.js'
import { isEnd, showsLife, tellsReady } from './statuses.js'

/** What a scheduler was told of the end of a launch since it loaded the store. */
interface End {
  readonly state: string
  readonly atMs: number
}

/** Failures of one task in a row. */
interface Failures {
  readonly count: number
  /** When the last of them was told. */
  readonly atMs: number
}

export const backOff: CheckerDefinition = {
  name: 'back-off',
  watches: 'after a failure a task is launched again only when the back-off of the spec has passed',
  create(context) {
    const mirror = createMirror()
    const ends = new Map<string, Map<string, End>>()
    /** When each launch was first told ready. */
    const readyAtMs = new Map<string, number>()
    /** Launches that were told STARTING or RUNNING. */
    const seen = new Set<string>()
    const failures = new Map<string, Failures>()
    /** Launches whose end was counted, or found to be none. */
    const settled = new Set<string>()

    const hear = (scheduler: string, status: TaskStatus, atMs: number): void => {
      const { taskId, state } = status
      const name = nameOfId(taskId)
      if (!readyAtMs.has(taskId) && tellsReady(status, mirror.taskSpec(name))) readyAtMs.set(taskId, atMs)
      const own = ends.get(scheduler) ?? new Map<string, End>()
      ends.set(scheduler, own)
      if (isEnd(state, seen.has(taskId)) && !own.has(taskId)) own.set(taskId, { state, atMs })
      if (showsLife(state)) seen.add(taskId)
    }

    /** The batch shows that a launch is over: what did the scheduler that wrote it know of the end? */
    const settle = ({ name, before, after }: TaskChange, batch: Committed): void => {
      const launch = before?.context.launch
      const isOver = after.value === 'ended' || after.context.launch?.taskId !== launch?.taskId
      if (before === undefined || launch === undefined || !isOver || settled.has(launch.taskId)) return
      settled.add(launch.taskId)
      const end = ends.get(batch.scheduler)?.get(launch.taskId)
      if (end === undefined || end.atMs > batch.decidedAtMs) return
      const goal = mirror.taskSpec(name)?.goal
      if (end.state === 'FINISHED' && goal !== 'RUNNING') return void failures.delete(name)
      if (!isFailure(end.state, before)) return
      const readyMs = end.atMs - (readyAtMs.get(launch.taskId) ?? Infinity)
      const isForgiven = readyMs >= shortest(context, ({ resetAfterMs }) => resetAfterMs)
      failures.set(name, { count: isForgiven ? 1 : (failures.get(name)?.count ?? 0) + 1, atMs: end.atMs })
    }

    const checkLaunch = ({ name, before, after }: TaskChange, batch: Committed): void => {
      const { launch } = after.context
      const failed = failures.get(name)
      if (launch === undefined || launch.taskId === before?.context.launch?.taskId || failed === undefined) return
      const pauseMs = shortest(context, (backoff) => pauseAfter(backoff, failed.count))
      const waitedMs = batch.decidedAtMs - failed.atMs
      if (waitedMs < pauseMs)
        context.report(
          `${launch.taskId} was decided on ${waitedMs} ms after failure ${failed.count} in a row was told; ${pauseMs} ms are due`,
        )
    }

    return {
      onEntry(entry) {
        if (entry.type === 'sessionOpened') ends.delete(entry.scheduler)
        if (entry.type === 'eventDelivered' && entry.event.type === 'taskStatusReceived')
          hear(entry.scheduler, entry.event.status, entry.atMs)
        if (entry.type !== 'committed') return
        for (const change of taskChanges(entry, mirror)) {
          settle(change, entry)
          checkLaunch(change, entry)
        }
        mirror.apply(entry)
      },
    }
  },
}

type Policy = ServiceSpec['recovery']['backoff']

/** `before`: as stored when the end was decided on. */
const isFailure = (state: string, before: TaskRecord): boolean =>
  before.context.killAtMs === undefined && (state === 'FAILED' || state === 'FINISHED')

const pauseAfter = ({ initialMs, factor, maxMs }: Policy, failures: number): number =>
  Math.floor(Math.min(maxMs, initialMs * factor ** (failures - 1)))

/** Which of the specs handed in was in force for a failure is not for this checker to know: the mildest counts. */
const shortest = ({ specs }: CheckerContext, read: (policy: Policy) => number): number =>
  Math.min(...specs().map((spec) => read(spec.recovery.backoff)))
