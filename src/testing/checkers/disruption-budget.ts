/**
 * One disruption budget per service: what runs and is ready is killed, for an update or a restart, only while every other
 * deployed instance is up, and none of them was killed by the service itself and is not back. Counts what the deciding scheduler
 * had been told on its present stream before it decided; what came in that very moment may have come before or after. A kill in
 * an instance that is itself not up costs nothing, and an instance that its plan has in hand may follow a newer target.
 */
import type { TaskStatus } from '../../scheduler/events.js'
import type { InstanceRecord } from '../../scheduler/records/instance-record.js'
import type { CheckerDefinition } from './checker.js'
import { createMirror, taskChanges, valueOf, type Committed, type Mirror, type TaskChange } from './mirror.js'
import { nameOfId, splitTaskName } from './names.js'
import { tellsReady } from './statuses.js'

export const disruptionBudget: CheckerDefinition = {
  name: 'disruption-budget',
  watches: 'what runs and is ready is killed only while every other deployed instance is up',
  create({ report }) {
    const mirror = createMirror()
    const told = createTold(mirror)

    const note = (batch: Committed): void => {
      const changes = taskChanges(batch, mirror)
      const kills = changes.filter(isKilledNow)
      const killed = new Set(kills.map(({ name }) => name))
      for (const { name, after } of kills) {
        if (!isCostly(name, batch, mirror, told)) continue
        const own = splitTaskName(name)?.instance
        const others = [...mirror.instances()].filter(([other, { deployed }]) => deployed && other !== own)
        const problems = others.flatMap(([other]) => whyDown(other, killed, batch, mirror, told))
        if (problems.length > 0) report(`${after.context.launch?.taskId} is to be killed while ${problems.join(', and ')}`)
      }
      mirror.apply(batch)
    }

    return {
      onEntry(entry) {
        if (entry.type === 'sessionOpened') told.forget(entry.scheduler)
        if (entry.type === 'eventDelivered') {
          if (entry.event.type === 'subscribed') told.beginStream(entry.scheduler, entry.atMs)
          if (entry.event.type === 'taskStatusReceived') told.hear(entry.scheduler, entry.event.status, entry.atMs)
        }
        if (entry.type === 'committed') note(entry)
      },
    }
  },
}

const isKilledNow = ({ before, after }: TaskChange): boolean => {
  const { launch, killAtMs } = after.context
  const wasDecided = before?.context.launch?.taskId === launch?.taskId && before?.context.killAtMs !== undefined
  return launch !== undefined && killAtMs !== undefined && !wasDecided
}

/** Names of the tasks of an instance that should keep running. */
function serversOf(name: string, mirror: Mirror): string[] {
  return Object.entries(mirror.podOf(name)?.tasks ?? {}).flatMap(([task, { goal }]) =>
    goal === 'RUNNING' ? [`${name}-${task}`] : [],
  )
}

/** A kill that takes down what was up, for no newer target of the block in hand. */
function isCostly(name: string, batch: Committed, mirror: Mirror, told: Told): boolean {
  const instance = splitTaskName(name)?.instance ?? name
  const record = mirror.instance(instance)
  const launch = mirror.task(name)?.context.launch
  const servers = serversOf(instance, mirror)
  if (record?.deployed !== true || launch === undefined || !servers.includes(name)) return false
  const isInHand = record.owner === 'update' || record.owner === 'deploy'
  if (isInHand && launch.targetId !== targetAfter(instance, record, batch)) return false
  return servers.every((server) => {
    const { context } = mirror.task(server) ?? {}
    return context?.killAtMs === undefined && told.isUp(batch, context?.launch?.taskId, 'surely')
  })
}

/** The target of an instance as the batch leaves it. */
function targetAfter(instance: string, record: InstanceRecord, batch: Committed): string {
  const write = batch.writes.find(({ key }) => key === `instances/${instance}`)
  const after = write === undefined ? undefined : (valueOf(write) as InstanceRecord | undefined)
  return (after ?? record).targetId
}

/** Why another instance does not carry the service while this one is taken down. */
const whyDown = (name: string, killed: ReadonlySet<string>, batch: Committed, mirror: Mirror, told: Told): string[] =>
  serversOf(name, mirror).flatMap((server) => {
    const { launch, killAtMs } = mirror.task(server)?.context ?? {}
    if (killed.has(server) || killAtMs !== undefined) return [`${server} is being killed too`]
    return told.isUp(batch, launch?.taskId, 'perhaps') ? [] : [`${server} ${told.describe(batch, launch?.taskId)}`]
  })

/** What schedulers were told of launches, each on its present stream. */
interface Told {
  hear(scheduler: string, status: TaskStatus, atMs: number): void
  /** Everything is told anew. What was decided on the stream before may land later. */
  beginStream(scheduler: string, atMs: number): void
  /** Its session with the store is a new one. */
  forget(scheduler: string): void
  /** As known when the batch was decided on; what came in that moment counts in the way that is asked for. */
  isUp(batch: Committed, taskId: string | undefined, how: 'surely' | 'perhaps'): boolean
  describe(batch: Committed, taskId: string | undefined): string
}

interface News {
  readonly atMs: number
  readonly state: string
  readonly isRunning: boolean
}

/** An older state of what runs, told by a reconciliation, changes nothing. */
const changesNothing: ReadonlySet<string> = new Set(['STAGING', 'STARTING'])

/** What one scheduler was told since it loaded the store. */
interface Knowledge {
  readonly streamsSinceMs: number[]
  readonly news: Map<string, News[]>
}

function createTold(mirror: Mirror): Told {
  const bySchedulers = new Map<string, Knowledge>()
  /** When each launch was first told ready, to anybody: that is stored, and lasts. */
  const readyAtMs = new Map<string, number>()
  const knowledgeOf = (scheduler: string): Knowledge => {
    const known = bySchedulers.get(scheduler) ?? { streamsSinceMs: [], news: new Map() }
    bySchedulers.set(scheduler, known)
    return known
  }
  const newsOf = ({ scheduler, decidedAtMs }: Committed, taskId: string | undefined): readonly News[] => {
    const { streamsSinceMs, news } = knowledgeOf(scheduler)
    const sinceMs = streamsSinceMs.findLast((ms) => ms < decidedAtMs) ?? -Infinity
    return (news.get(taskId ?? '') ?? []).filter(({ atMs }) => atMs >= sinceMs && atMs <= decidedAtMs)
  }

  return {
    hear(scheduler, status, atMs) {
      const { taskId, state } = status
      if (!readyAtMs.has(taskId) && tellsReady(status, mirror.taskSpec(nameOfId(taskId)))) readyAtMs.set(taskId, atMs)
      const { news, streamsSinceMs } = knowledgeOf(scheduler)
      const about = news.get(taskId) ?? []
      news.set(taskId, about)
      const last = about.at(-1)
      const isRunning = state === 'RUNNING' || (changesNothing.has(state) && last?.isRunning === true)
      const isNew = last === undefined || last.isRunning !== isRunning || last.atMs < (streamsSinceMs.at(-1) ?? -Infinity)
      if (isNew) about.push({ atMs, state, isRunning })
    },
    beginStream: (scheduler, atMs) => void knowledgeOf(scheduler).streamsSinceMs.push(atMs),
    forget: (scheduler) => void bySchedulers.delete(scheduler),
    isUp(batch, taskId, how) {
      if ((readyAtMs.get(taskId ?? '') ?? Infinity) > batch.decidedAtMs) return false
      const news = newsOf(batch, taskId)
      const before = news.findLast(({ atMs }) => atMs < batch.decidedAtMs)?.isRunning ?? false
      const then = news.filter(({ atMs }) => atMs === batch.decidedAtMs).map(({ isRunning }) => isRunning)
      return how === 'surely' ? [before, ...then].every(Boolean) : [before, ...then].some(Boolean)
    },
    describe(batch, taskId) {
      const last = newsOf(batch, taskId).at(-1)
      if (last === undefined) return 'was not told of on this stream'
      return last.isRunning ? 'was never told ready' : `was last told ${last.state}`
    },
  }
}
