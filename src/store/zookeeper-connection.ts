/**
 * What is done to the inside of node-zookeeper-client, which is not public; version 1.1.3 is pinned by a test. Replies are cut
 * out of the stream here, as its own way copies the rest of it for each; requests of one turn leave in one write; and what it
 * throws out of the socket's event, which would end the process, breaks the connection instead.
 */

export interface ConnectionManager {
  socket?: Wire
  connectTimeoutHandler?: NodeJS.Timeout | null
  pendingBuffer: Buffer | null
  /** Sent and not yet answered, in the order of the answers. */
  readonly pendingQueue: { readonly request: unknown }[]
  queue: (request: OwnRequest, callback: (error: unknown) => void) => void
  connect: () => void
  onSocketData: (chunk: Buffer) => void
  onSocketClosed: (hadError: boolean) => void
}

interface Wire {
  readonly destroyed?: boolean
  destroy(): void
  cork?(): void
  uncork?(): void
}

/** A request of a kind that the client does not know; it is sent in its turn, and takes its reply as it came. */
export class OwnRequest {
  readonly header: { xid: number; readonly type: number }
  /** Read by the client; there is none that it could handle. */
  readonly payload = null

  constructor(
    type: number,
    private readonly encode: (xid: number) => Buffer,
    readonly onReply: (frame: Buffer) => void,
  ) {
    this.header = { xid: 0, type }
  }

  toBuffer(): Buffer {
    return this.encode(this.header.xid)
  }
}

const lengthBytes = 4
const xidOffset = lengthBytes

/** Cuts a stream into frames: a length of four bytes, then so many bytes. Answers those that are whole, each with its length. */
export function createFrameCutter(): { cut(chunk: Buffer): Buffer[]; clear(): void } {
  /** What has arrived of the frame that is not whole. */
  let parts: Buffer[] = []
  let bytes = 0
  const clear = (): void => {
    parts = []
    bytes = 0
  }
  /** Of the frame that comes next, with its own length; unknown until that has arrived. */
  const nextLength = (): number => {
    if (bytes < lengthBytes) return Infinity
    if ((parts[0]?.length ?? 0) < lengthBytes) parts = [Buffer.concat(parts)]
    return lengthBytes + (parts[0]?.readUInt32BE(0) ?? 0)
  }
  const cut = (chunk: Buffer): Buffer[] => {
    parts.push(chunk)
    bytes += chunk.length
    // A large frame is put together once, and not with every chunk.
    if (bytes < nextLength()) return []
    const whole = Buffer.concat(parts)
    const frames: Buffer[] = []
    for (let from = 0; ;) {
      parts = [whole.subarray(from)]
      bytes = whole.length - from
      const length = nextLength()
      if (bytes < length) return frames
      frames.push(whole.subarray(from, from + length))
      from += length
    }
  }
  return { cut, clear }
}

export function harden(manager: ConnectionManager, log: (message: string) => void): void {
  const { onSocketData, onSocketClosed } = manager
  const cutter = createFrameCutter()
  manager.onSocketData = (chunk) => {
    const { socket } = manager
    try {
      for (const frame of cutter.cut(chunk)) {
        // The reply before may have ended this connection.
        if (manager.socket !== socket || socket?.destroyed === true) return
        if (!takeOwnReply(manager, frame)) onSocketData.call(manager, frame)
      }
    } catch (error) {
      log(`the server sent what the ZooKeeper client cannot read (${(error as Error).message}); connecting anew`)
      manager.socket?.destroy()
    }
  }
  manager.onSocketClosed = (hadError) => {
    // Half a reply of the old connection would be taken for the beginning of the first on the new one.
    cutter.clear()
    manager.pendingBuffer = null
    // A timer of this connection would destroy the next one.
    clearTimeout(manager.connectTimeoutHandler ?? undefined)
    onSocketClosed.call(manager, hadError)
  }
}

/** Replies come in the order of the requests; what comes unasked, pings and notifications, has a number of its own. */
function takeOwnReply({ pendingQueue }: ConnectionManager, frame: Buffer): boolean {
  const request = pendingQueue[0]?.request
  if (!(request instanceof OwnRequest) || frame.length < xidOffset + 4 || frame.readInt32BE(xidOffset) !== request.header.xid)
    return false
  pendingQueue.shift()
  request.onReply(frame)
  return true
}

/** Answers a function that holds back what is written until this turn of the event loop is over. */
export function createCorker(manager: ConnectionManager | undefined): () => void {
  let held: Wire | undefined
  return () => {
    const socket = manager?.socket
    if (held !== undefined || socket === undefined) return
    held = socket
    socket.cork?.()
    setImmediate(() => {
      held = undefined
      socket.uncork?.()
    })
  }
}

/** A client that is not wanted any more would go on connecting, and make sessions, for as long as the process lives. */
export function releaseSocket(manager: ConnectionManager): void {
  manager.connect = () => undefined
  let { socket } = manager
  Object.defineProperty(manager, 'socket', {
    get: () => socket,
    // An attempt that was already due when the session ended.
    set: (late: Wire) => {
      socket = late
      setImmediate(() => {
        clearTimeout(manager.connectTimeoutHandler ?? undefined)
        late.destroy()
      })
    },
  })
  clearTimeout(manager.connectTimeoutHandler ?? undefined)
  socket?.destroy()
}
