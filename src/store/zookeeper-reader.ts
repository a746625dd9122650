/**
 * Reads the records of a service in ZooKeeper without taking its lock or its epoch. Each node is read for itself, so the commit
 * mark is looked at before and after: where it has moved, a leader has written in between, and all is read again.
 */
import { SdkError } from '../errors.js'
import type { StoredRecords, StoreReader } from '../ports/store-reader.js'
import { parseConnectString, showAddress } from './connect-string.js'
import { parseEpoch } from './epoch.js'
import { storePaths, type StorePaths } from './paths.js'
import { createZooKeeperClient, isFailure, ZooKeeperFailure, type ZooKeeperClient } from './zookeeper-client.js'
import { loadRecords } from './zookeeper-layout.js'
import type { ZooKeeperStoreOptions } from './zookeeper-store.js'

/** A leader that writes all the time gives no quiet moment; what is read then may be torn, and the last look is taken. */
const looks = 10
const sessionTimeoutMs = 10_000
const defaultConnectLimitMs = 10_000
const attempts = 5
/** The line of those who lead or wait is ordered by the last digits of their nodes' names. */
const sequenceDigits = 10

export type ZooKeeperReaderOptions = Pick<
  ZooKeeperStoreOptions,
  'connect' | 'service' | 'credentials' | 'connectLimitMs' | 'logger'
>

interface Place {
  readonly address: string
  readonly paths: StorePaths
  readonly connectLimitMs: number
}

/** @throws SdkError `ERR_INVALID_OPTION`. Connects only when asked to read. */
export function createZooKeeperReader(options: ZooKeeperReaderOptions): StoreReader {
  const connect = parseConnectString(options.connect)
  const address = showAddress(connect)
  const place: Place = {
    address,
    paths: storePaths(connect.path, options.service),
    connectLimitMs: options.connectLimitMs ?? defaultConnectLimitMs,
  }
  return {
    async read() {
      const client = createZooKeeperClient({
        servers: connect.servers,
        sessionTimeoutMs,
        credentials: options.credentials ?? connect.credentials,
        log: (message) => options.logger?.warn({ store: address }, `ZooKeeper: ${message}`),
      })
      try {
        return await readAll(client, place)
      } catch (error) {
        throw toSdkError(place, error)
      } finally {
        await client.close()
      }
    },
  }
}

async function readAll(client: ZooKeeperClient, place: Place): Promise<StoredRecords> {
  const { paths, address } = place
  const persist = persistOn(client, place)
  const access = { client, paths, address, persist }
  for (let look = 1; ; look += 1) {
    const before = await readMark(client, place, persist)
    const { records } = await loadRecords(access)
    const after = await readMark(client, place, persist)
    if (before !== after && look < looks) continue
    const leader = await readLeader(client, paths, persist)
    return { records, ...(leader === undefined ? {} : { leader }) }
  }
}

type Persist = <T>(request: () => Promise<T>) => Promise<T>

/** Epoch and commit mark as one text; empty where no service was ever stored. */
async function readMark(client: ZooKeeperClient, { paths, address }: Place, persist: Persist): Promise<string> {
  const node = await persist(() => client.read(paths.epoch))
  if (node === undefined) return ''
  const epoch = parseEpoch(node.data)
  if (epoch === undefined) {
    const message = `cannot read the store on ${address}: ${paths.epoch} holds ${node.data.slice(0, 100)}, which is no layout of this version`
    throw new SdkError('ERR_STORE_REFUSED', message, { details: { address } })
  }
  const mark = await persist(() => client.read(paths.commit(epoch)))
  return `${node.data} ${mark?.data ?? ''}`
}

async function readLeader(client: ZooKeeperClient, { lock }: StorePaths, persist: Persist): Promise<string | undefined> {
  const line = (await persist(() => client.children(lock))) ?? []
  const sequence = (name: string): number => Number(name.slice(-sequenceDigits))
  const [first] = [...line].sort((a, b) => sequence(a) - sequence(b))
  return first === undefined ? undefined : (await persist(() => client.read(`${lock}/${first}`)))?.data
}

function persistOn(client: ZooKeeperClient, { address, connectLimitMs }: Place): Persist {
  return async (request) => {
    for (let attempt = 1; ; attempt += 1) {
      if (!(await client.connected(connectLimitMs))) {
        throw new SdkError(
          'ERR_STORE_UNREACHABLE',
          `cannot read the store on ${address}: no server answered within ${connectLimitMs} ms; check that ZooKeeper runs there`,
          { retryable: true, details: { address, limitMs: connectLimitMs } },
        )
      }
      try {
        return await request()
      } catch (error) {
        if (!isFailure(error, 'CONNECTION_LOSS') || attempt === attempts) throw error
      }
    }
  }
}

function toSdkError({ address }: Place, error: unknown): unknown {
  if (!(error instanceof ZooKeeperFailure)) return error
  const options = { details: { address }, cause: error }
  const message = `cannot read the store on ${address}: ${error.message}`
  const passes = error.failure === 'CONNECTION_LOSS' || error.failure === 'SESSION_EXPIRED'
  return passes
    ? new SdkError('ERR_STORE_UNREACHABLE', `${message}; try again`, { ...options, retryable: true })
    : new SdkError('ERR_STORE_REFUSED', message, options)
}
