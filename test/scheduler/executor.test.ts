import { expect, test } from 'vitest'
import { defineService } from '../../src/spec/parse.js'
import { testService, type TestService } from '../../src/testing.js'

/** A server with a sidecar in the same pod. */
const pair = defineService({
  name: 'pair',
  pods: {
    db: {
      count: 1,
      volumes: { data: { sizeMb: 64 } },
      tasks: {
        server: { command: './serve', cpus: 1, memoryMb: 64 },
        sidecar: { command: './watch', cpus: 0.1, memoryMb: 32 },
      },
    },
  },
})

const launches = (t: TestService) =>
  t
    .calls()
    .flatMap((call) => (call.type === 'accept' ? call.operations : []))
    .flatMap((operation) => (operation.type === 'launchGroup' ? [operation] : []))

test('every task has a group of its own in one executor', async () => {
  const t = await testService(pair).started()
  await t.offer()
  const groups = launches(t)
  expect(groups.map((group) => group.tasks.map((task) => task.name))).toEqual([['db-0-server'], ['db-0-sidecar']])
  expect(new Set(groups.map((group) => group.executor.executorId)).size).toBe(1)
  await t.stop()
})

test('while the executor lives, a relaunch repeats its description unchanged', async () => {
  const t = await testService(pair).started()
  await t.offer()
  const [first] = launches(t)
  await t.settle()
  t.forgetCalls()
  await t.status('db-0-sidecar', 'TASK_FAILED')
  await t.advance(1_000)
  await t.offerReserved('db-0')
  expect(launches(t).map((group) => group.executor)).toEqual([first?.executor])
  t.expectNotKilled('db-0-server')
  await t.stop()
})

test('after all tasks have ended the next incarnation has a new executor id', async () => {
  const t = await testService(pair).started()
  await t.offer()
  const [first] = launches(t)
  await t.settle()
  t.forgetCalls()
  await t.status('db-0-sidecar', 'TASK_FAILED')
  await t.status('db-0-server', 'TASK_FAILED')
  await t.advance(1_000)
  await t.offerReserved('db-0')
  const ids = new Set(launches(t).map((group) => group.executor.executorId))
  expect(ids.size).toBe(1)
  expect(ids).not.toContain(first?.executor.executorId)
  await t.stop()
})

test.each(['TASK_DROPPED', 'TASK_ERROR'] as const)(
  'a launch that met an ending executor (%s) never ran and is tried again',
  async (state) => {
    const t = await testService(pair).deployed()
    await t.status('db-0-sidecar', 'TASK_FAILED')
    await t.advance(1_000)
    await t.offerReserved('db-0')
    await t.status('db-0-sidecar', state)
    expect(t.state().instances[0]?.tasks.find((task) => task.name === 'db-0-sidecar')?.state).toBe('ended')
    t.forgetCalls()
    await t.advance(10_000)
    await t.offerReserved('db-0')
    t.expectLaunched('db-0-sidecar')
    await t.stop()
  },
)
