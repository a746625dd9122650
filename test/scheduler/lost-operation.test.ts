/** A reservation that the master has booked and the agent never heard of: seen on offer, and then found not to exist. */
import { expect, test } from 'vitest'
import { createMemoryStore } from '../../src/store/memory-store.js'
import { createCountingIds } from '../../src/testing/seeded-ids.js'
import { createVirtualCluster } from '../../src/testing/virtual/cluster.js'
import { buildVirtualAgents } from '../../src/testing/virtual/options.js'
import { createVirtualScheduler, directStore } from '../../src/testing/virtual/scheduler.js'
import { behaveAsSpecified } from '../../src/testing/virtual/tasks.js'
import { databaseSpec } from '../support/specs.js'

const minute = 60_000

test.each(['before', 'after'] as const)(
  'an operation lost on its way is sent again when that comes to light %s the scheduler has seen it on offer',
  async (moment) => {
    const spec = databaseSpec({ count: 1 })
    const agents = buildVirtualAgents(1)
    const host = agents[0]?.hostname ?? ''
    const cluster = createVirtualCluster({ agents, behave: behaveAsSpecified(spec) })
    const store = createMemoryStore({})
    const scheduler = createVirtualScheduler({
      cluster,
      storeOf: directStore(store, () => cluster.nowMs),
      ids: createCountingIds(),
    })
    let isLost = false
    cluster.loseToAgent(host, 'applyOperation', () => (isLost = true))
    await scheduler.start(spec)
    expect(await cluster.run(() => isLost, minute)).toBe(true)
    await cluster.advance(moment === 'before' ? 0 : 5 * minute)
    cluster.breakLink(host)
    const isDeployed = (): boolean => scheduler.status()?.plans.every((plan) => plan.status === 'COMPLETE') === true
    const deployed = await cluster.run(isDeployed, 30 * minute)
    expect(deployed, JSON.stringify(scheduler.status()?.plans)).toBe(true)
    scheduler.crash()
  },
)
