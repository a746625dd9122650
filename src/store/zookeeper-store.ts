/**
 * The state store in ZooKeeper. Opening takes the lock, takes the next epoch (which shuts every earlier leader out), loads all
 * records, and then commits run in the chain of that epoch (ADR 0005). One session of the store is one session of ZooKeeper:
 * when that is lost the way on is a new `open`.
 */
import { SdkError } from '../errors.js'
import { type Batch, type OpenOptions, type SessionEnd, type StateStore, type StoreSession } from '../ports/state-store.js'
import { findBatchProblem, storeLimits } from './batch.js'
import { createCommitChain } from './commit-chain.js'
import { parseConnectString, showAddress, type StoreCredentials } from './connect-string.js'
import { parseEpoch } from './epoch.js'
import { storePaths, type StorePaths } from './paths.js'
import { type StoreLogger } from './store-logger.js'
import { createZooKeeperClient, isFailure, ZooKeeperFailure, type Operation, type ZooKeeperClient } from './zookeeper-client.js'
import { bumpEpoch, ensureLayout, loadRecords, type LayoutAccess, type LoadedRecords } from './zookeeper-layout.js'
import { acquireLock } from './zookeeper-lock.js'

const defaultSessionTimeoutMs = 10_000
const defaultConnectLimitMs = 10_000
/** How often one request is tried while opening before the connection counts as unusable. */
const attemptsWhileOpening = 20

export interface ZooKeeperStoreOptions {
  /** `host1:2181,host2:2181/path` or `zk://user:password@host1,host2/path`; a missing path is made. */
  readonly connect: string
  /** Keeps the records under a node of this name below the path, so that services can share one path. @defaultValue none */
  readonly service?: string
  /** Digest credentials; those in `connect` otherwise. */
  readonly credentials?: StoreCredentials
  /** After so long without contact ZooKeeper gives the lock to another. The server may raise it. @defaultValue 10000 @minimum 1000 */
  readonly sessionTimeoutMs?: number
  /** How long `open` waits for a connection before `ERR_STORE_UNREACHABLE`. @defaultValue 10000 */
  readonly connectLimitMs?: number
  readonly logger?: StoreLogger
}

interface Place {
  readonly address: string
  readonly paths: StorePaths
  readonly sessionTimeoutMs: number
  readonly connectLimitMs: number
  readonly logger: StoreLogger | undefined
  readonly hasCredentials: boolean
  newClient(): ZooKeeperClient
}

/** @throws SdkError `ERR_INVALID_OPTION`. Connects only when opened. */
export function createZooKeeperStore(options: ZooKeeperStoreOptions): StateStore {
  const connect = parseConnectString(options.connect)
  const sessionTimeoutMs = options.sessionTimeoutMs ?? defaultSessionTimeoutMs
  if (!Number.isFinite(sessionTimeoutMs) || sessionTimeoutMs < 1_000) {
    throw new SdkError('ERR_INVALID_OPTION', `sessionTimeoutMs must be at least 1000 (got ${sessionTimeoutMs})`)
  }
  if (options.service === '')
    throw new SdkError('ERR_INVALID_OPTION', 'service must be a name (got an empty text); leave it out to use the path itself')
  const address = showAddress(connect)
  const { logger } = options
  const credentials = options.credentials ?? connect.credentials
  const place: Place = {
    address,
    paths: storePaths(connect.path, options.service),
    sessionTimeoutMs,
    connectLimitMs: options.connectLimitMs ?? defaultConnectLimitMs,
    logger,
    hasCredentials: credentials !== undefined,
    newClient: () =>
      createZooKeeperClient({
        servers: connect.servers,
        sessionTimeoutMs,
        credentials,
        log: (message) => logger?.warn({ store: address }, `ZooKeeper: ${message}`),
      }),
  }
  return { open: (open) => openSession(place, open) }
}

/** One attempt after another while the lock is waited for: a lost session costs the place in the line, not the wait. */
async function openSession(place: Place, open: OpenOptions): Promise<StoreSession> {
  const deadlineMs = performance.now() + open.lockWaitMs
  let told: string | undefined
  const onWaiting = (holder: string): void => {
    if (holder === told) return
    told = holder
    place.logger?.info({ store: place.address, holder }, 'waiting for the lock')
    open.onWaiting?.(holder)
  }
  for (;;) {
    open.signal?.throwIfAborted()
    const client = place.newClient()
    try {
      return await openOn(client, place, open, deadlineMs, onWaiting)
    } catch (error) {
      await client.close()
      if (isFailure(error, 'SESSION_EXPIRED') && performance.now() < deadlineMs) continue
      open.signal?.throwIfAborted()
      throw openError(place, error)
    }
  }
}

async function openOn(
  client: ZooKeeperClient,
  place: Place,
  open: OpenOptions,
  deadlineMs: number,
  onWaiting: (holder: string) => void,
): Promise<StoreSession> {
  const persist = persistOn(client, place, open)
  const access: LayoutAccess = { client, paths: place.paths, address: place.address, persist }
  await ensureLayout(access, open.holder)
  await acquireLock({ client, lockPath: place.paths.lock, address: place.address, open, deadlineMs, onWaiting, persist })
  open.signal?.throwIfAborted()
  if (place.hasCredentials) await warnOfOpenNodes(access, place)
  const epoch = await bumpEpoch(access, open.holder)
  const loaded = await loadRecords(access)
  return createSession(client, place, epoch, loaded)
}

/** Nodes that an earlier scheduler made without credentials keep their ACL, and whoever gives credentials believes them closed. */
async function warnOfOpenNodes({ client, paths, persist }: LayoutAccess, { address, logger }: Place): Promise<void> {
  for (const path of [paths.root, paths.epoch].filter((each) => each !== '')) {
    if (!(await persist(() => client.isOpenToAll(path)))) continue
    const message =
      `${path} on ${address} is open to everybody: it was made without credentials, and only new nodes are closed; ` +
      `close the others with zkCli.sh: addauth digest USER:PASSWORD, then setAcl -R ${path} auth::cdrwa`
    return logger?.warn({ store: address, path }, message)
  }
}

/** Repeats a request whose connection broke, each time after waiting for the next connection. */
function persistOn(client: ZooKeeperClient, place: Place, open: OpenOptions): LayoutAccess['persist'] {
  return async (request) => {
    for (let attempt = 1; ; attempt += 1) {
      if (!(await client.connected(place.connectLimitMs, open.signal))) {
        throw new SdkError(
          'ERR_STORE_UNREACHABLE',
          `cannot open the store on ${place.address}: no server answered within ${place.connectLimitMs} ms; ` +
            'check that ZooKeeper runs there and that this machine can reach it',
          { retryable: true, details: { address: place.address, limitMs: place.connectLimitMs } },
        )
      }
      try {
        return await request()
      } catch (error) {
        if (!isFailure(error, 'CONNECTION_LOSS') || attempt === attemptsWhileOpening) throw error
      }
    }
  }
}

function openError({ address }: Place, error: unknown): unknown {
  if (!(error instanceof ZooKeeperFailure)) return error
  const options = { cause: error, details: { address } }
  if (error.failure === 'NO_AUTH' || error.failure === 'AUTH_FAILED') {
    const message = `cannot open the store on ${address}: not permitted (${error.message}); give the user and password that its nodes were made with`
    return new SdkError('ERR_STORE_REFUSED', message, options)
  }
  if (error.failure === 'CONNECTION_LOSS' || error.failure === 'SESSION_EXPIRED') {
    const message = `cannot open the store on ${address}: the connection did not last (${error.message}); try again`
    return new SdkError('ERR_STORE_UNREACHABLE', message, { ...options, retryable: true })
  }
  return new SdkError('ERR_STORE_REFUSED', `cannot open the store on ${address}: ${error.message}`, options)
}

function createSession(client: ZooKeeperClient, place: Place, epoch: number, { records, kinds }: LoadedRecords): StoreSession {
  const { address, paths, logger } = place
  const listeners: ((available: boolean) => void)[] = []
  let isAvailable = client.state() === 'connected'
  let isOver = false
  let reportEnd!: (end: SessionEnd) => void
  const ended = new Promise<SessionEnd>((resolve) => (reportEnd = resolve))

  const lost = (why: string, cause?: unknown): SdkError =>
    new SdkError(
      'ERR_STORE_SESSION_LOST',
      `the session with the store on ${address} (epoch ${epoch}) is over: ${why}; open the store again`,
      {
        retryable: true,
        details: { address, epoch },
        cause,
      },
    )
  const deposed = (found: string): SdkError =>
    new SdkError(
      'ERR_STORE_DEPOSED',
      `cannot commit to the store on ${address} in epoch ${epoch}: found ${found} at ${paths.commit(epoch)}; ` +
        'another scheduler of this service has taken over, stop this one',
      { details: { address, epoch } },
    )
  const chain = createCommitChain({
    epoch,
    commitPath: paths.commit(epoch),
    link: {
      isConnected: () => client.state() === 'connected',
      transact: (operations) => client.transact(operations),
      readMark: () => client.read(paths.commit(epoch)),
    },
    deposed,
    lost,
    onEnd: (how) => {
      isOver = true
      if (how !== 'closed') logger?.warn({ store: address, epoch, end: how }, 'the session with the store is over')
      reportEnd(how)
      // A session that can commit nothing must not hold the lock, nor connect again.
      void client.close()
    },
  })

  const setAvailable = (available: boolean): void => {
    if (isOver || isAvailable === available) return
    isAvailable = available
    const message = available
      ? `the store on ${address} answers again`
      : `the store on ${address} does not answer; nothing is decided until it does, the tasks go on running; check ZooKeeper there`
    logger?.warn({ store: address, available }, message)
    for (const listener of listeners) listener(available)
  }
  client.onState((state) => {
    if (state === 'lost') return chain.end('lost', lost(client.lostBecause().message, client.lostBecause()))
    setAvailable(state === 'connected')
    if (state === 'connected') chain.resume()
  })
  // An idle leader learns this way that it was deposed, although it commits nothing.
  client.setHeartbeat(async () => {
    const node = await client.read(paths.epoch)
    const found = node === undefined ? undefined : parseEpoch(node.data)
    if (found !== epoch) chain.end('deposed', deposed(`epoch ${found ?? 'gone'}`))
  })
  // The connection may have broken, or the session ended, since the last record was read.
  if (client.state() === 'lost') chain.end('lost', lost(client.lostBecause().message))

  const toOperations = createOperations(paths, records, kinds)
  let closing: Promise<void> | undefined
  const close = async (): Promise<void> => {
    chain.refuse(lost('it was closed'))
    let timer: NodeJS.Timeout | undefined
    // Where the store does not answer, closing must end all the same; after this time it has given the lock away itself.
    const limit = new Promise<void>((resolve) => (timer = setTimeout(resolve, place.sessionTimeoutMs)))
    await Promise.race([chain.idle(), limit])
    clearTimeout(timer)
    chain.end('closed', lost('it was closed while the store did not answer'))
    await client.close()
  }
  return {
    epoch,
    records,
    limits: storeLimits,
    commit: (batch) => {
      const problem = findBatchProblem(batch)
      if (problem === undefined) return chain.append(batch, () => toOperations(batch))
      const refusal = lost(`an earlier commit was refused (${problem.message})`)
      chain.refuse(refusal)
      void chain.idle().then(() => chain.end('lost', refusal))
      return Promise.reject(problem)
    },
    onAvailability: (listener) => void listeners.push(listener),
    ended,
    close: () => (closing ??= close()),
  }
}

/** Turns batches into writes, knowing from loading and from the batches before which nodes exist. */
function createOperations(
  paths: StorePaths,
  records: LoadedRecords['records'],
  kinds: LoadedRecords['kinds'],
): (batch: Batch) => Operation[] {
  const existing = new Set(records.keys())
  const existingKinds = new Set(kinds)
  return (batch) => {
    const operations: Operation[] = []
    for (const { key, value } of batch) {
      const path = paths.record(key)
      if (value === null) {
        if (existing.delete(key)) operations.push({ type: 'remove', path })
        continue
      }
      if (existing.has(key)) {
        operations.push({ type: 'set', path, data: value })
        continue
      }
      const kind = key.slice(0, key.indexOf('/'))
      if (!existingKinds.has(kind)) operations.push({ type: 'create', path: paths.kind(kind), data: '' })
      existingKinds.add(kind)
      existing.add(key)
      operations.push({ type: 'create', path, data: value })
    }
    return operations
  }
}
