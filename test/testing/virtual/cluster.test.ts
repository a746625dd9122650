import { expect, it } from 'vitest'
import { buildVirtualAgents, createVirtualCluster } from '../../../src/testing/virtual/cluster.js'

it('no time passes until work of this machine is done', async () => {
  const cluster = createVirtualCluster({ agents: buildVirtualAgents(1), behave: () => ({}) })
  const begunMs = cluster.nowMs
  const seen: string[] = []
  const turns = async (count: number): Promise<void> => {
    for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve))
  }
  cluster.after(10, () => {
    seen.push('begun')
    void cluster.standStill(turns(20)).then(() => seen.push(`done after ${cluster.nowMs - begunMs} ms`))
  })
  cluster.after(11, () => seen.push('later'))
  await cluster.advance(100)
  expect(seen).toEqual(['begun', 'done after 10 ms', 'later'])
})
