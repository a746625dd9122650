import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runSeeds } from './pool.js'

/** Seed 3 breaks a promise, seed 5 hangs. */
const program = `
import { parentPort } from 'node:worker_threads'
parentPort.on('message', ({ seed }) => {
  for (; seed === 5; );
  const violation = seed === 3 ? { atMs: 1, checker: 'some', text: 'broken' } : undefined
  parentPort.postMessage({ virtualMs: 10, coverage: { faults: {}, reasons: {}, waits: {} }, violation })
})
`

let folder: string
let worker: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pool-'))
  worker = join(folder, 'worker.mjs')
  writeFileSync(worker, program)
})
afterAll(() => rmSync(folder, { recursive: true }))

const scenarios = ['one', 'other']

test('a seed that hangs is reported and ended, and the others are run', async () => {
  const options = { worker, scenarios: ['one'], from: 1, count: 8, threads: 2, limitMs: 1_000 }
  const { runs, virtualMs, failures } = await runSeeds(options)
  expect({ runs, virtualMs }).toEqual({ runs: 7, virtualMs: 70 })
  expect(failures.map(({ seed, ordinal, text }) => [seed, ordinal, text])).toEqual([
    [3, 3, 'some: broken'],
    [5, 5, 'gave no answer within 1 s'],
  ])
})

test('the first failure is told with its exact place among all seeds', async () => {
  const { failures } = await runSeeds({ worker, scenarios, from: 1, count: 4, threads: 1, stopAtFirst: true })
  expect(failures.map(({ scenario, seed, ordinal }) => [scenario, seed, ordinal])).toEqual([['one', 3, 5]])
})
