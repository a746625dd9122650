/**
 * One raw request on a connection of its own. Gates ask seldom, so nothing is pooled; each question has a time limit and ends
 * with the caller's abort signal.
 */
import { connect } from 'node:net'
import { decodeAnswer, encodeRequest, type RawRequest } from './kafka-protocol.js'

export interface Endpoint {
  readonly host: string
  readonly port: number
}

/** An answer larger than this is not one to a question asked here. */
const maxAnswerBytes = 64 * 1024 * 1024
const correlationId = 1

/** Sends one request and reads its answer. @throws on refusal, silence for `timeoutMs`, or an answer not understood */
export function ask<T>(endpoint: Endpoint, request: RawRequest<T>, timeoutMs: number, signal?: AbortSignal): Promise<T> {
  const limit = AbortSignal.any([AbortSignal.timeout(timeoutMs), ...(signal === undefined ? [] : [signal])])
  return new Promise((resolve, reject) => {
    const socket = connect(endpoint.port, endpoint.host)
    const fail = (error: Error) => {
      limit.removeEventListener('abort', onAbort)
      socket.destroy()
      reject(error)
    }
    const onAbort = () =>
      fail(new Error(`${endpoint.host}:${String(endpoint.port)} did not answer in time`, { cause: limit.reason }))
    limit.addEventListener('abort', onAbort, { once: true })
    if (limit.aborted) return onAbort()
    let received = Buffer.alloc(0)
    socket.on('error', fail)
    socket.on('close', () => fail(new Error(`${endpoint.host}:${String(endpoint.port)} closed the connection`)))
    socket.on('connect', () => socket.write(encodeRequest(request, correlationId)))
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk])
      if (received.length < 4) return
      const length = received.readInt32BE(0)
      if (length < 0 || length > maxAnswerBytes) return fail(new Error(`an answer of ${String(length)} bytes was announced`))
      if (received.length < 4 + length) return
      try {
        resolve(decodeAnswer(request, correlationId, received.subarray(4, 4 + length)))
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)))
      }
      limit.removeEventListener('abort', onAbort)
      socket.destroy()
    })
  })
}
