import { expect, test } from 'vitest'
import { testService } from '../../src/testing.js'
import { databaseSpec } from '../support/specs.js'

const gated = { afterEach: [{ gate: 'inSync', intervalMs: 1_000, deadlineMs: 60_000 }], beforeEach: ['safeToStop'] }

/** Hooks whose answers a test changes while the roll is under way. */
function switches() {
  const open = { inSync: true, safeToStop: true }
  const asked: string[] = []
  const gate = (name: 'inSync' | 'safeToStop') => (context: { instance?: string; attempt: number }) => {
    asked.push(`${name} ${context.instance ?? ''} ${context.attempt}`)
    return Promise.resolve({ open: open[name], reason: open[name] ? 'fine' : 'two partitions are behind' })
  }
  return { open, asked, hooks: { inSync: gate('inSync'), safeToStop: gate('safeToStop') } }
}

test('a closed gate holds the roll with its reason, and goes on when it opens', async () => {
  const { open, hooks } = switches()
  const t = await testService(databaseSpec({ update: gated }), { hooks }).deployed()
  open.inSync = false
  await t.restartScheduler(databaseSpec({ version: '2', update: gated }))
  await t.status('db-0-server', 'TASK_KILLED')
  await t.offerReserved('db-0')
  await t.ready('db-0-server')
  expect(t.expectPlan('update').step('db-0').reason()).toContain('two partitions are behind')
  await t.advance(61_000)
  expect(t.expectPlan('update').step('db-0').reason()).toContain('held by gate inSync beyond its deadline')
  t.expectNotKilled('db-1-server')
  open.inSync = true
  await t.advance(1_000)
  t.expectKilled('db-1-server')
  await t.settle()
  t.expectPlan('update').toBe('COMPLETE')
  await t.stop()
})

test('the gate before a block keeps an instance running', async () => {
  const { open, hooks } = switches()
  const t = await testService(databaseSpec({ update: gated }), { hooks }).deployed()
  open.safeToStop = false
  await t.restartScheduler(databaseSpec({ version: '2', update: gated }))
  await t.advance(10_000)
  t.expectNotKilled('db-0-server')
  t.expectPlan('update').toBe('WAITING')
  open.safeToStop = true
  await t.advance(10_000)
  t.expectKilled('db-0-server')
  await t.stop()
})

test('a pause is stored: the block in hand is finished, none starts, and a restart changes nothing about it', async () => {
  const spec = databaseSpec({ version: '2' })
  const t = await testService(databaseSpec()).deployed()
  await t.restartScheduler(spec)
  await t.pause('update')
  await t.settle()
  t.expectPlan('update').step('db-0').toBe('COMPLETE')
  t.expectPlan('update').toBe('WAITING')
  await t.restartScheduler(spec)
  await t.settle()
  t.expectNotKilled('db-1-server')
  await t.status('db-2-server', 'TASK_FAILED')
  await t.settle()
  expect(t.expectLaunched('db-2-server').env['VERSION']).toBe('1')
  await t.resume('update')
  await t.settle()
  t.expectPlan('update').toBe('COMPLETE')
  expect(t.expectLaunched('db-2-server').env['VERSION']).toBe('2')
  await t.stop()
})

test('a broken target stops at its first instance; the old spec again is the cure', async () => {
  const t = await testService(databaseSpec()).deployed()
  await t.restartScheduler(databaseSpec({ version: 'broken' }))
  await t.status('db-0-server', 'TASK_KILLED')
  for (let crash = 0; crash < 4; crash++) {
    await t.advance(300_000)
    await t.offerReserved('db-0')
    await t.status('db-0-server', 'TASK_FAILED')
  }
  t.expectNotKilled('db-1-server')
  await t.restartScheduler(databaseSpec())
  await t.advance(300_000)
  await t.offerReserved('db-0')
  expect(t.expectLaunched('db-0-server').env['VERSION']).toBe('1')
  await t.ready('db-0-server')
  t.expectPlan('update').toBe('COMPLETE')
  t.expectNotKilled('db-1-server')
  await t.stop()
})

test('a roll begins nothing while another pod is down', async () => {
  const t = await testService(databaseSpec()).deployed()
  await t.status('db-2-server', 'TASK_FAILED')
  await t.restartScheduler(databaseSpec({ version: '2' }))
  await t.advance(500)
  t.expectNotKilled('db-0-server')
  await t.advance(500)
  await t.offerReserved('db-2')
  await t.ready('db-2-server')
  t.expectKilled('db-0-server')
  await t.stop()
})

test('the order hook decides who is next, asked before every block', async () => {
  const update = { order: 'lastFirst' }
  const asked: string[] = []
  const hooks = {
    lastFirst: ({ candidates = [] }: { candidates?: readonly string[] }) => {
      asked.push(candidates.join(' '))
      return Promise.resolve([...candidates].reverse())
    },
  }
  const t = await testService(databaseSpec({ update }), { hooks }).deployed()
  await t.restartScheduler(databaseSpec({ version: '2', update }))
  await t.settle()
  t.expectPlan('update').toBe('COMPLETE')
  const killed = t.calls().flatMap((call) => (call.type === 'kill' ? [call.taskId.split('__')[0]] : []))
  expect(killed).toEqual(['db-2-server', 'db-1-server', 'db-0-server'])
  expect(asked).toEqual(['db-0 db-1 db-2', 'db-0 db-1'])
  await t.stop()
})

test('more instances are added without touching the others', async () => {
  const t = await testService(databaseSpec(), { agents: 5 }).deployed()
  await t.restartScheduler(databaseSpec({ count: 5 }))
  await t.settle()
  t.expectPlan('update').toBe('COMPLETE')
  expect(t.state().instances.map((instance) => instance.ready)).toEqual([true, true, true, true, true])
  t.expectNotKilled('db-0-server')
  await t.stop()
})

test('a change that could cost data is refused with reasons, and the old target stays in force', async () => {
  const t = await testService(databaseSpec()).deployed()
  const target = t.state().targetId
  await t.restartScheduler(databaseSpec({ count: 2 }))
  expect(t.state().targetId).toBe(target)
  expect(t.state().rejected?.reasons).toMatchObject([{ code: 'COUNT_LOWERED', path: 'pods.db.count' }])
  await t.status('db-0-server', 'TASK_FAILED')
  await t.settle()
  t.expectPlan('recovery').toBe('COMPLETE')
  await t.stop()
})
