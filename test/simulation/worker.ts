/** A worker thread: runs seeds of a scenario, one after the other, and tells what each came to. */
import { parentPort } from 'node:worker_threads'
import { addCoverage, noCoverage, type Coverage } from '../../src/testing/simulation/coverage.js'
import { runPlan, type Violation } from '../../src/testing/simulation/simulate.js'
import { planOf } from './scenarios.js'

/** Seeds to run, in this order. */
export interface Work {
  readonly scenario: string
  readonly seeds: readonly number[]
}

export interface Failure {
  readonly scenario: string
  readonly seed: number
  readonly violation: Violation
}

/** What became of one piece of work. */
export interface WorkDone {
  readonly runs: number
  readonly virtualMs: number
  readonly coverage: Coverage
  readonly failures: readonly Failure[]
}

async function run({ scenario, seeds }: Work): Promise<WorkDone> {
  let virtualMs = 0
  let coverage = noCoverage
  const failures: Failure[] = []
  for (const seed of seeds) {
    const result = await runPlan(planOf(scenario, seed))
    virtualMs += result.virtualMs
    coverage = addCoverage(coverage, result.coverage)
    const [violation] = result.violations
    if (violation !== undefined) failures.push({ scenario, seed, violation })
  }
  return { runs: seeds.length, virtualMs, coverage, failures }
}

parentPort?.on('message', (work: Work) => {
  run(work).then(
    (done) => parentPort?.postMessage(done),
    (error: unknown) => {
      throw error
    },
  )
})
