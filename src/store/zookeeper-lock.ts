/**
 * One scheduler at a time: an ephemeral sequential node per opener, the lowest leads, each other waits for the one before it.
 * The node of a process that was killed goes with its ZooKeeper session, so waiting longer than the session timeout gets the
 * lock. The lock keeps two schedulers apart in peace; what keeps a deposed one from writing is the commit chain, not this.
 */
import { randomUUID } from 'node:crypto'
import { SdkError } from '../errors.js'
import { type OpenOptions } from '../ports/state-store.js'
import { type ZooKeeperClient } from './zookeeper-client.js'

/** The line is looked at again this often although nothing was told, should a watch have been lost with a connection. */
const recheckMs = 1_000
const sequenceDigits = 10

export interface LockRequest {
  readonly client: ZooKeeperClient
  readonly lockPath: string
  /** Shown in messages. */
  readonly address: string
  readonly open: OpenOptions
  /** When waiting ends, on the clock of `performance.now`. */
  readonly deadlineMs: number
  /** Told by whom the lock is held, when waiting begins. */
  readonly onWaiting: (holder: string) => void
  /** Tries a request again over broken connections. */
  readonly persist: <T>(request: () => Promise<T>) => Promise<T>
}

/**
 * Resolves when the lock is held; it is given back with the client's session.
 * @throws SdkError `ERR_LOCK_HELD` naming the holder.
 */
export async function acquireLock(request: LockRequest): Promise<void> {
  const { client, lockPath, open, persist } = request
  const own = randomUUID()
  await createOwnNode(request, own)
  const bell = createBell()
  for (;;) {
    open.signal?.throwIfAborted()
    const line = await persist(() => readLine(client, lockPath))
    const index = line.findIndex((name) => name.startsWith(own))
    if (index === -1) {
      // Removed by an operator's hand; the place in the line is lost.
      await createOwnNode(request, own)
      continue
    }
    const [first] = line
    const before = line[index - 1]
    if (before === undefined || first === undefined) return
    const holder = await persist(() => client.read(`${lockPath}/${first}`))
    if (holder === undefined) continue
    if (performance.now() >= request.deadlineMs) throw lockHeld(request, holder.data)
    request.onWaiting(holder.data)
    await waitForChange(request, `${lockPath}/${before}`, bell)
  }
}

/** Names of the line, first in line first. */
async function readLine(client: ZooKeeperClient, lockPath: string): Promise<string[]> {
  const names = (await client.children(lockPath)) ?? []
  const sequence = (name: string): number => Number(name.slice(-sequenceDigits))
  return [...names].sort((a, b) => sequence(a) - sequence(b))
}

/** After a lost answer the node may be there: it is known by its own id, so that no process ever waits for itself. */
async function createOwnNode({ client, lockPath, open, persist }: LockRequest, own: string): Promise<void> {
  let outcomeUnknown = false
  await persist(async () => {
    if (outcomeUnknown && (await readLine(client, lockPath)).some((name) => name.startsWith(own))) return
    outcomeUnknown = true
    await client.create(`${lockPath}/${own}-`, open.holder, 'ephemeralSequential')
  })
}

/** Rings for whoever waits at the moment. Each path gets one watch, however often it is looked at. */
interface Bell {
  readonly ring: () => void
  readonly wait: () => Promise<void>
  readonly watched: Set<string>
}

function createBell(): Bell {
  let wake: () => void = () => undefined
  return {
    ring: () => wake(),
    wait: () => new Promise((resolve) => (wake = resolve)),
    watched: new Set(),
  }
}

/** Until the node before goes, the deadline passes, the signal aborts, or it is time to look again. */
async function waitForChange({ client, open, deadlineMs, persist }: LockRequest, before: string, bell: Bell): Promise<void> {
  const rung = bell.wait()
  open.signal?.addEventListener('abort', bell.ring)
  const timer = setTimeout(bell.ring, Math.max(0, Math.min(recheckMs, deadlineMs - performance.now())))
  try {
    const isWatched = bell.watched.has(before)
    const isThere = await persist(() => client.exists(before, isWatched ? undefined : bell.ring))
    bell.watched.add(before)
    if (isThere && open.signal?.aborted !== true) await rung
  } finally {
    clearTimeout(timer)
    open.signal?.removeEventListener('abort', bell.ring)
  }
}

function lockHeld({ address, open, lockPath }: LockRequest, holder: string): SdkError {
  const message =
    `cannot lead as ${open.holder}: the lock ${lockPath} on ${address} was held by ${holder} for all of the ${open.lockWaitMs} ms waited; ` +
    'stop that scheduler, or, if it was killed, wait longer than its ZooKeeper session timeout'
  return new SdkError('ERR_LOCK_HELD', message, {
    details: { holder, address, lockPath, waitedMs: open.lockWaitMs },
  })
}
