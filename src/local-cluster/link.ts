/**
 * A connection between two processes of the cluster: JSON lines both ways over an upgraded HTTP connection. Order holds;
 * when the connection breaks, what was under way is lost.
 */
import { request } from 'node:http'
import type { IncomingMessage, Server } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'

const PROTOCOL = 'stateward-link'

export interface Link<Out> {
  readonly send: (message: Out) => void
  readonly close: () => void
}

export interface LinkEvents<In> {
  readonly onMessage: (message: In) => void
  readonly onClose: () => void
}

function attach<In, Out>(socket: Duplex, head: Buffer, events: LinkEvents<In>): Link<Out> {
  let rest: Buffer = Buffer.alloc(0)
  let isClosed = false
  const take = (chunk: Buffer): void => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      const line = rest.subarray(0, end).toString('utf8')
      rest = rest.subarray(end + 1)
      events.onMessage(JSON.parse(line) as In)
    }
  }
  const close = (): void => {
    if (isClosed) return
    isClosed = true
    socket.destroy()
    events.onClose()
  }
  ;(socket as Socket).setNoDelay(true)
  if (head.length > 0) queueMicrotask(() => take(head))
  socket.on('data', take)
  socket.on('error', close)
  socket.on('end', close)
  socket.on('close', close)
  return {
    send: (message) => {
      if (!isClosed) socket.write(`${JSON.stringify(message)}\n`)
    },
    close,
  }
}

/** Connects to a process that listens for links at `path`. */
export function openLink<In, Out>(url: string, events: LinkEvents<In>): Promise<Link<Out>> {
  return new Promise((resolve, reject) => {
    const call = request(url, { headers: { Connection: 'Upgrade', Upgrade: PROTOCOL }, agent: false })
    call.on('upgrade', (_response, socket, head) => resolve(attach<In, Out>(socket, head, events)))
    call.on('response', (response) => {
      response.resume()
      reject(new Error(`no link at ${url}: status ${response.statusCode ?? 0}`))
    })
    call.on('error', reject)
    call.end()
  })
}

/** Serves links; `open` gets the request and says who listens, or refuses with undefined. */
export function serveLinks<In, Out>(
  server: Server,
  open: (incoming: IncomingMessage, link: () => Link<Out>) => LinkEvents<In> | undefined,
): void {
  server.on('upgrade', (incoming, socket, head) => {
    const opened: { link?: Link<Out> } = {}
    const events = incoming.headers.upgrade === PROTOCOL ? open(incoming, () => opened.link as Link<Out>) : undefined
    if (events === undefined) {
      socket.destroy()
      return
    }
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${PROTOCOL}\r\n\r\n`)
    opened.link = attach<In, Out>(socket, head, events)
  })
}
