/** A spec that is refused: the old target stays in force, and the refusal is a condition of its own. */
import { describe, expect, test } from 'vitest'
import { podInstanceName } from '../../src/ids.js'
import { acceptTarget } from '../../src/scheduler/accept-target.js'
import { createDraft } from '../../src/scheduler/draft.js'
import { renderPlans } from '../../src/scheduler/render-plans.js'
import { newVolatile, noRecords, type State } from '../../src/scheduler/state.js'
import { parseRecords } from '../../src/scheduler/stored-records.js'
import { buildTarget } from '../../src/scheduler/target.js'
import { defineService } from '../../src/spec/parse.js'
import type { ServiceSpec } from '../../src/spec/schema.js'
import { createCountingIds } from '../../src/testing/seeded-ids.js'
import { testService } from '../../src/testing/test-service.js'
import { databaseSpec } from '../support/specs.js'

const smaller = databaseSpec({ count: 2, version: '2' })

describe('a refused spec', () => {
  test('shows its id, and each reason with code, place and way out', async () => {
    const t = await testService(databaseSpec()).deployed()
    const { targetId } = t.state()
    await t.restartScheduler(smaller)
    const status = t.state()
    expect(status.targetId).toBe(targetId)
    expect(status.rejected).toEqual({
      targetId: buildTarget(smaller).id,
      reasons: [
        {
          code: 'COUNT_LOWERED',
          path: 'pods.db.count',
          reason: 'cannot shrink to 2 while db-2 has reserved resources',
          wayOut: expect.stringContaining('keep 3') as string,
        },
      ],
    })
    expect(renderPlans(status)).toContain(`! spec ${buildTarget(smaller).id} was refused; the target above stays in force:`)
    expect(renderPlans(status)).toMatch(/pods\.db\.count: cannot shrink to 2 .* \(COUNT_LOWERED\)/)
    await t.stop()
  })

  test('is refused by the next scheduler too, and forgotten when a spec is taken', async () => {
    const t = await testService(databaseSpec()).deployed()
    await t.restartScheduler(smaller)
    const first = t.state().rejected
    await t.restartScheduler(smaller)
    expect(first).toBeDefined()
    expect(t.state().rejected).toEqual(first)
    await t.restartScheduler(databaseSpec())
    expect(t.state().rejected).toBeUndefined()
    await t.restartScheduler(smaller)
    await t.restartScheduler(databaseSpec({ version: '3' }))
    expect(t.state().rejected).toBeUndefined()
    await t.settle()
    t.expectPlan('update').toBe('COMPLETE')
    await t.stop()
  })

  test('changes nothing of an update that is under way', async () => {
    const t = await testService(databaseSpec()).deployed()
    await t.restartScheduler(databaseSpec({ version: '2' }))
    const { targetId } = t.state()
    await t.restartScheduler(databaseSpec({ count: 1, version: '3' }))
    await t.settle()
    t.expectPlan('update').toBe('COMPLETE')
    expect(t.state().instances.map((instance) => instance.targetId)).toEqual([targetId, targetId, targetId])
    expect(t.state().rejected).toBeDefined()
    await t.stop()
  })
})

const env = () => ({ ids: createCountingIds() })
const hand = (state: State, spec: ServiceSpec) => {
  const draft = createDraft(state)
  acceptTarget(draft, env(), spec)
  return draft.result()
}
const task = { command: './run.sh', cpus: 1, memoryMb: 64 }

test('a start with a refused spec completes what the start before has not finished', () => {
  const spec = databaseSpec()
  const { state, decisions } = hand({ records: noRecords, volatile: newVolatile }, spec)
  // A crash in between: the last instance was never stored.
  const instances = new Map(state.records.instances)
  instances.delete(podInstanceName('db', 2))
  expect(decisions.length).toBeGreaterThan(0)
  const refused = hand({ ...state, records: { ...state.records, instances } }, defineService({ ...spec, user: 'nobody' }))
  expect(refused.state.volatile.rejected?.reasons).toMatchObject([{ code: 'USER_CHANGED' }])
  expect([...refused.state.records.instances.keys()]).toEqual(['db-0', 'db-1', 'db-2'])
})

test('after a restart pods and tasks have the order that the author gave them, and nothing is stored for it', () => {
  const spec = defineService({
    name: 'ordered',
    pods: { second: { count: 1, tasks: { worker: task, helper: task } }, first: { count: 1, tasks: { server: task } } },
  })
  const { decisions } = hand({ records: noRecords, volatile: newVolatile }, spec)
  const stored = new Map(decisions.flat().flatMap(({ key, value }) => (value === null ? [] : [[key, value] as const])))
  const records = parseRecords(stored)
  const again = hand({ records, volatile: newVolatile }, spec)
  const target = again.state.records.targets.get(buildTarget(spec).id)
  expect(Object.keys(target?.spec.pods ?? {})).toEqual(['second', 'first'])
  expect(Object.keys(target?.spec.pods['second']?.tasks ?? {})).toEqual(['worker', 'helper'])
  expect(again.decisions).toEqual([])
})
