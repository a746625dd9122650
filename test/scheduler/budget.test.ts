/** The shared disruption budget, and what must never stand in the way of a cure. */
import { expect, test } from 'vitest'
import { defineService } from '../../src/spec/parse.js'
import type { ServiceSpecInput } from '../../src/spec/schema.js'
import { testService, type TestService } from '../../src/testing.js'

interface Change {
  readonly db?: string
  readonly web?: string
}

/** Two pod types of two, with a gate wherever a test wants one. */
const twoTiers = (change: Change = {}, plans: Pick<ServiceSpecInput, 'deploy' | 'update' | 'recovery'> = {}) => {
  const pod = (version: string) => ({ count: 2, tasks: { server: { command: `./serve ${version}`, cpus: 1, memoryMb: 64 } } })
  return defineService({ name: 'tiers', pods: { db: pod(change.db ?? '1'), web: pod(change.web ?? '1') }, ...plans })
}

/** A gate that a test opens and closes, with what it was asked for. */
function gate(isOpen = true) {
  const state = { isOpen, asked: [] as string[] }
  const hook = ({ instance = 'the plan' }: { instance?: string }) => {
    state.asked.push(instance)
    return Promise.resolve({ open: state.isOpen, reason: state.isOpen ? 'well' : 'not well' })
  }
  return { state, hook }
}

const killed = (t: TestService) => t.calls().flatMap((call) => (call.type === 'kill' ? [call.taskId.split('__')[0]] : []))

async function recover(t: TestService, pod: string): Promise<void> {
  await t.status(`${pod}-server`, 'TASK_FAILED')
  await t.advance(1_000)
  await t.offerReserved(pod)
  await t.ready(`${pod}-server`)
}

test('an update takes nothing in hand while a gate of a recovery is closed', async () => {
  const inSync = gate()
  const plans = { recovery: { afterEach: ['inSync'] } }
  const t = await testService(twoTiers({}, plans), { hooks: { inSync: inSync.hook } }).deployed()
  inSync.state.isOpen = false
  await recover(t, 'web-1')
  await t.restartScheduler(twoTiers({ db: '2' }, plans))
  await t.advance(10_000)
  expect(killed(t)).toEqual([])
  t.expectPlan('update').toBe('WAITING')
  expect(t.state().plans.find((plan) => plan.name === 'update')?.reason).toContain('web-1 is in the hands of recovery')
  inSync.state.isOpen = true
  await t.advance(10_000)
  expect(killed(t)).toEqual(['db-0-server'])
  await t.stop()
})

test('two restarts that both had to wait for a third pod do not wait for each other', async () => {
  const t = await testService(twoTiers()).deployed()
  await t.status('web-0-server', 'TASK_FAILED')
  await t.restart('db-0')
  await t.restart('db-1')
  expect(killed(t)).toEqual([])
  await t.advance(1_000)
  await t.settle()
  expect(killed(t)).toEqual(['db-0-server', 'db-1-server'])
  await t.stop()
})

test('restarts share the budget: one pod at a time, and none while another is down', async () => {
  const t = await testService(twoTiers()).deployed()
  await t.restart('db-0')
  await t.restart('db-1')
  expect(killed(t)).toEqual(['db-0-server'])
  await t.settle()
  expect(killed(t)).toEqual(['db-0-server', 'db-1-server'])
  expect(t.state().plans.map((plan) => plan.name)).not.toContain('update')
  await t.stop()
})

test('an answer from before a failure opens no gate after it', async () => {
  const safe = gate()
  const plans = { update: { beforeEach: ['safe'] } }
  const t = await testService(twoTiers({}, plans), { hooks: { safe: safe.hook } }).deployed()
  safe.state.isOpen = false
  await t.restartScheduler(twoTiers({ db: '2' }, plans))
  await t.status('web-0-server', 'TASK_FAILED')
  safe.state.isOpen = true
  await t.advance(60_000)
  const askedBefore = safe.state.asked.length
  await t.offerReserved('web-0')
  safe.state.isOpen = false
  await t.ready('web-0-server')
  await t.advance(60_000)
  expect(safe.state.asked.length).toBeGreaterThan(askedBefore)
  expect(killed(t)).toEqual([])
  await t.stop()
})

test('pre-flight of the run that may be the cure is not asked', async () => {
  const healthy = gate()
  const plans = { update: { preFlight: ['healthy'] } }
  const t = await testService(twoTiers({}, plans), { hooks: { healthy: healthy.hook } }).deployed()
  await t.restartScheduler(twoTiers({ db: '2' }, plans))
  expect(killed(t)).toEqual(['db-0-server'])
  healthy.state.isOpen = false
  await t.restartScheduler(twoTiers({}, plans))
  await t.settle()
  t.expectPlan('update').toBe('COMPLETE')
  // The kill under way is sent again by the new scheduler; nobody else is touched.
  expect(new Set(killed(t))).toEqual(new Set(['db-0-server']))
  await t.stop()
})

test('an instance that cannot come back on its configuration is updated first, whatever phase it is in', async () => {
  const t = await testService(twoTiers()).deployed()
  for (let crash = 0; crash < 3; crash++) {
    await t.status('web-1-server', 'TASK_FAILED')
    await t.advance(300_000)
    await t.offerReserved('web-1')
  }
  await t.status('web-1-server', 'TASK_FAILED')
  await t.restartScheduler(twoTiers({ db: '2', web: '2' }))
  await t.advance(300_000)
  await t.offerReserved('web-1')
  t.expectPlan('update').step('web-1').toBe('STARTING')
  expect(killed(t)).toEqual([])
  await t.settle()
  t.expectPlan('update').toBe('COMPLETE')
  await t.stop()
})

test('a newer target reaches what crash-loops while the deployment is incomplete', async () => {
  const done = gate()
  const plans = { deploy: { afterEach: ['done'] } }
  const t = await testService(twoTiers({}, plans), { hooks: { done: done.hook } }).started()
  await t.offer()
  await t.ready('db-0-server')
  done.state.isOpen = false
  for (let crash = 0; crash < 4; crash++) {
    await t.status('db-0-server', 'TASK_FAILED')
    await t.advance(300_000)
    await t.offerReserved('db-0')
  }
  await t.status('db-0-server', 'TASK_FAILED')
  done.state.isOpen = true
  await t.restartScheduler(twoTiers({ db: '2' }, plans))
  await t.settle()
  t.expectPlan('deploy').toBe('COMPLETE')
  expect(t.state().instances.every((instance) => instance.ready)).toBe(true)
  await t.stop()
})

test('an order hook that names strangers holds the roll and says so', async () => {
  const plans = { update: { order: 'wrong' } }
  const t = await testService(twoTiers({}, plans), { hooks: { wrong: () => Promise.resolve(['nonsense']) } }).deployed()
  await t.restartScheduler(twoTiers({ db: '2' }, plans))
  await t.advance(10_000)
  expect(killed(t)).toEqual([])
  expect(t.state().plans.find((plan) => plan.name === 'update')?.reason).toContain('must answer the candidates')
  await t.stop()
})

test('a deployment that is paused with its last block in hand completes only when it goes on', async () => {
  const t = await testService(twoTiers()).started()
  await t.pause('deploy')
  await t.settle()
  t.expectPlan('deploy').toBe('WAITING')
  await t.resume('deploy')
  await t.settle()
  t.expectPlan('deploy').toBe('COMPLETE')
  await t.stop()
})

test('a refused reservation is tried again after a pause, with the reason shown', async () => {
  const t = await testService(twoTiers()).started()
  t.refuseReservations('not authorised to reserve')
  await t.offer()
  expect(t.expectPlan('deploy').step('db-0').reason()).toContain('not authorised to reserve')
  await t.offer()
  const attempts = () => t.calls().filter((call) => call.type === 'accept').length
  expect(attempts()).toBe(1)
  await t.advance(1_000)
  await t.offer()
  expect(attempts()).toBe(2)
  await t.advance(1_000)
  await t.offer()
  expect(attempts()).toBe(2)
  t.refuseReservations(undefined)
  await t.settle()
  t.expectPlan('deploy').toBe('COMPLETE')
  await t.stop()
})

test('nothing healthy is taken down before the master has told about everything else', async () => {
  const t = await testService(twoTiers()).deployed()
  t.answerReconciliation(false)
  await t.restartScheduler(twoTiers({ db: '2' }))
  await t.status('db-0-server', 'TASK_RUNNING')
  await t.advance(30_000)
  expect(killed(t)).toEqual([])
  expect(t.state().plans.find((plan) => plan.name === 'update')?.reason).toContain('the master has not yet told about')
  t.answerReconciliation(true)
  await t.advance(60_000)
  expect(killed(t)).toEqual(['db-0-server'])
  await t.stop()
})

test('a newer target does not take down what serves in its gate while another pod is down', async () => {
  const { state, hook } = gate()
  const plans = { update: { afterEach: ['g'] } }
  const t = await testService(twoTiers({}, plans), { hooks: { g: hook } }).deployed()
  state.isOpen = false
  await t.restartScheduler(twoTiers({ db: '2' }, plans))
  await t.status('db-0-server', 'TASK_KILLED')
  await recover(t, 'db-0')
  await t.status('db-1-server', 'TASK_FAILED')
  t.forgetCalls()
  await t.restartScheduler(twoTiers({ db: '3' }, plans))
  expect(killed(t)).toEqual([])
  await t.advance(1_000)
  await recover(t, 'db-1')
  expect(killed(t)).toEqual(['db-0-server'])
  await t.stop()
})

test('a pod that is paused in the hands of an update passes no gate: the roll goes on when it works and its gates are open', async () => {
  const { state, hook } = gate()
  const plans = { update: { afterEach: ['g'] } }
  const t = await testService(twoTiers({}, plans), { hooks: { g: hook } }).deployed()
  state.isOpen = false
  await t.restartScheduler(twoTiers({ db: '2' }, plans))
  await t.status('db-0-server', 'TASK_KILLED')
  await recover(t, 'db-0')
  await t.pausePod('db-0')
  await t.status('db-0-server', 'TASK_KILLED')
  await recover(t, 'db-0')
  state.isOpen = true
  await t.advance(60_000)
  t.expectNotKilled('db-1-server')
  await t.resumePod('db-0')
  await t.status('db-0-server', 'TASK_KILLED')
  state.isOpen = false
  await recover(t, 'db-0')
  await t.advance(60_000)
  t.expectNotKilled('db-1-server')
  state.isOpen = true
  await t.advance(60_000)
  t.expectKilled('db-1-server')
  await t.stop()
})
