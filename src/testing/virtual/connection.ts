/**
 * Connections of schedulers to the virtual master, as HTTP keeps them: requests in order, answers and the records of a stream in
 * order, and an end. What was sent before a connection was closed still arrives.
 */
import type { Event } from '../../mesos/messages.js'
import type { Asker, VirtualMaster } from './master.js'
import type { Route } from './network.js'

export interface ConnectionHandlers {
  /** `streamId` is given when the answer opens a stream. */
  readonly onAnswer: (status: number, text: string, streamId: string | undefined) => void
  readonly onRecord: (text: string) => void
  /** Apart, because there are so many of them. */
  readonly onHeartbeat: () => void
  readonly onEnd: (reason: string) => void
}

export interface MasterConnection {
  /** `isUnanswered`: the request arrives and nothing comes back. */
  post(body: string, streamId?: string, isUnanswered?: boolean): void
  /** The request is held up in the network and arrives, unanswered, whatever becomes of the connection meanwhile. */
  postLate(body: string, streamId: string, lateMs: number): void
  /** From this side: nothing is heard any more. */
  close(): void
}

export interface ConnectionParts {
  readonly route: Route
  readonly master: VirtualMaster
  readonly newStreamId: () => string
  /** Through which everything gets into the process. */
  readonly deliver: (run: () => void) => void
  /** The network's own time: nothing in the process stops it. */
  readonly later: (ms: number, run: () => void) => void
}

const silentAsker: Pick<Asker, 'answer'> = { answer: () => undefined }

export function connectToMaster(handlers: ConnectionHandlers, parts: ConnectionParts): MasterConnection {
  const { route, master, deliver, later } = parts
  let isClosed = false
  let stream: string | undefined
  /** What is delivered late, as to a process that stood still, may come after the end. */
  const tell = (run: () => void): void =>
    deliver(() => {
      if (!isClosed) run()
    })
  const line = route.connect({
    nearClosed: (reason) => tell(() => handlers.onEnd(reason)),
    farClosed() {
      if (stream !== undefined) master.streamClosed(stream)
    },
  })

  const asker: Asker = {
    answer({ status, body, streamId }) {
      stream = streamId ?? stream
      const text = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body)
      line.down(() => tell(() => handlers.onAnswer(status, text, streamId)))
    },
    event(event: Event) {
      if (event.type === 'HEARTBEAT') return line.down(() => tell(handlers.onHeartbeat))
      const text = JSON.stringify(event)
      line.down(() => tell(() => handlers.onRecord(text)))
    },
    end() {
      stream = undefined
      line.closeFar()
    },
  }

  const request = (body: string, streamId: string | undefined, isUnanswered: boolean): void => {
    const headers = {
      'content-type': 'application/json',
      accept: 'application/json',
      ...(streamId === undefined ? {} : { 'mesos-stream-id': streamId }),
    }
    const message = { method: 'POST', path: '/api/v1/scheduler', headers, body, streamId: parts.newStreamId() }
    master.request(message, isUnanswered ? { ...asker, ...silentAsker } : asker)
  }

  return {
    post: (body, streamId, isUnanswered = false) => line.up(() => request(body, streamId, isUnanswered)),
    postLate: (body, streamId, lateMs) => later(lateMs, () => request(body, streamId, true)),
    close() {
      isClosed = true
      line.closeNear()
    },
  }
}
