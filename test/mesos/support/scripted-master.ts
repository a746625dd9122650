/** A master on loopback that answers as a test tells it to, and remembers what it was asked. */
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

/** One open answer to SUBSCRIBE. */
export interface Feed {
  readonly streamId: string
  readonly isClosed: () => boolean
  record(body: unknown): void
  /** Bytes as they are, framing and all. */
  raw(bytes: string | Buffer): void
  end(): void
  /** The connection breaks. */
  cut(): void
}

export interface ReceivedRequest {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  // Foreign JSON, looked into by tests.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly body: any
  /** The same number for requests on the same TCP connection. */
  readonly connection: number
  status(code: number, text?: string, headers?: Record<string, string>): void
  /** Begins a stream; SUBSCRIBED is the first record unless `records` says otherwise. */
  stream(options?: { heartbeatSeconds?: number | null; records?: unknown[] }): Feed
  /** The connection breaks without an answer. */
  cut(): void
}

export interface ScriptedMaster {
  readonly url: string
  readonly requests: ReceivedRequest[]
  readonly feeds: Feed[]
  /** Replaces the answers from now on. */
  answer(script: (request: ReceivedRequest) => void): void
  subscribes(): ReceivedRequest[]
  calls(type?: string): ReceivedRequest[]
  close(): Promise<void>
}

export const frame = (body: unknown): Buffer => {
  const payload = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
  return Buffer.concat([Buffer.from(`${payload.length}\n`), payload])
}

export const subscribedRecord = (frameworkId: string, heartbeatSeconds: number | null) => ({
  type: 'SUBSCRIBED',
  subscribed: {
    framework_id: { value: frameworkId },
    ...(heartbeatSeconds === null ? {} : { heartbeat_interval_seconds: heartbeatSeconds }),
  },
})

/** SUBSCRIBE gets a stream, anything else a 202. */
export const answerAll = (request: ReceivedRequest): void => {
  if (request.body?.type === 'SUBSCRIBE') request.stream()
  else request.status(202)
}

export async function startScriptedMaster(script: (request: ReceivedRequest) => void = answerAll): Promise<ScriptedMaster> {
  let current = script
  const requests: ReceivedRequest[] = []
  const feeds: Feed[] = []
  const connections = new Map<Socket, number>()

  const openFeed = (response: ServerResponse, records: unknown[]): Feed => {
    const streamId = `stream-${feeds.length + 1}`
    response.writeHead(200, { 'content-type': 'application/json', 'mesos-stream-id': streamId })
    const feed: Feed = {
      streamId,
      isClosed: () => response.destroyed || response.writableEnded,
      record: (body) => void response.write(frame(body)),
      raw: (bytes) => void response.write(bytes),
      end: () => void response.end(),
      cut: () => void response.destroy(),
    }
    response.flushHeaders()
    for (const record of records) feed.record(record)
    feeds.push(feed)
    return feed
  }

  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      if (!connections.has(request.socket)) connections.set(request.socket, connections.size + 1)
      const text = Buffer.concat(parts).toString('utf8')
      const body = text === '' ? undefined : JSON.parse(text)
      const received: ReceivedRequest = {
        method: request.method ?? '',
        path: request.url ?? '',
        headers: request.headers,
        body,
        connection: connections.get(request.socket) ?? 0,
        status: (code, message = '', headers = {}) => void response.writeHead(code, headers).end(message),
        stream: ({ heartbeatSeconds = 15, records } = {}) => {
          const id = body?.framework_id?.value ?? 'framework-0000'
          return openFeed(response, records ?? [subscribedRecord(id, heartbeatSeconds), { type: 'HEARTBEAT' }])
        },
        cut: () => void request.socket.destroy(),
      }
      requests.push(received)
      current(received)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    feeds,
    answer: (next) => (current = next),
    subscribes: () => requests.filter(({ body }) => body?.type === 'SUBSCRIBE'),
    calls: (type) => requests.filter(({ body }) => body?.type !== 'SUBSCRIBE' && (type === undefined || body?.type === type)),
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
