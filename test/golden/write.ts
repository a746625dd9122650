/**
 * Keeps the stores that this version writes, and what it decides on them, as files for all later versions:
 * `npx tsx test/golden/write.ts NAME`. What is there already is never written anew.
 */
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { collectStores } from '../support/collect-stores.js'
import { decideOn, type Golden, type GoldenStore } from './decide.js'

const count = 20
const [name] = process.argv.slice(2)
if (name === undefined) throw new Error('give a name for the file, such as the version of the records')
const file = join(import.meta.dirname, 'stores', `${name}.json`)
if (existsSync(file)) throw new Error(`${file} is there already; what an earlier version wrote does not change`)
const history = await collectStores()
const chosen = Array.from({ length: count }, (_, at) => history[Math.floor(((at + 1) * (history.length - 1)) / count)])
/** Each text once: most records are the same in many of the stores. */
const texts: string[] = []
const numberOf = (text: string): number => {
  if (!texts.includes(text)) texts.push(text)
  return texts.indexOf(text)
}
const stores = chosen.map((stored): GoldenStore => {
  const entries = [...(stored ?? [])]
  return {
    stored: Object.fromEntries(entries.map(([key, text]) => [key, numberOf(text)])),
    decided: decideOn(Object.fromEntries(entries)),
  }
})
const golden: Golden = { texts, stores }
writeFileSync(file, `${JSON.stringify(golden, undefined, 1)}\n`)
