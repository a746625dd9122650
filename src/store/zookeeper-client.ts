/**
 * One session with ZooKeeper over node-zookeeper-client, with the habits of that client made good: every request is answered
 * or fails; a server that falls silent is noticed and left; a reply that the client cannot read breaks the connection and not
 * the process. A request is handed on only while connected, so none overtakes the authentication after a reconnection and
 * none waits unseen in the client. `CONNECTION_LOSS` always means: outcome unknown.
 */
import zookeeper, { type Acl, type Client, type Failed } from 'node-zookeeper-client'
import { type StoreCredentials } from './connect-string.js'
import { createCorker, harden, OwnRequest, releaseSocket, type ConnectionManager } from './zookeeper-connection.js'
import { decodeMultiRead, encodeMultiRead, multiReadType } from './zookeeper-multi-read.js'

/** How long a server may be silent while an answer is due: under two thirds of the session timeout, which it must not outlast. */
const silenceShare = 0.4
/** An idle connection is asked this often, so that silence shows. */
const heartbeatShare = 0.2
const tickShare = 0.05
/** For so many session timeouts a server may take connections and answer nothing. */
const mutenessLimit = 2
/** Longest pause between two rounds over all servers. */
const reconnectSpreadMs = 300
const closeLimitMs = 2_000

export type FailureCode =
  | 'CONNECTION_LOSS'
  | 'SESSION_EXPIRED'
  | 'AUTH_FAILED'
  | 'NO_AUTH'
  | 'NO_NODE'
  | 'NODE_EXISTS'
  | 'NOT_EMPTY'
  | 'BAD_VERSION'
  | 'OTHER'

/** A request that did not succeed. Stays inside the store; what leaves it is an SdkError. */
export class ZooKeeperFailure extends Error {
  constructor(
    readonly failure: FailureCode,
    /** What was asked for, for example `read /stateward/epoch`. */
    readonly attempted: string,
    found: string,
    /** Of a transaction: which of its operations failed. */
    readonly operationIndex?: number,
  ) {
    super(`${attempted}: ${found}`)
    this.name = 'ZooKeeperFailure'
  }
}

export const isFailure = (error: unknown, ...codes: readonly FailureCode[]): error is ZooKeeperFailure =>
  error instanceof ZooKeeperFailure && (codes.length === 0 || codes.includes(error.failure))

export type Operation =
  | { readonly type: 'create'; readonly path: string; readonly data: string }
  /** With `version`, which must be above 0, only if the node has that version. */
  | { readonly type: 'set'; readonly path: string; readonly data: string; readonly version?: number }
  | { readonly type: 'remove'; readonly path: string }

/** `lost`: expired, refused or beyond repair; this session can do nothing any more. */
export type ConnectionState = 'connecting' | 'connected' | 'lost'

export interface NodeValue {
  readonly data: string
  readonly version: number
}

export interface ZooKeeperClient {
  state(): ConnectionState
  /** Why the session is lost. */
  lostBecause(): ZooKeeperFailure
  onState(listener: (state: ConnectionState) => void): void
  /** Resolves when connected; false after the limit. @throws ZooKeeperFailure when the session is lost. */
  connected(limitMs: number, signal?: AbortSignal): Promise<boolean>
  create(path: string, data: string, kind?: 'persistent' | 'parent' | 'ephemeralSequential'): Promise<string>
  read(path: string): Promise<NodeValue | undefined>
  /**
   * The data of many nodes with one request; nothing for those that are not there.
   * @throws ZooKeeperFailure `OTHER` for a server that does not know such a request.
   */
  readMany(paths: readonly string[]): Promise<(string | undefined)[]>
  exists(path: string, onChange?: () => void): Promise<boolean>
  children(path: string): Promise<readonly string[] | undefined>
  /** Whether somebody without credentials may do more with the node than read it. */
  isOpenToAll(path: string): Promise<boolean>
  transact(operations: readonly Operation[]): Promise<void>
  /** Replaces the request that is made when the connection was idle for a while. */
  setHeartbeat(heartbeat: () => Promise<unknown>): void
  /** Ends the session, so that its ephemeral nodes go, and disconnects. Idempotent; never rejects. */
  close(): Promise<void>
}

/** Codes of the client by number; those that need no own treatment are `OTHER`. */
const failureCodes: ReadonlyMap<number | undefined, FailureCode> = new Map(
  (
    [
      'CONNECTION_LOSS',
      'SESSION_EXPIRED',
      'AUTH_FAILED',
      'NO_AUTH',
      'NO_NODE',
      'NODE_EXISTS',
      'NOT_EMPTY',
      'BAD_VERSION',
    ] as const
  ).map((code) => [zookeeper.Exception[code], code]),
)

export interface ZooKeeperClientOptions {
  /** `host:port`, comma-separated. */
  readonly servers: string
  readonly sessionTimeoutMs: number
  readonly credentials?: StoreCredentials | undefined
  /** Told in a line what the connection went through. */
  readonly log: (message: string) => void
}

/** Begins to connect at once. */
export function createZooKeeperClient(options: ZooKeeperClientOptions): ZooKeeperClient {
  const client = zookeeper.createClient(options.servers, {
    sessionTimeout: options.sessionTimeoutMs,
    spinDelay: reconnectSpreadMs,
    retries: 0,
  })
  const manager = (client as unknown as { readonly connectionManager?: ConnectionManager }).connectionManager
  const cork = createCorker(manager)
  const acls = aclsFor(options.credentials)
  const listeners: ((state: ConnectionState) => void)[] = []
  let state: ConnectionState = 'connecting'
  let lostBecause = new ZooKeeperFailure('SESSION_EXPIRED', 'use the session', 'it is over')
  let closing: Promise<void> | undefined
  let heartbeat = (): Promise<unknown> => self.exists('/')

  /** Requests under way, oldest first. */
  const outstanding = new Map<symbol, { readonly sentAtMs: number; readonly lose: () => void }>()
  let heardAtMs = performance.now()
  /** Since when servers that took the connection have answered no request. */
  let muteSinceMs: number | undefined

  const enter = (next: ConnectionState): void => {
    if (state === next || state === 'lost') return
    state = next
    heardAtMs = performance.now()
    for (const listener of [...listeners]) listener(next)
  }
  const loseOutstanding = (): void => {
    for (const { lose } of [...outstanding.values()]) lose()
  }
  let isEnding = false
  const endSession = (): void => {
    if (!isEnding) client.close()
    isEnding = true
  }
  const lose = (failure: ZooKeeperFailure): void => {
    if (state === 'lost') return
    lostBecause = failure
    clearInterval(watchdog)
    enter('lost')
    loseOutstanding()
    if (manager !== undefined) releaseSocket(manager)
    // All that is left to do: otherwise it would keep its session, and with that the lock, for as long as the process lives.
    else endSession()
  }

  /** Hands one request to the client and makes a promise of its callback, which must come or be given up. */
  const request = <T>(attempted: string, send: (done: (error: Failed, value: T, index?: number) => void) => void): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      if (state === 'lost') return reject(new ZooKeeperFailure('SESSION_EXPIRED', attempted, lostBecause.message))
      if (state !== 'connected') return reject(new ZooKeeperFailure('CONNECTION_LOSS', attempted, 'there is no connection'))
      const id = Symbol(attempted)
      outstanding.set(id, {
        sentAtMs: performance.now(),
        lose: () => {
          outstanding.delete(id)
          reject(
            new ZooKeeperFailure(
              state === 'lost' ? 'SESSION_EXPIRED' : 'CONNECTION_LOSS',
              attempted,
              'the connection broke before the answer came',
            ),
          )
        },
      })
      cork()
      send((error, value, index) => {
        if (!outstanding.delete(id)) return
        heardAtMs = performance.now()
        muteSinceMs = undefined
        if (error === null || error === undefined) return resolve(value)
        const code = failureCodes.get(error.getCode()) ?? 'OTHER'
        reject(new ZooKeeperFailure(code, attempted, error.getName(), index))
      })
    })

  const self: ZooKeeperClient = {
    state: () => state,
    lostBecause: () => lostBecause,
    onState: (listener) => void listeners.push(listener),
    connected: (limitMs, signal) => waitUntilConnected(self, listeners, limitMs, signal),
    create: (path, data, kind = 'persistent') =>
      request(`create ${path}`, (done) => {
        const { PERSISTENT, EPHEMERAL_SEQUENTIAL } = zookeeper.CreateMode
        const mode = kind === 'ephemeralSequential' ? EPHEMERAL_SEQUENTIAL : PERSISTENT
        client.create(path, Buffer.from(data), kind === 'parent' ? acls.parent : acls.own, mode, done)
      }),
    read: (path) =>
      absentAsUndefined(
        request<NodeValue>(`read ${path}`, (done) =>
          client.getData(path, undefined, (error, data, stat) =>
            done(error, { data: data?.toString() ?? '', version: error === null || error === undefined ? stat.version : -1 }),
          ),
        ),
      ),
    readMany: (paths) => {
      const attempted = `read ${paths.length} nodes from ${paths[0] ?? 'nowhere'}`
      return request<Buffer>(attempted, (done) => {
        const own = new OwnRequest(
          multiReadType,
          (xid) => encodeMultiRead(xid, paths),
          (frame) => done(null, frame),
        )
        if (manager === undefined) throw new ZooKeeperFailure('OTHER', attempted, 'the ZooKeeper client shows no connection')
        manager.queue(own, (error) => done(error as Failed, Buffer.alloc(0)))
      }).then((reply) => readResults(attempted, reply, paths))
    },
    exists: (path, onChange) =>
      request(`look for ${path}`, (done) =>
        client.exists(path, onChange, (error, stat) => done(error, stat !== null && stat !== undefined)),
      ),
    children: (path) =>
      absentAsUndefined(request<readonly string[]>(`list ${path}`, (done) => client.getChildren(path, undefined, done))),
    isOpenToAll: (path) =>
      request<boolean>(`read the ACL of ${path}`, (done) =>
        client.getACL(path, (error, found) => done(error, error === null || error === undefined ? isOpenToAll(found) : false)),
      ),
    transact: (operations) =>
      request<void>(`write ${operations[0]?.path ?? 'nothing'}`, (done) => commitTransaction(client, operations, acls.own, done)),
    setHeartbeat: (next) => {
      heartbeat = next
    },
    close: () => (closing ??= closeClient()),
  }

  /** Leaves a connection on which nothing comes; the client then tries the next server with the same session. */
  const leaveServer = (why: string): void => {
    options.log(why)
    // What is sent may arrive all the same, and each new connection then keeps the session, and with it the lock, for nothing.
    const nowMs = performance.now()
    const muteForMs = nowMs - (muteSinceMs ??= nowMs)
    if (muteForMs > mutenessLimit * client.getSessionTimeout()) {
      const found = `connected, and nothing was answered for ${Math.round(muteForMs)} ms`
      return lose(new ZooKeeperFailure('SESSION_EXPIRED', 'be heard by a server that is heard', found))
    }
    if (manager?.socket === undefined || typeof manager.socket.destroy !== 'function') {
      return lose(
        new ZooKeeperFailure(
          'SESSION_EXPIRED',
          'leave a silent server',
          'the ZooKeeper client shows no socket; a new session is needed',
        ),
      )
    }
    manager.socket.destroy()
  }

  let tickedAtMs = performance.now()
  let connectingOver: { readonly socket: unknown; readonly sinceMs: number } = { socket: undefined, sinceMs: tickedAtMs }
  const tick = (): void => {
    const nowMs = performance.now()
    const sessionTimeoutMs = client.getSessionTimeout()
    const limitMs = sessionTimeoutMs * silenceShare
    const wasStalled = nowMs - tickedAtMs > limitMs / 2
    tickedAtMs = nowMs
    // After a stall of this process, answers may lie unread in the socket: they are read before the next tick.
    if (wasStalled) return
    if (state === 'connected') {
      const [oldest] = outstanding.values()
      if (oldest === undefined) {
        if (nowMs - heardAtMs > sessionTimeoutMs * heartbeatShare) void heartbeat().catch(() => undefined)
      } else if (nowMs - Math.max(oldest.sentAtMs, heardAtMs) > limitMs) {
        leaveServer(`no answer for ${Math.round(nowMs - oldest.sentAtMs)} ms; leaving this server`)
      }
    } else if (manager?.socket !== connectingOver.socket) {
      connectingOver = { socket: manager?.socket, sinceMs: nowMs }
    } else if (manager?.socket !== undefined && nowMs - connectingOver.sinceMs > limitMs) {
      connectingOver = { socket: undefined, sinceMs: nowMs }
      leaveServer('connected, but no session was answered; leaving this server')
    }
  }
  const watchdog = setInterval(tick, Math.max(20, options.sessionTimeoutMs * tickShare))

  const closeClient = async (): Promise<void> => {
    if (state === 'connected') {
      const closed = new Promise<void>((resolve) => listeners.push(() => resolve()))
      endSession()
      let timer: NodeJS.Timeout | undefined
      // The event does not come when the server is silent.
      await Promise.race([closed, new Promise((resolve) => (timer = setTimeout(resolve, closeLimitMs)))])
      clearTimeout(timer)
    }
    lose(new ZooKeeperFailure('SESSION_EXPIRED', 'use the session', 'it was closed'))
  }

  client.on('state', ({ code }) => {
    const { SYNC_CONNECTED, CONNECTED_READ_ONLY, EXPIRED, AUTH_FAILED } = zookeeper.State
    if (code === SYNC_CONNECTED.code || code === CONNECTED_READ_ONLY.code) return enter('connected')
    if (code === EXPIRED.code)
      return lose(new ZooKeeperFailure('SESSION_EXPIRED', 'keep the session', 'it expired while there was no connection'))
    if (code === AUTH_FAILED.code)
      return lose(new ZooKeeperFailure('AUTH_FAILED', 'authenticate', 'the server refused the credentials'))
    enter('connecting')
    loseOutstanding()
  })
  if (manager !== undefined) harden(manager, options.log)
  if (options.credentials !== undefined)
    client.addAuthInfo('digest', Buffer.from(`${options.credentials.user}:${options.credentials.password}`))
  client.connect()
  return self
}

function aclsFor(credentials: StoreCredentials | undefined): { readonly own: readonly Acl[]; readonly parent: readonly Acl[] } {
  const { ACL, Id, Permission } = zookeeper
  if (credentials === undefined) return { own: ACL.OPEN_ACL_UNSAFE, parent: ACL.OPEN_ACL_UNSAFE }
  // Nodes above the service's are shared: others may add theirs beside it, and remove nothing.
  const parent = [...ACL.CREATOR_ALL_ACL, new ACL(Permission.READ | Permission.CREATE, Id.ANYONE_ID_UNSAFE)]
  return { own: ACL.CREATOR_ALL_ACL, parent }
}

function isOpenToAll(acls: readonly Acl[]): boolean {
  return acls.some(({ permission, id }) => id.scheme === 'world' && (permission & ~zookeeper.Permission.READ) !== 0)
}

function commitTransaction(
  client: Client,
  operations: readonly Operation[],
  acl: readonly Acl[],
  done: (error: Failed, value: undefined, index?: number) => void,
): void {
  const transaction = client.transaction()
  for (const operation of operations) {
    if (operation.type === 'create')
      transaction.create(operation.path, Buffer.from(operation.data), acl, zookeeper.CreateMode.PERSISTENT)
    else if (operation.type === 'set') transaction.setData(operation.path, Buffer.from(operation.data), operation.version ?? -1)
    else transaction.remove(operation.path, -1)
  }
  transaction.commit((error, results) => {
    const index = results?.findIndex(({ err }) => err !== undefined && err !== 0)
    done(error, undefined, index)
  })
}

function readResults(attempted: string, reply: Buffer, paths: readonly string[]): (string | undefined)[] {
  const results = decodeMultiRead(reply, paths.length)
  if (results === undefined) throw new ZooKeeperFailure('OTHER', attempted, 'the server does not know how to read many at once')
  return results.map((result, index) => {
    if ('data' in result) return result.data
    const code = failureCodes.get(result.errorCode) ?? 'OTHER'
    if (code === 'NO_NODE') return undefined
    throw new ZooKeeperFailure(code, `read ${paths[index] ?? ''}`, `error ${result.errorCode}`)
  })
}

async function absentAsUndefined<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer
  } catch (error) {
    if (isFailure(error, 'NO_NODE')) return undefined
    throw error
  }
}

function waitUntilConnected(
  client: ZooKeeperClient,
  listeners: ((state: ConnectionState) => void)[],
  limitMs: number,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  if (client.state() === 'connected') return Promise.resolve(true)
  return new Promise((resolve, reject) => {
    const leave = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', check)
      const index = listeners.indexOf(check)
      if (index !== -1) listeners.splice(index, 1)
    }
    const check = (): void => {
      const over = client.state() === 'lost' || signal?.aborted === true
      if (client.state() !== 'connected' && !over) return
      leave()
      if (client.state() === 'lost') reject(client.lostBecause())
      else if (signal?.aborted === true) reject(signal.reason as Error)
      else resolve(true)
    }
    const timer = setTimeout(() => {
      leave()
      resolve(false)
    }, limitMs)
    listeners.push(check)
    signal?.addEventListener('abort', check)
    check()
  })
}
