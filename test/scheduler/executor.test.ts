import { expect, test } from 'vitest'
import { frameworkId } from '../../src/ids.js'
import { toOperation } from '../../src/mesos/convert-operation.js'
import type { ExecutorInfo } from '../../src/offer-evaluator/operations.js'
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

/** The pair with a container that differs from the agent's own. */
const furnished = defineService({
  name: 'pair',
  pods: {
    db: {
      count: 1,
      hostVolumes: { certs: { hostPath: '/etc/ssl', path: 'certs', mode: 'RO' } },
      rlimits: { RLIMIT_NOFILE: { soft: 10, hard: 20 }, RLIMIT_CORE: 'unlimited' },
      secrets: { key: { secret: 'store/key', file: 'key' } },
      externalVolumes: { shared: { driver: 'nfs', options: { size: '10', mount: 'a', again: 'b' }, mode: 'RW', path: 'shared' } },
      shmMb: 64,
      tasks: {
        server: { command: './serve', cpus: 1, memoryMb: 64, limits: { memoryMb: 'unlimited' } },
        sidecar: { command: './watch', cpus: 0.1, memoryMb: 32 },
      },
    },
  },
})

test('the container of an executor is repeated with it, by a new scheduler too', async () => {
  const t = await testService(furnished).started()
  await t.offer()
  const [first] = launches(t)
  expect(first?.executor.container).toMatchObject({ linux: { ipcMode: 'PRIVATE', shmMb: 64, shareCgroups: false } })
  await t.settle()
  await t.restartScheduler()
  t.forgetCalls()
  await t.status('db-0-sidecar', 'TASK_FAILED')
  await t.advance(1_000)
  await t.offerReserved('db-0')
  expect(launches(t).map((group) => onWire(group.executor))).toEqual([first === undefined ? undefined : onWire(first.executor)])
  await t.stop()
})

/** Text: Mesos compares lists with their order. */
function onWire(executor: ExecutorInfo): string {
  const operation = toOperation(
    { type: 'launchGroup', executor, tasks: [] },
    { frameworkId: frameworkId('f'), role: 'pair-role' },
  )
  return JSON.stringify(operation.type === 'LAUNCH_GROUP' && operation.launch_group.executor)
}

test('all tasks of an executor share cgroups, or none does', async () => {
  const t = await testService(furnished).started()
  await t.offer()
  expect(launches(t).map(({ tasks }) => tasks[0]?.container?.linux)).toEqual([{ shareCgroups: false }, { shareCgroups: false }])
  expect(launches(t).map(({ tasks }) => tasks[0]?.limits)).toEqual([{ mem: 'unlimited' }, undefined])
  await t.stop()
})

test('when a task is given limits the executor ends, and all its tasks start in another', async () => {
  const limited = defineService({
    name: 'pair',
    pods: {
      db: {
        count: 1,
        volumes: { data: { sizeMb: 64 } },
        tasks: {
          server: { command: './serve', cpus: 1, memoryMb: 64 },
          sidecar: { command: './watch', cpus: 0.1, memoryMb: 32, limits: { cpus: 2 } },
        },
      },
    },
  })
  const t = await testService(pair).deployed()
  t.forgetCalls()
  await t.restartScheduler(limited)
  await t.settle()
  t.expectPlan('update').toBe('COMPLETE')
  expect(launches(t).map(({ executor }) => executor.container?.linux)).toEqual([{ shareCgroups: false }, { shareCgroups: false }])
  await t.stop()
})
