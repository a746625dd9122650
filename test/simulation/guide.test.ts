import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { allCheckers } from '../../src/testing.js'
import { faultTexts } from '../../src/testing/simulation/describe-fault.js'

const guide = readFileSync(new URL('../../docs/guides/simulation.md', import.meta.url), 'utf8')

test('the guide lists every checker, with what it watches over', () => {
  const missing = allCheckers.filter(({ name, watches }) => !guide.includes(`| \`${name}\` | ${watches} |`))
  expect(missing.map(({ name }) => name)).toEqual([])
})

test('the guide lists every kind of fault, with what happens', () => {
  const missing = Object.entries(faultTexts).filter(([kind, text]) => !guide.includes(`| \`${kind}\` | ${text} |`))
  expect(missing).toEqual([])
})
