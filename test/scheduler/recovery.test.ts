import { expect, test } from 'vitest'
import { testService, type TestService } from '../../src/testing.js'
import { databaseSpec } from '../support/specs.js'

const reasonOf = (t: TestService, plan: 'recovery' | 'update', step: string) => t.expectPlan(plan).step(step).reason() ?? ''

test('a crash after RUNNING counts: the pauses between relaunches double', async () => {
  const t = await testService(databaseSpec()).deployed()
  for (const pauseMs of [1_000, 2_000, 4_000]) {
    await t.status('db-0-server', 'TASK_FAILED')
    await t.advance(pauseMs - 1)
    await t.offerReserved('db-0')
    t.expectNotLaunched('db-0-server')
    await t.advance(1)
    await t.offerReserved('db-0')
    t.expectLaunched('db-0-server')
    await t.ready('db-0-server')
    t.forgetCalls()
  }
  await t.stop()
})

test.each(['TASK_LOST', 'TASK_UNREACHABLE', 'TASK_UNKNOWN', 'TASK_GONE_BY_OPERATOR'] as const)(
  '%s does not end a task: nothing is launched beside it, and it is kept when it returns',
  async (state) => {
    const t = await testService(databaseSpec()).deployed()
    await t.status('db-1-server', state)
    t.expectPlan('recovery').step('db-1').toBe('WAITING')
    expect(reasonOf(t, 'recovery', 'db-1')).toContain('may still run')
    await t.offerReserved('db-1')
    await t.offer()
    await t.advance(3_600_000)
    t.expectNotLaunched('db-1-server')
    await t.status('db-1-server', 'TASK_RUNNING')
    t.expectPlan('recovery').toBe('COMPLETE')
    t.expectNotKilled('db-1-server')
    expect(t.launches('db-1-server')).toHaveLength(1)
    await t.stop()
  },
)

test('a failed pod is relaunched on its own agent only, whatever else is offered', async () => {
  const t = await testService(databaseSpec(), { agents: 5 }).deployed()
  await t.status('db-2-server', 'TASK_FAILED')
  await t.advance(1_000)
  await t.offer()
  t.expectNotLaunched('db-2-server')
  expect(reasonOf(t, 'recovery', 'db-2')).toContain('does not offer all of the reserved resources yet')
  await t.offerReserved('db-2')
  t.expectLaunched('db-2-server').onAgent(t.pod('db-2').agent)
  await t.stop()
})

test('a launch in flight over a restart of the scheduler is adopted', async () => {
  const t = await testService(databaseSpec()).deployed()
  await t.status('db-0-server', 'TASK_FAILED')
  await t.advance(1_000)
  await t.offerReserved('db-0')
  const { taskId } = t.expectLaunched('db-0-server')
  await t.restartScheduler()
  await t.offerReserved('db-0')
  await t.ready('db-0-server')
  t.expectPlan('recovery').toBe('COMPLETE')
  expect(t.launches('db-0-server').at(-1)).toBe(taskId)
  t.expectNotKilled('db-0-server')
  await t.stop()
})

test('a back-off survives a restart of the scheduler', async () => {
  const t = await testService(databaseSpec()).deployed()
  await t.status('db-0-server', 'TASK_FAILED')
  await t.restartScheduler()
  await t.offerReserved('db-0')
  t.expectNotLaunched('db-0-server')
  t.expectPlan('recovery').step('db-0').toBe('DELAYED')
  await t.advance(1_000)
  await t.offerReserved('db-0')
  t.expectLaunched('db-0-server')
  await t.stop()
})

test('a launch that never ran is no crash', async () => {
  const t = await testService(databaseSpec()).deployed()
  await t.status('db-0-server', 'TASK_FAILED')
  await t.advance(1_000)
  await t.offerReserved('db-0')
  t.forgetCalls()
  await t.status('db-0-server', 'TASK_DROPPED')
  await t.advance(1_000)
  await t.offerReserved('db-0')
  t.expectLaunched('db-0-server')
  expect(t.state().instances[0]?.tasks.find((task) => task.name === 'db-0-server')?.failures).toBe(1)
  await t.stop()
})

test('a launch that was dropped is not repeated in a tight loop', async () => {
  const t = await testService(databaseSpec()).deployed()
  await t.status('db-0-server', 'TASK_FAILED')
  await t.advance(1_000)
  await t.offerReserved('db-0')
  await t.status('db-0-server', 'TASK_DROPPED')
  t.forgetCalls()
  await t.offerReserved('db-0')
  await t.advance(999)
  t.expectNotLaunched('db-0-server')
  await t.advance(1)
  await t.offerReserved('db-0')
  t.expectLaunched('db-0-server')
  await t.stop()
})

test('a task that counts as gone and is reported alive is killed, whoever reports it', async () => {
  const t = await testService(databaseSpec()).deployed()
  await t.status('db-0-server', 'TASK_GONE')
  await t.reported('db-0-server', 'TASK_RUNNING')
  t.expectKilled('db-0-server')
  await t.stop()
})

test('a broken stream is taken up again and touches nothing', async () => {
  const t = await testService(databaseSpec()).deployed()
  await t.reconnect()
  await t.settle()
  expect(t.calls().filter((call) => call.type === 'accept' || call.type === 'kill')).toEqual([])
  expect(t.calls().some((call) => call.type === 'reconcileTasks' && call.tasks.length === 3)).toBe(true)
  await t.stop()
})

test('with nothing to do every offer is declined and offers are suppressed', async () => {
  const t = await testService(databaseSpec()).deployed()
  await t.offer()
  t.expectNoOffersHeld()
  expect(
    t
      .calls()
      .filter((call) => call.type === 'decline')
      .every((call) => call.refuseSeconds === 3_600),
  ).toBe(true)
  await t.stop()
})

test('an earlier launch that counted as gone and turns up alive is killed, and what replaced it goes on', async () => {
  const t = await testService(databaseSpec()).deployed()
  await t.reported('db-0-server', 'TASK_GONE')
  await t.advance(1_000)
  await t.offerReserved('db-0')
  await t.ready('db-0-server')
  const [ghost, present] = t.launches('db-0-server')
  t.forgetCalls()
  await t.status(ghost ?? '', 'TASK_RUNNING')
  expect(t.calls().flatMap((call) => (call.type === 'kill' ? [call.taskId] : []))).toEqual([ghost])
  expect(t.launches('db-0-server')).toEqual([ghost, present])
  t.expectPlan('recovery').toBe('COMPLETE')
  await t.stop()
})

test('nothing is launched beside a task that the store does not know, until it has ended', async () => {
  const t = await testService(databaseSpec()).deployed()
  await t.status('db-0-server', 'TASK_FAILED')
  await t.strange('db-0-server__other', 'TASK_RUNNING')
  await t.advance(1_000)
  await t.offerReserved('db-0')
  t.expectNotLaunched('db-0-server')
  expect(t.expectPlan('recovery').step('db-0').reason()).toContain(
    'task db-0-server__other on agent agent-1 is RUNNING, and the store does not know it',
  )
  expect(t.calls().filter((call) => call.type === 'kill')).toEqual([])
  t.forgetCalls()
  await t.advance(60_000)
  expect(
    t.calls().some((call) => call.type === 'reconcileTasks' && call.tasks.some(({ taskId }) => taskId === 'db-0-server__other')),
  ).toBe(true)
  await t.offerReserved('db-0')
  t.expectLaunched('db-0-server')
  await t.stop()
})

test('the last statuses and decisions of a task are kept with their times', async () => {
  const t = await testService(databaseSpec()).deployed()
  for (let crash = 1; crash <= 9; crash++) {
    await t.status('db-0-server', 'TASK_FAILED')
    await t.advance(600_000)
    await t.offerReserved('db-0')
    await t.ready('db-0-server')
  }
  const history = t.history('db-0-server')
  expect(history).toHaveLength(20)
  expect(history.slice(-4).map(({ event }) => event)).toEqual(['FAILED', 'launchDecided', 'STARTING', 'RUNNING'])
  expect(history.at(-3)).toMatchObject({ event: 'launchDecided', taskId: t.launches('db-0-server').at(-1) })
  expect(history.every(({ atMs }, at) => at === 0 || atMs >= (history[at - 1]?.atMs ?? 0))).toBe(true)
  await t.stop()
})

test('a paused pod idles in place, also one that keeps crashing, and works again when it is resumed', async () => {
  const t = await testService(databaseSpec()).deployed()
  const { agent } = t.pod('db-0')
  for (let crash = 1; crash <= 4; crash++) {
    await t.status('db-0-server', 'TASK_FAILED')
    await t.advance(600_000)
    await t.offerReserved('db-0')
    await t.status('db-0-server', 'TASK_RUNNING')
  }
  await t.status('db-0-server', 'TASK_FAILED')
  await t.pausePod('db-0')
  await t.offerReserved('db-0')
  expect(t.expectLaunched('db-0-server').onAgent(agent).command).toContain('sleep')
  await t.status('db-0-server', 'TASK_RUNNING')
  t.expectPlan('recovery').toBe('COMPLETE')
  expect(t.state().instances[0]).toMatchObject({ name: 'db-0', paused: true })

  await t.resumePod('db-0')
  t.expectKilled('db-0-server')
  await t.status('db-0-server', 'TASK_KILLED')
  await t.advance(600_000)
  await t.offerReserved('db-0')
  await t.ready('db-0-server')
  expect(t.expectLaunched('db-0-server').command).toBe('./serve.sh')
  t.expectPlan('recovery').toBe('COMPLETE')
  expect(t.state().instances[0]).toMatchObject({ name: 'db-0', paused: false, ready: true })
  await t.stop()
})

test('a pod that serves is paused only while all others serve, and nothing else is taken down while it is paused', async () => {
  const t = await testService(databaseSpec()).deployed()
  await t.status('db-1-server', 'TASK_FAILED')
  await t.pausePod('db-0')
  t.expectNotKilled('db-0-server')
  await t.advance(1_000)
  await t.offerReserved('db-1')
  await t.ready('db-1-server')
  t.expectKilled('db-0-server')
  await t.status('db-0-server', 'TASK_KILLED')
  await t.offerReserved('db-0')
  await t.status('db-0-server', 'TASK_RUNNING')
  await t.restart('db-2')
  t.expectNotKilled('db-2-server')
  await t.restartScheduler(databaseSpec({ version: '2' }))
  await t.reported('db-0-server', 'TASK_RUNNING')
  t.expectNotKilled('db-2-server')
  expect(t.state().plans.find(({ name }) => name === 'update')?.reason).toContain('db-0 is paused')
  await t.stop()
})

test('a launch that counted as ended and lives is killed until its end is told; nothing is launched beside it meanwhile', async () => {
  const t = await testService(databaseSpec()).deployed()
  await t.reported('db-0-server', 'TASK_GONE')
  const [ghost = ''] = t.launches('db-0-server')
  const kills = () => t.calls().flatMap((call) => (call.type === 'kill' ? [call.taskId] : []))
  await t.status(ghost, 'TASK_RUNNING')
  await t.advance(1_000)
  await t.offerReserved('db-0')
  expect(t.launches('db-0-server')).toEqual([ghost])
  await t.advance(60_000)
  expect(kills()).toEqual([ghost, ghost])
  await t.status(ghost, 'TASK_KILLED')
  await t.offerReserved('db-0')
  expect(t.launches('db-0-server')).toHaveLength(2)
  await t.stop()
})

test('what idles is relaunched after pauses like everything else, and what is resumed does not wait for what it did before', async () => {
  const t = await testService(databaseSpec()).deployed()
  await t.status('db-0-server', 'TASK_FAILED')
  await t.pausePod('db-0')
  for (let crash = 1; crash <= 5; crash++) {
    await t.offerReserved('db-0')
    await t.status('db-0-server', 'TASK_FAILED')
  }
  expect(t.launches('db-0-server')).toHaveLength(2)
  await t.advance(600_000)
  await t.offerReserved('db-0')
  await t.status('db-0-server', 'TASK_RUNNING')
  t.forgetCalls()
  await t.resumePod('db-0')
  await t.status('db-0-server', 'TASK_KILLED')
  await t.offerReserved('db-0')
  t.expectLaunched('db-0-server')
  await t.stop()
})

test('a pod that never came to anything can be taken out, and the state can be read afterwards', async () => {
  const t = await testService(databaseSpec()).started()
  t.refuseReservations('no quota left')
  await t.offer()
  await t.restartScheduler(databaseSpec({ count: 1 }))
  await t.restartScheduler()
  expect(t.state().instances.map(({ name }) => name)).toEqual(['db-0'])
  await t.stop()
})
