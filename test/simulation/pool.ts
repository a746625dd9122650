/** Many seeds on worker threads: the code is bundled once, so that threads load it at once and a test may change it on the way. */
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { build, type Plugin } from 'esbuild'
import { addCoverage, noCoverage, type Coverage } from '../../src/testing/simulation/coverage.js'
import type { Violation } from '../../src/testing/simulation/simulate.js'
import type { Work, WorkDone } from './worker.js'

const root = join(import.meta.dirname, '../..')

export const bundleWorker = (name?: string, plugins?: readonly Plugin[]): Promise<string> => bundle('worker', name, plugins)

/** Bundles a program of this folder; answers the file. */
export async function bundle(entry: 'worker' | 'digest', name: string = entry, plugins: readonly Plugin[] = []): Promise<string> {
  const outfile = join(root, `out/sim/${name}.mjs`)
  mkdirSync(join(root, 'out/sim'), { recursive: true })
  await build({
    entryPoints: [join(root, `test/simulation/${entry}.ts`)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'error',
    sourcemap: 'inline',
    // Packages that are no ES modules ask for it.
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    plugins: [...plugins],
  })
  return outfile
}

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

  const runThread = async (): Promise<void> => {
    let thread: Worker | undefined
    for (let work = next(); work !== undefined; work = next()) {
      thread ??= new Worker(options.worker)
      const done = await ask(thread, work, limitMs)
      if (done === undefined) {
        total.failures.push({ ...work, violation: undefined, text: `gave no answer within ${limitMs / 1_000} s` })
        await thread.terminate()
        thread = undefined
        continue
      }
      const { virtualMs, coverage, violation } = done
      total.runs += 1
      total.virtualMs += virtualMs
      total.coverage = addCoverage(total.coverage, coverage)
      if (violation !== undefined) total.failures.push({ ...work, violation, text: `${violation.checker}: ${violation.text}` })
      options.onProgress?.(summary())
    }
    await thread?.terminate()
  }
  await Promise.all(Array.from({ length: options.threads ?? availableParallelism() }, runThread))
  return summary()
}

/** Scenarios take turns, so that a run that is ended early has seen them all. */
const orderSeeds = ({ scenarios, from, count }: PoolOptions): Work[] =>
  Array.from({ length: count }, (_, index) => scenarios.map((scenario) => ({ scenario, seed: from + index }))).flat()

/** Undefined when there is no answer in time. */
async function ask(thread: Worker, { scenario, seed }: Work, limitMs: number): Promise<WorkDone | undefined> {
  const signal = AbortSignal.timeout(limitMs)
  thread.postMessage({ scenario, seed } satisfies Work)
  try {
    const [done] = (await once(thread, 'message', { signal })) as [WorkDone]
    return done
  } catch (error) {
    if (signal.aborted) return undefined
    throw error
  }
}
