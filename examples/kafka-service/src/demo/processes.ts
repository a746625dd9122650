/**
 * Processes of this machine as Linux shows them. The demo ends processes by their id only, and knows a process as its own by the
 * place it runs in: everything it starts has its work folder as working directory or among its arguments.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

export interface OwnProcess {
  readonly pid: number
  /** Differs for every process that ever has this id. */
  readonly born: string
  readonly command: string
}

export interface Listener {
  readonly address: string
  readonly port: number
}

const pollMs = 50

/** When a process began, in clock ticks since boot; nothing when it is gone. An ended one that nobody collected counts as gone. */
export function birthOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8')
    // The second field is the command in brackets and may hold brackets and blanks itself.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19]
  } catch {
    return undefined
  }
}

/** Processes that run in `folder` or name it in their arguments, this one and those above it left out. */
export function processesOf(folder: string): OwnProcess[] {
  const above = ancestors()
  return pids()
    .filter((pid) => !above.has(pid))
    .flatMap((pid) => {
      const born = birthOf(pid)
      const command = readText(`/proc/${String(pid)}/cmdline`)
        .replaceAll('\0', ' ')
        .trim()
      const inside = isInside(readLink(`/proc/${String(pid)}/cwd`), folder) || command.includes(`${folder}/`)
      return born !== undefined && inside ? [{ pid, born, command }] : []
    })
}

function isInside(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`)
}

function ancestors(): Set<number> {
  const found = new Set<number>()
  for (let pid = process.pid; pid > 1 && !found.has(pid);) {
    found.add(pid)
    const stat = readText(`/proc/${String(pid)}/stat`)
    pid = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1] ?? 0)
  }
  return found
}

export function isAlive({ pid, born }: { readonly pid: number; readonly born: string }): boolean {
  return birthOf(pid) === born
}

/** Sends a signal unless the process is gone or its id belongs to another one by now. */
export function signal(own: { readonly pid: number; readonly born: string }, name: NodeJS.Signals): void {
  if (!isAlive(own)) return
  try {
    process.kill(own.pid, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** @returns whether it ended within the time */
export async function waitUntilGone(own: { readonly pid: number; readonly born: string }, limitMs: number): Promise<boolean> {
  const end = Date.now() + limitMs
  while (isAlive(own)) {
    if (Date.now() > end) return false
    await sleep(pollMs)
  }
  return true
}

/** The process that listens on an address, found through the kernel's socket table. */
export function listenerOf(address: string, port: number): OwnProcess | undefined {
  const inode = listeningSockets().find((socket) => socket.address === address && socket.port === port)?.inode
  if (inode === undefined) return undefined
  const pid = pids().find((candidate) => socketInodes(candidate).has(inode))
  const born = pid === undefined ? undefined : birthOf(pid)
  if (pid === undefined || born === undefined) return undefined
  return {
    pid,
    born,
    command: readText(`/proc/${String(pid)}/cmdline`)
      .replaceAll('\0', ' ')
      .trim(),
  }
}

/** Addresses on which the given processes listen. */
export function listenersOf(processes: readonly OwnProcess[]): Listener[] {
  const own = new Set(processes.flatMap(({ pid }) => [...socketInodes(pid)]))
  return listeningSockets().filter((socket) => own.has(socket.inode))
}

export function isListening({ address, port }: Listener): boolean {
  return listeningSockets().some((socket) => socket.address === address && socket.port === port)
}

export function workingDirectoryOf(pid: number): string {
  return readlinkSync(`/proc/${String(pid)}/cwd`)
}

interface Socket extends Listener {
  readonly inode: string
}

const listenState = '0A'

function listeningSockets(): Socket[] {
  return ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((file) => parseSockets(readText(file)))
}

/** Lines of the kernel's table: local address and port in hexadecimal, state, and the socket's inode in the tenth column. */
export function parseSockets(table: string): Socket[] {
  return table
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[3] === listenState)
    .map((fields) => {
      const [address = '', port = ''] = (fields[1] ?? '').split(':')
      return { address: addressOf(address), port: Number.parseInt(port, 16), inode: fields[9] ?? '' }
    })
}

/** The four bytes stand in reverse; Java's sockets carry IPv4 addresses inside IPv6 ones, in the last four bytes. */
function addressOf(hex: string): string {
  const bytes = hex.slice(-8).match(/../g) ?? []
  return bytes
    .reverse()
    .map((byte) => Number.parseInt(byte, 16))
    .join('.')
}

function socketInodes(pid: number): Set<string> {
  const folder = `/proc/${String(pid)}/fd`
  const links = entries(folder).map((descriptor) => readLink(`${folder}/${descriptor}`))
  return new Set(links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []))
}

function pids(): number[] {
  return entries('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
}

// Processes end while they are being looked at: what is gone reads as empty.
function entries(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

function readLink(file: string): string {
  try {
    return readlinkSync(file)
  } catch {
    return ''
  }
}
