/**
 * Connections of schedulers to the virtual master: requests in order, answers and the records of a stream in order, and an
 * end. What was sent before a connection closed still arrives.
 */
import type { MasterRequest, MasterResponse } from '../mesos-model/master-state.js'
import { openChannel, type VirtualClock } from './virtual-clock.js'

export interface ConnectionHandlers {
  /** `streamId` is given when the answer opens a stream. */
  readonly onAnswer: (status: number, text: string, streamId: string | undefined) => void
  readonly onRecord: (text: string) => void
  readonly onEnd: () => void
}

export interface MasterConnection {
  /** `isAnswerLost`: the request arrives and nothing comes back. */
  post(body: string, streamId?: string, isAnswerLost?: boolean): void
  /** From this side: nothing is heard any more. */
  close(): void
}

export type OpenConnection = (handlers: ConnectionHandlers) => MasterConnection

/** The master's end of a connection. */
export interface MasterSide {
  answer(response: MasterResponse): void
  record(text: string): void
  end(): void
}

export interface ConnectionParts {
  readonly clock: VirtualClock
  readonly newStreamId: () => string
  /** Hands a request to the master; `side` takes the answer, and the records of the stream that it may open. */
  readonly request: (request: MasterRequest, side: MasterSide) => void
  readonly streamClosed: (streamId: string) => void
  /** Something reached a scheduler: it has to be given a turn. */
  readonly onDelivery: () => void
}

export function connectToMaster(handlers: ConnectionHandlers, parts: ConnectionParts): MasterConnection {
  const { clock } = parts
  const toMaster = openChannel(clock)
  const toScheduler = openChannel(clock)
  let isOpen = true
  let stream: string | undefined
  const deliver = (run: () => void): void =>
    toScheduler(() => {
      if (!isOpen) return
      parts.onDelivery()
      run()
    })
  const sideOf = (isAnswerLost: boolean): MasterSide => ({
    answer({ status, body, streamId }) {
      stream = streamId ?? stream
      const text = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body)
      if (!isAnswerLost) deliver(() => handlers.onAnswer(status, text, streamId))
    },
    record: (text) => deliver(() => handlers.onRecord(text)),
    end() {
      stream = undefined
      deliver(handlers.onEnd)
    },
  })
  const request = (body: string, streamId: string | undefined, isAnswerLost: boolean): void => {
    const headers = {
      'content-type': 'application/json',
      accept: 'application/json',
      ...(streamId === undefined ? {} : { 'mesos-stream-id': streamId }),
    }
    const message = { method: 'POST', path: '/api/v1/scheduler', headers, body, streamId: parts.newStreamId() }
    parts.request(message, sideOf(isAnswerLost))
  }

  return {
    post: (body, streamId, isAnswerLost = false) => toMaster(() => request(body, streamId, isAnswerLost)),
    close() {
      if (!isOpen) return
      isOpen = false
      toMaster(() => {
        if (stream !== undefined) parts.streamClosed(stream)
      })
    },
  }
}
