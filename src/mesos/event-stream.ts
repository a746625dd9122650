/**
 * Reads the endless answer to SUBSCRIBE: bytes to records, and a watchdog on silence. Reading never waits for anybody,
 * because the master keeps an unbounded queue for a slow reader (MESOS-7748). Ends once, with a reason.
 */
import type { Readable } from 'node:stream'
import { describeFailure } from './http-connection.js'
import { createRecordDecoder } from './record-io.js'

export interface EventStreamOptions {
  readonly body: Readable
  /** Called in order, never after the end. */
  readonly onRecord: (record: string) => void
  /** The stream ended by itself. */
  readonly onEnd: (reason: string) => void
  /** Limit on silence until the master has announced its heartbeats. */
  readonly silenceLimitMs: number
}

export interface EventStream {
  /** How long the peer may be silent from now on; undefined: for ever. */
  limitSilence(limitMs: number | undefined): void
  /** No record is delivered after this. */
  stop(): void
}

export function readEventStream({ body, onRecord, onEnd, silenceLimitMs }: EventStreamOptions): EventStream {
  const decoder = createRecordDecoder()
  let isOver = false
  let watchdog: NodeJS.Timeout | undefined
  let bytesSeen = 0

  const stop = (): void => {
    isOver = true
    clearTimeout(watchdog)
    body.destroy()
  }
  const end = (reason: string): void => {
    if (isOver) return
    stop()
    onEnd(reason)
  }

  const limitSilence = (limitMs: number | undefined): void => {
    clearTimeout(watchdog)
    watchdog = undefined
    if (isOver || limitMs === undefined) return
    watchdog = setTimeout(() => {
      // After this process itself stood still, its timers run before what has arrived meanwhile is read: look once more.
      const before = bytesSeen
      setImmediate(() => {
        if (bytesSeen === before) end(`nothing from the master for ${limitMs} ms`)
      })
    }, limitMs)
  }
  limitSilence(silenceLimitMs)

  body.on('data', (chunk: Uint8Array) => {
    if (isOver) return
    bytesSeen += chunk.length
    watchdog?.refresh()
    try {
      decoder.push(chunk, (record) => {
        if (!isOver) onRecord(record)
      })
    } catch (error) {
      end(describeFailure(error))
    }
  })
  body.once('end', () =>
    end(decoder.isInsideRecord ? 'the stream ended in the middle of a record' : 'the master ended the stream'),
  )
  // Stays attached: destroying the body makes it emit an error of its own.
  body.on('error', (error) => end(`the stream broke: ${describeFailure(error)}`))
  body.once('close', () => end('the connection was closed'))
  return { limitSilence, stop }
}
