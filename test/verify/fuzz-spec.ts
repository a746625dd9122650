/** Specs, service files and templates, damaged in many ways: each is refused in words with a place, or is a whole spec; in time. */
import { fuzzSpecs } from '../support/fuzz-spec.js'
import { measureGrowth } from '../support/growth-spec.js'

export const description = '100,000 damaged specs: refused with their places or read whole, none slow, none slower than its size'

const inputs = 100_000
/** A quarter of the longest text in each case. */
const growthSize = 50_000

export default async function run(): Promise<{ line: string; ok: boolean }> {
  const begun = performance.now()
  const growth = measureGrowth(growthSize)
  const { kinds, failures } = fuzzSpecs(inputs, 1)
  const all = [...failures, ...growth.failures]
  for (const failure of all.slice(0, 10)) console.log(failure)
  for (const [kind, figures] of Object.entries(kinds)) {
    const { inputs: count, accepted, refused, issues, slow, slowestMs } = figures
    console.log(
      `  ${kind}: ${count} inputs, ${accepted} accepted, ${refused} refused with ${issues} problems, ${slow} over half a second, slowest ${Math.round(slowestMs)} ms`,
    )
  }
  console.log(`  growth: ${growth.cases} cases, slowest ${growth.slowest.name} with ${Math.round(growth.slowest.ms)} ms`)
  const sum = (key: 'inputs' | 'accepted' | 'refused' | 'issues'): number =>
    Object.values(kinds).reduce((total, figures) => total + figures[key], 0)
  const slowestMs = Math.max(...Object.values(kinds).map((figures) => figures.slowestMs))
  return {
    ok:
      all.length === 0 &&
      sum('inputs') === inputs &&
      Object.values(kinds).every(({ accepted, refused }) => accepted > 0 && refused > 0),
    line: `${inputs} inputs: ${sum('accepted')} accepted whole, ${sum('refused')} refused with ${sum('issues')} problems, ${all.length} otherwise; slowest ${Math.round(slowestMs)} ms; ${growth.cases} patterns grow with their size; ${Math.round((performance.now() - begun) / 1_000)} s`,
  }
}
