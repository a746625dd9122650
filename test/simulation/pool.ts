/** Many seeds on worker threads. */
import { join } from 'node:path'
import type { Plugin } from 'esbuild'
import { addCoverage, noCoverage, type Coverage } from '../../src/testing/simulation/coverage.js'
import type { Violation } from '../../src/testing/simulation/simulate.js'
import { bundleProgram, runOnThreads } from '../support/threads.js'
import type { Work, WorkDone } from './worker.js'

export const bundleWorker = (name?: string, plugins?: readonly Plugin[]): Promise<string> => bundle('worker', name, plugins)

/** Bundles a program of this folder; answers the file. */
export const bundle = (entry: 'worker' | 'digest', name: string = entry, plugins: readonly Plugin[] = []): Promise<string> =>
  bundleProgram(join(import.meta.dirname, `${entry}.ts`), name, plugins)

export interface PoolOptions {
  readonly worker: string
  readonly scenarios: readonly string[]
  /** Seeds of each scenario. */
  readonly from: number
  readonly count: number
  /** Ends at the first seed that fails. @defaultValue false */
  readonly stopAtFirst?: boolean
  /** @defaultValue as many as there are cores */
  readonly threads?: number
  /** A seed without an answer in this time hangs. @defaultValue 120000 */
  readonly limitMs?: number
  readonly onProgress?: (summary: Summary) => void
}

/** A seed that broke a promise, or hangs. */
export interface Failure extends Work {
  /** Its place among all seeds of the run, from 1. */
  readonly ordinal: number
  /** Undefined: it gave no answer, and another run of it would not either. */
  readonly violation: Violation | undefined
  /** What is wrong, in words. */
  readonly text: string
}

export interface Summary {
  /** Seeds with an answer. */
  readonly runs: number
  /** In the order of the seeds. */
  readonly failures: readonly Failure[]
  readonly virtualMs: number
  readonly realMs: number
  readonly coverage: Coverage
}

const defaultLimitMs = 120_000

export async function runSeeds(options: PoolOptions): Promise<Summary> {
  const { limitMs = defaultLimitMs } = options
  const begunMs = performance.now()
  const seeds = orderSeeds(options)
  const total = { runs: 0, virtualMs: 0, coverage: noCoverage, failures: [] as Failure[] }
  let ordinal = 0
  const summary = (): Summary => {
    const failures = [...total.failures].sort((a, b) => a.ordinal - b.ordinal)
    return { ...total, failures, realMs: performance.now() - begunMs }
  }
  const next = (): (Work & { readonly ordinal: number }) | undefined => {
    const isOver = options.stopAtFirst === true && total.failures.length > 0
    const work = isOver ? undefined : seeds[ordinal]
    return work === undefined ? undefined : { ...work, ordinal: ++ordinal }
  }

  await runOnThreads<Work & { readonly ordinal: number }, WorkDone>({
    worker: options.worker,
    limitMs,
    ...(options.threads === undefined ? {} : { threads: options.threads }),
    next,
    onDone(work, done) {
      if (done === undefined) {
        total.failures.push({ ...work, violation: undefined, text: `gave no answer within ${limitMs / 1_000} s` })
        return
      }
      const { virtualMs, coverage, violation } = done
      total.runs += 1
      total.virtualMs += virtualMs
      total.coverage = addCoverage(total.coverage, coverage)
      if (violation !== undefined) total.failures.push({ ...work, violation, text: `${violation.checker}: ${violation.text}` })
      options.onProgress?.(summary())
    },
  })
  return summary()
}

/** Scenarios take turns, so that a run that is ended early has seen them all. */
const orderSeeds = ({ scenarios, from, count }: PoolOptions): Work[] =>
  Array.from({ length: count }, (_, index) => scenarios.map((scenario) => ({ scenario, seed: from + index }))).flat()
