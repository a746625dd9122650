import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { allCheckers } from '../../src/testing.js'

test('the guide lists every checker, with what it watches over', () => {
  const guide = readFileSync(new URL('../../docs/guides/simulation.md', import.meta.url), 'utf8')
  const missing = allCheckers.filter(({ name, watches }) => !guide.includes(`| \`${name}\` | ${watches} |`))
  expect(missing.map(({ name }) => name)).toEqual([])
})
