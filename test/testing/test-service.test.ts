import { expect, test } from 'vitest'
import { testService } from '../../src/testing.js'
import { databaseSpec } from '../support/specs.js'

test('deploys a service with initialisation before the server, peers known before the first launch', async () => {
  const t = await testService(databaseSpec()).deployed()
  expect(t.state().instances.map((instance) => instance.ready)).toEqual([true, true, true])
  expect(new Set(t.state().instances.map((instance) => instance.hostname)).size).toBe(3)
  await t.stop()
})

test('a pod that fails comes back on its own agent and volume', async () => {
  const t = await testService(databaseSpec()).deployed()
  const before = t.pod('db-1')
  await t.status('db-1-server', 'TASK_FAILED')
  t.expectPlan('recovery').step('db-1').toBe('DELAYED')
  await t.advance(1_000)
  t.expectPlan('recovery').step('db-1').toBe('PREPARED')
  await t.offerReserved('db-1')
  t.expectLaunched('db-1-server').onAgent(before.agent).withVolume(before.volume('data'))
  t.expectNotLaunched('db-1-format')
  await t.ready('db-1-server')
  t.expectPlan('recovery').toBe('COMPLETE')
  await t.stop()
})

test('rolls a changed spec one pod after the other, in place', async () => {
  const t = await testService(databaseSpec()).deployed()
  const volumes = ['db-0', 'db-1', 'db-2'].map((pod) => t.pod(pod).volume('data'))
  await t.restartScheduler(databaseSpec({ version: '2' }))
  t.expectPlan('update').step('db-0').toBe('STARTING')
  t.expectKilled('db-0-server')
  t.expectNotKilled('db-1-server')
  await t.settle()
  t.expectPlan('update').toBe('COMPLETE')
  expect(['db-0', 'db-1', 'db-2'].map((pod) => t.pod(pod).volume('data'))).toEqual(volumes)
  expect(t.expectLaunched('db-2-server').env['VERSION']).toBe('2')
  expect(t.launches('db-2-format')).toHaveLength(1)
  await t.stop()
})

test('a restart with an unchanged spec touches nothing', async () => {
  const t = await testService(databaseSpec()).deployed()
  await t.restartScheduler()
  await t.settle()
  expect(t.calls().filter((call) => call.type === 'accept' || call.type === 'kill')).toEqual([])
  await t.stop()
})
