import { test } from 'vitest'
import { createVirtualCluster, buildVirtualAgents } from '../../src/testing/virtual-cluster.js'
import { createVirtualScheduler } from '../../src/testing/virtual-scheduler.js'
import { behaveAsSpecified } from '../../src/testing/virtual-tasks.js'
import { createMemoryStore } from '../../src/store/memory-store.js'
import { createCountingIds } from '../../src/testing/seeded-ids.js'
import { databaseSpec } from '../support/specs.js'
import { renderPlans } from '../../src/scheduler/render-plans.js'

test('try', async () => {
  const spec = databaseSpec()
  const t0 = performance.now()
  const cluster = createVirtualCluster({ agents: buildVirtualAgents(4), behave: behaveAsSpecified(spec) })
  const store = createMemoryStore()
  const s = createVirtualScheduler({ cluster, store, ids: createCountingIds() , faultOf: () => 'none'})
  await s.start(spec)
  const done = (plan: string) => () => s.status()?.plans.find((p) => p.name === plan)?.status === 'COMPLETE'
  const ok = await cluster.run(done('deploy'), 600_000)
  console.log(ok, cluster.nowMs - 1_800_000_000_000, store.commits, s.sent, performance.now() - t0)
  if (!ok) console.log(renderPlans(s.status()!))
  await s.stop()
  await s.start(databaseSpec({ version: '2' }))
  const ok2 = await cluster.run(done('update'), 600_000)
  console.log(ok2, cluster.nowMs - 1_800_000_000_000, store.commits, s.sent, performance.now() - t0)
  console.log(renderPlans(s.status()!))
  console.log(s.failures, s.troubles)
  await cluster.advance(60_000)
  console.log(store.commits, s.sent, performance.now() - t0)
  if (process.env.V) for (const e of cluster.log) {
    const t = e.atMs - 1_800_000_000_000
    if (e.type === 'callTaken') console.log(t, 'CALL', e.call.type, e.call.type === 'ACCEPT' ? e.call.accept.operations?.map((o) => o.type).join() : '')
    else if (e.type === 'eventSent') console.log(t, 'EVENT', e.event.type, e.event.type === 'UPDATE' ? e.event.update.status.task_id.value + ' ' + e.event.update.status.state : '')
    else console.log(t, e.type, 'process' in e ? e.process.name : '', e.type === 'requestRefused' ? e.text : '')
  }
}, 60000)
