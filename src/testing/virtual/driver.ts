/**
 * The driver of a virtual cluster: what `src/mesos/driver.ts` does over sockets, in virtual time and by the same rules. It
 * subscribes, follows the stream to its end, pauses and begins again; calls become v1 JSON, fenced by the stream id; records
 * become events by the same parser and converter. Everything that happens in it goes through the process it is part of.
 */
import { isSdkError, SdkError } from '../../errors.js'
import { frameworkId, streamId as toStreamId, type StreamId } from '../../ids.js'
import { toSubscribe } from '../../mesos/convert-call.js'
import { classifyFrameworkError, fromEvent, parseJson } from '../../mesos/convert-event.js'
import { parseEvent, type Event } from '../../mesos/messages.js'
import type { FrameworkInfo, MesosDriver, MesosDriverHandlers } from '../../ports/mesos-driver.js'
import type { DriverEvent } from '../../scheduler/events.js'
import { defaultSubscribeBackoff, retryDelayMs, type RetryKind } from '../../mesos/retry-delay.js'
import type { Ack, MesosCall, Outgoing } from '../../scheduler/output.js'
import { createCallQueue, type CallFault, type CallQueue } from './calls.js'
import type { Chance } from './chance.js'
import type { VirtualClock } from './clock.js'
import type { ConnectionHandlers, MasterConnection } from './connection.js'
import type { WriteLog } from './log.js'

export type { CallFault } from './calls.js'

/** The process that a driver is part of: everything that happens inside it goes through here. */
export interface DriverHost {
  deliver(run: () => void): void
  readonly after: (ms: number, run: () => void) => () => void
}

/** The limits of the real driver. */
export interface DriverTimings {
  /** Until SUBSCRIBE counts as unanswered, and a stream without SUBSCRIBED as dead. */
  readonly answerTimeoutMs: number
  /** Until any other call counts as unanswered. */
  readonly callTimeoutMs: number
  /** So many announced heartbeat intervals without a record, and the stream counts as dead. */
  readonly heartbeatTolerance: number
}

export const defaultDriverTimings: DriverTimings = { answerTimeoutMs: 15_000, callTimeoutMs: 75_000, heartbeatTolerance: 5 }

/** Which process it is part of, and what becomes of its calls. */
export interface DriverOptions {
  /** Name of the process, for the log. @defaultValue 'a1' */
  readonly scheduler?: string
  /** @defaultValue a process that is always there */
  readonly host?: DriverHost
  /** Asked when a call is about to be written to its connection. @defaultValue all arrive */
  readonly faultOf?: (call: MesosCall | Ack) => CallFault
  /** The process is to vanish now. */
  readonly onCrash?: () => void
  /** When the step behind what is sent now began. @defaultValue now */
  readonly decidedAtMs?: () => number
}

export interface VirtualDriverParts extends Required<DriverOptions> {
  readonly clock: VirtualClock
  readonly timings: DriverTimings
  readonly chance: Chance
  readonly write: WriteLog
  readonly open: (handlers: ConnectionHandlers) => MasterConnection
}

/** A driver whose process may die. */
export interface VirtualDriver extends MesosDriver {
  /** The process dies: what is on its way arrives, then its connections close; nothing more is sent or heard. */
  vanish(): void
}

interface Session {
  readonly info: FrameworkInfo
  readonly stream: MasterConnection
  streamId?: StreamId
  calls?: CallQueue
  subscribedAtMs?: number
  heartbeatMs?: number
  heardAtMs: number
  /** Undefined: silence means nothing. */
  silenceLimitMs: number | undefined
  isOver: boolean
}

/** A stream that lived for so many heartbeats proves that the cluster is well again; without heartbeats, so long. */
const provenHeartbeats = 2
const provenMs = 30_000

export function createVirtualDriver(parts: VirtualDriverParts): VirtualDriver {
  const { clock, timings, scheduler, host, write } = parts
  let handlers: MesosDriverHandlers | undefined
  let session: Session | undefined
  let failures = 0
  let lastTrouble: string | undefined

  const emit = (event: DriverEvent): void => {
    if (handlers === undefined) return
    write({ type: 'eventDelivered', scheduler, event })
    handlers.onEvent(event)
  }
  /** What is wrong is said once, until it is over. */
  const complain = (error: Error): void => {
    if (error.message === lastTrouble) return
    lastTrouble = error.message
    handlers?.onTrouble(error)
  }

  const subscribe = async (): Promise<void> => {
    const asked = handlers
    if (asked === undefined) return
    let info: FrameworkInfo
    try {
      info = await asked.beforeSubscribe()
    } catch (error) {
      if (handlers !== asked) return
      complain(error instanceof Error ? error : new SdkError('ERR_INVARIANT', 'beforeSubscribe failed', { cause: error }))
      if (isSdkError(error) && error.retryable) subscribeLater('normal')
      else handlers = undefined
      return
    }
    if (handlers === asked) openStream(info)
  }

  const subscribeLater = (kind: RetryKind): void => {
    const asked = handlers
    const delayMs = retryDelayMs(kind, failures, defaultSubscribeBackoff, () => parts.chance.next())
    failures += 1
    host.after(delayMs, () => {
      if (handlers === asked) void subscribe()
    })
  }

  const openStream = (info: FrameworkInfo): void => {
    const heard = (take: () => void): void => {
      if (opening.isOver) return
      opening.heardAtMs = clock.nowMs
      take()
    }
    const stream = parts.open({
      onAnswer: (status, text, id) =>
        heard(() => {
          if (id !== undefined) opening.streamId = toStreamId(id)
          else onSubscribeRefused(opening, status, text)
        }),
      onRecord: (text) => heard(() => onRecord(opening, parseEvent(parseJson(text)))),
      onHeartbeat: () => heard(() => undefined),
      onEnd: (reason) => finish(opening, reason),
    })
    const silenceLimitMs = timings.answerTimeoutMs
    const opening: Session = { info, stream, heardAtMs: clock.nowMs, silenceLimitMs, isOver: false }
    session = opening
    stream.post(JSON.stringify(toSubscribe(info)))
    watchSilence(opening)
  }

  /** Looks when the silence could have lasted too long, and again if it has not. */
  const watchSilence = (of: Session): void => {
    const { silenceLimitMs } = of
    if (of.isOver || silenceLimitMs === undefined) return
    const leftMs = of.heardAtMs + silenceLimitMs - clock.nowMs
    if (leftMs <= 0) return finish(of, `nothing from the master for ${silenceLimitMs} ms`)
    host.after(leftMs, () => watchSilence(of))
  }

  /** Everything stops first, then the end is told: whoever reacts by sending finds the stream over. */
  const close = (over: Session): void => {
    over.isOver = true
    over.stream.close()
    over.calls?.close()
    if (session === over) session = undefined
  }

  const finish = (over: Session, reason: string, kind: RetryKind = 'normal'): void => {
    if (over.isOver) return
    close(over)
    if (over.subscribedAtMs === undefined) {
      const text = `cannot subscribe at the virtual master: ${reason}`
      complain(new SdkError('ERR_MASTER_UNREACHABLE', text, { retryable: true }))
    } else {
      const livedMs = clock.nowMs - over.subscribedAtMs
      if (livedMs >= (over.heartbeatMs === undefined ? provenMs : over.heartbeatMs * provenHeartbeats)) failures = 0
      lastTrouble = undefined
      emit({ type: 'disconnected', reason, atMs: clock.nowMs })
    }
    if (handlers !== undefined) subscribeLater(kind)
  }

  /** For good: the driver has stopped when the reason is told. */
  const stop = (over: Session, kind: 'failedOver' | 'removed' | 'refused', message: string): void => {
    const told = handlers
    close(over)
    handlers = undefined
    const event: DriverEvent = { type: 'frameworkErrorReceived', kind, message, atMs: clock.nowMs }
    write({ type: 'eventDelivered', scheduler, event })
    told?.onEvent(event)
  }

  const onSubscribeRefused = (of: Session, status: number, text: string): void => {
    const reason = `it answered ${status} (${text})`
    const passes = status === 404 || status === 429 || status >= 500 || status < 400
    if (passes) finish(of, reason, 'soon')
    else stop(of, 'refused', reason)
  }

  const onRecord = (of: Session, event: Event): void => {
    if (event.type === 'ERROR') return onError(of, event.error.message)
    if (event.type === 'SUBSCRIBED') return onSubscribed(of, event.subscribed)
    if (of.subscribedAtMs === undefined) return finish(of, `the stream began with ${event.type} and not with SUBSCRIBED`)
    const converted = fromEvent(event, clock.nowMs)
    if (converted !== undefined) emit(converted)
  }

  const onSubscribed = (of: Session, subscribed: Extract<Event, { type: 'SUBSCRIBED' }>['subscribed']): void => {
    const { streamId } = of
    if (streamId === undefined) return finish(of, 'SUBSCRIBED came without a stream id')
    const framework = { frameworkId: frameworkId(subscribed.framework_id.value), role: of.info.role }
    const seconds = subscribed.heartbeat_interval_seconds
    if (seconds !== undefined && seconds > 0) of.heartbeatMs = seconds * 1000
    of.silenceLimitMs = of.heartbeatMs === undefined ? undefined : of.heartbeatMs * timings.heartbeatTolerance
    of.subscribedAtMs = clock.nowMs
    of.calls = createCallQueue({
      open: parts.open,
      after: host.after,
      streamId,
      framework,
      callTimeoutMs: timings.callTimeoutMs,
      faultOf: parts.faultOf,
      onCrash: parts.onCrash,
      onSent: (call, decidedAtMs) => write({ type: 'callSent', scheduler, streamId, decidedAtMs, call }),
      onDead: (reason) => finish(of, reason),
      onRefused: ({ type }, status, text) =>
        complain(new SdkError('ERR_PROTOCOL', `the master refused a call (${type}) with ${status}: ${text}`)),
    })
    emit({ type: 'subscribed', streamId, frameworkId: framework.frameworkId, atMs: clock.nowMs })
  }

  const onError = (of: Session, message: string): void => {
    const kind = classifyFrameworkError(message)
    if (kind !== 'other') return stop(of, kind, message)
    emit({ type: 'frameworkErrorReceived', kind, message, atMs: clock.nowMs })
    finish(of, `the master sent an error: ${message}`, 'late')
  }

  const vanish = (): void => {
    handlers = undefined
    if (session !== undefined) close(session)
  }

  return {
    start(given) {
      handlers = given
      void subscribe()
    },
    async send({ streamId, call }: Outgoing) {
      // Asked for now: a call may wait behind others before it is written.
      if (session?.streamId === streamId) await session.calls?.send(call, parts.decidedAtMs())
    },
    close() {
      vanish()
      return Promise.resolve()
    },
    vanish,
  }
}
