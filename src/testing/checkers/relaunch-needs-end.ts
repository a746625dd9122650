/**
 * Promise 2, logically, and even where no harm was done: a task counts as ended, and is launched again, only after its launch was
 * told ended. A launch is what is stored as one, whether or not its ACCEPT was ever sent: a scheduler that died may have sent it.
 * What was delivered up to the decision, to whichever scheduler, could be known; what came later could not.
 */
import type { TaskStatus } from '../../scheduler/events.js'
import type { CheckerDefinition } from './checker.js'
import { createMirror, newLaunches, taskChanges, type Committed } from './mirror.js'
import { isEnd, showsLife } from './statuses.js'

/** What was told of one launch. */
interface Told {
  /** When an end was first told. */
  endedAtMs?: number
  /** STARTING or RUNNING was stored for it: nobody can have forgotten that. */
  isSeenStored: boolean
  /** The last status, for people. */
  last?: string
}

export const relaunchNeedsEnd: CheckerDefinition = {
  name: 'relaunch-needs-end',
  watches:
    'no task counts as ended, or is launched again, before its launch was told FINISHED, FAILED, KILLED, GONE, or never to have run',
  create({ report }) {
    const mirror = createMirror()
    const told = new Map<string, Told>()
    /** Launches told STARTING or RUNNING to a scheduler since it loaded the store. */
    const seen = new Map<string, Set<string>>()
    /** The last launch of each task that was ever stored, also after its record was deleted. */
    const last = new Map<string, string>()

    const toldOf = (taskId: string): Told => {
      const known = told.get(taskId) ?? { isSeenStored: false }
      told.set(taskId, known)
      return known
    }

    const hear = (scheduler: string, { taskId, state }: TaskStatus, atMs: number): void => {
      const about = toldOf(taskId)
      const ownSeen = seen.get(scheduler) ?? new Set()
      seen.set(scheduler, ownSeen)
      if (isEnd(state, about.isSeenStored || ownSeen.has(taskId))) about.endedAtMs ??= atMs
      if (showsLife(state)) ownSeen.add(taskId)
      about.last = state
    }

    const isKnown = (taskId: string, { decidedAtMs }: Committed): boolean =>
      (told.get(taskId)?.endedAtMs ?? Infinity) <= decidedAtMs

    const check = (batch: Committed): void => {
      for (const { before, after } of taskChanges(batch, mirror)) {
        const { launch } = after.context
        if (launch === undefined || after.value !== 'ended' || isKnown(launch.taskId, batch)) continue
        const isNew = before?.value !== 'ended' || before.context.launch?.taskId !== launch.taskId
        if (isNew) report(`${launch.taskId} was stored as ended and was not told so: ${describe(told.get(launch.taskId))}`)
      }
      for (const { name, launch } of newLaunches(batch, mirror)) {
        const earlier = last.get(name)
        last.set(name, launch.taskId)
        if (earlier === undefined || earlier === launch.taskId) continue
        if (isKnown(earlier, batch)) continue
        report(`${launch.taskId} was decided on while ${earlier} was not told ended: ${describe(told.get(earlier))}`)
      }
      mirror.apply(batch)
      for (const { key } of batch.writes) {
        const context = key.startsWith('tasks/') ? mirror.task(key.slice('tasks/'.length))?.context : undefined
        if (context?.launch !== undefined && context.seen) toldOf(context.launch.taskId).isSeenStored = true
      }
    }

    return {
      onEntry(entry) {
        if (entry.type === 'sessionOpened') seen.delete(entry.scheduler)
        if (entry.type === 'eventDelivered' && entry.event.type === 'taskStatusReceived')
          hear(entry.scheduler, entry.event.status, entry.atMs)
        if (entry.type === 'committed') check(entry)
      },
    }
  },
}

const describe = (about: Told | undefined): string =>
  about?.last === undefined ? 'nothing was told of it' : `the last it was told was ${about.last}`
