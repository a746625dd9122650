/**
 * The one ordered connection for calls of one stream: the next call is sent after the answer to the one before. What an
 * answer, or its absence, means for the stream is decided here as the protocol prescribes; the content of calls is not known.
 * Source: Mesos v1 scheduler HTTP API, response codes; master `http.cpp` for the order of its checks.
 */
import type { Dispatcher } from 'undici'
import { describeFailure, readText, type HttpConnection } from './http-connection.js'
import type * as wire from './messages.js'

export interface CallChannelOptions {
  readonly connection: HttpConnection
  readonly path: string
  readonly streamId: string
  readonly timeoutMs: number
  /** The stream cannot be used any more. */
  readonly onDead: (reason: string) => void
  /** The master understood that the call is wrong; a mistake in what was sent, so trying again is no use. */
  readonly onRefused: (call: wire.FrameworkCall, status: number, text: string) => void
}

export interface CallChannel {
  /** Resolves when answered, refused, or given up; never rejects. */
  send(call: wire.FrameworkCall): Promise<void>
  /** Calls in hand and in the queue are given up. */
  close(): void
}

/**
 * Calls that may be sent once more after the connection broke. Never ACCEPT: if the first copy arrived, the second names
 * consumed offers and is answered with TASK_DROPPED for tasks that do start. SUPPRESS and REVIVE neither: a first copy still
 * on its way could arrive after the other one's answer.
 */
const repeatable: ReadonlySet<wire.CallType> = new Set<wire.CallType>([
  'DECLINE',
  'KILL',
  'RECONCILE',
  'RECONCILE_OPERATIONS',
  'ACKNOWLEDGE',
  'ACKNOWLEDGE_OPERATION_STATUS',
])

/** Leader changed (307), credentials (401), not subscribed (403), master restarting (404). */
const streamIsOver: ReadonlySet<number> = new Set([307, 401, 403, 404])
/** The two bodies of a 400 that are about the stream and not about the call. */
const aboutTheStream = /stream id|framework cannot be found/i

export function createCallChannel(options: CallChannelOptions): CallChannel {
  const { connection, path, streamId, timeoutMs, onDead, onRefused } = options
  let isClosed = false
  let inHand: AbortController | undefined
  let tail: Promise<void> = Promise.resolve()

  const request = async (call: wire.FrameworkCall): Promise<{ status: number; text: string }> => {
    const controller = new AbortController()
    inHand = controller
    const timer = setTimeout(() => controller.abort(new NoAnswer(timeoutMs)), timeoutMs)
    try {
      const answer = await connection.post(path, JSON.stringify(call), streamId, controller.signal)
      return { status: answer.statusCode, text: await textOf(answer) }
    } finally {
      clearTimeout(timer)
    }
  }

  const attempt = async (call: wire.FrameworkCall, mayRepeat: boolean): Promise<void> => {
    try {
      const { status, text } = await request(call)
      if (isClosed || (status >= 200 && status < 300)) return
      if (streamIsOver.has(status) || status >= 500 || status < 400 || (status === 400 && aboutTheStream.test(text))) {
        onDead(`the master answered ${call.type} with ${status}${text === '' ? '' : ` (${text})`}`)
      } else onRefused(call, status, text)
    } catch (error) {
      if (isClosed) return
      if (mayRepeat && !(error instanceof NoAnswer)) return attempt(call, false)
      onDead(`no answer to ${call.type}: ${describeFailure(error)}`)
    }
  }

  return {
    send(call) {
      tail = tail.then(() => (isClosed ? undefined : attempt(call, repeatable.has(call.type))))
      return tail
    },
    close() {
      isClosed = true
      inHand?.abort()
      connection.destroy()
    },
  }
}

async function textOf(answer: Dispatcher.ResponseData): Promise<string> {
  if (answer.statusCode !== 202) return readText(answer)
  // The status line is the answer; what may go wrong after it takes nothing back.
  await answer.body.dump().catch(() => undefined)
  return ''
}

class NoAnswer extends Error {
  constructor(timeoutMs: number) {
    super(`none within ${timeoutMs} ms`)
    this.name = 'NoAnswer'
  }
}
