import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createMemoryStore, type CommitAttempt, type MemoryStore, type StoreFault } from '../../src/store/memory-store.js'
import { describeStateStore } from '../contract/state-store.js'

describeStateStore('the memory store', async () => {
  const store = createMemoryStore()
  return {
    store: () => store,
    loseLock: async () => store.expireSession(),
    end: async () => undefined,
  }
})

const open = (store: MemoryStore, holder = 'host1 pid 1') => store.open({ holder, lockWaitMs: 0 })
const set = (key: string, value: string) => [{ key, value }]
/** Lets every microtask run that is ready or becomes so. */
const settle = () => new Promise((resolve) => setImmediate(resolve))
/** What became of a promise so far. */
const watch = (promise: Promise<unknown>): { state: string } => {
  const seen = { state: 'open' }
  promise.then(
    () => (seen.state = 'resolved'),
    (error: unknown) => (seen.state = (error as { code?: string }).code ?? 'rejected'),
  )
  return seen
}

/** A store whose n-th commit meets a fault at its first attempt. */
const faulty = (commit: number, fault: StoreFault) => {
  const attempts: CommitAttempt[] = []
  const store = createMemoryStore({
    fault: (attempt) => {
      attempts.push(attempt)
      return attempt.commit === commit && attempt.attempt === 1 ? fault : 'none'
    },
  })
  return { store, attempts }
}

describe('faults of the memory store', () => {
  test.each<[StoreFault, string, string, string[]]>([
    ['stopBefore', 'open', 'open', ['k/1']],
    ['stopAfter', 'open', 'open', ['k/1', 'k/2']],
    ['lostBefore', 'ERR_STORE_SESSION_LOST', 'ERR_STORE_SESSION_LOST', ['k/1']],
    ['lostAfter', 'ERR_STORE_SESSION_LOST', 'ERR_STORE_SESSION_LOST', ['k/1', 'k/2']],
    ['unknownBefore', 'resolved', 'resolved', ['k/1', 'k/2', 'k/3']],
    ['unknownAfter', 'resolved', 'resolved', ['k/1', 'k/2', 'k/3']],
  ])('%s at the second of three pipelined commits', async (fault, second, third, keys) => {
    const { store } = faulty(2, fault)
    const session = await open(store)
    const seen = ['k/1', 'k/2', 'k/3'].map((key) => watch(session.commit(set(key, 'x'))))
    await settle()
    expect(seen.map(({ state }) => state)).toEqual(['resolved', second, third])
    expect([...store.dump().keys()]).toEqual(keys)
  })

  test('a stopped process keeps its lock until it is abandoned, then another goes on', async () => {
    const { store } = faulty(1, 'stopAfter')
    const first = await open(store)
    const end = watch(first.ended)
    void first.commit(set('k/a', '1'))
    await settle()
    await expect(open(store, 'host2 pid 1')).rejects.toMatchObject({ code: 'ERR_LOCK_HELD' })
    first.abandon()
    const second = await open(store, 'host2 pid 1')
    expect([...second.records]).toEqual([['k/a', '1']])
    await second.commit(set('k/a', '2'))
    expect(end.state).toBe('open')
    expect(store.commits).toBe(2)
  })

  test('an unknown outcome shows as the store going away and coming back, and asks again with the same number', async () => {
    const { store, attempts } = faulty(1, 'unknownBefore')
    const session = await open(store)
    const shown: boolean[] = []
    session.onAvailability((available) => shown.push(available))
    await session.commit(set('k/a', '1'))
    expect(shown).toEqual([false, true])
    expect(attempts.map(({ commit, attempt }) => [commit, attempt])).toEqual([
      [1, 1],
      [1, 2],
    ])
  })

  test('a batch that landed with an unknown outcome is not applied again over a later truth', async () => {
    const { store } = faulty(1, 'unknownAfter')
    const session = await open(store)
    const commits = [session.commit(set('k/a', '1')), session.commit(set('k/a', '2'))]
    await Promise.all(commits)
    expect(store.dump().get('k/a')).toBe('2')
  })

  test('a leader deposed while an outcome is unknown learns it at the repetition', async () => {
    const { store } = faulty(1, 'unknownBefore')
    const first = await open(store)
    first.onAvailability((available) => {
      if (available) return
      store.expireSession()
      void open(store, 'host2 pid 1')
    })
    const seen = watch(first.commit(set('k/a', '1')))
    await settle()
    expect(seen.state).toBe('ERR_STORE_DEPOSED')
    expect(store.dump().size).toBe(0)
  })

  test('expiry is told at once where asked for, otherwise at the next commit', async () => {
    const store = createMemoryStore()
    const first = await open(store)
    store.expireSession({ tell: true })
    expect(await first.ended).toBe('lost')
    const second = await open(store)
    const end = watch(second.ended)
    store.expireSession()
    await settle()
    expect(end.state).toBe('open')
    await expect(second.commit([])).rejects.toMatchObject({ code: 'ERR_STORE_SESSION_LOST' })
    expect(await second.ended).toBe('lost')
  })

  test('while the store is away commits stay open, and land in order afterwards', async () => {
    const store = createMemoryStore({ records: [['k/a', '0']] })
    const session = await open(store)
    const shown: boolean[] = []
    session.onAvailability((available) => shown.push(available))
    store.setAvailable(false)
    const seen = [session.commit(set('k/a', '1')), session.commit(set('k/a', '2'))].map(watch)
    await settle()
    expect(seen.map(({ state }) => state)).toEqual(['open', 'open'])
    await expect(open(store)).rejects.toMatchObject({ code: 'ERR_STORE_UNREACHABLE', retryable: true })
    store.setAvailable(true)
    await settle()
    expect(seen.map(({ state }) => state)).toEqual(['resolved', 'resolved'])
    expect(store.dump().get('k/a')).toBe('2')
    expect(shown).toEqual([false, true])
  })

  test('whatever fault strikes where, the store holds a prefix of the commits, and all that resolved', async () => {
    const faults: StoreFault[] = ['none', 'stopBefore', 'stopAfter', 'unknownBefore', 'unknownAfter', 'lostBefore', 'lostAfter']
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(fc.constantFrom(...faults), { maxLength: 3 }), { maxLength: 12 }), async (script) => {
        const store = createMemoryStore({ fault: ({ commit, attempt }) => script[commit - 1]?.[attempt - 1] ?? 'none' })
        const session = await open(store)
        const seen = script.map((_, index) => watch(session.commit(set(`k/${index}`, 'x'))))
        await settle()
        const resolved = seen.findIndex(({ state }) => state !== 'resolved')
        const count = resolved === -1 ? script.length : resolved
        expect(seen.slice(count).every(({ state }) => state !== 'resolved')).toBe(true)
        const landed = store.dump().size
        expect(landed).toBeGreaterThanOrEqual(count)
        expect(landed).toBeLessThanOrEqual(count + 1)
        for (let index = 0; index < landed; index += 1) expect(store.dump().has(`k/${index}`)).toBe(true)
      }),
    )
  })
})
