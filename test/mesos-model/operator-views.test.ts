/** What operators are shown after a failover of the master, while not all agents are back (mesos-v1.md 6.1). */
import { expect, test } from 'vitest'
import { deployedService } from '../doctor/support/lived-service.js'
import { databaseSpec } from '../support/specs.js'

test('agents that are not back are shown as recovered, over a second failover too, and count as unreachable in the end', async () => {
  const { cluster, operatorApi } = await deployedService(databaseSpec())
  cluster.cutAgent('agent-1')
  for (const _failover of [1, 2]) {
    cluster.stopMaster()
    cluster.startMaster()
    await cluster.advance(60_000)
    const { registered, recovered, unreachable } = await operatorApi.agents()
    expect(recovered).toEqual([{ id: expect.stringMatching(/-S\d$/) as unknown, hostname: 'agent-1' }])
    expect(registered.map(({ hostname }) => hostname).sort()).toEqual(['agent-2', 'agent-3', 'agent-4'])
    expect(unreachable).toBe(0)
  }
  await cluster.advance(700_000)
  expect(await operatorApi.agents()).toMatchObject({ recovered: [], unreachable: 1 })
  cluster.healAgent('agent-1')
  await cluster.advance(60_000)
  const back = await operatorApi.agents()
  expect(back).toMatchObject({ recovered: [], unreachable: 0 })
  expect(back.registered).toHaveLength(4)
})

test('a framework that only its agents know has its name, roles and principal, and is recovered', async () => {
  const service = await deployedService(databaseSpec())
  const [before] = await service.operatorApi.frameworks()
  service.cluster.stopMaster()
  service.cluster.startMaster()
  await service.cluster.advance(60_000)
  expect(await service.operatorApi.frameworks()).toEqual([{ ...before, state: 'recovered' }])
  await service.scheduler.start(databaseSpec())
  await service.cluster.advance(10_000)
  expect(await service.operatorApi.frameworks()).toEqual([{ ...before, state: 'connected' }])
})

test('GET_METRICS wants its payload', async () => {
  const { cluster } = await deployedService(databaseSpec({ count: 1 }))
  const ask = (call: object) =>
    cluster.request({
      method: 'POST',
      path: '/api/v1',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(call),
      streamId: '',
    })
  expect(ask({ type: 'GET_METRICS' })).toMatchObject({ status: 400, body: expect.stringContaining("'get_metrics'") as unknown })
  expect(ask({ type: 'GET_METRICS', get_metrics: {} })?.status).toBe(200)
})
