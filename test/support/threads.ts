/** Work on threads: a program is bundled once, so that they load it at once and a test may change it on the way. */
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { build, type Plugin } from 'esbuild'

const folder = join(import.meta.dirname, '../../out/sim')
/** What a run makes is mostly garbage soon: with room for it, less of it has to be moved. */
const youngMb = 64

/** Bundles a program; answers the file. */
export async function bundleProgram(entry: string, name: string, plugins: readonly Plugin[] = []): Promise<string> {
  const outfile = join(folder, `${name}.mjs`)
  mkdirSync(folder, { recursive: true })
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'error',
    sourcemap: 'inline',
    // Finds its native part beside itself.
    external: ['lmdb'],
    // Packages that are no ES modules ask for it.
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    plugins: [...plugins],
  })
  return outfile
}

export interface ThreadOptions<Work, Done> {
  /** A bundled program that answers each message with one. */
  readonly worker: string
  /** Undefined: there is no more. */
  readonly next: () => Work | undefined
  /** `done` is undefined when there was no answer in time. */
  readonly onDone: (work: Work, done: Done | undefined) => void
  readonly limitMs: number
  /** @defaultValue as many as there are cores */
  readonly threads?: number
}

export async function runOnThreads<Work, Done>(options: ThreadOptions<Work, Done>): Promise<void> {
  const { worker, next, onDone, limitMs, threads = availableParallelism() } = options
  const runThread = async (): Promise<void> => {
    let thread: Worker | undefined
    for (let work = next(); work !== undefined; work = next()) {
      thread ??= new Worker(worker, { resourceLimits: { maxYoungGenerationSizeMb: youngMb } })
      const done = await ask<Work, Done>(thread, work, limitMs)
      if (done === undefined) {
        await thread.terminate()
        thread = undefined
      }
      onDone(work, done)
    }
    await thread?.terminate()
  }
  await Promise.all(Array.from({ length: threads }, runThread))
}

/** Undefined when there is no answer in time. */
async function ask<Work, Done>(thread: Worker, work: Work, limitMs: number): Promise<Done | undefined> {
  const signal = AbortSignal.timeout(limitMs)
  thread.postMessage(work)
  try {
    const [done] = (await once(thread, 'message', { signal })) as [Done]
    return done
  } catch (error) {
    if (signal.aborted) return undefined
    throw error
  }
}
