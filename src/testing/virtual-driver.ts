/**
 * The driver of a virtual cluster: what `src/mesos/driver.ts` does over sockets, in virtual time. Calls become v1 JSON, one
 * after the other on one ordered connection, fenced by the stream id; records become events by the same parser and converter.
 * A call without an answer ends the stream, the driver subscribes anew, and an ACCEPT is never sent twice.
 */
import { isSdkError, SdkError } from '../errors.js'
import { frameworkId, streamId as toStreamId, type StreamId } from '../ids.js'
import { toCall, toSubscribe } from '../mesos/convert-call.js'
import { classifyFrameworkError, fromEvent, parseJson } from '../mesos/convert-event.js'
import { parseEvent, type Event } from '../mesos/messages.js'
import type { FrameworkInfo, MesosDriver, MesosDriverHandlers } from '../ports/mesos-driver.js'
import type { Ack, MesosCall, Outgoing } from '../scheduler/output.js'
import type { VirtualClock } from './virtual-clock.js'
import type { MasterConnection, OpenConnection } from './virtual-connection.js'

/**
 * What becomes of one call: it arrives and is answered; it is lost before the master; it arrives and its answer is lost; or
 * the process dies at the moment of sending, and nothing of it is sent.
 */
export type CallFault = 'none' | 'loseCall' | 'loseAnswer' | 'crash'

export interface VirtualDriverParts {
  readonly clock: VirtualClock
  readonly open: OpenConnection
  /** Asked when the call is about to be written to its connection. */
  readonly faultOf: (call: MesosCall | Ack) => CallFault
  /** The process is to vanish now. */
  readonly onCrash: () => void
}

export interface VirtualDriver extends MesosDriver {
  /** The process dies: what is on its way arrives, then its connections close; nothing more is sent or heard. */
  vanish(): void
  /** An empty event by which the scheduler learns what time it is. */
  tick(): void
}

/** Until a call counts as unanswered. */
const answerTimeoutMs = 5_000
const retryMs = 500
/** Answers after which the stream cannot be used any more, as in `src/mesos/call-channel.ts`. */
const streamIsOver: ReadonlySet<number> = new Set([307, 401, 403, 404])
const aboutTheStream = /stream id|framework cannot be found/i

interface Session {
  readonly info: FrameworkInfo
  readonly stream: MasterConnection
  streamId?: StreamId
  calls?: MasterConnection
  frameworkId?: string
  readonly queue: { readonly call: MesosCall | Ack; readonly done: () => void }[]
  isBusy: boolean
  isOver: boolean
}

export function createVirtualDriver({ clock, open, faultOf, onCrash }: VirtualDriverParts): VirtualDriver {
  let handlers: MesosDriverHandlers | undefined
  let session: Session | undefined

  const subscribe = async (): Promise<void> => {
    const asked = handlers
    if (asked === undefined) return
    let info: FrameworkInfo
    try {
      info = await asked.beforeSubscribe()
    } catch (error) {
      asked.onTrouble(error instanceof Error ? error : new SdkError('ERR_INVARIANT', 'beforeSubscribe failed', { cause: error }))
      if (isSdkError(error) && error.retryable) subscribeLater()
      return
    }
    if (handlers !== asked) return
    const stream = open({
      onAnswer: (status, text, id) => {
        if (id !== undefined) opening.streamId = toStreamId(id)
        else finish(opening, `SUBSCRIBE was answered with ${status} ${text}`)
      },
      onRecord: (text) => onRecord(opening, parseEvent(parseJson(text))),
      onEnd: () => finish(opening, 'the master closed the stream'),
    })
    const opening: Session = { info, stream, queue: [], isBusy: false, isOver: false }
    session = opening
    stream.post(JSON.stringify(toSubscribe(info)))
  }

  const subscribeLater = (): void => {
    const asked = handlers
    clock.after(retryMs, () => {
      if (handlers === asked) void subscribe()
    })
  }

  const finish = (over: Session, reason: string, again = true): void => {
    if (over.isOver) return
    const wasSubscribed = over.frameworkId !== undefined
    end(over)
    if (wasSubscribed) handlers?.onEvent({ type: 'disconnected', reason, atMs: clock.nowMs })
    if (again) subscribeLater()
  }

  const end = (over: Session): void => {
    over.isOver = true
    over.stream.close()
    over.calls?.close()
    for (const { done } of over.queue.splice(0)) done()
    if (session === over) session = undefined
  }

  const onRecord = (of: Session, event: Event): void => {
    if (of.isOver || handlers === undefined) return
    if (event.type === 'ERROR') return onError(of, event.error.message)
    if (event.type === 'SUBSCRIBED') return onSubscribed(of, event.subscribed.framework_id.value)
    const converted = fromEvent(event, clock.nowMs)
    if (converted !== undefined) handlers.onEvent(converted)
  }

  const onSubscribed = (of: Session, id: string): void => {
    const { streamId } = of
    if (streamId === undefined) return finish(of, 'SUBSCRIBED came without a stream id')
    of.frameworkId = id
    of.calls = open({
      onAnswer: (status, text) => onAnswer(of, status, text),
      onRecord: () => undefined,
      onEnd: () => finish(of, 'the connection for calls broke'),
    })
    handlers?.onEvent({ type: 'subscribed', streamId, frameworkId: frameworkId(id), atMs: clock.nowMs })
  }

  const onError = (of: Session, message: string): void => {
    const kind = classifyFrameworkError(message)
    const asked = handlers
    if (kind === 'other') {
      asked?.onEvent({ type: 'frameworkErrorReceived', kind, message, atMs: clock.nowMs })
      return finish(of, message)
    }
    end(of)
    asked?.onEvent({ type: 'frameworkErrorReceived', kind, message, atMs: clock.nowMs })
  }

  const sendNext = (of: Session): void => {
    const next = of.queue[0]
    const { calls, frameworkId: id, streamId } = of
    if (next === undefined || of.isBusy || of.isOver || calls === undefined || id === undefined || streamId === undefined) return
    const fault = faultOf(next.call)
    if (fault === 'crash') return onCrash()
    of.isBusy = true
    if (fault !== 'loseCall') {
      const body = JSON.stringify(toCall(next.call, { frameworkId: frameworkId(id), role: of.info.role }))
      calls.post(body, streamId, fault === 'loseAnswer')
    }
    if (fault !== 'none') clock.after(answerTimeoutMs, () => finish(of, `no answer to ${next.call.type}`))
  }

  const onAnswer = (of: Session, status: number, text: string): void => {
    of.isBusy = false
    of.queue.shift()?.done()
    if (streamIsOver.has(status) || status >= 500 || (status === 400 && aboutTheStream.test(text)))
      return finish(of, `a call was answered with ${status} ${text}`)
    if (status >= 400) handlers?.onTrouble(new SdkError('ERR_PROTOCOL', `the master refused a call with ${status}: ${text}`))
    sendNext(of)
  }

  const vanish = (): void => {
    handlers = undefined
    if (session !== undefined) end(session)
  }

  return {
    start(given) {
      handlers = given
      void subscribe()
    },
    send: ({ streamId, call }: Outgoing) =>
      new Promise((resolve) => {
        const current = session
        if (current === undefined || current.frameworkId === undefined || current.streamId !== streamId) return resolve()
        current.queue.push({ call, done: resolve })
        sendNext(current)
      }),
    close() {
      vanish()
      return Promise.resolve()
    },
    vanish,
    tick: () => handlers?.onEvent({ type: 'offersReceived', offers: [], atMs: clock.nowMs }),
  }
}
