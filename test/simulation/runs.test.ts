/** Runs that once broke a promise, kept as files. Each is done again here. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parsePlan, replaySimulation } from '../../src/testing.js'

const folder = join(import.meta.dirname, 'runs')

test.for(readdirSync(folder))('%s', async (file) => {
  const { violations } = await replaySimulation(parsePlan(readFileSync(join(folder, file), 'utf8'), file))
  expect(violations).toEqual([])
})
