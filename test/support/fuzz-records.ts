/** Damaged records: cut, with flipped bits, of other versions, under the keys of others; and what reading them leads to. */
import { isSdkError } from '../../src/errors.js'
import { parseRecords } from '../../src/scheduler/stored-records.js'
import type { Records } from '../../src/scheduler/state.js'
import { chanceOf, type Chance } from '../../src/testing/virtual/chance.js'
import { collectStores, type Stored } from './collect-stores.js'

export interface FuzzResult {
  readonly inputs: number
  /** Refused, with the record named. */
  readonly refused: number
  /** Read, and exactly what was written: the damage undid itself. */
  readonly unharmed: number
  /** By kind of damage. */
  readonly kinds: Readonly<Record<string, number>>
  /** What must not be: any other error, or content that nobody has written. */
  readonly failures: readonly string[]
}

type Damage = (text: string, chance: Chance, stored: Stored) => string

const flipBits: Damage = (text, chance) => {
  const bytes = Buffer.from(text, 'utf8')
  for (let flips = chance.between(1, 4); flips > 0; flips--) {
    const at = chance.between(0, bytes.length - 1)
    bytes[at] = (bytes[at] ?? 0) ^ (1 << chance.between(0, 7))
  }
  return bytes.toString('utf8')
}

const versions = ['0', '1', '3', '4', '99', '2.5', '-2', '1e99', '"2"', 'null', '[]', '{}']

const damages: Readonly<Record<string, Damage>> = {
  truncated: (text, chance) => text.slice(0, chance.between(0, text.length - 1)),
  'beginning lost': (text, chance) => text.slice(chance.between(1, text.length)),
  'bits flipped': flipBits,
  'other version': (text, chance) => text.replace('"v":2', `"v":${chance.pick(versions)}`),
  'other record': (text, chance, stored) => chance.pick([...stored.values()].filter((other) => other !== text)),
  'part repeated': (text, chance) => {
    const from = chance.between(1, text.length)
    return text.slice(0, from) + text.slice(Math.max(0, from - chance.between(1, 40)))
  },
}

export async function fuzzRecords(inputs: number, seed: number): Promise<FuzzResult> {
  const history = await collectStores()
  const stores = history.filter(({ size }) => size > 0)
  const intact = new Map<Stored, string>()
  const chance = chanceOf(seed, 'fuzz')
  const kinds: Record<string, number> = {}
  const failures: string[] = []
  let [refused, unharmed] = [0, 0]
  for (let input = 0; input < inputs; input++) {
    const stored = chance.pick(stores)
    const [key, text] = chance.pick([...stored])
    const [kind, damage] = chance.pick(Object.entries(damages))
    const damaged = damage(text, chance, stored)
    kinds[kind] = (kinds[kind] ?? 0) + 1
    const verdict = judge(new Map(stored).set(key, damaged), key)
    if (verdict.refused) refused += 1
    else {
      const wanted = intact.get(stored) ?? print(parseRecords(stored))
      intact.set(stored, wanted)
      if (verdict.problem === undefined && verdict.read === wanted) unharmed += 1
      else
        failures.push(
          `${kind} of ${key}: ${verdict.problem ?? 'read as something that nobody has written'}: ${damaged.slice(0, 300)}`,
        )
    }
  }
  return { inputs, refused, unharmed, kinds, failures }
}

interface Verdict {
  readonly refused: boolean
  readonly read?: string
  readonly problem?: string
}

function judge(stored: Stored, key: string): Verdict {
  try {
    return { refused: false, read: print(parseRecords(stored)) }
  } catch (error) {
    if (!isSdkError(error, 'ERR_STORED_STATE')) return { refused: false, problem: `threw ${String(error)}` }
    return error.message.includes(key) ? { refused: true } : { refused: false, problem: `does not name it: ${error.message}` }
  }
}

const print = (records: Records): string =>
  JSON.stringify([records.service, ...[records.targets, records.instances, records.tasks, records.runs].map((map) => [...map])])
