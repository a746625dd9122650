/** No second founding: a scheduler whose store was lost, in a virtual cluster that knows its service. */
import { describe, expect, test } from 'vitest'
import { isSdkError } from '../../src/errors.js'
import { createMemoryStore, type MemoryStore } from '../../src/store/memory-store.js'
import { createCountingIds } from '../../src/testing/seeded-ids.js'
import { buildVirtualAgents, createVirtualCluster, type VirtualCluster } from '../../src/testing/virtual/cluster.js'
import { createVirtualScheduler, directStore, type VirtualScheduler } from '../../src/testing/virtual/scheduler.js'
import { behaveAsSpecified } from '../../src/testing/virtual/tasks.js'
import { databaseSpec } from '../support/specs.js'

const spec = databaseSpec()

const newCluster = (): VirtualCluster => createVirtualCluster({ agents: buildVirtualAgents(4), behave: behaveAsSpecified(spec) })

const schedulerOn = (cluster: VirtualCluster, store: MemoryStore, place: string): VirtualScheduler =>
  createVirtualScheduler({ cluster, storeOf: directStore(store, () => cluster.nowMs), ids: createCountingIds(), place })

/** A service that is deployed, and whose scheduler has stopped. */
async function deployed() {
  const cluster = newCluster()
  const first = schedulerOn(cluster, createMemoryStore(), 'a')
  await first.start(spec)
  await cluster.run(() => first.status()?.plans.every((plan) => plan.status === 'COMPLETE') === true, 600_000)
  expect(first.status()?.plans).toMatchObject([{ name: 'deploy', status: 'COMPLETE' }])
  await first.stop()
  await cluster.advance(1_000)
  return cluster
}

const callsOf = (cluster: VirtualCluster, from: number): string[] =>
  cluster.log.slice(from).flatMap((entry) => (entry.type === 'callTaken' ? [entry.call.type] : []))

describe('a scheduler with an empty store', () => {
  test('does not subscribe beside the service that exists, and says what it found and what to do', async () => {
    const cluster = await deployed()
    const from = cluster.log.length
    const store = createMemoryStore()
    const second = schedulerOn(cluster, store, 'b')
    await second.start(spec)
    await cluster.advance(60_000)
    expect(second.isRunning).toBe(false)
    const [error] = second.failures
    expect(isSdkError(error, 'ERR_SERVICE_EXISTS') && error.message).toMatch(
      /^the store of service store holds no framework id, and the cluster has: framework \S+-0000 of this name and role \(disconnected\); .*task db-\d-server__\S+ \(RUNNING\) on agent \S+; .*reserved resources on agent .*stateward doctor SPEC --rebuild$/,
    )
    expect(callsOf(cluster, from)).toEqual([])
    expect([...cluster.masterBooks().frameworks.keys()]).toHaveLength(1)
  })

  test('waits while a restarted master has not heard from its agents, and then sees the service', async () => {
    const cluster = await deployed()
    cluster.cutAgent('agent-1')
    cluster.stopMaster()
    cluster.startMaster()
    const second = schedulerOn(cluster, createMemoryStore(), 'b')
    const from = cluster.log.length
    await second.start(spec)
    await cluster.advance(60_000)
    expect(callsOf(cluster, from)).toEqual([])
    // The other agents have told of their tasks by now, and with them of the framework.
    const [error] = second.failures
    expect(isSdkError(error, 'ERR_SERVICE_EXISTS') && error.message).toMatch(/framework \S+ of this name and role \(recovered\)/)
  })

  test('waits for an agent that is unreachable, and says so once', async () => {
    const cluster = newCluster()
    await cluster.advance(1_000)
    cluster.cutAgent('agent-1')
    await cluster.advance(300_000)
    const scheduler = schedulerOn(cluster, createMemoryStore(), 'a')
    await scheduler.start(spec)
    await cluster.advance(120_000)
    expect(scheduler.isRunning).toBe(true)
    expect(scheduler.troubles).toEqual([expect.stringContaining('one agent is unreachable')])
    expect(cluster.masterBooks().frameworks.size).toBe(0)
    cluster.healAgent('agent-1')
    const isDone = () => scheduler.status()?.plans[0]?.status === 'COMPLETE'
    expect(await cluster.run(isDone, 600_000)).toBe(true)
  })
})

test('one that died between SUBSCRIBE and the storing of its id takes up the framework that it was given', async () => {
  const cluster = newCluster()
  await cluster.advance(1_000)
  let crash: () => void = () => undefined
  const store = createMemoryStore({
    // The first record with a framework id never gets stored.
    fault: ({ batch }) => {
      const isId = batch.some(({ key, value }) => key === 'service/service' && value?.includes('frameworkId') === true)
      if (!isId) return 'none'
      setImmediate(() => crash())
      return 'stopBefore'
    },
  })
  const first = schedulerOn(cluster, store, 'a')
  crash = () => first.crash()
  await first.start(spec)
  await cluster.advance(5_000)
  expect(first.isRunning).toBe(false)
  expect(cluster.masterBooks().frameworks.size).toBe(1)
  const second = schedulerOn(cluster, createMemoryStore({ records: store.dump() }), 'b')
  await second.start(spec)
  expect(await cluster.run(() => second.status()?.plans[0]?.status === 'COMPLETE', 600_000)).toBe(true)
  expect([...cluster.masterBooks().frameworks.keys()]).toEqual([second.status()?.frameworkId])
  expect(cluster.masterBooks().removedFrameworks).toEqual([])
})
