/** What a store holds in the course of a service's life. */
import { createMemoryStore } from '../../src/store/memory-store.js'
import { createCountingIds } from '../../src/testing/seeded-ids.js'
import { buildVirtualAgents, createVirtualCluster } from '../../src/testing/virtual/cluster.js'
import { createVirtualScheduler, directStore } from '../../src/testing/virtual/scheduler.js'
import { behaveAsSpecified } from '../../src/testing/virtual/tasks.js'
import { tieredSpec } from './specs.js'

export type Stored = ReadonlyMap<string, string>

/** At every commit of a deployment, a recovery and an update. */
export async function collectStores(): Promise<Stored[]> {
  const stores: Stored[] = []
  const store = createMemoryStore({
    fault: () => {
      stores.push(store.dump())
      return 'none'
    },
  })
  const [first, second] = [tieredSpec('1'), tieredSpec('2')]
  const cluster = createVirtualCluster({ agents: buildVirtualAgents(3), behave: behaveAsSpecified(first) })
  const open = () => Promise.resolve({ open: true, reason: 'open' })
  const hooks = {
    healthy: open,
    joined: open,
    leaderLast: (context: { candidates?: readonly string[] }) => Promise.resolve(context.candidates ?? []),
  }
  const scheduler = createVirtualScheduler({
    cluster,
    storeOf: directStore(store, () => cluster.nowMs),
    ids: createCountingIds(),
    hooksOf: () => hooks,
  })
  for (const spec of [first, second]) {
    await scheduler.stop()
    await scheduler.start(spec)
    await cluster.advance(60_000)
    cluster.endTask('store-0-server', { code: 3 })
    await cluster.advance(60_000)
  }
  await scheduler.stop()
  return stores
}
