/** Many seeds on worker threads: the code is bundled once, so that threads load it at once and a test may change it on the way. */
import { mkdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { build, type Plugin } from 'esbuild'
import { addCoverage, noCoverage, type Coverage } from '../../src/testing/simulation/coverage.js'
import type { Failure, Work, WorkDone } from './worker.js'

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
  readonly onProgress?: (summary: Summary) => void
}

export interface Summary {
  readonly runs: number
  readonly failures: readonly Failure[]
  readonly virtualMs: number
  readonly realMs: number
  readonly coverage: Coverage
}

const seedsPerPiece = 10

export async function runSeeds(options: PoolOptions): Promise<Summary> {
  const begunMs = performance.now()
  const pieces = cutIntoPieces(options)
  const total = { runs: 0, virtualMs: 0, coverage: noCoverage, failures: [] as Failure[] }
  const summary = (): Summary => ({ ...total, realMs: performance.now() - begunMs })
  const isOver = (): boolean => options.stopAtFirst === true && total.failures.length > 0
  const take = (done: WorkDone): void => {
    total.runs += done.runs
    total.virtualMs += done.virtualMs
    total.coverage = addCoverage(total.coverage, done.coverage)
    total.failures.push(...done.failures)
    options.onProgress?.(summary())
  }

  const runThread = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const thread = new Worker(options.worker)
      const next = (): void => {
        const piece = isOver() ? undefined : pieces.shift()
        if (piece !== undefined) thread.postMessage(piece)
        else void thread.terminate().then(() => resolve())
      }
      thread.on('message', (done: WorkDone) => {
        take(done)
        next()
      })
      thread.on('error', reject)
      next()
    })
  await Promise.all(Array.from({ length: options.threads ?? availableParallelism() }, runThread))
  return summary()
}

/** Scenarios take turns, so that a run that is ended early has seen them all. */
function cutIntoPieces({ scenarios, from, count }: PoolOptions): Work[] {
  const pieces: Work[] = []
  for (let start = 0; start < count; start += seedsPerPiece)
    for (const scenario of scenarios) {
      const length = Math.min(seedsPerPiece, count - start)
      pieces.push({ scenario, seeds: Array.from({ length }, (_, index) => from + start + index) })
    }
  return pieces
}
