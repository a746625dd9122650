/** "Framework failed over": somebody else subscribed as this service. Who leads is decided by the store, not by the master. */
import { describe, expect, test } from 'vitest'
import { isSdkError } from '../../src/errors.js'
import { frameworkId } from '../../src/ids.js'
import { createMemoryStore, type StoreFault } from '../../src/store/memory-store.js'
import { createCountingIds } from '../../src/testing/seeded-ids.js'
import { buildVirtualAgents, createVirtualCluster } from '../../src/testing/virtual/cluster.js'
import { createVirtualScheduler, directStore } from '../../src/testing/virtual/scheduler.js'
import { behaveAsSpecified } from '../../src/testing/virtual/tasks.js'
import { databaseSpec } from '../support/specs.js'

const spec = databaseSpec({ count: 1 })

/** A service that is deployed, and a stranger that takes its stream; `onTaken` is the fault of the next commit. */
async function takeStream(onTaken: (store: { expireSession(): void; open(): Promise<unknown> }) => Promise<StoreFault>) {
  let fault: StoreFault = 'none'
  const store = createMemoryStore({
    fault: () => {
      const chosen = fault
      fault = 'none'
      return chosen
    },
  })
  const cluster = createVirtualCluster({ agents: buildVirtualAgents(2), behave: behaveAsSpecified(spec) })
  const scheduler = createVirtualScheduler({
    cluster,
    storeOf: directStore(store, () => cluster.nowMs),
    ids: createCountingIds(),
  })
  await scheduler.start(spec)
  await cluster.advance(30_000)
  const service = JSON.parse(store.dump().get('service/service') ?? '{}') as { frameworkId: string; principal: string }
  const stranger = cluster.newDriver()
  fault = await onTaken({
    expireSession: () => store.expireSession(),
    open: () => store.open({ holder: 'stranger', lockWaitMs: 0 }),
  })
  stranger.start({
    beforeSubscribe: () =>
      Promise.resolve({
        id: frameworkId(service.frameworkId),
        name: spec.name,
        role: 'store-role',
        principal: service.principal,
        user: spec.user,
        failoverTimeoutMs: 60_000,
      }),
    onEvent: () => undefined,
    onTrouble: () => undefined,
  })
  await cluster.settle()
  await cluster.advance(10_000)
  return scheduler
}

describe('a scheduler whose stream was taken', () => {
  test('goes on when it can prove that it leads', async () => {
    const scheduler = await takeStream(() => Promise.resolve('none'))
    expect(scheduler.failures).toEqual([])
    expect(scheduler.status()).toMatchObject({ connected: true })
  })

  test('begins anew when its session with the store is lost at that moment: that proves nothing', async () => {
    const scheduler = await takeStream(() => Promise.resolve('lostBefore'))
    expect(scheduler.failures).toEqual([])
    expect(scheduler.status()).toMatchObject({ connected: true })
  })

  test('stops when another one holds the store', async () => {
    const scheduler = await takeStream(async (store) => {
      store.expireSession()
      await store.open()
      return 'none'
    })
    expect(scheduler.isRunning).toBe(false)
    expect(scheduler.failures).toHaveLength(1)
    const [error] = scheduler.failures
    expect(isSdkError(error, 'ERR_FAILED_OVER') || isSdkError(error, 'ERR_STORE_DEPOSED')).toBe(true)
  })
})
