/** The state store on a real ZooKeeper server: the contract, and the faults that only a server, a network and processes have. */
import { spawn } from 'node:child_process'
import { once, type EventEmitter } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { inspect, promisify } from 'node:util'
import zookeeper from 'node-zookeeper-client'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { SdkError } from '../../src/errors.js'
import { startZooKeeper, type ZooKeeperServer, type ZooKeeperServerOptions } from '../../src/local-cluster/zookeeper.js'
import { type StoreSession } from '../../src/ports/state-store.js'
import { createZooKeeperClient, type ZooKeeperClient } from '../../src/store/zookeeper-client.js'
import { createZooKeeperStore, type ZooKeeperStoreOptions } from '../../src/store/zookeeper-store.js'
import { describeStateStore } from '../contract/state-store.js'
import { startHoldingProxy, type HoldingProxy } from './holding-proxy.js'

/** The shortest session that the test server grants is twice its tick. */
const tickTimeMs = 500
const sessionTimeoutMs = 3_000
const generous = { timeout: 60_000, interval: 20 }

const directories: string[] = []
const startServer = async (extra: Partial<ZooKeeperServerOptions> = {}): Promise<ZooKeeperServer> => {
  const workDir = await mkdtemp(path.join(tmpdir(), 'stateward-zookeeper-'))
  directories.push(workDir)
  return startZooKeeper({ workDir, tickTimeMs, ...extra })
}
let server: ZooKeeperServer
let proxy: HoldingProxy
let places = 0
const newPlace = (): string => `${server.connect}/test-${++places}`

beforeAll(async () => {
  server = await startServer()
  proxy = await startHoldingProxy(server.connect)
})
afterAll(async () => {
  await proxy.close()
  await server.kill()
  await Promise.all(directories.map((directory) => rm(directory, { recursive: true, force: true })))
})

/** A client beside the store, for what the store's port does not offer. */
const withClient = async <T>(use: (client: ZooKeeperClient) => Promise<T>, to = server): Promise<T> => {
  const client = createZooKeeperClient({ servers: to.connect, sessionTimeoutMs: 10_000, log: () => undefined })
  try {
    await client.connected(30_000)
    return await use(client)
  } finally {
    await client.close()
  }
}
const removeChildren = (client: ZooKeeperClient, parent: string) =>
  client
    .children(parent)
    .then((names) => client.transact((names ?? []).map((name) => ({ type: 'remove', path: `${parent}/${name}` }))))

describeStateStore('the ZooKeeper store', async () => {
  const connect = newPlace()
  return {
    store: () => createZooKeeperStore({ connect, sessionTimeoutMs }),
    loseLock: () => withClient((client) => removeChildren(client, `${connect.slice(connect.indexOf('/'))}/lock`)),
    end: async () => undefined,
  }
})

let opened: StoreSession[] = []
afterEach(async () => {
  await Promise.all(opened.map((session) => session.close()))
  opened = []
})
const open = async (connect: string, extra: Partial<ZooKeeperStoreOptions> & { lockWaitMs?: number; holder?: string } = {}) => {
  const { lockWaitMs = 0, holder = 'host1 pid 1', ...options } = extra
  const session = await createZooKeeperStore({ connect, sessionTimeoutMs, ...options }).open({ holder, lockWaitMs })
  opened.push(session)
  return session
}
const set = (key: string, value: string) => [{ key, value }]
/** The ACLs of a node and of all below it, by the path below it. */
const readAcls = async (credentials: string | undefined, root: string) => {
  const client = zookeeper.createClient(server.connect, { sessionTimeout: 10_000, spinDelay: 100, retries: 0 })
  if (credentials !== undefined) client.addAuthInfo('digest', Buffer.from(credentials))
  client.connect()
  // A request made before would overtake the credentials.
  await once(client as unknown as EventEmitter, 'connected')
  const found = new Map<string, { permission: number; scheme: string; id: string }[]>()
  const visit = async (path: string): Promise<void> => {
    const acls = await promisify(client.getACL.bind(client))(path)
    found.set(
      path.slice(root.length),
      acls.map(({ permission, id }) => ({ permission, scheme: id.scheme, id: id.id })),
    )
    const names = await new Promise<readonly string[]>((resolve, reject) =>
      client.getChildren(path, undefined, (error, children) =>
        error === null || error === undefined ? resolve(children) : reject(new Error(error.getName())),
      ),
    )
    for (const name of names) await visit(`${path}/${name}`)
  }
  try {
    await visit(root)
  } finally {
    client.close()
  }
  return found
}
/** What a scheduler started now would load. */
const reload = async (connect: string) => {
  const session = await open(connect, { lockWaitMs: 30_000, connectLimitMs: 30_000 })
  await session.close()
  return session.records
}
/** How often the store went away (false) and came back (true), as told. */
const watchAvailability = (session: StoreSession): boolean[] => {
  const told: boolean[] = []
  session.onAvailability((available) => told.push(available))
  return told
}

/** Commits numbers one after another, `width` at once, until told to stop; remembers which were confirmed, in order. */
const startWriting = (session: StoreSession, width = 64) => {
  let isStopped = false
  let next = 0
  const confirmed: number[] = []
  const errors: unknown[] = []
  const worker = async () => {
    while (!isStopped) {
      const number = next++
      try {
        await session.commit([...set('k/last', String(number)), ...set(`numbers/${number}`, 'x'.repeat(200))])
        confirmed.push(number)
      } catch (error) {
        errors.push(error)
        return
      }
    }
  }
  const workers = Array.from({ length: width }, worker)
  return {
    confirmed,
    errors,
    stop: async () => {
      isStopped = true
      await Promise.all(workers)
    },
    started: () => next,
  }
}
const expectPrefix = (records: ReadonlyMap<string, string>, confirmed: readonly number[], started: number) => {
  const stored = [...records.keys()].filter((key) => key.startsWith('numbers/')).length
  expect(confirmed).toEqual(confirmed.map((_, index) => index))
  expect(stored).toBeGreaterThanOrEqual(confirmed.length)
  expect(stored).toBeLessThanOrEqual(started)
  for (let index = 0; index < stored; index += 1) expect(records.has(`numbers/${index}`)).toBe(true)
  if (stored > 0) expect(records.get('k/last')).toBe(String(stored - 1))
}

describe('a server that fails', () => {
  test('killed and started again during pipelined commits: each lands once, in order, on the same session', async () => {
    const connect = newPlace()
    const session = await open(connect, { sessionTimeoutMs: 20_000 })
    const told = watchAvailability(session)
    const writing = startWriting(session)
    for (let round = 0; round < 3; round += 1) {
      const before = writing.confirmed.length
      await vi.waitFor(() => expect(writing.confirmed.length).toBeGreaterThan(before + 300), generous)
      await server.kill()
      await vi.waitFor(() => expect(told.at(-1)).toBe(false), generous)
      await server.restart()
    }
    const before = writing.confirmed.length
    await vi.waitFor(() => expect(writing.confirmed.length).toBeGreaterThan(before + 300), generous)
    await writing.stop()
    expect(writing.errors).toEqual([])
    expect(told).toEqual([false, true, false, true, false, true])
    await session.close()
    expectPrefix(await reload(connect), writing.confirmed, writing.started())
  })

  test('silent for less than the session timeout: shown as away, commits land afterwards', async () => {
    const connect = newPlace()
    const session = await open(connect, { sessionTimeoutMs: 10_000 })
    const told = watchAvailability(session)
    await session.commit(set('k/a', '1'))
    process.kill(server.pid, 'SIGSTOP')
    const commits = [session.commit(set('k/a', '2')), session.commit(set('k/b', '3'))]
    try {
      await vi.waitFor(() => expect(told).toEqual([false]), generous)
    } finally {
      process.kill(server.pid, 'SIGCONT')
    }
    await Promise.all(commits)
    expect(told).toEqual([false, true])
    await session.close()
    expect(Object.fromEntries(await reload(connect))).toEqual({ 'k/a': '2', 'k/b': '3' })
  })

  test('a leader who is heard and hears nothing gives the lock up', async () => {
    const connect = newPlace()
    const through = connect.replace(server.connect, proxy.connect)
    const session = await createZooKeeperStore({ connect: through, sessionTimeoutMs }).open({ holder: 'deaf', lockWaitMs: 0 })
    proxy.hold('replies')
    try {
      expect(await session.ended).toBe('lost')
      const next = await open(connect, { lockWaitMs: 60_000, holder: 'next' })
      expect(next.epoch).toBeGreaterThan(session.epoch)
    } finally {
      proxy.release()
    }
    await session.close()
  })

  test('an idle session notices silence too', async () => {
    const session = await open(newPlace(), { sessionTimeoutMs: 10_000 })
    const told = watchAvailability(session)
    process.kill(server.pid, 'SIGSTOP')
    try {
      await vi.waitFor(() => expect(told).toEqual([false]), generous)
    } finally {
      process.kill(server.pid, 'SIGCONT')
    }
    await vi.waitFor(() => expect(told).toEqual([false, true]), generous)
    await session.commit([])
  })

  test('no server at all: open says which address did not answer', async () => {
    const place = newPlace()
    await server.kill()
    try {
      await expect(open(place, { connectLimitMs: 500 })).rejects.toMatchObject({
        code: 'ERR_STORE_UNREACHABLE',
        retryable: true,
        message: expect.stringContaining(`zk://${place}`) as string,
      })
    } finally {
      await server.restart()
    }
  })

  test('a host name that does not resolve is an address that did not answer', async () => {
    await expect(open('no-such-host.invalid:2181/a', { connectLimitMs: 500 })).rejects.toMatchObject({
      code: 'ERR_STORE_UNREACHABLE',
      retryable: true,
      message: expect.stringContaining('zk://no-such-host.invalid:2181/a') as string,
    })
  })

  test('away for good: closing ends after the session timeout and says so to commits under way', async () => {
    const session = await open(newPlace(), { sessionTimeoutMs: 1_000 })
    await server.kill()
    try {
      const commit = expect(session.commit([])).rejects.toMatchObject({ code: 'ERR_STORE_SESSION_LOST' })
      await session.close()
      await commit
      expect(await session.ended).toBe('closed')
    } finally {
      await server.restart()
    }
  })

  test('a full disk: nothing confirmed is lost, and the session goes on once there is room', async () => {
    const small = await startServer({ maxFileSizeBytes: 300_000 })
    try {
      const session = await open(small.connect, { sessionTimeoutMs: 20_000 })
      const told = watchAvailability(session)
      const writing = startWriting(session)
      await small.exited()
      await vi.waitFor(() => expect(told.at(-1)).toBe(false), generous)
      const whileFull = writing.confirmed.length
      expect(whileFull).toBeGreaterThan(100)
      await small.restart({})
      await vi.waitFor(() => expect(writing.confirmed.length).toBeGreaterThan(whileFull + 300), generous)
      await writing.stop()
      expect(writing.errors).toEqual([])
      await session.close()
      expectPrefix(await reload(small.connect), writing.confirmed, writing.started())
    } finally {
      await small.kill()
    }
  })
})

describe('a network that fails', () => {
  test('replies lost: commits that stand are found to stand', async () => {
    const place = newPlace()
    const nodes = place.slice(place.indexOf('/'))
    const session = await open(`${proxy.connect}${nodes}`, { sessionTimeoutMs: 20_000 })
    await session.commit(set('k/a', '1'))
    proxy.hold('replies')
    const commits = Promise.all([
      session.commit(set('k/a', '2')),
      session.commit(set('k/b', '1')),
      session.commit([{ key: 'k/a', value: null }]),
    ])
    await withClient((client) =>
      vi.waitFor(
        async () => expect((await client.read(`${nodes}/commit/${session.epoch}`))?.data).toContain('"number":4'),
        generous,
      ),
    )
    proxy.release()
    await commits
    await session.commit(set('k/c', '1'))
    await session.close()
    expect(Object.fromEntries(await reload(place))).toEqual({ 'k/b': '1', 'k/c': '1' })
  })

  test('requests lost: commits are sent again on the next connection', async () => {
    const place = newPlace()
    const session = await open(`${proxy.connect}${place.slice(place.indexOf('/'))}`, { sessionTimeoutMs: 20_000 })
    await session.commit(set('k/a', '1'))
    const told = watchAvailability(session)
    proxy.hold('requests')
    const commits = Promise.all([session.commit(set('k/a', '2')), session.commit(set('k/b', '1'))])
    proxy.release()
    await commits
    expect(told).toEqual([false, true])
    await session.close()
    expect(Object.fromEntries(await reload(place))).toEqual({ 'k/a': '2', 'k/b': '1' })
  })

  test('cut again and again under load: each commit lands once, in order', async () => {
    const place = newPlace()
    const session = await open(`${proxy.connect}${place.slice(place.indexOf('/'))}`, { sessionTimeoutMs: 20_000 })
    const writing = startWriting(session)
    for (let round = 0; round < 10; round += 1) {
      const before = writing.confirmed.length
      await vi.waitFor(() => expect(writing.confirmed.length).toBeGreaterThan(before + 100), generous)
      // Half of the time the answers are withheld first, so that what is cut has landed.
      if (round % 2 === 0) proxy.hold('replies')
      await new Promise((resolve) => setImmediate(resolve))
      proxy.release()
    }
    await writing.stop()
    expect(writing.errors).toEqual([])
    await session.close()
    expectPrefix(await reload(place), writing.confirmed, writing.started())
  })
})

describe('sessions that end', () => {
  test('a client that shows no socket is given up when its server falls silent, and does not keep the lock', async () => {
    const place = newPlace()
    const create = zookeeper.createClient.bind(zookeeper)
    const hiding = vi.spyOn(zookeeper, 'createClient').mockImplementation((...args) => {
      const client = create(...args)
      return new Proxy(client, {
        get: (target, name) => {
          const value: unknown = name === 'connectionManager' ? undefined : Reflect.get(target, name)
          return typeof value === 'function' ? (value.bind(target) as unknown) : value
        },
      })
    })
    const session = await open(place, { sessionTimeoutMs: 3_000 })
    hiding.mockRestore()
    process.kill(server.pid, 'SIGSTOP')
    try {
      await expect(session.commit([])).rejects.toMatchObject({
        code: 'ERR_STORE_SESSION_LOST',
        message: expect.stringContaining('shows no socket') as string,
      })
    } finally {
      process.kill(server.pid, 'SIGCONT')
    }
    await open(place, { lockWaitMs: 60_000 })
  })

  test('expired: what is open is rejected, the end is told, and a new session goes on', async () => {
    const place = newPlace()
    const nodes = place.slice(place.indexOf('/'))
    const session = await open(`${proxy.connect}${nodes}`, { sessionTimeoutMs: 1_000 })
    await session.commit(set('k/a', '1'))
    proxy.hold('requests', 'replies')
    const commit = expect(session.commit(set('k/a', '2'))).rejects.toMatchObject({
      code: 'ERR_STORE_SESSION_LOST',
      retryable: true,
    })
    // The server forgets the session, seen by its lock node going.
    await withClient((client) => vi.waitFor(async () => expect(await client.children(`${nodes}/lock`)).toEqual([]), generous))
    const next = await open(place)
    expect(next.epoch).toBeGreaterThan(session.epoch)
    await next.commit(set('k/a', '3'))
    proxy.release()
    expect(await session.ended).toBe('lost')
    await commit
    await next.close()
    expect(Object.fromEntries(await reload(place))).toEqual({ 'k/a': '3' })
  })

  test('a killed holder gives the lock to whoever waits longer than its session', async () => {
    const connect = newPlace()
    const child = spawn(
      process.execPath,
      ['--import', 'tsx', new URL('./hold-lock.ts', import.meta.url).pathname, connect, '2000'],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    )
    try {
      const [line] = (await once(child.stdout, 'data')) as [Buffer]
      expect(line.toString()).toMatch(/^holding 1/)
      const holder = `child pid ${child.pid}`
      await expect(open(connect)).rejects.toMatchObject({
        code: 'ERR_LOCK_HELD',
        details: { holder },
        message: expect.stringContaining(holder) as string,
      })
      await expect(open(connect, { lockWaitMs: 300 })).rejects.toMatchObject({ code: 'ERR_LOCK_HELD', details: { holder } })
    } finally {
      child.kill('SIGKILL')
    }
    const session = await open(connect, { lockWaitMs: 60_000 })
    expect(session.epoch).toBe(2)
    expect(session.records.get('k/child')).toBe('1')
  })

  test('an idle leader learns from its heartbeat that it was deposed', async () => {
    const connect = newPlace()
    const old = await open(connect)
    await withClient((client) => removeChildren(client, `${connect.slice(connect.indexOf('/'))}/lock`))
    await open(connect, { lockWaitMs: 30_000 })
    expect(await old.ended).toBe('deposed')
  })

  test('a record changed by hand ends the session instead of being written over', async () => {
    const connect = newPlace()
    const session = await open(connect)
    await session.commit(set('k/a', '1'))
    await withClient((client) =>
      client.transact([{ type: 'remove', path: `${connect.slice(connect.indexOf('/'))}/records/k/a` }]),
    )
    const outcomes = await Promise.allSettled([
      session.commit(set('k/b', '1')),
      session.commit(set('k/a', '2')),
      session.commit(set('k/c', '1')),
    ])
    expect(
      outcomes.map((outcome) => (outcome.status === 'fulfilled' ? 'landed' : (outcome.reason as { code: string }).code)),
    ).toEqual(['landed', 'ERR_STORE_SESSION_LOST', 'ERR_STORE_SESSION_LOST'])
    expect(Object.fromEntries(await reload(connect))).toEqual({ 'k/b': '1' })
  })

  test('a commit node written by hand ends the session', async () => {
    const connect = newPlace()
    const session = await open(connect)
    const node = `${connect.slice(connect.indexOf('/'))}/commit/${session.epoch}`
    await withClient((client) =>
      client.transact([{ type: 'set', path: node, data: JSON.stringify({ epoch: session.epoch, number: 0, digest: '' }) }]),
    )
    await expect(session.commit([])).rejects.toMatchObject({
      code: 'ERR_STORE_SESSION_LOST',
      message: expect.stringContaining(node) as string,
    })
  })
})

describe('addresses and access', () => {
  test('services share a path, each in a node of its own, and a deep path is made', async () => {
    const connect = `${newPlace()}/a/b`
    const kafka = await open(connect, { service: 'kafka' })
    const other = await open(connect, { service: 'data/cassandra' })
    await kafka.commit(set('k/a', 'kafka'))
    await other.commit(set('k/a', 'cassandra'))
    const names = await withClient((client) => client.children(connect.slice(connect.indexOf('/'))))
    expect([...(names ?? [])].sort()).toEqual(['data%2Fcassandra', 'kafka'])
  })

  test('with credentials, every node is closed to everybody else', async () => {
    const place = newPlace()
    const session = await open(`zk://kafka:p%40ss@${place}/svc`)
    await session.commit(set('k/a', 'secret'))
    const everything = { permission: zookeeper.Permission.ALL, scheme: 'digest', id: expect.stringMatching(/^kafka:/) as string }
    const acls = await readAcls(`kafka:p@ss`, `${place.slice(place.indexOf('/'))}/svc`)
    for (const name of ['', '/epoch', '/lock', '/commit', `/commit/${session.epoch}`, '/records', '/records/k', '/records/k/a'])
      expect(acls.get(name), name).toEqual([everything])
    // And the lock's own, whose name nobody knows before.
    expect([...acls.values()]).toEqual(Array.from({ length: 9 }, () => [everything]))
    await session.close()
    for (const user of ['', 'kafka:wrong@', 'cassandra:p%40ss@']) {
      const refused = await open(`zk://${user}${place}/svc`).catch((error: unknown) => error)
      expect(refused).toMatchObject({
        code: 'ERR_STORE_REFUSED',
        retryable: false,
        message: expect.stringMatching(/not permitted .*; give the user and password that its nodes were made with/) as string,
      })
    }
    const again = await open(`zk://kafka:p%40ss@${place}/svc`)
    expect(again.records.get('k/a')).toBe('secret')
    await again.close()
    // Beside it, another user finds room.
    const neighbour = await open(`zk://cassandra:other@${place}/neighbour`)
    await neighbour.commit(set('k/a', 'mine'))
  })

  test('without credentials, nodes are open, and whoever gives credentials later is told so', async () => {
    const place = newPlace()
    await (await open(place)).close()
    const acls = await readAcls(undefined, place.slice(place.indexOf('/')))
    expect(new Set([...acls.values()].flat().map(({ scheme, permission }) => `${scheme} ${permission}`))).toEqual(
      new Set([`world ${zookeeper.Permission.ALL}`]),
    )
    const log: string[] = []
    const logger = { info: () => undefined, warn: (_: object, message: string) => void log.push(message) }
    await (await open(`zk://kafka:secret@${place}`, { logger })).close()
    expect(log).toEqual([expect.stringMatching(/is open to everybody: it was made without credentials/) as string])
    log.length = 0
    await open(`zk://kafka:secret@${newPlace()}/svc`, { logger })
    expect(log).toEqual([])
  })

  test('credentials appear in no error and no line of the log, whatever happens', async () => {
    const secrets = /sesame|tahini|kafka:/
    const seen: unknown[] = []
    const logger = { info: (...args: unknown[]) => void seen.push(args), warn: (...args: unknown[]) => void seen.push(args) }
    const nodes = newPlace().replace(server.connect, '')
    const connect = `zk://kafka:sesame@${proxy.connect}${nodes}/svc`
    const session = await open(connect, { sessionTimeoutMs: 1_000, logger })
    seen.push(await open(connect, { logger }).catch((error: unknown) => error))
    seen.push(await open(connect.replace('sesame', 'tahini'), { logger }).catch((error: unknown) => error))
    proxy.hold('requests', 'replies')
    const commit = session.commit([]).catch((error: unknown) => error)
    seen.push(await open(connect, { logger, connectLimitMs: 500 }).catch((error: unknown) => error))
    // The lock is free once the server has forgotten the session.
    await open(`zk://kafka:sesame@${server.connect}${nodes}/svc`, { logger, lockWaitMs: 60_000 })
    proxy.release()
    seen.push(await commit, await session.commit([]).catch((error: unknown) => error))
    const codes = seen.filter((each) => each instanceof SdkError).map(({ code }) => code)
    expect(codes).toEqual([
      'ERR_LOCK_HELD',
      'ERR_STORE_REFUSED',
      'ERR_STORE_UNREACHABLE',
      'ERR_STORE_SESSION_LOST',
      'ERR_STORE_SESSION_LOST',
    ])
    expect(seen.length).toBeGreaterThan(codes.length)
    for (const each of seen) expect(inspect(each, { depth: 10, showHidden: true })).not.toMatch(secrets)
  })

  test('many nodes are read with one request: those that are there, not those that are not, and none of somebody else', async () => {
    const place = newPlace()
    const nodes = place.slice(place.indexOf('/'))
    await (await open(`zk://kafka:secret@${place}/closed`)).close()
    await withClient(async (client) => {
      const paths = Array.from({ length: 200 }, (_, index) => `${nodes}/many-${index}`)
      const text = (index: number) => (index % 7 === 0 ? '' : 'ü€😀'.repeat(index))
      await client.transact(paths.map((path, index) => ({ type: 'create', path, data: text(index) })))
      expect(await client.readMany([...paths, `${nodes}/none`])).toEqual([...paths.map((_, index) => text(index)), undefined])
      expect(await client.readMany([])).toEqual([])
      await expect(client.readMany([paths[0] ?? '', `${nodes}/closed/epoch`])).rejects.toMatchObject({ failure: 'NO_AUTH' })
      // Among others, and in their order.
      const mixed = await Promise.all([
        client.read(paths[1] ?? ''),
        client.readMany(paths.slice(1, 3)),
        client.exists(`${nodes}/none`),
      ])
      expect(mixed).toEqual([{ data: text(1), version: 0 }, [text(1), text(2)], false])
    })
  })

  test('credentials are known again after a reconnection', async () => {
    const session = await open(`zk://kafka:pass@${newPlace()}`, { sessionTimeoutMs: 20_000 })
    const writing = startWriting(session, 8)
    await vi.waitFor(() => expect(writing.confirmed.length).toBeGreaterThan(50), generous)
    await server.kill()
    await server.restart()
    const before = writing.confirmed.length
    await vi.waitFor(() => expect(writing.confirmed.length).toBeGreaterThan(before + 50), generous)
    await writing.stop()
    expect(writing.errors).toEqual([])
  })

  test('a layout of another version is refused', async () => {
    const connect = newPlace()
    await (await open(connect)).close()
    const node = `${connect.slice(connect.indexOf('/'))}/epoch`
    await withClient((client) => client.transact([{ type: 'set', path: node, data: '{"layout":2,"epoch":1}' }]))
    await expect(open(connect)).rejects.toMatchObject({
      code: 'ERR_STORE_REFUSED',
      message: expect.stringContaining('layout 1') as string,
    })
  })

  test('a dead server in the list does not matter', async () => {
    const place = newPlace()
    const session = await open(`127.0.0.1:1,${place}`)
    await session.commit(set('k/a', '1'))
  })
})

describe('size', () => {
  test('10,000 records are loaded in a few seconds', async () => {
    const connect = newPlace()
    const session = await open(connect)
    const text = 'x'.repeat(600)
    const commits: Promise<void>[] = []
    for (let from = 0; from < 10_000; from += 500) {
      commits.push(
        session.commit(Array.from({ length: 500 }, (_, index) => ({ key: `tasks/task-${from + index}`, value: text }))),
      )
    }
    await Promise.all(commits)
    await session.close()
    const beganAtMs = performance.now()
    const records = await reload(connect)
    const tookMs = performance.now() - beganAtMs
    expect(records.size).toBe(10_000)
    expect(tookMs).toBeLessThan(5_000)
  })
})
