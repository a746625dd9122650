/**
 * What stands between one scheduler and the master: passes everything on, notes each call with the master's answer, and can
 * break the connections. So calls that came too late are seen being refused, and a stream ends when a test wants it to.
 */
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

export interface PassedCall {
  /** When the answer came, epoch milliseconds. */
  readonly atMs: number
  readonly type: string
  readonly status: number
}

export interface MasterProxy {
  readonly url: string
  /** Answered calls, in order. */
  readonly calls: readonly PassedCall[]
  /** Lets through what comes from now on; before, every connection is refused. */
  open(): void
  /** Keeps the next call of this type from the master, as a network may; resolves when it has been sent. */
  holdNext(type: string): Promise<void>
  /** Passes on what was held; resolves with the master's answer to it. */
  letGo(): Promise<number>
  /** Breaks every connection; new ones are accepted. */
  cut(): void
  close(): Promise<void>
}

export async function startMasterProxy(masterUrl: string): Promise<MasterProxy> {
  const calls: PassedCall[] = []
  let isOpen = false
  let wanted: { readonly type: string; readonly onHeld: () => void } | undefined
  let held: () => Promise<number> = () => Promise.resolve(0)
  const sockets = new Set<Socket>()
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('end', () => {
      const body = Buffer.concat(chunks)
      const { type = 'unknown' } = JSON.parse(body.toString()) as { type?: string }
      const go = (): Promise<number> =>
        new Promise((resolve) =>
          pass(masterUrl, incoming, body, response, (status) => {
            calls.push({ atMs: Date.now(), type, status })
            resolve(status)
          }),
        )
      if (wanted?.type !== type) return void go()
      held = go
      wanted.onHeld()
      wanted = undefined
    })
  })
  server.on('connection', (socket) => {
    if (!isOpen) return socket.destroy()
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const cut = (): void => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    open: () => {
      isOpen = true
    },
    holdNext: (type) => new Promise((resolve) => (wanted = { type, onHeld: resolve })),
    letGo: () => held(),
    cut,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        cut()
      }),
  }
}

function pass(
  masterUrl: string,
  incoming: IncomingMessage,
  body: Buffer,
  response: ServerResponse,
  onAnswer: (status: number) => void,
): void {
  const options = { method: incoming.method ?? 'POST', headers: incoming.headers, agent: false }
  const onward = request(new URL(incoming.url ?? '/', masterUrl), options, (answer) => {
    const { statusCode: status = 500 } = answer
    onAnswer(status)
    // Of this connection, not of the answer.
    const { connection: _connection, 'transfer-encoding': _encoding, 'keep-alive': _keepAlive, ...headers } = answer.headers
    response.writeHead(status, headers)
    response.flushHeaders()
    answer.pipe(response)
    answer.once('error', () => response.destroy())
    answer.once('aborted', () => response.destroy())
  })
  onward.once('error', () => response.destroy())
  response.once('close', () => onward.destroy())
  onward.end(body)
}
