/** Old state and new code decide alike (promise 7): stores of earlier versions, and what those decided on them. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { decideOn, type Golden, type Stored } from './decide.js'

const folder = join(import.meta.dirname, 'stores')
const files = readdirSync(folder)

test('there are stores of every version of the records', () => {
  expect([...files].sort()).toEqual(['records-1.json', 'records-2.json'])
})

test.each(files)('%s leads to the decisions that it led to when it was written', (file) => {
  const { texts, stores } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Golden
  expect(stores.length).toBeGreaterThan(10)
  for (const { stored, decided } of stores) {
    const entries = Object.entries(stored).map(([key, at]) => [key, texts[at] ?? ''])
    expect(decideOn(Object.fromEntries(entries) as Stored)).toEqual(decided)
  }
})
