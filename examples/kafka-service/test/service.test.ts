import { testService, type TestService } from 'stateward/testing'
import { describe, expect, test } from 'vitest'
import { kafkaService, smallSettings, smallSize, type KafkaOptions } from '../src/service.js'

const options: KafkaOptions = {
  kafkaLibs: '/opt/kafka/libs',
  taskFiles: 'file:///opt/kafka/tasks',
  size: smallSize,
  brokerSettings: smallSettings.broker,
  controllerSettings: smallSettings.controller,
}

const spec = kafkaService(options)
/** The same with one broker setting changed. */
const changed = kafkaService({ ...options, brokerSettings: { ...smallSettings.broker, 'log.cleaner.threads': '2' } })

const launchOrder = (t: TestService): string[] =>
  t
    .calls()
    .flatMap((call) => (call.type === 'accept' ? call.operations : []))
    .flatMap((operation) => (operation.type === 'launchGroup' ? operation.tasks.map((task) => String(task.name)) : []))

describe('the deployment', () => {
  test('settles the address of every voter before the first controller starts', async () => {
    const t = await testService(spec).started()
    await t.offer('agent-1')
    t.expectNotLaunched('controller-0-format')
    await t.offer('agent-2')
    await t.offer('agent-3')
    for (const pod of ['controller-0', 'controller-1', 'controller-2']) await t.offerReserved(pod)
    const { env } = t.expectLaunched('controller-2-format')
    const voters = (env['VOTERS'] ?? '').split(',')
    expect(voters.map((voter) => voter.replace(/:\d+$/, '')).sort()).toEqual(['3000@10.0.0.1', '3001@10.0.0.2', '3002@10.0.0.3'])
    await t.stop()
  })

  test('formats every volume once with the one cluster id, controllers before brokers', async () => {
    const t = await testService(spec).started()
    await t.settle()
    t.expectPlan('deploy').toBe('COMPLETE')
    const order = launchOrder(t)
    expect(order.filter((name) => name.endsWith('-format'))).toHaveLength(6)
    const lastController = order.findLastIndex((name) => name.startsWith('controller'))
    expect(order.findIndex((name) => name.startsWith('broker'))).toBeGreaterThan(lastController)
    const ids = ['controller-0', 'broker-0', 'broker-2'].map((pod) => t.expectLaunched(`${pod}-format`).env['CLUSTER_ID'])
    expect(new Set(ids)).toEqual(new Set([t.state().values['clusterId']]))
    await t.stop()
  })
})

test('a broker that fails comes back on its own volume, and is not formatted again', async () => {
  const t = await testService(spec).deployed()
  const before = t.pod('broker-1')
  await t.status('broker-1-server', 'TASK_FAILED')
  t.expectPlan('recovery').step('broker-1').toBe('DELAYED')
  await t.advance(500)
  await t.offerReserved('broker-1')
  t.expectLaunched('broker-1-server').onAgent(before.agent).withVolume(before.volume('data'))
  t.expectNotLaunched('broker-1-format')
  await t.ready('broker-1-server')
  t.expectPlan('recovery').toBe('COMPLETE')
  await t.stop()
})

test('a changed broker setting rolls the brokers one by one and no controller', async () => {
  const t = await testService(spec).deployed()
  await t.restartScheduler(changed)
  t.expectKilled('broker-0-server')
  t.expectNotKilled('broker-1-server')
  await t.status('broker-0-server', 'TASK_KILLED')
  await t.offerReserved('broker-0')
  t.expectNotKilled('broker-1-server')
  await t.ready('broker-0-server')
  t.expectKilled('broker-1-server')
  await t.settle()
  t.expectPlan('update').toBe('COMPLETE')
  t.expectNotKilled('controller-0-server')
  expect(t.launches('broker-2-format')).toHaveLength(1)
  await t.stop()
})

test('a restarted scheduler goes on with a roll in the middle and touches no other broker', async () => {
  const t = await testService(spec).deployed()
  await t.restartScheduler(changed)
  await t.status('broker-0-server', 'TASK_KILLED')
  await t.offerReserved('broker-0')
  const { taskId } = t.expectLaunched('broker-0-server')
  await t.restartScheduler(changed)
  t.expectNotKilled('broker-1-server')
  await t.ready('broker-0-server')
  expect(t.launches('broker-0-server').at(-1)).toBe(taskId)
  t.expectKilled('broker-1-server')
  await t.stop()
})
