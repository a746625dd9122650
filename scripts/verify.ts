/**
 * Long runs that prove what the short tests only sample: `npm run verify -- [PART ...] [--list]`. A part is a vitest run
 * listed here, or a module `test/verify/<part>.ts` that exports `description` and, by default, an async function giving
 * `{ line, ok }`. Each part ends with one line of figures; the exit code is 1 when one falls short.
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** What a part says at its end. */
export interface VerifyResult {
  /** One line of figures. */
  readonly line: string
  readonly ok: boolean
}

interface Part {
  readonly name: string
  readonly description: string
  readonly run: () => Promise<VerifyResult>
}

interface VitestRun {
  readonly project: 'unit' | 'e2e'
  readonly file?: string
  readonly env?: Readonly<Record<string, string>>
  /** How often; ends at the first run that fails. */
  readonly times?: number
}

interface VitestReport {
  readonly numTotalTests: number
  readonly numPassedTests: number
  readonly numFailedTests: number
}

const root = join(import.meta.dirname, '..')
const modulesFolder = join(root, 'test/verify')
const outFolder = join(root, 'out/verify')
/** A part that takes longer hangs; it counts as failed. */
const runLimitMs = 60 * 60_000

const vitestParts: readonly Part[] = [
  vitestPart('model', 'ten thousand random courses of a cluster: the books of master and agents agree', {
    project: 'unit',
    file: 'test/mesos-model/books.property.test.ts',
    env: { STATEWARD_LONG: '1' },
  }),
  vitestPart('e2e-repeat', 'all end-to-end tests, three times in a row', { project: 'e2e', times: 3 }),
]

function vitestPart(name: string, description: string, options: VitestRun): Part {
  return { name, description, run: () => runVitest(name, options) }
}

async function runVitest(name: string, { project, file, env = {}, times = 1 }: VitestRun): Promise<VerifyResult> {
  const report = join(outFolder, `${name}.json`)
  const begun = Date.now()
  let passed = 0
  for (let round = 1; round <= times; round += 1) {
    if (times > 1) console.log(`verify ${name}: round ${round} of ${times}`)
    rmSync(report, { force: true })
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
    const args = ['run', '--project', project, ...reporters, ...(file === undefined ? [] : [file])]
    const code = await runToEnd(process.execPath, [join(root, 'node_modules/vitest/vitest.mjs'), ...args], env)
    const found = readReport(report)
    passed += found?.numPassedTests ?? 0
    if (code !== 0 || found === undefined || found.numPassedTests === 0) {
      const count = found === undefined ? 'no report' : `${found.numFailedTests} of ${found.numTotalTests} failed`
      return { ok: false, line: `round ${round} of ${times}: ${count}, exit code ${code}, ${seconds(begun)}` }
    }
  }
  return { ok: true, line: `${passed} tests passed in ${times} round(s), ${seconds(begun)}` }
}

function readReport(file: string): VitestReport | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as VitestReport
  } catch {
    return undefined
  }
}

function runToEnd(command: string, args: readonly string[], env: Readonly<Record<string, string>>): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, env: { ...process.env, ...env }, stdio: 'inherit', timeout: runLimitMs })
    child.on('error', reject)
    child.on('exit', (code) => resolve(code ?? 1))
  })
}

const seconds = (begunMs: number): string => `${((Date.now() - begunMs) / 1000).toFixed(1)} s`

async function moduleParts(): Promise<Part[]> {
  if (!existsSync(modulesFolder)) return []
  const names = readdirSync(modulesFolder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => entry.name.slice(0, -'.ts'.length))
  const parts: Part[] = []
  for (const name of names.sort()) {
    const loaded = (await import(pathToFileURL(join(modulesFolder, `${name}.ts`)).href)) as {
      description?: string
      default?: () => Promise<VerifyResult>
    }
    if (typeof loaded.default !== 'function') throw new Error(`test/verify/${name}.ts must export a function by default`)
    parts.push({ name, description: loaded.description ?? '', run: loaded.default })
  }
  return parts
}

async function main(args: readonly string[]): Promise<number> {
  mkdirSync(outFolder, { recursive: true })
  // Parts on real processes use the package as it is built.
  if (!existsSync(join(root, 'dist/index.js')) && (await runToEnd('npm', ['run', '--silent', 'build'], {})) !== 0) return 1
  const parts = [...vitestParts, ...(await moduleParts())]
  const width = Math.max(...parts.map((part) => part.name.length))
  if (args.includes('--list')) {
    for (const part of parts) console.log(`${part.name.padEnd(width)}  ${part.description}`)
    return 0
  }
  const unknown = args.filter((name) => !parts.some((part) => part.name === name))
  if (unknown.length > 0) {
    console.error(`verify: no part named ${unknown.join(', ')}; there are ${parts.map((part) => part.name).join(', ')}`)
    return 2
  }
  const results: { readonly name: string; readonly result: VerifyResult }[] = []
  for (const part of parts.filter(({ name }) => args.length === 0 || args.includes(name))) {
    console.log(`verify ${part.name}: ${part.description}`)
    const result = await part.run().catch((error: unknown): VerifyResult => ({ ok: false, line: String(error) }))
    results.push({ name: part.name, result })
  }
  console.log('')
  for (const { name, result } of results) {
    console.log(`verify ${name.padEnd(width)}  ${result.ok ? 'ok  ' : 'FAIL'}  ${result.line}`)
  }
  return results.every(({ result }) => result.ok) ? 0 : 1
}

process.exitCode = await main(process.argv.slice(2))
