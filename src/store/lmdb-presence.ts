/**
 * Who is alive, asked of the kernel: a holder listens on a socket beside the data, and whoever can connect knows that its
 * process is there. A process that was killed stops answering at that moment, whatever killed it, and one that stands still
 * goes on being there. A process id would say less: it is given to others, and means nothing in another container.
 */
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { unlink } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import path from 'node:path'

/** The longest path of a socket that Linux and macOS both take, in bytes. */
const socketPathBytes = 100
/** How long to wait before asking again a holder that is there and takes no connection for now. */
const busyPauseMs = 1_000
/** What connecting to the socket of a process that has gone answers; the last one when it goes at that moment. */
const goneCodes = ['ENOENT', 'ECONNREFUSED', 'ENOTSOCK', 'ECONNRESET']

/** One's own presence, shown until it is closed or the process ends. */
export interface Presence {
  /** Of the socket, in the directory. */
  readonly name: string
  close(): Promise<void>
}

/** Somebody else's presence. */
export interface Sighting {
  /** Resolves when the other has gone, or when it is time to ask again. */
  readonly gone: Promise<void>
  /** Stops watching. */
  leave(): void
}

/** Shows this process under a new name, and keeps it from ending by itself meanwhile. */
export async function showPresence(directory: string): Promise<Presence> {
  const name = `lock-${randomUUID().slice(0, 8)}.sock`
  const address = addressOf(directory, name)
  const watchers = new Set<Socket>()
  const server = createServer((watcher) => {
    watchers.add(watcher)
    watcher.unref()
    watcher.resume()
    watcher.on('error', () => undefined)
    watcher.on('close', () => watchers.delete(watcher))
  })
  try {
    // Exclusive: a worker of node:cluster would otherwise have its primary listen, which outlives it.
    server.listen({ path: address.path, exclusive: true })
    await once(server, 'listening')
  } catch (error) {
    address.release()
    throw error
  }
  let closing: Promise<void> | undefined
  const close = (): Promise<void> =>
    (closing ??= new Promise((resolve) => {
      // Also removes the socket's file.
      server.close(() => {
        address.release()
        resolve()
      })
      for (const watcher of watchers) watcher.destroy()
    }))
  return { name, close }
}

/** Looks for the process that shows itself under the name; nothing when it has gone. */
export async function lookFor(directory: string, name: string): Promise<Sighting | undefined> {
  const address = addressOf(directory, name)
  const socket = connect(address.path)
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()))
  socket.on('error', () => undefined)
  try {
    await once(socket, 'connect')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return code !== undefined && goneCodes.includes(code) ? undefined : busy()
  } finally {
    address.release()
  }
  socket.resume()
  return { gone: closed, leave: () => socket.destroy() }
}

function busy(): Sighting {
  let timer: NodeJS.Timeout | undefined
  const gone = new Promise<void>((resolve) => (timer = setTimeout(resolve, busyPauseMs)))
  return { gone, leave: () => clearTimeout(timer) }
}

/** Removes what a process that has gone left behind. */
export async function clearPresence(directory: string, name: string): Promise<void> {
  await unlink(path.join(directory, name)).catch(() => undefined)
}

/** A path that is too long for a socket is reached through an open directory, which Linux shows under /proc. */
function addressOf(directory: string, name: string): { readonly path: string; release(): void } {
  const full = path.join(directory, name)
  if (Buffer.byteLength(full) <= socketPathBytes || process.platform !== 'linux') {
    return { path: full, release: () => undefined }
  }
  const descriptor = openSync(directory, 'r')
  return { path: `/proc/self/fd/${descriptor}/${name}`, release: () => closeSync(descriptor) }
}
