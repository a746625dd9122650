/** Each deliberate fault of `test/simulation/mutants.ts` is put into a test build, and the simulation has to find it. */
import { spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { mutants, mutate, type Mutant } from '../simulation/mutants.js'
import { bundleWorker, runSeeds } from '../simulation/pool.js'
import { scenarios } from '../simulation/scenarios.js'

export const description =
  'deliberate faults in core and shell, one at a time: the simulation, or the test named for it, finds each'

/** Of each scenario; a fault that hides longer counts as not found. */
const mostSeeds = 300

const notFound = 'NOT FOUND'

interface Row {
  readonly mutant: string
  readonly 'found by': string
  readonly seeds: number
  readonly seconds: number
}

/** The test has to fail, and to pass without the fault. */
async function hunt(mutant: Mutant): Promise<Row> {
  return mutant.heldBy === undefined ? huntInSimulation(mutant) : huntInTest(mutant, mutant.heldBy)
}

async function huntInTest({ name }: Mutant, file: string): Promise<Row> {
  const begunMs = performance.now()
  const isFound = !(await passes(file, name)) && (await passes(file, ''))
  return {
    mutant: name,
    'found by': isFound ? file : notFound,
    seeds: 0,
    seconds: Math.round((performance.now() - begunMs) / 100) / 10,
  }
}

const passes = (file: string, mutant: string): Promise<boolean> =>
  new Promise((resolve, reject) => {
    const vitest = join(import.meta.dirname, '../../node_modules/vitest/vitest.mjs')
    const child = spawn(process.execPath, [vitest, 'run', '--project', 'unit', file], {
      stdio: 'ignore',
      env: { ...process.env, STATEWARD_MUTANT: mutant },
    })
    child.once('error', reject)
    child.once('exit', (code) => resolve(code === 0))
  })

async function huntInSimulation(mutant: Mutant): Promise<Row> {
  const worker = await bundleWorker(`mutant-${mutant.name}`, [mutate(mutant)])
  const { runs, realMs, failures } = await runSeeds({
    worker,
    scenarios: Object.keys(scenarios),
    from: 1,
    count: mostSeeds,
    stopAtFirst: true,
  })
  rmSync(worker)
  const [first] = failures
  return {
    mutant: mutant.name,
    'found by': first === undefined ? notFound : `${first.violation?.checker ?? 'no answer'} in ${first.scenario} ${first.seed}`,
    seeds: first?.ordinal ?? runs,
    seconds: Math.round(realMs / 100) / 10,
  }
}

export default async function run(): Promise<{ line: string; ok: boolean }> {
  const asked = process.env['STATEWARD_MUTANTS']?.split(',')
  const chosen = mutants.filter(({ name }) => asked === undefined || asked.includes(name))
  const rows: Row[] = []
  for (const mutant of chosen) {
    const row = await hunt(mutant)
    console.log(`${row.mutant}: ${row['found by']}, ${row.seeds} seeds, ${row.seconds} s (${mutant.does})`)
    rows.push(row)
  }
  console.table(rows)
  const found = rows.filter((row) => row['found by'] !== notFound)
  const seeds = rows.flatMap((row) => (row.seeds > 0 ? [row.seeds] : [])).sort((a, b) => a - b)
  return {
    ok: found.length === rows.length && rows.length > 0,
    line: `${found.length} of ${rows.length} deliberate faults found, ${seeds.length} by the simulation; seeds needed: median ${seeds[Math.floor(seeds.length / 2)] ?? 0}, most ${seeds.at(-1) ?? 0}`,
  }
}
