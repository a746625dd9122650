/** A health check that fails: what it means before the agent kills the task, and after. */
import { expect, test } from 'vitest'
import { defineService } from '../../src/spec/parse.js'
import type { ServiceSpecInput } from '../../src/spec/schema.js'
import { testService, type TestService } from '../../src/testing.js'
import { createVirtualCluster, buildVirtualAgents } from '../../src/testing/virtual/cluster.js'
import { createVirtualScheduler, directStore } from '../../src/testing/virtual/scheduler.js'
import { createMemoryStore } from '../../src/store/memory-store.js'
import { createCountingIds } from '../../src/testing/seeded-ids.js'

const healthCheck = { command: './well', delayMs: 1_000, intervalMs: 2_000, graceMs: 0, maxFailures: 3 }
type Task = ServiceSpecInput['pods'][string]['tasks'][string]

const spec = (task: Partial<Task> = {}, count = 2) =>
  defineService({
    name: 'store',
    pods: {
      db: {
        count,
        placement: [{ type: 'maxPerHost', max: 1 }],
        tasks: { server: { command: './serve', cpus: 1, memoryMb: 64, healthCheck, ...task } },
      },
    },
  })

const taskOf = (t: TestService, name: string) =>
  t
    .state()
    .instances.flatMap(({ tasks }) => tasks)
    .find((task) => task.name === name)

test('a task that is unhealthy is not ready, until it is well again', async () => {
  const t = await testService(spec()).deployed()
  await t.health('db-0-server', true)
  expect(t.pod('db-0').ready).toBe(true)
  await t.health('db-0-server', false)
  expect(t.pod('db-0').ready).toBe(false)
  expect(taskOf(t, 'db-0-server')).toMatchObject({ state: 'running', ready: true, unhealthy: true })
  t.expectNotKilled('db-0-server')
  await t.health('db-0-server', true)
  expect(t.pod('db-0').ready).toBe(true)
  expect(taskOf(t, 'db-0-server')).not.toHaveProperty('unhealthy')
  await t.stop()
})

test('it is known after a restart of the scheduler, and an answer without a word about health changes nothing', async () => {
  const t = await testService(spec()).deployed()
  await t.health('db-0-server', false)
  await t.restartScheduler()
  await t.reported('db-0-server', 'TASK_RUNNING')
  expect(t.pod('db-0').ready).toBe(false)
  await t.stop()
})

test('a deployment waits for it, and says for what', async () => {
  const t = await testService(spec({ readinessCheck: { command: './ready' } })).started()
  await t.offer()
  await t.status('db-0-server', 'TASK_RUNNING')
  await t.health('db-0-server', false)
  await t.ready('db-0-server')
  expect(t.expectPlan('deploy').step('db-0').reason()).toBe(
    'db-0-server runs, and its health check fails; the agent kills it after 3 failures in a row',
  )
  await t.stop()
})

test('nothing else is taken down while a task is unhealthy', async () => {
  const t = await testService(spec()).deployed()
  await t.health('db-1-server', false)
  await t.restart('db-0')
  t.expectNotKilled('db-0-server')
  await t.health('db-1-server', true)
  await t.advance(1_000)
  t.expectKilled('db-0-server')
  await t.stop()
})

test('one that the agent has killed is relaunched in place, as a failure', async () => {
  const t = await testService(spec()).deployed()
  await t.health('db-0-server', false)
  await t.status('db-0-server', 'TASK_KILLED')
  expect(taskOf(t, 'db-0-server')).toMatchObject({ state: 'ended', failures: 1 })
  await t.settle()
  expect(t.pod('db-0').ready).toBe(true)
  expect(t.launches('db-0-server')).toHaveLength(2)
  await t.stop()
})

test('a pod that is paused has its health left alone', async () => {
  const t = await testService(spec()).deployed()
  await t.pausePod('db-0')
  await t.settle()
  const launch = t
    .calls()
    .flatMap((call) => (call.type === 'accept' ? call.operations : []))
    .findLast((operation) => operation.type === 'launchGroup')
  expect(launch?.type === 'launchGroup' && launch.tasks[0]).not.toHaveProperty('healthCheck')
  await t.stop()
})

test('in a cluster that checks, a task that turns unhealthy is killed and comes back', async () => {
  const one = spec({}, 1)
  const cluster = createVirtualCluster({
    agents: buildVirtualAgents(1),
    behave: (_task, launch) => (launch === 1 ? { unhealthyAfterMs: 60_000 } : {}),
  })
  const storeOf = directStore(createMemoryStore(), () => cluster.nowMs)
  const scheduler = createVirtualScheduler({ cluster, storeOf, ids: createCountingIds() })
  await scheduler.start(one)
  const task = () => scheduler.status()?.instances[0]?.tasks[0]
  expect(await cluster.run(() => task()?.unhealthy === true, 120_000)).toBe(true)
  const [first] = cluster.log.filter((entry) => entry.type === 'processStarted')
  expect(cluster.nowMs - (first?.atMs ?? 0)).toBeGreaterThanOrEqual(60_000)
  expect(await cluster.run(() => task()?.state === 'ended', 20_000)).toBe(true)
  const isBack = (): boolean => task()?.state === 'running' && scheduler.status()?.instances[0]?.ready === true
  expect(await cluster.run(isBack, 60_000)).toBe(true)
  const ends = cluster.log.flatMap((entry) => (entry.type === 'processEnded' ? [entry.cause] : []))
  expect(ends).toEqual(['signal'])
})
