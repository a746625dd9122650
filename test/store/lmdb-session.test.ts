import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type Batch, type StoreSession } from '../../src/ports/state-store.js'
import { roomBytes } from '../../src/store/lmdb-data-file.js'
import { type LmdbEnvironment } from '../../src/store/lmdb-environment.js'
import { createLmdbSession } from '../../src/store/lmdb-session.js'

/** Faults of a disk, which a test cannot have of a real one everywhere. */
const createWorld = () => {
  const disk = { freeBytes: roomBytes, fails: undefined as Error | undefined, epoch: 1, written: [] as string[][] }
  const calls: string[] = []
  const environment: LmdbEnvironment = {
    directory: '/state',
    readLock: () => undefined,
    claim: () => undefined,
    readRecords: () => new Map(),
    readEpoch: () => disk.epoch,
    freeBytes: () => disk.freeBytes,
    write: (epoch, batches) => {
      if (disk.fails !== undefined) throw disk.fails
      if (epoch === disk.epoch) disk.written.push(batches.map((batch) => batch.map(({ key }) => key).join()))
      return disk.epoch
    },
    close: async () => void calls.push('environment closed'),
  }
  const presence = { name: 'lock-00000000.sock', close: async () => void calls.push('lock given back') }
  const session = createLmdbSession({ environment, presence, epoch: 1, holder: 'h', records: new Map(), logger: undefined })
  const told: boolean[] = []
  session.onAvailability((available) => told.push(available))
  return { disk, session, told, calls }
}
type World = ReturnType<typeof createWorld>

let world: World
let session: StoreSession
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval', 'clearTimeout', 'clearInterval'] })
  world = createWorld()
  session = world.session
})
afterEach(async () => {
  await session.close()
  vi.useRealTimers()
})
const set = (key: string, text = 'x'): Batch => [{ key, value: text }]
const turn = () => new Promise((resolve) => setImmediate(resolve))

test('batches that wait share a transaction, up to a size', async () => {
  await Promise.all(['a', 'b', 'c'].map((name) => session.commit(set(`k/${name}`))))
  const large = 'x'.repeat(900_000)
  await Promise.all(['d', 'e', 'f', 'g', 'h'].map((name) => session.commit(set(`k/${name}`, large))))
  expect(world.disk.written).toEqual([['k/a', 'k/b', 'k/c'], ['k/d', 'k/e', 'k/f', 'k/g'], ['k/h']])
})

test('without room nothing is written and nothing is lost: it lands, in order, once there is room', async () => {
  world.disk.freeBytes = roomBytes - 1
  const commits = Promise.all([session.commit(set('k/a')), session.commit(set('k/b'))])
  await turn()
  const later = session.commit(set('k/c'))
  await turn()
  expect(world.told).toEqual([false])
  expect(world.disk.written).toEqual([])
  await vi.advanceTimersByTimeAsync(2_000)
  expect(world.disk.written).toEqual([])
  world.disk.freeBytes = roomBytes
  await vi.advanceTimersByTimeAsync(500)
  await Promise.all([commits, later])
  expect(world.told).toEqual([false, true])
  expect(world.disk.written).toEqual([['k/a', 'k/b', 'k/c']])
})

test('closing while there is no room tries once more, and says to what waits why it did not land', async () => {
  world.disk.freeBytes = 5
  const commit = session.commit(set('k/a'))
  await turn()
  const refused = expect(commit).rejects.toMatchObject({
    code: 'ERR_STORE_SESSION_LOST',
    message: expect.stringContaining('5 bytes left') as string,
  })
  await session.close()
  await refused
  expect(await session.ended).toBe('closed')
  expect(world.calls).toEqual(['lock given back', 'environment closed'])
})

test('closing while room is back writes what waits', async () => {
  world.disk.freeBytes = 5
  const commit = session.commit(set('k/a'))
  await turn()
  world.disk.freeBytes = roomBytes
  await session.close()
  await commit
  expect(world.disk.written).toEqual([['k/a']])
})

test('a write that fails ends the session, with all that waits, and gives the lock back', async () => {
  world.disk.fails = new Error('Input/output error')
  const outcomes = await Promise.allSettled([session.commit(set('k/a')), session.commit(set('k/b'))])
  for (const outcome of outcomes) {
    expect(outcome).toMatchObject({
      reason: {
        code: 'ERR_STORE_SESSION_LOST',
        retryable: true,
        message: expect.stringContaining('Input/output error') as string,
      },
    })
  }
  expect(await session.ended).toBe('lost')
  await session.close()
  expect(world.calls).toEqual(['lock given back', 'environment closed'])
})

test('an idle leader learns within a second that another epoch stands', async () => {
  world.disk.epoch = 2
  await vi.advanceTimersByTimeAsync(1_000)
  expect(await session.ended).toBe('deposed')
  await expect(session.commit([])).rejects.toMatchObject({
    code: 'ERR_STORE_DEPOSED',
    message: expect.stringContaining('epoch 2') as string,
  })
})
