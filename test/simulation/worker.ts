/** A worker thread: runs one seed of a scenario after the other, and tells what each came to. */
import { parentPort } from 'node:worker_threads'
import type { Coverage } from '../../src/testing/simulation/coverage.js'
import { runPlan, type Violation } from '../../src/testing/simulation/simulate.js'
import { planOf } from './scenarios.js'

/** A seed to run. */
export interface Work {
  readonly scenario: string
  readonly seed: number
}

/** What became of it. */
export interface WorkDone {
  readonly virtualMs: number
  readonly coverage: Coverage
  /** The first broken promise. */
  readonly violation: Violation | undefined
}

async function run({ scenario, seed }: Work): Promise<WorkDone> {
  const { virtualMs, coverage, violations } = await runPlan(planOf(scenario, seed))
  return { virtualMs, coverage, violation: violations[0] }
}

parentPort?.on('message', (work: Work) => {
  run(work).then(
    (done) => parentPort?.postMessage(done),
    (error: unknown) => {
      throw error
    },
  )
})
