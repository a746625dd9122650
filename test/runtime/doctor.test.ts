/** The doctor's hands on a memory store and a virtual cluster: what is read, when nothing is written, what a stop in between leaves. */
import { describe, expect, test } from 'vitest'
import { noAnswers } from '../../src/doctor/evidence.js'
import { renderRebuild } from '../../src/doctor/render.js'
import { recordWrites } from '../../src/doctor/writes.js'
import type { StateStore } from '../../src/ports/state-store.js'
import { runDiagnosis, runRebuild, type RebuildParts } from '../../src/runtime/doctor.js'
import { createMemoryStore, type MemoryStore } from '../../src/store/memory-store.js'
import { createCountingIds } from '../../src/testing/seeded-ids.js'
import { deployedService, isComplete, type LivedService } from '../doctor/support/lived-service.js'
import { databaseSpec } from '../support/specs.js'

const spec = databaseSpec()

function parts(service: LivedService, store: MemoryStore, leader?: string): RebuildParts {
  return {
    spec,
    reader: { read: () => Promise.resolve({ records: store.dump(), ...(leader === undefined ? {} : { leader }) }) },
    operatorApi: service.operatorApi,
    clock: { now: () => service.cluster.nowMs, after: (_ms, run) => (setImmediate(run), () => undefined) },
    store,
    previous: [],
    answers: noAnswers,
    ids: createCountingIds(),
    holder: 'doctor',
  }
}

describe('a diagnosis', () => {
  test('finds no difference in a service that is well', async () => {
    const service = await deployedService(spec)
    expect(await runDiagnosis(parts(service, service.store, 'a1'))).toMatchObject({ findings: [], leader: 'a1' })
  })

  test('looks twice before it says that something differs', async () => {
    const service = await deployedService(spec)
    const empty = createMemoryStore()
    let looks = 0
    const reader = { read: () => Promise.resolve({ records: (++looks === 1 ? empty : service.store).dump() }) }
    expect(await runDiagnosis({ ...parts(service, service.store), reader })).toMatchObject({ findings: [] })
    expect(looks).toBe(2)
    expect(await runDiagnosis(parts(service, empty))).toMatchObject({ findings: [{ code: 'STORE_LOST' }] })
  })

  test('names a record that cannot be read', async () => {
    const service = await deployedService(spec)
    const store = createMemoryStore({
      records: [...service.store.dump()].map(([key, text]) => [key, key.startsWith('plans/') ? '{' : text]),
    })
    expect(await runDiagnosis(parts(service, store))).toMatchObject({
      findings: [{ code: 'RECORDS_UNREADABLE', subject: 'plans/deploy' }],
    })
  })
})

describe('a rebuild', () => {
  test('writes the store anew in one transaction, says what it wrote, and leaves nothing that differs', async () => {
    const service = await deployedService(spec)
    const store = createMemoryStore()
    const rebuild = await runRebuild(parts(service, store), false)
    expect(rebuild).toMatchObject({
      isWritten: true,
      plans: ['deploy COMPLETE'],
      says: [],
      frameworkId: service.records().service?.frameworkId,
    })
    expect(store.commits).toBe(1)
    expect(await runDiagnosis(parts(service, store))).toMatchObject({ findings: [] })
    expect(renderRebuild(rebuild)).toMatch(
      /^service store: framework \S+, target 1:\w+\nvalue clusterId: \S{22}\ndb-0: on agent-\d \(\S+\), generation 1, deployed, volume data db-0-data-\w+ created, port client \d+, db-0-format ended \S+, db-0-server running \S+\n/,
    )
    const scheduler = service.schedulerOn(store)
    await scheduler.start(spec)
    await service.cluster.advance(60_000)
    expect(isComplete(scheduler)).toBe(true)
  })

  test('a dry run says the same and writes nothing', async () => {
    const service = await deployedService(spec)
    const store = createMemoryStore()
    const dry = await runRebuild(parts(service, store), true)
    expect([...store.dump()]).toEqual([])
    expect({ ...(await runRebuild(parts(service, store), false)), isWritten: false }).toEqual(dry)
  })

  test('takes what a refused scheduler has begun for lost, and its values for nothing', async () => {
    const service = await deployedService(spec)
    const store = createMemoryStore()
    const refused = service.schedulerOn(store)
    await refused.start(spec)
    await service.cluster.advance(1_000)
    expect(refused.isRunning).toBe(false)
    expect(store.read('service/service')).toBeDefined()
    const { status } = await runRebuild(parts(service, store), false)
    expect(status.values).toEqual(service.records().service?.values)
    expect([...store.dump().keys()]).toEqual([...service.store.dump().keys()])
  })

  test('refuses a store that is not lost, and a service that somebody leads', async () => {
    const service = await deployedService(spec)
    const before = service.store.dump()
    await expect(runRebuild(parts(service, service.store), false)).rejects.toMatchObject({
      code: 'ERR_REBUILD_REFUSED',
      details: {
        reasons: [expect.stringMatching(/^the store is not empty: it knows framework \S+; compare it with the cluster instead/)],
      },
    })
    await expect(runRebuild(parts(service, createMemoryStore(), 'a1'), false)).rejects.toThrow(
      /a1 leads this service; stop that scheduler/,
    )
    const held = createMemoryStore()
    await held.open({ holder: 'a2', lockWaitMs: 0 })
    await expect(runRebuild(parts(service, held), false)).rejects.toMatchObject({ code: 'ERR_LOCK_HELD' })
    expect(service.store.dump()).toEqual(before)
    expect([...held.dump()]).toEqual([])
  })

  test('lists every reason at once', async () => {
    const service = await deployedService(spec)
    const other = databaseSpec({ version: '2' })
    const attempt = runRebuild({ ...parts(service, createMemoryStore()), spec: other }, false)
    await expect(attempt).rejects.toThrow(/nothing was written:\n {2}db-0: .*\n {2}db-1: .*\n {2}db-2: .*--previous$/)
  })

  test('one that is too large for a transaction and was stopped in between keeps schedulers out, and can be repeated', async () => {
    const service = await deployedService(spec)
    const inner = createMemoryStore()
    let commits = 0
    /** Takes a few records at a time, and fails at the fourth transaction. */
    const store: StateStore = {
      async open(options) {
        const session = await inner.open(options)
        return {
          ...session,
          limits: { ...session.limits, batchBytes: 3_000 },
          commit: (batch) => (++commits === 4 ? Promise.reject(new Error('stopped')) : session.commit(batch)),
        }
      },
    }
    await expect(runRebuild({ ...parts(service, inner), store }, false)).rejects.toThrow('stopped')
    const half = [...inner.dump().keys()]
    expect(half.length).toBeGreaterThan(2)
    expect(half).not.toContain('service/service')
    const scheduler = service.schedulerOn(createMemoryStore({ records: inner.dump() }))
    await scheduler.start(spec)
    await service.cluster.advance(1_000)
    expect(scheduler.failures).toMatchObject([{ code: 'ERR_STORED_STATE' }])
    commits = 10
    const rebuild = await runRebuild({ ...parts(service, inner), store }, false)
    expect(inner.dump().size).toBe(rebuild.records)
    expect(await runDiagnosis(parts(service, inner))).toMatchObject({ findings: [] })
    expect(recordWrites(service.records())).toHaveLength(rebuild.records)
  })
})
