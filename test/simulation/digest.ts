/** Runs a plan from a file and prints a digest of everything that happened: for comparing two processes. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { parsePlan } from '../../src/testing/simulation/plan.js'
import { runPlan } from '../../src/testing/simulation/simulate.js'

const [file = ''] = process.argv.slice(2)
const digest = createHash('sha256')
let entries = 0
const { violations } = await runPlan(parsePlan(readFileSync(file, 'utf8'), file), {
  onEntry(entry) {
    entries += 1
    digest.update(`${JSON.stringify(entry)}\n`)
  },
})
console.log(JSON.stringify({ entries, digest: digest.digest('hex'), violations }))
