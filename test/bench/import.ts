/**
 * What it costs to have `stateward` in a program: bytes of the package, and time and memory of importing the built main
 * entry, each measured in fresh processes that take turns with a bare Node which imports an empty module.
 */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { median, type Row } from './support/rows.js'

export const description = 'size of the package, time and memory of importing it'

const root = join(import.meta.dirname, '../..')
const entry = join(root, 'dist/index.js')
const processes = 9
const mib = 2 ** 20

/** A child imports one module and prints milliseconds and resident bytes. */
const probe = `
const begun = performance.now()
await import(process.argv[1])
const ms = performance.now() - begun
globalThis.gc()
console.log(JSON.stringify({ ms, rss: process.memoryUsage.rss() }))
`

function measure(url: string): { readonly ms: number; readonly rss: number; readonly wholeMs: number } {
  const begun = performance.now()
  const text = execFileSync(process.execPath, ['--expose-gc', '--input-type=module', '--eval', probe, url], { encoding: 'utf8' })
  const wholeMs = performance.now() - begun
  return { ...(JSON.parse(text) as { ms: number; rss: number }), wholeMs }
}

export async function run(): Promise<Row[]> {
  if (!existsSync(entry)) throw new Error('dist/index.js is missing: run npm run build')
  const [packed] = JSON.parse(
    execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }),
  ) as [{ size: number; unpackedSize: number; entryCount: number }]
  const bare = []
  const loaded = []
  // One of each is thrown away: it warms the disk cache.
  for (let index = 0; index <= processes; index += 1) {
    const pair = [measure('data:text/javascript,'), measure(pathToFileURL(entry).href)] as const
    if (index === 0) continue
    bare.push(pair[0])
    loaded.push(pair[1])
  }
  const bareMs = median(bare.map((one) => one.ms))
  const bareMb = median(bare.map((one) => one.rss)) / mib
  const bareWholeMs = median(bare.map((one) => one.wholeMs))
  return Promise.resolve<Row[]>([
    { name: 'package, packed', value: packed.size / 1024, unit: 'KiB', better: 'lower' },
    { name: 'package, unpacked', value: packed.unpackedSize / 1024, unit: 'KiB', better: 'lower' },
    {
      name: "import 'stateward', added to bare Node",
      value: median(loaded.map((one) => one.ms)) - bareMs,
      unit: 'ms',
      aim: 150,
      limit: bareMs,
      better: 'lower',
    },
    {
      name: "import 'stateward', whole process",
      value: median(loaded.map((one) => one.wholeMs)),
      unit: 'ms',
      limit: bareWholeMs,
      better: 'lower',
    },
    {
      name: "import 'stateward', memory added to bare Node",
      value: median(loaded.map((one) => one.rss)) / mib - bareMb,
      unit: 'MB',
      aim: 25,
      limit: bareMb,
      better: 'lower',
    },
  ])
}
