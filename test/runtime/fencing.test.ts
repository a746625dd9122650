/**
 * A deposed scheduler that wakes in between may take its successor's stream once, and does nothing with it: a fenced write
 * stands before every SUBSCRIBE, and another between SUBSCRIBED and the first call. Here the moments are chosen one by one.
 */
import { afterEach, describe, expect, test } from 'vitest'
import { agentId, frameworkId, streamId, taskId } from '../../src/ids.js'
import type { Clock } from '../../src/ports/clock.js'
import type { MesosDriver, MesosDriverHandlers } from '../../src/ports/mesos-driver.js'
import type { Leadership } from '../../src/ports/service-api.js'
import type { StateStore } from '../../src/ports/state-store.js'
import { createSchedulerProcess, type SchedulerProcess } from '../../src/runtime/scheduler-process.js'
import { createMemoryStore } from '../../src/store/memory-store.js'
import { createCountingIds } from '../../src/testing/seeded-ids.js'
import { databaseSpec } from '../support/specs.js'

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** A clock whose timers fire when the test says so. */
function handClock() {
  let nowMs = 0
  const timers = new Set<{ readonly atMs: number; readonly run: () => void }>()
  const clock: Clock = {
    now: () => nowMs,
    after(ms, run) {
      const timer = { atMs: nowMs + ms, run }
      timers.add(timer)
      return () => void timers.delete(timer)
    },
  }
  return {
    clock,
    async advance(ms: number) {
      nowMs += ms
      for (const timer of [...timers]) {
        if (timer.atMs > nowMs || !timers.delete(timer)) continue
        timer.run()
      }
      await turn()
    },
  }
}

let running: SchedulerProcess[] = []
afterEach(() => {
  for (const process of running) process.stop()
  running = []
})

/** One scheduler over a driver whose every move the test makes, and a list of what happened in which order. */
function setUp(options: { readonly standby?: boolean; readonly wrap?: (store: StateStore) => StateStore } = {}) {
  const happened: string[] = []
  const store = createMemoryStore({ onLanded: () => void happened.push('write') })
  let handlers: MesosDriverHandlers | undefined
  let streams = 0
  const driver: MesosDriver = {
    start(given) {
      handlers = given
      happened.push('start')
    },
    async send({ call, streamId: id }) {
      happened.push(`${call.type} on ${id}`)
    },
    async close() {
      handlers = undefined
      happened.push('close')
    },
  }
  const { clock, advance } = handClock()
  const roles: Leadership['role'][] = []
  const process = createSchedulerProcess({
    spec: databaseSpec(),
    hooks: {},
    store: options.wrap?.(store) ?? store,
    newDriver: () => driver,
    env: { ids: createCountingIds() },
    clock,
    logger: { debug() {}, info() {}, warn() {}, error() {} },
    holder: 'own',
    lockWaitMs: options.standby === true ? Infinity : 1,
    tickMs: 500,
    failoverTimeoutMs: 60_000,
    webUiUrl: () => undefined,
    onStep: () => undefined,
    onLeadership: ({ role }) => void roles.push(role),
  })
  running.push(process)
  const ended = process.run().then(
    () => undefined,
    (error: unknown) => error,
  )
  return {
    store,
    process,
    ended,
    roles,
    advance,
    /** What has happened since this was last asked. */
    news: () => happened.splice(0),
    /** Up to SUBSCRIBE, which goes out in the same turn as the driver is told that it may. */
    async beginSubscribe() {
      const info = await handlers?.beforeSubscribe()
      happened.push('SUBSCRIBE')
      return info
    },
    async subscribed() {
      const atMs = clock.now()
      handlers?.onEvent({ type: 'subscribed', streamId: streamId(`s${++streams}`), frameworkId: frameworkId('f'), atMs })
      // Waits for an answer as soon as it can be given: the first call on this stream.
      const status = {
        taskId: taskId('stranger'),
        agentId: agentId('a'),
        state: 'RUNNING',
        source: 'EXECUTOR',
        uuid: 'u',
      } as const
      handlers?.onEvent({ type: 'taskStatusReceived', status, atMs })
      await turn()
    },
    async disconnected() {
      handlers?.onEvent({ type: 'disconnected', reason: 'cut', atMs: clock.now() })
      await turn()
    },
    async failedOver() {
      const message = 'Framework failed over'
      handlers?.onEvent({ type: 'frameworkErrorReceived', kind: 'failedOver', message, atMs: clock.now() })
      await turn()
    },
    /** Another scheduler takes over, and this one is not told. */
    async depose() {
      store.expireSession()
      return store.open({ holder: 'other', lockWaitMs: 0 })
    },
  }
}

/** A scheduler that is subscribed and has nothing to do. */
async function setUpLeader(options: Parameters<typeof setUp>[0] = {}) {
  const world = setUp(options)
  await turn()
  await world.beginSubscribe()
  await world.subscribed()
  world.news()
  return world
}

describe('a leader', () => {
  test('writes before each SUBSCRIBE, and again after SUBSCRIBED before the first call', async () => {
    const world = setUp()
    await turn()
    // The target is stored before anything else.
    expect(world.news()).toEqual(['start', 'write'])
    await world.beginSubscribe()
    expect(world.news()).toEqual(['write', 'SUBSCRIBE'])
    await world.subscribed()
    expect(world.news()).toEqual(['write', ...calls('s1')])

    // This time nothing changes in the records, and there is a write all the same.
    await world.disconnected()
    await world.beginSubscribe()
    expect(world.news()).toEqual(['write', 'SUBSCRIBE'])
    await world.subscribed()
    expect(world.news()).toEqual(['write', ...calls('s2')])
  })

  test('deposed after a subscription sends no further SUBSCRIBE', async () => {
    const world = await setUpLeader()
    await world.disconnected()
    await world.depose()
    await expect(world.beginSubscribe()).rejects.toMatchObject({ code: 'ERR_STORE_DEPOSED', retryable: false })
    expect(await world.ended).toMatchObject({ code: 'ERR_STORE_DEPOSED' })
    expect(world.news()).toEqual(['close'])
  })

  test('deposed between the write and SUBSCRIBE sends nothing on the stream that it gets', async () => {
    const world = await setUpLeader()
    await world.disconnected()
    await world.beginSubscribe()
    const other = await world.depose()
    await world.subscribed()
    expect(await world.ended).toMatchObject({ code: 'ERR_STORE_DEPOSED' })
    expect(world.news()).toEqual(['write', 'SUBSCRIBE', 'close'])
    await expect(other.commit([])).resolves.toBeUndefined()
  })

  test('cut off from the store after SUBSCRIBED sends nothing until it has written', async () => {
    const world = await setUpLeader()
    await world.disconnected()
    await world.beginSubscribe()
    world.news()
    world.store.setAvailable(false)
    await world.subscribed()
    expect(world.news()).toEqual([])
    expect(world.process.leadership()).toMatchObject({ role: 'leader', storeAnswers: false })
    world.store.setAvailable(true)
    await turn()
    expect(world.news()).toEqual(['write', ...calls('s2')])
    expect(world.process.leadership()).toMatchObject({ role: 'leader', storeAnswers: true })
  })

  test('that has nothing to do ends when its session says that it was deposed', async () => {
    let depose: () => void = () => undefined
    const world = await setUpLeader({
      wrap: (store) => ({
        async open(options) {
          const session = await store.open(options)
          return { ...session, ended: new Promise((resolve) => (depose = () => resolve('deposed'))) }
        },
      }),
    })
    depose()
    expect(await world.ended).toMatchObject({ code: 'ERR_STORE_DEPOSED' })
    expect(world.news()).toEqual(['close'])
  })

  test('deposed stands by, if that is what it was started for', async () => {
    const world = await setUpLeader({ standby: true })
    const other = await world.depose()
    await world.disconnected()
    await expect(world.beginSubscribe()).rejects.toMatchObject({ code: 'ERR_STORE_DEPOSED' })
    await turn()
    expect(world.process.leadership()).toMatchObject({ role: 'standby', leader: 'other' })
    await other.close()
    await turn()
    expect(world.roles).toEqual(['leader', 'opening', 'standby', 'leader'])
    expect(world.process.leadership()).toMatchObject({ role: 'leader', leader: 'own', epoch: 3 })
    world.process.stop()
    expect(await world.ended).toBeUndefined()
    expect(world.process.leadership().role).toBe('stopped')
  })
})

describe('"framework failed over"', () => {
  test('a leader that proves that it leads subscribes again at once and keeps its session', async () => {
    const world = await setUpLeader({ standby: true })
    // Waits for the lock that must not become free.
    const waiting = world.store.open({ holder: 'other', lockWaitMs: Infinity })
    await world.failedOver()
    expect(world.news()).toEqual(['write'])
    expect(world.process.status()?.connected).toBe(false)
    await world.advance(0)
    expect(world.news()).toEqual(['start'])
    await world.beginSubscribe()
    await world.subscribed()
    expect(world.news()).toEqual(['write', 'SUBSCRIBE', 'write', ...calls('s2')])
    expect(world.process.leadership()).toMatchObject({ role: 'leader', epoch: 1 })
    world.process.stop()
    await world.ended
    await expect(waiting).resolves.toMatchObject({ epoch: 2 })
  })

  test('one whose stream is taken again and again waits longer each time', async () => {
    const world = await setUpLeader()
    const pausesMs: number[] = []
    for (let round = 0; round < 8; round += 1) {
      await world.failedOver()
      let waitedMs = 0
      for (; !world.news().includes('start'); waitedMs += 500) await world.advance(waitedMs === 0 ? 0 : 500)
      pausesMs.push(Math.max(0, waitedMs - 500))
      await world.beginSubscribe()
      await world.subscribed()
    }
    expect(pausesMs).toEqual([0, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000])
    await world.advance(60_000)
    world.news()
    await world.failedOver()
    await world.advance(0)
    expect(world.news()).toContain('start')
  })

  test('while the store does not answer nothing is sent; then it shows who leads', async () => {
    const world = await setUpLeader()
    world.store.setAvailable(false)
    await world.failedOver()
    await world.advance(300_000)
    expect(world.news()).toEqual([])
    const other = world.depose()
    world.store.setAvailable(true)
    await other
    expect(await world.ended).toMatchObject({ code: expect.stringMatching(/^ERR_(STORE_DEPOSED|FAILED_OVER)$/) as string })
    expect(world.news()).toEqual(['close'])
  })
})

/** What a stream begins with here: offers are wanted, and the status is answered. */
const calls = (stream: string): string[] => [`revive on ${stream}`, `acknowledgeTask on ${stream}`]
