/**
 * What every state store must do, written once: run over the memory and lmdb stores in the unit tests and over ZooKeeper in the
 * end to end tests. A case that needs a fault of one adapter's own kind stands in that adapter's test.
 */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import {
  type Batch,
  type OpenOptions,
  type StateStore,
  type StoreLimits,
  type StoreSession,
} from '../../src/ports/state-store.js'

/** One empty, durable place and the ways to reach it. */
export interface StoreWorld {
  /** A further scheduler's handle on the same place. */
  store(): StateStore
  /** Takes the lock away from whoever holds it, without that session being told. */
  loseLock(): Promise<void>
  /** Ends what the world started. */
  end(): Promise<void>
}

/** For a store on a machine that is busy. */
const generous = { timeout: 60_000, interval: 20 }

const options = (extra: Partial<OpenOptions> = {}): OpenOptions => ({ holder: 'host1 pid 1', lockWaitMs: 0, ...extra })
const set = (key: string, value: string): Batch => [{ key, value }]
const plain = (records: ReadonlyMap<string, string>): Record<string, string> => Object.fromEntries(records)

/** Declares the suite. `createWorld` is called before each case. */
export function describeStateStore(name: string, createWorld: () => Promise<StoreWorld>): void {
  describe(`${name} keeps the contract of a state store`, () => {
    let world: StoreWorld
    let opened: StoreSession[] = []
    const open = async (extra: Partial<OpenOptions> = {}): Promise<StoreSession> => {
      const session = await world.store().open(options(extra))
      opened.push(session)
      return session
    }
    /** What a scheduler started now would load. */
    const reload = async (): Promise<Record<string, string>> => {
      const session = await open({ lockWaitMs: 30_000 })
      await session.close()
      return plain(session.records)
    }

    beforeEach(async () => {
      world = await createWorld()
      opened = []
    })
    afterEach(async () => {
      await Promise.all(opened.map((session) => session.close()))
      await world.end()
    })

    test('an empty store opens without records', async () => {
      const session = await open()
      expect(plain(session.records)).toEqual({})
      expect(session.epoch).toBeGreaterThanOrEqual(1)
    })

    test('what was committed is loaded by the next session', async () => {
      const first = await open()
      await first.commit([
        { key: 'instances/broker-0', value: '{"a":"ü€😀"}' },
        { key: 'tasks/broker-0-server', value: '' },
      ])
      await first.commit(set('instances/broker-0', '{"a":2}'))
      await first.close()
      const second = await open()
      expect(plain(second.records)).toEqual({ 'instances/broker-0': '{"a":2}', 'tasks/broker-0-server': '' })
      expect(second.epoch).toBeGreaterThan(first.epoch)
    })

    test('a deleted record is gone, and deleting what is not there is no error', async () => {
      const session = await open()
      await session.commit(set('permits/a', '1'))
      await session.commit([
        { key: 'permits/a', value: null },
        { key: 'permits/never', value: null },
      ])
      await session.commit([{ key: 'permits/a', value: null }])
      await session.close()
      expect(await reload()).toEqual({})
    })

    test('several writes of one key in one batch are applied in order', async () => {
      const session = await open()
      await session.commit([
        ...set('k/a', '1'),
        { key: 'k/a', value: null },
        ...set('k/a', '2'),
        ...set('k/b', '1'),
        { key: 'k/b', value: null },
      ])
      await session.close()
      expect(await reload()).toEqual({ 'k/a': '2' })
    })

    test('a later session changes and deletes records that an earlier one made', async () => {
      const first = await open()
      await first.commit([...set('k/a', '1'), ...set('k/b', '1')])
      await first.close()
      const second = await open()
      await second.commit([...set('k/a', '2'), { key: 'k/b', value: null }, ...set('other/c', '3')])
      await second.close()
      expect(await reload()).toEqual({ 'k/a': '2', 'other/c': '3' })
    })

    test('pipelined commits land in the order of the calls', async () => {
      const session = await open()
      const order: number[] = []
      await Promise.all(
        Array.from({ length: 500 }, (_, index) =>
          session
            .commit([...set('k/last', String(index)), ...set(`k/${index % 50}`, String(index))])
            .then(() => order.push(index)),
        ),
      )
      expect(order).toEqual(Array.from({ length: 500 }, (_, index) => index))
      await session.close()
      const records = await reload()
      expect(records['k/last']).toBe('499')
      expect(records['k/49']).toBe('499')
      expect(Object.keys(records)).toHaveLength(51)
    })

    test('a batch without writes proves that the session leads', async () => {
      const session = await open()
      await session.commit([])
      await session.commit([])
      await session.close()
      expect(await reload()).toEqual({})
    })

    test('a second opener is refused and told who holds the lock', async () => {
      await open({ holder: 'host1 pid 4711' })
      await expect(open({ holder: 'host2 pid 1' })).rejects.toMatchObject({
        code: 'ERR_LOCK_HELD',
        retryable: false,
        message: expect.stringContaining('host1 pid 4711') as string,
        details: { holder: 'host1 pid 4711' },
      })
    })

    test('a refused opener leaves nothing behind', async () => {
      const first = await open()
      await expect(open()).rejects.toMatchObject({ code: 'ERR_LOCK_HELD' })
      await first.commit(set('k/a', '1'))
      await first.close()
      expect(await reload()).toEqual({ 'k/a': '1' })
    })

    test('an opener that waits is told once by whom it is held up, and gets the lock when it is given back', async () => {
      const first = await open({ holder: 'host1 pid 4711' })
      const holders: string[] = []
      let waiting!: () => void
      const begun = new Promise<void>((resolve) => (waiting = resolve))
      const second = open({
        lockWaitMs: 60_000,
        onWaiting: (holder) => {
          holders.push(holder)
          waiting()
        },
      })
      await begun
      await first.commit(set('k/a', 'written while another waited'))
      await first.close()
      expect(plain((await second).records)).toEqual({ 'k/a': 'written while another waited' })
      expect(holders).toEqual(['host1 pid 4711'])
      expect((await second).epoch).toBeGreaterThan(first.epoch)
    })

    test('an opener that waits for ever is told again when another one leads', async () => {
      const first = await open({ holder: 'host1 pid 1' })
      const told: string[] = []
      const waiters = ['host2 pid 2', 'host3 pid 3'].map((holder) => ({
        holder,
        session: open({ holder, lockWaitMs: Infinity, onWaiting: (name) => void told.push(`${holder} by ${name}`) }),
      }))
      await vi.waitFor(() => expect(told).toHaveLength(2), generous)
      await first.close()
      // Who of the two is first is not part of the contract.
      const winner = await Promise.race(waiters.map(async ({ holder, session }) => ({ holder, session: await session })))
      const loser = waiters.find(({ holder }) => holder !== winner.holder)
      await vi.waitFor(() => expect(told).toContain(`${loser?.holder} by ${winner.holder}`), generous)
      expect(told).toHaveLength(3)
      await winner.session.close()
      expect((await loser?.session)?.epoch).toBeGreaterThan(winner.session.epoch)
    })

    test('waiting ends when the signal aborts, and the next in line is not held up', async () => {
      const first = await open()
      const abort = new AbortController()
      const reason = new Error('no longer wanted')
      await expect(open({ lockWaitMs: 60_000, signal: abort.signal, onWaiting: () => abort.abort(reason) })).rejects.toBe(reason)
      await first.close()
      await open()
    })

    test('of many openers one leads at a time, and each in the end', async () => {
      const epochs = await Promise.all(
        Array.from({ length: 5 }, async () => {
          const session = await open({ lockWaitMs: 60_000 })
          await session.commit(set('k/turn', String(session.epoch)))
          await session.close()
          return session.epoch
        }),
      )
      expect(new Set(epochs).size).toBe(5)
    })

    test('who lost the lock unawares can commit nothing once another has opened', async () => {
      const old = await open({ holder: 'host1 pid 1' })
      await old.commit(set('k/a', 'by the first'))
      await world.loseLock()
      const next = await open({ holder: 'host2 pid 2', lockWaitMs: 60_000 })
      await next.commit(set('k/b', 'by the second'))
      await expect(old.commit(set('k/a', 'too late'))).rejects.toMatchObject({ code: 'ERR_STORE_DEPOSED', retryable: false })
      expect(await old.ended).toBe('deposed')
      await expect(old.commit([])).rejects.toMatchObject({ code: 'ERR_STORE_DEPOSED' })
      await old.close()
      await next.close()
      expect(await reload()).toEqual({ 'k/a': 'by the first', 'k/b': 'by the second' })
    })

    test('a record too large is refused by name; what came before stands, what came behind does not', async () => {
      const session = await open()
      const before = session.commit(set('k/before', '1'))
      const tooLarge = session.commit(set('k/large', 'x'.repeat(session.limits.recordBytes + 1)))
      const behind = session.commit(set('k/behind', '1'))
      const outcomes = await Promise.allSettled([before, tooLarge, behind])
      expect(outcomes[0].status).toBe('fulfilled')
      expect(outcomes[1]).toMatchObject({
        reason: { code: 'ERR_STORE_LIMIT', message: expect.stringContaining('k/large') as string },
      })
      expect(outcomes[2]).toMatchObject({ reason: { code: 'ERR_STORE_SESSION_LOST', retryable: true } })
      expect(await session.ended).toBe('lost')
      await session.close()
      expect(await reload()).toEqual({ 'k/before': '1' })
    })

    test.each<[string, (limits: StoreLimits) => { batch: Batch; named: (string | number)[]; details: Record<string, unknown> }]>([
      [
        'a record',
        ({ recordBytes }) => ({
          batch: [...set('k/a', '1'), ...set('k/large', 'ü'.repeat(recordBytes / 2 + 1)), ...set('k/b', '1')],
          named: ['k/large', recordBytes + 2, recordBytes],
          details: { key: 'k/large', bytes: recordBytes + 2, limitBytes: recordBytes },
        }),
      ],
      [
        'a key',
        () => ({
          batch: [...set('k/a', '1'), ...set(`k/${'n'.repeat(2_000)}`, '1')],
          named: ['k/nnn', 2_002, 1_024],
          details: { bytes: 2_002, limitBytes: 1_024 },
        }),
      ],
      [
        'a batch in bytes',
        ({ batchBytes, writeOverheadBytes }) => ({
          batch: ['k/a', 'k/b'].flatMap((key) => set(key, 'x'.repeat(batchBytes / 2))),
          named: [2, batchBytes + 2 * (writeOverheadBytes + 3), batchBytes],
          details: { writes: 2, limitBytes: batchBytes },
        }),
      ],
      [
        'a batch in writes',
        ({ batchBytes, writeOverheadBytes }) => {
          const writes = Math.ceil(batchBytes / writeOverheadBytes)
          return {
            batch: Array.from({ length: writes }, (_, index) => ({ key: `k/${index}`, value: null })),
            named: [writes, batchBytes, writeOverheadBytes],
            details: { writes, limitBytes: batchBytes, writeOverheadBytes },
          }
        },
      ],
    ])(
      '%s above the limit: the error names what was found and the limit, and nothing of the batch is written',
      async (_, build) => {
        const session = await open()
        const { batch, named, details } = build(session.limits)
        const refused = await session.commit(batch).catch((error: unknown) => error)
        expect(refused).toMatchObject({ code: 'ERR_STORE_LIMIT', retryable: false, details })
        for (const part of named) expect((refused as Error).message).toContain(String(part))
        await session.close()
        expect(await reload()).toEqual({})
      },
    )

    test('a batch too large in sum is refused, one at the limit is taken', async () => {
      const session = await open()
      const { batchBytes, recordBytes, writeOverheadBytes } = session.limits
      const rest = batchBytes - recordBytes - 2 * (writeOverheadBytes + 'k/a'.length)
      await session.commit([...set('k/a', 'x'.repeat(recordBytes)), ...set('k/b', 'y'.repeat(rest))])
      const small = Array.from({ length: Math.floor(batchBytes / (writeOverheadBytes + 'k/0001'.length + 1)) }, (_, index) =>
        set(`k/${String(index).padStart(4, '0')}`, 'z'),
      ).flat()
      await session.commit(small)
      await expect(session.commit([...small, ...set('k/more', '')])).rejects.toMatchObject({ code: 'ERR_STORE_LIMIT' })
      await session.close()
      const records = await reload()
      expect(Object.keys(records)).toHaveLength(small.length + 2)
      expect(records['k/a']).toHaveLength(recordBytes)
    })

    test.each(['nokind', 'a/b/c', '/a', 'a/', 'a/..', './a', 'a/ü', 'a b/c'])('the key %j is refused', async (key) => {
      const session = await open()
      await expect(session.commit(set(key, '1'))).rejects.toMatchObject({ code: 'ERR_INVARIANT' })
    })

    test('closing waits for what is under way, twice is once, and refuses what comes later', async () => {
      const session = await open()
      const commits = Array.from({ length: 20 }, (_, index) => session.commit(set(`k/${index}`, '1')))
      const closing = session.close()
      const late = session.commit(set('k/late', '1'))
      await expect(late).rejects.toMatchObject({ code: 'ERR_STORE_SESSION_LOST' })
      await Promise.all([...commits, closing, session.close()])
      expect(await session.ended).toBe('closed')
      expect(Object.keys(await reload())).toHaveLength(20)
    })

    test('the loaded records do not change under the reader', async () => {
      const session = await open()
      await session.commit(set('k/a', '1'))
      expect(plain(session.records)).toEqual({})
    })
  })
}
