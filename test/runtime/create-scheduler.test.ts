import { expect, test } from 'vitest'
import { createScheduler, type SchedulerOptions } from '../../src/runtime/create-scheduler.js'
import { createMemoryStore } from '../../src/store/memory-store.js'
import { databaseSpec } from '../support/specs.js'

const quiet = { debug() {}, info() {}, warn() {}, error() {} }
const base: SchedulerOptions = { cluster: 'http://127.0.0.1:5050', store: createMemoryStore(), logger: quiet }
const create = (change: Partial<SchedulerOptions>) => createScheduler(databaseSpec(), { ...base, ...change })

// What JSON cannot say reads as 0 at the master, and 0 costs every task at the first broken stream.
test.each([Infinity, NaN, -5, 0, 59_999, 1e16])(
  'a failover timeout of %d is refused before anything starts',
  async (failoverTimeoutMs) => {
    await expect(create({ failoverTimeoutMs })).rejects.toMatchObject({
      code: 'ERR_INVALID_OPTION',
      message: expect.stringContaining('failoverTimeoutMs must be between') as string,
    })
  },
)

test.each([NaN, 0, Infinity])('a tick of %d ms is refused', async (tickMs) => {
  await expect(create({ tickMs })).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION' })
})

test('a store address that is none is refused without showing its password', async () => {
  const attempt = create({ store: 'zookeeper://admin:secret@host/path' })
  await expect(attempt).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION' })
  await expect(attempt).rejects.not.toThrow(/secret/)
})

test('hooks must be bound exactly as the spec names them', async () => {
  const spec = databaseSpec({ update: { afterEach: ['inSync'] } })
  const hook = () => Promise.resolve({ open: true, reason: '' })
  await expect(createScheduler(spec, { ...base, hooks: { inSnyc: hook } })).rejects.toMatchObject({
    code: 'ERR_HOOK_UNBOUND',
    details: { missing: ['inSync'], unknown: ['inSnyc'] },
  })
})

test('several masters may be given as one text', async () => {
  await expect(create({ cluster: 'http://127.0.0.1:5050,http://127.0.0.2:5050' })).resolves.toBeDefined()
})
