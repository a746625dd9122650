/**
 * The one ordered connection for the calls of one stream, as `src/mesos/call-channel.ts` keeps it: the next call is sent after
 * the answer to the one before; a call on which the connection broke is sent once more if it may be, and an ACCEPT never.
 */
import type { FrameworkId, StreamId } from '../../ids.js'
import { toCall } from '../../mesos/convert-call.js'
import type { Ack, MesosCall } from '../../scheduler/output.js'
import type { ConnectionHandlers, MasterConnection } from './connection.js'

/**
 * What becomes of one call: it arrives and is answered; it is lost before the master, and no answer comes; it arrives and its
 * answer is lost; it arrives twice (never asked for of an ACCEPT); it arrives after its sender has given up on it; the process
 * dies at the moment of sending, and nothing of it is sent; or it dies when it has sent the call, which arrives.
 */
export type CallFault = 'none' | 'loseCall' | 'loseAnswer' | 'duplicate' | 'late' | 'crash' | 'crashAfter'

/** Beyond the time-out: a while in which a hasty driver would do something else. */
const lateByMs = 20_000

export interface CallQueueParts {
  readonly open: (handlers: ConnectionHandlers) => MasterConnection
  readonly after: (ms: number, run: () => void) => () => void
  readonly streamId: StreamId
  readonly framework: { readonly frameworkId: FrameworkId; readonly role: string }
  readonly callTimeoutMs: number
  readonly faultOf: (call: MesosCall | Ack) => CallFault
  readonly onCrash: () => void
  /** The call is being written to the connection; `decidedAtMs` as it came with it. */
  readonly onSent: (call: MesosCall | Ack, decidedAtMs: number) => void
  /** The stream cannot be used any more. */
  readonly onDead: (reason: string) => void
  readonly onRefused: (call: MesosCall | Ack, status: number, text: string) => void
}

export interface CallQueue {
  /** Resolves when answered, refused or given up. */
  send(call: MesosCall | Ack, decidedAtMs: number): Promise<void>
  /** Calls in hand and in the queue are given up. */
  close(): void
}

/** Neither ACCEPT, whose second copy would find its offers used up, nor SUPPRESS and REVIVE, whose order counts. */
const isRepeatable = ({ type }: MesosCall | Ack): boolean => type !== 'accept' && type !== 'suppress' && type !== 'revive'
/** Answers after which the stream cannot be used any more. */
const streamIsOver: ReadonlySet<number> = new Set([307, 401, 403, 404])
const aboutTheStream = /stream id|framework cannot be found/i

interface Queued {
  readonly call: MesosCall | Ack
  readonly decidedAtMs: number
  readonly done: () => void
}

export function createCallQueue(parts: CallQueueParts): CallQueue {
  const queue: Queued[] = []
  let connection: MasterConnection | undefined
  /** The foremost call is on its way. */
  let inHand: { readonly mayRepeat: boolean; readonly cancelTimeout: () => void } | undefined
  let isClosed = false

  const sendNext = (mayRepeat = true): void => {
    const next = queue[0]
    if (next === undefined || inHand !== undefined || isClosed) return
    const { call } = next
    const fault = parts.faultOf(call)
    if (fault === 'crash') return parts.onCrash()
    const noAnswer = (): void => parts.onDead(`no answer to ${call.type}: none within ${parts.callTimeoutMs} ms`)
    inHand = { mayRepeat: mayRepeat && isRepeatable(call), cancelTimeout: parts.after(parts.callTimeoutMs, noAnswer) }
    parts.onSent(call, next.decidedAtMs)
    connection ??= parts.open({ onAnswer, onRecord: () => undefined, onHeartbeat: () => undefined, onEnd })
    if (fault === 'loseCall') return
    const body = JSON.stringify(toCall(call, parts.framework))
    if (fault === 'late') return connection.postLate(body, parts.streamId, parts.callTimeoutMs + lateByMs)
    connection.post(body, parts.streamId, fault === 'loseAnswer')
    if (fault === 'duplicate') connection.post(body, parts.streamId, true)
    if (fault === 'crashAfter') parts.onCrash()
  }

  const onAnswer = (status: number, text: string): void => {
    const answered = queue.shift()
    inHand?.cancelTimeout()
    inHand = undefined
    answered?.done()
    if (answered === undefined || (status >= 200 && status < 300)) return sendNext()
    const { call } = answered
    if (streamIsOver.has(status) || status >= 500 || status < 400 || (status === 400 && aboutTheStream.test(text)))
      return parts.onDead(`the master answered ${call.type} with ${status} (${text})`)
    parts.onRefused(call, status, text)
    sendNext()
  }

  const onEnd = (reason: string): void => {
    connection = undefined
    const broken = inHand
    if (broken === undefined) return
    broken.cancelTimeout()
    inHand = undefined
    if (broken.mayRepeat) return sendNext(false)
    parts.onDead(`no answer to ${queue[0]?.call.type}: ${reason}`)
  }

  return {
    send: (call, decidedAtMs) =>
      new Promise((resolve) => {
        if (isClosed) return resolve()
        queue.push({ call, decidedAtMs, done: resolve })
        sendNext()
      }),
    close() {
      isClosed = true
      inHand?.cancelTimeout()
      connection?.close()
      for (const { done } of queue.splice(0)) done()
    },
  }
}
