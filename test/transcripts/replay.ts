/**
 * Replays a recorded conversation: sends the recorded calls, with ids put in place of ours, and compares every answer and
 * every event with the recording. Ids, times and uuids are bound on first sight. Order: answers follow their calls; events
 * of one stream may come in another order than recorded, within a second of their time; regular heartbeats are not counted
 * unless asked for. A repeated update (same uuid) is no difference.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Event } from '../../src/mesos/messages.js'
import type { RecordedCluster } from './recorded-cluster.js'
import { readTranscript } from './transcript.js'
import type { TranscriptLine } from './transcript.js'

export interface ReplayOptions {
  /** When, in seconds of the file, an allocation cycle was due: cycles are a second apart. */
  readonly cycleAt: number
  readonly countsHeartbeats?: boolean
  /** What was done to processes, before the line at that time. */
  readonly actions?: readonly { readonly at: number; readonly act: (cluster: RecordedCluster, session: ReplaySession) => void }[]
  /** Clients that left before the recorded master got to sending what ours sends at once. */
  readonly leftEarly?: readonly string[]
  /** How late an event may come. */
  readonly toleranceMs?: number
}

/** Bindings of recorded ids to ours; they last over files that continue each other. */
export interface ReplaySession {
  readonly cluster: RecordedCluster
  readonly ids: Map<string, string>
  /** Stream of each client. */
  readonly streams: Map<string, string>
  readonly seenUuids: Set<string>
}

type Item = { readonly type: string; readonly shape: unknown; readonly event: unknown; readonly uuid?: string | undefined }

const DROPPED = new Set([
  'timestamp',
  'uuid',
  'unreachable_time',
  'container_id',
  'executor_pid',
  'master_info',
  'nanoseconds',
  'network_infos',
  'url',
])

/** Text with ids replaced; parts of resource lists sorted, because their order means nothing. */
function plainText(text: string, ids: ReadonlyMap<string, string>): string {
  let result = text
  for (const [recorded, ours] of [...ids].sort(([a], [b]) => b.length - a.length)) result = result.replaceAll(recorded, ours)
  return result
    .split(' does not contain ')
    .map((part) =>
      part
        .split(' more than available ')
        .map((list) =>
          list
            .replace(/^(Total resources )?/, '')
            .split('; ')
            .sort()
            .join('; '),
        )
        .join(' > '),
    )
    .join(' lacks ')
}

function shapeOf(value: unknown, ids: ReadonlyMap<string, string>): unknown {
  if (typeof value === 'string') return plainText(value, ids)
  if (Array.isArray(value)) {
    const list = value.map((entry) => shapeOf(entry, ids))
    return list.map((entry) => JSON.stringify(entry)).sort()
  }
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(([key]) => !DROPPED.has(key))
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, entry]) => [key, shapeOf(entry, ids)]))
}

/** An event as comparable pieces: each offer is one. */
function itemsOf(event: Event, ids: ReadonlyMap<string, string>): Item[] {
  if (event.type === 'OFFERS') {
    return (event.offers.offers ?? []).map((offer) => {
      const { id: _, agent_id: __, ...rest } = offer
      return { type: 'OFFER', shape: shapeOf(rest, ids), event: offer }
    })
  }
  const uuid =
    event.type === 'UPDATE'
      ? event.update.status.uuid
      : event.type === 'UPDATE_OPERATION_STATUS'
        ? event.update_operation_status.status.uuid?.value
        : undefined
  return [{ type: event.type, shape: shapeOf(event, ids), event, ...(uuid === undefined ? {} : { uuid }) }]
}

/** An update that asks for an acknowledgement is never an answer to a question. */
const isAlike = (item: Item, expected: Item): boolean =>
  item.type === expected.type &&
  (item.uuid === undefined) === (expected.uuid === undefined) &&
  isDeepStrictEqual(item.shape, expected.shape)

class ReplayMismatch extends Error {}

export function replay(name: string, session: ReplaySession, options: ReplayOptions): void {
  const { cluster } = session
  const startMs = cluster.nowMs
  alignCycles(cluster, startMs + options.cycleAt * 1000)
  const run = new Replay(name, session, startMs, options)
  const actions = [...(options.actions ?? [])]
  for (const [index, line] of readTranscript(name).entries()) {
    for (let action = actions[0]; action !== undefined && action.at <= line.t; action = actions[0]) {
      cluster.advanceTo(startMs + action.at * 1000)
      action.act(cluster, session)
      actions.shift()
    }
    run.take(line, index + 1)
  }
  run.finish()
}

function alignCycles(cluster: RecordedCluster, atMs: number): void {
  const { allocationIntervalMs } = cluster.masterBooks().timings
  let lastAllocationAtMs = atMs
  while (lastAllocationAtMs > cluster.nowMs) lastAllocationAtMs -= allocationIntervalMs
  cluster.changeMasterBooks((books) => ({ ...books, lastAllocationAtMs }))
}

class Replay {
  /** Answers that were not yet compared, and ours. */
  private readonly pending = new Map<string, { status: number; body: unknown }>()
  private readonly read = new Map<string, number>()
  private readonly unmatched = new Map<string, Item[]>()
  private streams = 0

  constructor(
    private readonly name: string,
    private readonly session: ReplaySession,
    private readonly startMs: number,
    private readonly options: ReplayOptions,
  ) {
    // Events of an earlier file were compared there.
    for (const [who, stream] of session.streams) this.read.set(who, session.cluster.streams.get(stream)?.length ?? 0)
  }

  take(line: TranscriptLine, number: number): void {
    const where = `${this.name}:${number}`
    const atMs = this.startMs + line.t * 1000
    if (line.dir === '>') {
      this.session.cluster.advanceTo(atMs)
      this.send(line, number)
    } else if (line.dir === '<') this.compareAnswer(line, where)
    else if (line.dir === '<event') this.compareEvent(line, atMs, where)
    else if (line.note?.endsWith('closing the event stream socket') === true) {
      this.session.cluster.advanceTo(atMs)
      const stream = this.session.streams.get(line.note.split(':')[0] ?? '')
      if (stream !== undefined && !this.session.cluster.closedStreams.has(stream)) this.session.cluster.leaveStream(stream)
    } else if (line.note?.endsWith('end of stream') === true) this.compareEnd(line, where)
  }

  private send(line: TranscriptLine, number: number): void {
    const who = line.who ?? '-'
    const { ids, cluster, streams } = this.session
    const replaceIds = (text: string): string => ids.get(text) ?? text
    const body =
      typeof line.body === 'string' ? line.body : line.body === null ? '' : JSON.stringify(mapStrings(line.body, replaceIds))
    const headers = Object.fromEntries(
      Object.entries(line.headers ?? {}).map(([key, value]) => [key.toLowerCase(), replaceIds(value)]),
    )
    const streamId = `stream-${this.name}-${++this.streams}-${number}`
    const response = cluster.ask({ method: line.method ?? 'GET', path: line.path ?? '/', headers, body, streamId })
    if (response.streamId !== undefined) {
      streams.set(who, response.streamId)
      this.read.set(who, 0)
      this.unmatched.set(who, [])
    }
    this.pending.set(who, {
      status: response.status,
      body: response.streamId === undefined ? (response.body ?? null) : '(RecordIO stream follows)',
    })
  }

  private compareAnswer(line: TranscriptLine, where: string): void {
    const who = line.who ?? '-'
    const ours = this.pending.get(who)
    const { ids } = this.session
    const streamId = line.headers?.['Mesos-Stream-Id']
    const stream = this.session.streams.get(who)
    if (streamId !== undefined && stream !== undefined) ids.set(streamId, stream)
    const recorded = { status: line.status, body: shapeOf(withoutStrangers(line.body === '' ? null : line.body, ids), ids) }
    const actual = ours === undefined ? undefined : { status: ours.status, body: shapeOf(ours.body, new Map()) }
    if (!isDeepStrictEqual(recorded, actual))
      throw new ReplayMismatch(
        `${where}: answer differs\nrecorded ${JSON.stringify(recorded)}\nours     ${JSON.stringify(actual)}`,
      )
  }

  private compareEvent(line: TranscriptLine, atMs: number, where: string): void {
    const who = line.who ?? ''
    const event = line.body as Event
    if (event.type === 'HEARTBEAT' && this.options.countsHeartbeats !== true) return
    if (event.type === 'SUBSCRIBED') this.bindFramework(who, event)
    for (const expected of itemsOf(event, this.session.ids)) {
      // A repetition of an update that we sent once is no difference.
      if (expected.uuid !== undefined && this.session.seenUuids.has(expected.uuid)) continue
      const found = this.find(who, expected, atMs + (this.options.toleranceMs ?? 1000))
      if (found === undefined) {
        const left = (this.unmatched.get(who) ?? []).map((item) => JSON.stringify(item.shape)).join('\n  ')
        throw new ReplayMismatch(`${where}: missing for ${who}\n  ${JSON.stringify(expected.shape)}\nof ours are left\n  ${left}`)
      }
      if (expected.uuid !== undefined) this.session.seenUuids.add(expected.uuid)
      bindIds(this.session.ids, expected.event, found.event)
    }
  }

  private bindFramework(who: string, recorded: Extract<Event, { type: 'SUBSCRIBED' }>): void {
    const stream = this.session.streams.get(who) ?? ''
    const ours = this.session.cluster.streams.get(stream)?.find((event) => event.type === 'SUBSCRIBED')
    if (ours !== undefined) this.session.ids.set(recorded.subscribed.framework_id.value, ours.subscribed.framework_id.value)
    const masterId = recorded.subscribed.master_info?.id
    if (masterId !== undefined) this.session.ids.set(masterId, this.session.cluster.masterBooks().info.id)
  }

  /** New events of ours since the last look. */
  private collect(who: string): Item[] {
    const all = this.session.cluster.streams.get(this.session.streams.get(who) ?? '') ?? []
    const items = this.unmatched.get(who) ?? []
    for (const event of all.slice(this.read.get(who) ?? 0)) {
      if (event.type !== 'HEARTBEAT' || this.options.countsHeartbeats === true) items.push(...itemsOf(event, new Map()))
    }
    this.read.set(who, all.length)
    this.unmatched.set(who, items)
    return items
  }

  private find(who: string, expected: Item, untilMs: number): Item | undefined {
    const search = (): number => this.collect(who).findIndex((item) => isAlike(item, expected) && !this.isRepetition(item))
    let index = search()
    if (index < 0) {
      this.session.cluster.advanceTo(untilMs, () => {
        index = search()
        return index >= 0
      })
    }
    return index < 0 ? undefined : this.unmatched.get(who)?.splice(index, 1)[0]
  }

  private compareEnd(line: TranscriptLine, where: string): void {
    const stream = this.session.streams.get(line.who ?? '')
    if (stream !== undefined && !this.session.cluster.closedStreams.has(stream))
      throw new ReplayMismatch(`${where}: the stream of ${line.who ?? ''} should have ended`)
  }

  /** Nothing of ours may be left that the recording does not have. */
  finish(): void {
    for (const who of this.session.streams.keys()) {
      if (this.options.leftEarly?.includes(who) === true) continue
      const left = this.collect(who).filter((item) => item.type !== 'HEARTBEAT' && !this.isRepetition(item))
      if (left.length > 0)
        throw new ReplayMismatch(
          `${this.name}: not in the recording, for ${who}\n  ${left.map((item) => JSON.stringify(item.shape)).join('\n  ')}`,
        )
    }
  }

  private isRepetition(item: Item): boolean {
    return item.uuid !== undefined && [...this.session.ids.values()].includes(item.uuid)
  }
}

/** The recorded cluster still listed tasks of frameworks of other files. */
function withoutStrangers(body: unknown, ids: ReadonlyMap<string, string>): unknown {
  const view = (body as { get_tasks?: { completed_tasks?: { framework_id: { value: string } }[] } } | null)?.get_tasks
  if (view?.completed_tasks === undefined) return body
  return {
    ...(body as object),
    get_tasks: { ...view, completed_tasks: view.completed_tasks.filter((task) => ids.has(task.framework_id.value)) },
  }
}

function mapStrings(value: unknown, map: (text: string) => string): unknown {
  if (typeof value === 'string') return map(value)
  if (Array.isArray(value)) return value.map((entry) => mapStrings(entry, map))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, mapStrings(entry, map)]))
}

/** Every id of a recorded event is ours at the same place. */
function bindIds(ids: Map<string, string>, recorded: unknown, ours: unknown): void {
  if (typeof recorded !== 'object' || recorded === null || typeof ours !== 'object' || ours === null) return
  for (const [key, value] of Object.entries(recorded)) {
    // The framework chose these itself, and their order means nothing.
    if (key === 'executor_ids') continue
    const other = (ours as Record<string, unknown>)[key]
    const isId = key === 'value' || key === 'uuid'
    if (isId && typeof value === 'string' && typeof other === 'string' && value !== other) ids.set(value, other)
    else bindIds(ids, value, other)
  }
}
