/**
 * The nodes of one service in ZooKeeper: making them, taking the next epoch, and reading all records. Every function may be
 * repeated after an unknown outcome.
 */
import { SdkError } from '../errors.js'
import { type RecordKey } from '../ports/state-store.js'
import { isRecordKey } from './batch.js'
import { printCommitMark } from './commit-chain.js'
import { layoutVersion, parseEpoch, printEpoch } from './epoch.js'
import { pathPrefixes, type StorePaths } from './paths.js'
import { isFailure, type NodeValue, type Operation, type ZooKeeperClient } from './zookeeper-client.js'

/** Reads under way at once while loading from a server that answers one node at a time; more gains nothing. */
const readsInFlight = 256
/** Requests for many nodes that are under way at once. */
const groupsInFlight = 8
/** Nodes that one request asks for at most; more gains nothing. */
const largestGroup = 50
/** And bytes that its answer should have, as the server holds all of it in memory. */
const groupBytes = 512 * 1024
/** Nodes of a request before it is known how large they are. */
const firstGroup = 8

export interface LayoutAccess {
  readonly client: ZooKeeperClient
  readonly paths: StorePaths
  /** Shown in messages. */
  readonly address: string
  /** Tries a request again over broken connections. */
  readonly persist: <T>(request: () => Promise<T>) => Promise<T>
}

interface Epoch {
  readonly epoch: number
  readonly version: number
}

/** Makes the nodes above the records, where they are missing. @throws SdkError `ERR_STORE_REFUSED` for another layout. */
export async function ensureLayout(access: LayoutAccess, holder: string): Promise<void> {
  const { client, paths, persist } = access
  if ((await persist(() => client.read(paths.epoch))) === undefined) {
    for (const prefix of pathPrefixes(paths.root)) {
      // Looked for first: where the node exists, this user may lack the right to create beside it.
      if (await persist(() => client.exists(prefix))) continue
      await createOnce(access, () => client.create(prefix, '', prefix === paths.root ? 'persistent' : 'parent'))
    }
    for (const path of [paths.lock, paths.commits, paths.records]) await createOnce(access, () => client.create(path, ''))
    const data = printEpoch(0, holder)
    // Written once at once, because version 0 cannot be expected in a transaction of this client.
    const operations: Operation[] = [
      { type: 'create', path: paths.epoch, data },
      { type: 'set', path: paths.epoch, data },
    ]
    await createOnce(access, () => client.transact(operations))
  }
  await readEpoch(access)
}

async function createOnce({ persist }: LayoutAccess, create: () => Promise<unknown>): Promise<void> {
  try {
    await persist(create)
  } catch (error) {
    if (!isFailure(error, 'NODE_EXISTS')) throw error
  }
}

async function readEpoch({ client, paths, address, persist }: LayoutAccess): Promise<Epoch> {
  const node: NodeValue = (await persist(() => client.read(paths.epoch))) ?? { data: 'nothing', version: 0 }
  const epoch = parseEpoch(node.data)
  if (epoch !== undefined) return { epoch, version: node.version }
  throw new SdkError(
    'ERR_STORE_REFUSED',
    `cannot use the store ${paths.root} on ${address}: its node ${paths.epoch} holds ${JSON.stringify(node.data.slice(0, 200))}, ` +
      `which is not layout ${layoutVersion}; use the version of stateward that wrote it, or another path`,
    { details: { address, path: paths.epoch } },
  )
}

/**
 * Takes the next epoch, makes its commit node and removes those before, all in one transaction: from then on no earlier leader
 * can commit. Answers the epoch.
 */
export async function bumpEpoch(access: LayoutAccess, holder: string): Promise<number> {
  const { client, paths, persist } = access
  for (;;) {
    const { epoch: present, version } = await readEpoch(access)
    const old = (await persist(() => client.children(paths.commits))) ?? []
    const epoch = present + 1
    const mark = printCommitMark({ epoch, number: 0, digest: '' })
    const operations: Operation[] = [
      { type: 'set', path: paths.epoch, data: printEpoch(epoch, holder), version },
      ...old.map((name): Operation => ({ type: 'remove', path: `${paths.commits}/${name}` })),
      { type: 'create', path: paths.commit(epoch), data: mark },
      // Written once at once, because version 0 cannot be expected in a transaction of this client.
      { type: 'set', path: paths.commit(epoch), data: mark },
    ]
    try {
      await client.transact(operations)
      return epoch
    } catch (error) {
      // Another opener was faster, or this one was and its answer was lost: either way the next number is taken.
      if (!isFailure(error, 'BAD_VERSION', 'NO_NODE', 'NODE_EXISTS', 'CONNECTION_LOSS')) throw error
    }
  }
}

export interface LoadedRecords {
  readonly records: ReadonlyMap<RecordKey, string>
  /** Kinds that have a node, records below it or not. */
  readonly kinds: ReadonlySet<string>
}

/** Reads every record. Nothing changes them meanwhile: the epoch is taken. */
export async function loadRecords(access: LayoutAccess): Promise<LoadedRecords> {
  const { client, paths, persist } = access
  const kinds = (await persist(() => client.children(paths.records))) ?? []
  const lists = await Promise.all(
    kinds.map(async (kind) => ({ kind, names: (await persist(() => client.children(paths.kind(kind)))) ?? [] })),
  )
  const keys = lists.flatMap(({ kind, names }) => names.map((name) => `${kind}/${name}`)).filter(isRecordKey)
  keys.sort((a, b) => (a < b ? -1 : 1))
  const texts = await readTexts(
    access,
    keys.map((key) => access.paths.record(key)),
  )
  const records = new Map<RecordKey, string>()
  keys.forEach((key, index) => {
    const text = texts[index]
    if (text !== undefined) records.set(key, text)
  })
  return { records, kinds: new Set(kinds) }
}

/** The data of nodes, in their order; nothing for one that is not there. */
async function readTexts(access: LayoutAccess, nodes: readonly string[]): Promise<(string | undefined)[]> {
  const { client, paths, persist } = access
  const texts = new Array<string | undefined>(nodes.length)
  const readsMany = await knowsReadMany(access, paths.epoch)
  /** Of what was read last: the next group is as large as may be with nodes of that size. */
  let nodeBytes = groupBytes / firstGroup
  let next = 0
  const readOn = async (): Promise<void> => {
    while (next < nodes.length) {
      const from = next
      const size = readsMany ? Math.max(1, Math.min(largestGroup, Math.floor(groupBytes / nodeBytes))) : 1
      const group = nodes.slice(from, (next += size))
      const found = readsMany
        ? await persist(() => client.readMany(group))
        : [(await persist(() => client.read(group[0] ?? '')))?.data]
      found.forEach((text, index) => (texts[from + index] = text))
      nodeBytes = Math.max(1, found.reduce((sum, text) => sum + (text?.length ?? 0), 0) / group.length)
    }
  }
  await Promise.all(Array.from({ length: readsMany ? groupsInFlight : readsInFlight }, readOn))
  return texts
}

/** Asked with a node that is there. Whoever does not know it may answer anything, and even hang up. */
async function knowsReadMany({ client }: LayoutAccess, path: string): Promise<boolean> {
  try {
    return (await client.readMany([path]))[0] !== undefined
  } catch {
    return false
  }
}
