/**
 * After every subscription a scheduler first hears what became of an instance's tasks: it decides on a launch or a kill for the
 * instance only when each task of it that may be alive, from before the subscription, was told of on this stream. An answer from
 * an earlier stream may be older than what an ACCEPT on its way has brought about since.
 */
import type { LogEntry } from '../virtual/log.js'
import type { CheckerDefinition } from './checker.js'
import { createMirror, newLaunches, taskChanges, type Committed } from './mirror.js'
import { splitTaskName } from './names.js'

type Delivered = Extract<LogEntry, { type: 'eventDelivered' }>

/** What one scheduler was told, since it loaded the store. */
interface Heard {
  readonly streamsSinceMs: number[]
  /** When each launch was told of. */
  readonly atMs: Map<string, number[]>
}

export const answeredFirst: CheckerDefinition = {
  name: 'answered-first',
  watches: 'nothing is launched or killed for an instance before the master has told of each of its tasks on the present stream',
  create({ report }) {
    const mirror = createMirror()
    const heard = new Map<string, Heard>()
    const launchedAtMs = new Map<string, number>()

    const hear = ({ scheduler, event, atMs }: Delivered): void => {
      const own = heard.get(scheduler) ?? { streamsSinceMs: [], atMs: new Map<string, number[]>() }
      heard.set(scheduler, own)
      if (event.type === 'subscribed') own.streamsSinceMs.push(atMs)
      if (event.type !== 'taskStatusReceived') return
      const { taskId } = event.status
      own.atMs.set(taskId, [...(own.atMs.get(taskId) ?? []), atMs].slice(-20))
    }

    /** Tasks of the instance that the deciding scheduler had not heard of. */
    const unanswered = (instance: string, { scheduler, decidedAtMs }: Committed): string[] => {
      const own = heard.get(scheduler)
      const sinceMs = own?.streamsSinceMs.findLast((ms) => ms < decidedAtMs) ?? -Infinity
      return Object.keys(mirror.podOf(instance)?.tasks ?? {}).flatMap((task) => {
        const record = mirror.task(`${instance}-${task}`)
        const id = record?.context.launch?.taskId
        if (id === undefined || record?.value === 'idle' || record?.value === 'ended') return []
        if ((launchedAtMs.get(id) ?? -Infinity) >= sinceMs) return []
        return own?.atMs.get(id)?.some((ms) => ms >= sinceMs && ms <= decidedAtMs) === true ? [] : [id]
      })
    }

    const note = (batch: Committed): void => {
      const launches = newLaunches(batch, mirror)
      const kills = taskChanges(batch, mirror).filter(
        ({ before, after }) => after.context.killAtMs !== undefined && before?.context.killAtMs === undefined,
      )
      const acts = [
        ...launches.map(({ name }) => [name, 'launched'] as const),
        ...kills.map(({ name }) => [name, 'killed'] as const),
      ]
      for (const [name, what] of acts)
        for (const id of unanswered(splitTaskName(name)?.instance ?? name, batch))
          report(`${name} was to be ${what} before the master had told ${batch.scheduler} of ${id} on its present stream`)
      for (const { launch } of launches) launchedAtMs.set(launch.taskId, batch.decidedAtMs)
      mirror.apply(batch)
    }

    return {
      onEntry(entry) {
        if (entry.type === 'sessionOpened') heard.delete(entry.scheduler)
        if (entry.type === 'eventDelivered') hear(entry)
        if (entry.type === 'committed') note(entry)
      },
    }
  },
}
