/** The long run of the simulation: tens of thousands of seeds over all scenarios, without one broken promise. */
import { bundleWorker, runSeeds } from '../simulation/pool.js'
import { scenarios } from '../simulation/scenarios.js'

export const description = '20,000 seeds of the simulation over all scenarios, no promise broken'

const seedsOfEach = 4_000
const progressMs = 60_000

export default async function run(): Promise<{ line: string; ok: boolean }> {
  const names = Object.keys(scenarios)
  let toldMs = performance.now()
  const { runs, failures, virtualMs, realMs, coverage } = await runSeeds({
    worker: await bundleWorker(),
    scenarios: names,
    from: 1_000_000,
    count: seedsOfEach,
    onProgress(soFar) {
      if (performance.now() - toldMs < progressMs) return
      toldMs = performance.now()
      console.log(`${soFar.runs} seeds, ${soFar.failures.length} with violations`)
    },
  })
  for (const { scenario, seed, text } of failures.slice(0, 10)) console.log(`${scenario} ${seed}: ${text}`)
  const kinds = Object.keys(coverage.faults).length
  return {
    ok: failures.length === 0 && runs === names.length * seedsOfEach,
    line: `${runs} seeds of ${names.join(', ')}, ${failures.length} with violations, ${(virtualMs / 3_600_000).toFixed(0)} simulated hours in ${Math.round(realMs / 1_000)} s, ${kinds} kinds of faults, ${Object.keys(coverage.reasons).length} reason codes`,
  }
}
