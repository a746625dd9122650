/**
 * `npm run sim -- [--seeds N] [--from N] [--scenario S]`: many seeds of the simulation on worker threads. Prints what was run,
 * how fast, and what was reached; the first seeds that fail are shrunk, told as a diary and written as files that
 * `stateward sim replay` runs again. Exit code 1 when a promise was broken, 2 for wrong usage.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Command, CommanderError, InvalidArgumentError } from 'commander'
import { renderDiary } from '../src/testing/simulation/diary.js'
import { faultKinds } from '../src/testing/simulation/plan.js'
import { shrinkPlan } from '../src/testing/simulation/shrink.js'
import { runPlan } from '../src/testing/simulation/simulate.js'
import { planOf, scenarios } from '../test/simulation/scenarios.js'
import { bundleWorker, runSeeds, type Failure, type Summary } from '../test/simulation/pool.js'

const outFolder = join(import.meta.dirname, '../out/sim')
const progressMs = 15_000
/** So many failures are shrunk; more say the same. */
const mostShrunk = 3

const parseCount = (text: string): number => {
  const value = Number(text)
  if (Number.isSafeInteger(value) && value >= 1) return value
  throw new InvalidArgumentError('It must be an integer of at least 1.')
}
const parseScenario = (text: string): string => {
  if (Object.hasOwn(scenarios, text)) return text
  throw new InvalidArgumentError(`There are: ${Object.keys(scenarios).join(', ')}.`)
}

interface Options {
  readonly seeds: number
  readonly from: number
  readonly scenario?: string
  readonly threads?: number
  readonly coverage: boolean
}

const program = new Command('sim')
  .description('run many seeds of the simulation')
  .option('--seeds <n>', 'seeds in all, shared by the scenarios', parseCount, 400)
  .option('--from <n>', 'first seed', parseCount, 1)
  .option('--scenario <name>', `only one of ${Object.keys(scenarios).join(', ')}`, parseScenario)
  .option('--threads <n>', 'worker threads; as many as there are cores', parseCount)
  .option('--no-coverage', 'leave out the table of what was reached')
  .exitOverride()
try {
  program.parse()
  process.exitCode = await main(program.opts<Options>())
} catch (error) {
  if (!(error instanceof CommanderError)) throw error
  process.exitCode = error.exitCode === 0 ? 0 : 2
}

async function main(options: Options): Promise<number> {
  const names = options.scenario === undefined ? Object.keys(scenarios) : [options.scenario]
  const worker = await bundleWorker()
  let toldMs = performance.now()
  const summary = await runSeeds({
    worker,
    scenarios: names,
    from: options.from,
    count: Math.ceil(options.seeds / names.length),
    ...(options.threads === undefined ? {} : { threads: options.threads }),
    onProgress(soFar) {
      if (performance.now() - toldMs < progressMs) return
      toldMs = performance.now()
      console.log(figures(soFar))
    },
  })
  if (options.coverage) printCoverage(summary)
  for (const failure of summary.failures.slice(0, mostShrunk)) await tell(failure)
  console.log(`sim: ${names.join(', ')}: ${figures(summary)}`)
  return summary.failures.length === 0 ? 0 : 1
}

function figures({ runs, failures, virtualMs, realMs }: Summary): string {
  const perSecond = (runs / realMs) * 1_000
  const hoursPerSecond = virtualMs / 3_600 / realMs
  return `${runs} seeds, ${failures.length} failed, ${Math.round(realMs / 1_000)} s, ${perSecond.toFixed(1)} seeds/s, ${hoursPerSecond.toFixed(1)} simulated hours/s`
}

function printCoverage({ coverage: { faults, reasons, waits } }: Summary): void {
  const all = Object.values(faultKinds).flat()
  const never = all.filter((kind) => faults[kind] === undefined)
  console.log(`fault kinds: ${all.length - never.length} of ${all.length} happened; never: ${never.join(', ') || 'none'}`)
  for (const kind of all) console.log(`  ${kind.padEnd(24)} ${faults[kind] ?? 0}`)
  printCounts('reason codes reached', reasons)
  printCounts('kinds of waits seen', waits)
}

function printCounts(what: string, counts: Readonly<Record<string, number>>): void {
  const sorted = Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1))
  console.log(`${what}: ${sorted.length}`)
  for (const [name, count] of sorted) console.log(`  ${name.padEnd(60)} ${count}`)
}

async function tell({ scenario, seed, violation, text }: Failure): Promise<void> {
  console.log(`\n${scenario} ${seed}: ${text}`)
  // What hangs would hang here too.
  if (violation === undefined) return
  const { plan, runs } = await shrinkPlan(planOf(scenario, seed), violation.checker, {
    failureOf: async (smaller) => (await runPlan(smaller)).violations[0]?.checker,
  })
  const result = await runPlan(plan, { keepLog: true })
  const file = join(outFolder, `${scenario}-${seed}.json`)
  mkdirSync(outFolder, { recursive: true })
  writeFileSync(file, `${JSON.stringify(plan, undefined, 2)}\n`)
  writeFileSync(file.replace(/json$/, 'txt'), renderDiary(result))
  console.log(`shrunk to ${plan.faults.length} faults in ${runs} runs: ${result.violations[0]?.text}`)
  console.log(`diary: ${file.replace(/json$/, 'txt')}; again: npx stateward sim replay ${file}`)
}
