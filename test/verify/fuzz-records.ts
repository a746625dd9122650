/** Stored records, damaged in many ways: each is refused with its name, or reads as exactly what was written. */
import { fuzzRecords } from '../support/fuzz-records.js'

export const description = '100,000 damaged records: a clear refusal, never another content'

const inputs = 100_000

export default async function run(): Promise<{ line: string; ok: boolean }> {
  const begun = performance.now()
  const { refused, unharmed, kinds, failures } = await fuzzRecords(inputs, 1)
  for (const failure of failures.slice(0, 10)) console.log(failure)
  const byKind = Object.entries(kinds).map(([kind, count]) => `${kind} ${count}`)
  return {
    ok: failures.length === 0 && refused + unharmed === inputs && refused > 0,
    line: `${inputs} records (${byKind.join(', ')}): ${refused} refused with their names, ${unharmed} unharmed, ${failures.length} read as something else or failed otherwise, ${Math.round((performance.now() - begun) / 1_000)} s`,
  }
}
