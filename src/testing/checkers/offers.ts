/**
 * Offers: each is used at most once, on the stream it came on, and not after its scheduler was told that it is void; and none is
 * held for long, because what is held nobody else can use. When an ACCEPT was decided on is told by the batch that stored what it
 * launches and reserves. Time counts against a scheduler only while it stores something now and then: one that stands still, or
 * has no store, answers nothing. Calls go out in order, so an offer that was to be given back has been, once a call that was
 * decided on later has been sent.
 */
import type { LogEntry } from '../virtual/log.js'
import type { CheckerContext, CheckerDefinition } from './checker.js'
import { createMirror, instanceChanges, newLaunches, type Committed } from './mirror.js'

/** So long an offer may be held. */
const maxHoldMs = 120_000
/** Pauses between two commits beyond this may be the store's. */
const maxPauseMs = 10_000

interface Offered {
  readonly agentId: string
  readonly streamId: string
  readonly atMs: number
  /** Busy time of its scheduler when it came. */
  readonly busyMs: number
  /** When its scheduler was told that it is void. */
  voidAtMs?: number
  /** What has become of it, in words. */
  answer?: string
}

/** What one scheduler has been offered on its present stream. */
interface Holder {
  streamId?: string
  /** Of its session with the store; undefined when that is over, and with it the stream, which nobody tells. */
  epoch?: number
  /** Offers that were neither answered nor are void. */
  readonly open: Map<string, Offered>
  lastCommitMs: number
  /** Time between commits so far. */
  busyMs: number
  /** Busy time at the latest commits, oldest first. */
  readonly marks: { readonly atMs: number; readonly busyMs: number }[]
}

type Sent = Extract<LogEntry, { type: 'callSent' }>

export const offers: CheckerDefinition = {
  name: 'offers',
  watches: 'an offer is used once, on its own stream, while it is valid, and is never held for more than two minutes',
  create(context) {
    const known = new Map<string, Offered>()
    const holders = new Map<string, Holder>()
    const holderOf = (scheduler: string): Holder => {
      const holder = holders.get(scheduler) ?? { open: new Map(), lastCommitMs: 0, busyMs: 0, marks: [] }
      holders.set(scheduler, holder)
      return holder
    }
    const decisions = createDecisions()
    const check = checkSent(context, known, decisions)
    return {
      onEntry(entry) {
        switch (entry.type) {
          case 'eventDelivered':
            return deliver(holderOf(entry.scheduler), entry, known)
          case 'committed':
            decisions.note(entry)
            return pass(holderOf(entry.scheduler), entry.atMs)
          case 'callSent':
            return check(holderOf(entry.scheduler), entry)
          case 'schedulerEnded':
            endStream(holderOf(entry.scheduler), entry.atMs)
            delete holderOf(entry.scheduler).epoch
            return
          case 'sessionOpened':
            endStream(holderOf(entry.scheduler), entry.atMs)
            holderOf(entry.scheduler).epoch = entry.epoch
            return
          case 'sessionEnded': {
            const holder = holderOf(entry.scheduler)
            if (holder.epoch !== entry.epoch) return
            delete holder.epoch
            holder.open.clear()
            return
          }
          default:
            return
        }
      },
      atRest() {
        for (const [scheduler, { open }] of holders)
          for (const [id, { atMs }] of open)
            if (context.nowMs() - atMs > maxHoldMs)
              context.report(`${scheduler} still holds offer ${id}, which it got ${context.nowMs() - atMs} ms ago`)
      },
    }
  },
}

/** When the operations of ACCEPTs were decided on. */
interface Decisions {
  note(batch: Committed): void
  /** As the log has it, where no operation is known. */
  atMsOf(sent: Sent): number
}

function createDecisions(): Decisions {
  const mirror = createMirror()
  const atMs = new Map<string, number>()
  return {
    note(batch) {
      for (const { launch } of newLaunches(batch, mirror)) atMs.set(launch.taskId, batch.decidedAtMs)
      for (const { after } of instanceChanges(batch, mirror))
        for (const { id } of after?.footprint?.operations ?? []) if (!atMs.has(id)) atMs.set(id, batch.decidedAtMs)
      mirror.apply(batch)
    },
    atMsOf({ call, decidedAtMs }) {
      if (call.type !== 'accept') return decidedAtMs
      const ids = call.operations.flatMap((operation) =>
        operation.type === 'launchGroup' ? operation.tasks.map(({ taskId }): string => taskId) : [operation.id],
      )
      return Math.min(decidedAtMs, ...ids.map((id) => atMs.get(id) ?? decidedAtMs))
    },
  }
}

function endStream(holder: Holder, atMs: number): void {
  for (const offered of holder.open.values()) offered.voidAtMs = atMs
  holder.open.clear()
  delete holder.streamId
}

function deliver(
  holder: Holder,
  { event, atMs }: Extract<LogEntry, { type: 'eventDelivered' }>,
  known: Map<string, Offered>,
): void {
  const makeVoid = (id: string, offered: Offered): void => {
    offered.voidAtMs ??= atMs
    holder.open.delete(id)
  }
  switch (event.type) {
    case 'subscribed':
      endStream(holder, atMs)
      holder.streamId = event.streamId
      return
    case 'disconnected':
    case 'frameworkErrorReceived':
      return endStream(holder, atMs)
    case 'offersReceived':
      for (const { id, agentId } of event.offers) {
        const offered: Offered = { agentId, streamId: holder.streamId ?? '', atMs, busyMs: holder.busyMs }
        known.set(id, offered)
        if (holder.epoch !== undefined) holder.open.set(id, offered)
      }
      return
    case 'offerRescinded': {
      const offered = known.get(event.offerId)
      return offered === undefined ? undefined : makeVoid(event.offerId, offered)
    }
    case 'agentFailed':
      for (const [id, offered] of holder.open) if (offered.agentId === event.agentId) makeVoid(id, offered)
      return
    default:
      return
  }
}

/** A commit of the scheduler: time has passed for it. */
function pass(holder: Holder, atMs: number): void {
  holder.busyMs += Math.min(maxPauseMs, atMs - holder.lastCommitMs)
  holder.lastCommitMs = atMs
  holder.marks.push({ atMs, busyMs: holder.busyMs })
  while ((holder.marks[0]?.atMs ?? Infinity) < atMs - 2 * maxHoldMs) holder.marks.shift()
}

function checkSent({ report }: CheckerContext, known: Map<string, Offered>, decisions: Decisions) {
  const use = (id: string, sent: Sent): void => {
    const { scheduler, streamId, call } = sent
    const decidedAtMs = decisions.atMsOf(sent)
    const offered = known.get(id)
    const user = `${scheduler} sent ${call.type} with offer ${id}`
    if (offered === undefined) return report(`${user}, which nobody was offered`)
    if (offered.streamId !== streamId) report(`${user} of another stream`)
    else if (offered.answer !== undefined) report(`${user}, which it had ${offered.answer} before`)
    else if (offered.voidAtMs !== undefined && offered.voidAtMs < decidedAtMs)
      report(`${user}, ${decidedAtMs - offered.voidAtMs} ms after it was told that it is void`)
  }
  const answer = (holder: Holder, id: string, how: string): void => {
    const offered = known.get(id)
    if (offered !== undefined) offered.answer ??= how
    holder.open.delete(id)
  }
  const checkHeld = (holder: Holder, { scheduler, decidedAtMs, atMs: sentAtMs }: Sent): void => {
    // Sent in the moment of its decision as far as the log knows: it may have waited behind others, and so may an answer.
    if (decidedAtMs === sentAtMs) return
    const busyMs = holder.marks.findLast(({ atMs }) => atMs <= decidedAtMs)?.busyMs ?? 0
    for (const [id, offered] of holder.open) {
      const heldMs = Math.min(busyMs - offered.busyMs, decidedAtMs - offered.atMs)
      if (heldMs <= maxHoldMs) continue
      holder.open.delete(id)
      report(`${scheduler} has held offer ${id} for ${heldMs} ms and answers other things`)
    }
  }

  return (holder: Holder, sent: Sent): void => {
    const { call } = sent
    if (call.type === 'accept') {
      for (const id of call.offerIds) use(id, sent)
      for (const id of call.offerIds) answer(holder, id, 'accepted')
    }
    if (call.type === 'decline') for (const id of call.offerIds) answer(holder, id, 'declined')
    checkHeld(holder, sent)
  }
}
