/** A TCP proxy whose wire can be held still or cut: the network between a store and its server, for tests. */
import { connect, createServer, type Socket } from 'node:net'

export type Direction = 'requests' | 'replies'

export interface HoldingProxy {
  /** `127.0.0.1:port` */
  readonly connect: string
  /** From now on, bytes of this direction are swallowed; connections stay open and new ones are accepted. */
  hold(...directions: Direction[]): void
  /** Breaks every connection, then lets all bytes through again. */
  release(): void
  close(): Promise<void>
}

/** `target` is `address:port`. */
export async function startHoldingProxy(target: string): Promise<HoldingProxy> {
  const [host = '', port = ''] = target.split(':')
  const sockets = new Set<Socket>()
  const held = new Set<Direction>()
  const join = (from: Socket, to: Socket, direction: Direction): void => {
    sockets.add(from)
    from.on('data', (chunk) => {
      if (!held.has(direction)) to.write(chunk)
    })
    from.on('error', () => undefined)
    from.on('close', () => {
      sockets.delete(from)
      to.destroy()
    })
  }
  const server = createServer((client) => {
    const upstream = connect({ host, port: Number(port) })
    join(client, upstream, 'requests')
    join(upstream, client, 'replies')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const cut = (): void => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    connect: `127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    hold: (...directions) => {
      for (const direction of directions) held.add(direction)
    },
    release: () => {
      cut()
      held.clear()
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        cut()
      }),
  }
}
