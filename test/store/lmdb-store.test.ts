import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { open as openLmdb } from 'lmdb'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type OpenOptions, type StoreSession } from '../../src/ports/state-store.js'
import { createLmdbStore, parseLmdbAddress } from '../../src/store/lmdb-store.js'
import { describeStateStore } from '../contract/state-store.js'

const newDirectory = (): string => mkdtempSync(path.join(tmpdir(), 'stateward-lmdb-'))

/** What somebody else does to the data, who knows nothing of sessions. */
const tamper = async (directory: string, change: (database: ReturnType<typeof openLmdb<Buffer, string>>) => void) => {
  const database = openLmdb<Buffer, string>({ path: directory, encoding: 'binary', overlappingSync: false })
  change(database)
  await database.close()
}

describeStateStore('the lmdb store', async () => {
  const directory = newDirectory()
  return {
    store: () => createLmdbStore({ path: directory }),
    loseLock: () => tamper(directory, (database) => database.removeSync('lock')),
    end: async () => rmSync(directory, { recursive: true }),
  }
})

let directory = ''
let opened: StoreSession[] = []
beforeEach(() => {
  directory = newDirectory()
  opened = []
})
afterEach(async () => {
  await Promise.all(opened.map((session) => session.close()))
  rmSync(directory, { recursive: true })
})
const open = async (at: string, extra: Partial<OpenOptions> & { service?: string } = {}): Promise<StoreSession> => {
  const { service, ...options } = extra
  const store = createLmdbStore({ path: at, ...(service === undefined ? {} : { service }) })
  const session = await store.open({ holder: 'host1 pid 1', lockWaitMs: 0, ...options })
  opened.push(session)
  return session
}
const set = (key: string, value: string) => [{ key, value }]

describe('where an lmdb store is', () => {
  test.each([
    ['lmdb:/var/lib/stateward', '/var/lib/stateward'],
    ['lmdb:///var/lib/stateward', '/var/lib/stateward'],
  ])('%s is read', (address, found) => {
    expect(parseLmdbAddress(address)).toBe(found)
  })

  test.each(['lmdb:', 'lmdb:state', 'lmdb:./state', 'lmdb://host/path', 'lmdb://', 'lmdb:////a'])('%s is refused', (address) => {
    expect(() => parseLmdbAddress(address)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_OPTION' }) as Error)
  })

  test('a relative path and an empty service name are refused', () => {
    const invalid = expect.objectContaining({ code: 'ERR_INVALID_OPTION' }) as Error
    expect(() => createLmdbStore({ path: 'state' })).toThrow(invalid)
    expect(() => createLmdbStore({ path: '/state', service: '' })).toThrow(invalid)
  })

  test('services share a path, each in a directory of its own, and never leave it', async () => {
    const services = ['kafka', 'data/cassandra', '..']
    for (const service of services) await (await open(directory, { service })).commit(set('k/a', service))
    expect(readdirSync(directory).sort()).toEqual(['%2E%2E', 'data%2Fcassandra', 'kafka'])
  })

  test('what it makes is closed to other users', async () => {
    const deep = path.join(directory, 'a/b.db')
    await open(deep)
    const modes = ['', 'data.mdb', 'lock.mdb'].map((name) => statSync(path.join(deep, name)).mode & 0o777)
    expect(modes).toEqual([0o700, 0o600, 0o600])
  })

  test('a path longer than sockets take is no obstacle', async () => {
    const deep = path.join(directory, 'n'.repeat(120))
    const first = await open(deep)
    await expect(open(deep)).rejects.toMatchObject({ code: 'ERR_LOCK_HELD' })
    await first.commit(set('k/a', '1'))
    await first.close()
    expect((await open(deep)).records.get('k/a')).toBe('1')
  })
})

describe('what an lmdb store does not take for its own', () => {
  test('a file in its place', async () => {
    writeFileSync(path.join(directory, 'file'), '')
    await expect(open(path.join(directory, 'file'))).rejects.toMatchObject({
      code: 'ERR_STORE_REFUSED',
      message: expect.stringContaining(path.join(directory, 'file')) as string,
    })
  })

  /** lmdb's binding would end the process. */
  test.each<[string, (whole: Buffer) => Buffer]>([
    ['text', () => Buffer.alloc(65_536, 'x')],
    ['a few bytes', () => Buffer.from('abc')],
    ['zeros', () => Buffer.alloc(65_536)],
    ['the beginning of a file', (whole) => whole.subarray(0, 6_000)],
    ['a file whose second page is gone', (whole) => Buffer.concat([whole.subarray(0, 4_096), Buffer.alloc(16_384)])],
    ['another data version', (whole) => Buffer.concat([whole.subarray(0, 28), Buffer.from([1]), whole.subarray(29)])],
  ])('a data file of %s', async (_, damage) => {
    await (await open(directory)).close()
    const file = path.join(directory, 'data.mdb')
    writeFileSync(file, damage(readFileSync(file)))
    await expect(open(directory)).rejects.toMatchObject({
      code: 'ERR_STORE_REFUSED',
      retryable: false,
      message: expect.stringContaining(file) as string,
    })
  })

  test('an empty data file is as good as none', async () => {
    writeFileSync(path.join(directory, 'data.mdb'), '')
    expect((await open(directory)).epoch).toBe(1)
  })

  test('the data of another program', async () => {
    await tamper(directory, (database) => database.putSync('users/1', Buffer.from('x')))
    await expect(open(directory)).rejects.toMatchObject({
      code: 'ERR_STORE_REFUSED',
      message: expect.stringContaining('users/1') as string,
    })
  })

  test('a layout of another version', async () => {
    await (await open(directory)).close()
    await tamper(directory, (database) => database.putSync('epoch', Buffer.from('{"layout":2,"epoch":1}')))
    await expect(open(directory)).rejects.toMatchObject({
      code: 'ERR_STORE_REFUSED',
      message: expect.stringContaining('layout 1') as string,
    })
  })
})

describe('the lock of an lmdb store', () => {
  test('leaves no socket behind when it is given back, and clears away that of a dead holder', async () => {
    const sockets = () => readdirSync(directory).filter((name) => name.endsWith('.sock'))
    const first = await open(directory)
    expect(sockets()).toHaveLength(1)
    await first.close()
    expect(sockets()).toEqual([])
    const dead = { holder: 'host0 pid 9', socket: 'lock-0000dead.sock' }
    writeFileSync(path.join(directory, dead.socket), '')
    await tamper(directory, (database) => database.putSync('lock', Buffer.from(JSON.stringify(dead))))
    await open(directory)
    expect(existsSync(path.join(directory, dead.socket))).toBe(false)
  })

  test.each(['', '{}', '{"holder":"h","socket":"../../etc/passwd"}'])('the damaged record %j holds up nobody', async (text) => {
    await (await open(directory)).close()
    await tamper(directory, (database) => database.putSync('lock', Buffer.from(text)))
    expect((await open(directory)).epoch).toBe(2)
  })

  test('an idle leader learns that it was deposed, and lets go of everything', async () => {
    const old = await open(directory)
    await tamper(directory, (database) => database.removeSync('lock'))
    const next = await open(directory)
    expect(await old.ended).toBe('deposed')
    await next.commit(set('k/a', '1'))
  })

  test('a standby waits without a limit', async () => {
    const first = await open(directory, { holder: 'host1 pid 1' })
    const told: string[] = []
    let third: Promise<StoreSession> | undefined
    await new Promise<void>((resolve) => {
      const onWaiting = (holder: string): void => {
        told.push(holder)
        resolve()
      }
      third = open(directory, { holder: 'host3 pid 3', lockWaitMs: Infinity, onWaiting })
    })
    await first.close()
    expect((await third)?.epoch).toBe(2)
    expect(told).toEqual(['host1 pid 1'])
  })
})

test('a directory that is removed under a session ends it: nothing is confirmed into files that nobody finds again', async () => {
  const place = path.join(directory, 'gone')
  const session = await open(place)
  rmSync(place, { recursive: true })
  await expect(session.commit(set('k/a', '1'))).rejects.toMatchObject({ code: 'ERR_STORE_SESSION_LOST' })
  expect(await session.ended).toBe('lost')
})
