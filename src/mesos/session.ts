/**
 * One subscription, from the first record to its end: records become events in the order of the stream, calls go out fenced
 * by its stream id. Decides only what the protocol prescribes: which ERROR must not be tried again, when a stream is dead.
 */
import { SdkError } from '../errors.js'
import { frameworkId, streamId as toStreamId, type StreamId } from '../ids.js'
import type { DriverEvent } from '../scheduler/events.js'
import type { Ack, MesosCall } from '../scheduler/output.js'
import { createCallChannel, type CallChannel } from './call-channel.js'
import { toCall } from './convert-call.js'
import { classifyFrameworkError, fromEvent, parseJson } from './convert-event.js'
import type { Framework } from './convert-operation.js'
import { readEventStream } from './event-stream.js'
import { openConnection, type ConnectionSettings } from './http-connection.js'
import { parseEvent, type Event } from './messages.js'
import type { OpenStream } from './subscribe.js'

export interface SessionOptions {
  readonly stream: OpenStream
  readonly connection: ConnectionSettings
  readonly answerTimeoutMs: number
  readonly callTimeoutMs: number
  readonly heartbeatTolerance: number
  readonly now: () => number
  readonly onEvent: (event: DriverEvent) => void
  /** `cause` stays equal while the wording varies. */
  readonly onTrouble: (cause: string, error: Error) => void
  /** Events that the core has no use for. */
  readonly onIgnored: (type: string) => void
}

export interface SessionEnd {
  readonly reason: string
  /** Whether the driver may subscribe again: at once, only after a long pause, or not at all. */
  readonly next: 'again' | 'late' | 'never'
  /** How long SUBSCRIBED had been there; undefined if it never came. */
  readonly subscribedForMs: number | undefined
  /** As announced; undefined if the master announced none. */
  readonly heartbeatMs: number | undefined
}

export interface Session {
  readonly streamId: StreamId
  /** Resolves with the end of the subscription, whoever brought it about. */
  readonly done: Promise<SessionEnd>
  /** False before SUBSCRIBED and after the end: then nothing may be sent. */
  isSubscribed(): boolean
  send(call: MesosCall | Ack): Promise<void>
  /** Ends the subscription without a word to anybody. */
  close(): void
}

export function openSession(options: SessionOptions): Session {
  const { stream, now, onEvent, onTrouble } = options
  const id = toStreamId(stream.streamId)
  let subscribed: { readonly framework: Framework; readonly calls: CallChannel; readonly sinceMs: number } | undefined
  let heartbeatMs: number | undefined
  let isOver = false
  let settle: (end: SessionEnd) => void = () => undefined
  const done = new Promise<SessionEnd>((resolve) => (settle = resolve))

  /** Everything stops first, then `announce` tells: whoever reacts by sending finds the stream over. */
  const finish = (reason: string, next: SessionEnd['next'], announce?: DriverEvent): void => {
    if (isOver) return
    isOver = true
    reader.stop()
    stream.connection.destroy()
    subscribed?.calls.close()
    if (announce !== undefined) onEvent(announce)
    const subscribedForMs = subscribed === undefined ? undefined : performance.now() - subscribed.sinceMs
    settle({ reason, next, subscribedForMs, heartbeatMs })
  }
  const endAndRetry = (reason: string, next: 'again' | 'late' = 'again'): void =>
    finish(reason, next, subscribed === undefined ? undefined : { type: 'disconnected', reason, atMs: now() })

  const onSubscribed = (event: Extract<Event, { type: 'SUBSCRIBED' }>['subscribed']): void => {
    const framework = { frameworkId: frameworkId(event.framework_id.value), role: stream.info.role }
    const interval = event.heartbeat_interval_seconds
    heartbeatMs = interval === undefined || !(interval > 0) ? undefined : interval * 1000
    reader.limitSilence(heartbeatMs === undefined ? undefined : heartbeatMs * options.heartbeatTolerance)
    const calls = createCallChannel({
      connection: openConnection(stream.url.origin, options.connection),
      path: stream.url.pathname + stream.url.search,
      streamId: id,
      timeoutMs: options.callTimeoutMs,
      onDead: endAndRetry,
      onRefused: (call, status, text) => {
        const details = { call: call.type, status, text }
        const message = `the master refused a ${call.type} call with ${status}: ${text}; it was not sent again`
        onTrouble(`call:${call.type}:${text}`, new SdkError('ERR_PROTOCOL', message, { details }))
      },
    })
    subscribed = { framework, calls, sinceMs: performance.now() }
    onEvent({ type: 'subscribed', streamId: id, frameworkId: framework.frameworkId, atMs: now() })
  }

  const onError = (message: string): void => {
    const kind = classifyFrameworkError(message)
    const event: DriverEvent = { type: 'frameworkErrorReceived', kind, message, atMs: now() }
    if (kind !== 'other') return finish(message, 'never', event)
    onEvent(event)
    endAndRetry(`the master sent an error: ${message}`, 'late')
  }

  const onRecord = (text: string): void => {
    const event = readRecord(text)
    if (event === undefined) return
    if (event.type === 'ERROR') return onError(event.error.message)
    if (subscribed === undefined) {
      if (event.type === 'SUBSCRIBED') return onSubscribed(event.subscribed)
      return endAndRetry(`the stream began with ${event.type} and not with SUBSCRIBED`)
    }
    if (event.type === 'HEARTBEAT') return
    const converted = fromEvent(event, now())
    if (converted === undefined) options.onIgnored(event.type)
    else onEvent(converted)
  }

  /** Undefined when the record cannot be used. Text that is no JSON at all means that the framing is lost. */
  const readRecord = (text: string): Event | undefined => {
    try {
      return parseEvent(parseJson(text))
    } catch (cause) {
      const message = `cannot read a record of the master's stream, so it is left out: ${cause instanceof Error ? cause.message : ''}`
      onTrouble('record', new SdkError('ERR_PROTOCOL', message, { cause }))
      if (subscribed === undefined || cause instanceof SyntaxError) endAndRetry('the master sent a record that cannot be read')
      return undefined
    }
  }

  const reader = readEventStream({
    body: stream.body,
    onRecord,
    onEnd: endAndRetry,
    silenceLimitMs: options.answerTimeoutMs,
  })

  return {
    streamId: id,
    done,
    isSubscribed: () => subscribed !== undefined && !isOver,
    send: async (call) => {
      if (subscribed === undefined || isOver) return
      try {
        await subscribed.calls.send(toCall(call, subscribed.framework))
      } catch (cause) {
        const message = `a call (${call.type}) cannot be written as Mesos wants it, so it was not sent`
        onTrouble(`call:${call.type}`, new SdkError('ERR_INVARIANT', message, { cause }))
      }
    },
    close: () => finish('closed', 'never'),
  }
}
