/**
 * A scheduler may die, or lose its store, at any write of a deployment and of a rolling update, and before and after any of the
 * calls that follow. Each time the next one resumes at the same step: nothing is launched twice, and nothing is killed that was not
 * due. `npm run verify -- crash-matrix` does the same to larger services, on real stores too.
 */
import { beforeAll, expect, test } from 'vitest'
import type { LifeOptions } from '../support/crash-life.js'
import { commitFaults, findReferences, listPoints, type Faults, type References } from '../support/crash-points.js'
import { buildRows, type Row } from '../support/crash-rows.js'
import { groupPoints, tryPoints, type Outcome } from '../support/crash-trial.js'
import { databaseSpec } from '../support/specs.js'

const timeout = 600_000
/** A run that comes to no end takes long; so many say enough. */
const mostWrong = 5

const service: LifeOptions = { first: databaseSpec(), second: databaseSpec({ version: '2' }), agents: 4 }
const nothing: Faults = { commits: [], decisions: false, calls: () => [] }

let references: References
const rows: Row[] = []

beforeAll(async () => {
  references = await findReferences(service)
}, timeout)

async function tryAll(faults: Partial<Faults>): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  const points = listPoints(references, { ...nothing, ...faults })
  for (const group of groupPoints(points)) {
    outcomes.push(...(await tryPoints(service, references, group)))
    if (outcomes.filter(({ wrong }) => wrong !== undefined).length >= mostWrong) break
  }
  rows.push(...buildRows('memory', 'three pods', outcomes))
  expect(outcomes.filter(({ wrong }) => wrong !== undefined)).toEqual([])
  expect(outcomes).toHaveLength(points.length)
  return outcomes
}

test.for(commitFaults)('%s at every commit', { timeout }, async (fault) => {
  const outcomes = await tryAll({ commits: [fault] })
  expect(outcomes).toHaveLength(references.deploy.commits + references.updates[0].commits)
})

test('a crash after each decision of a commit that holds several', { timeout }, async () => {
  expect((await tryAll({ decisions: true })).length).toBeGreaterThan(0)
})

test.for(['crash', 'crashAfter'] as const)('%s at every call', { timeout }, async (fault) => {
  const outcomes = await tryAll({ calls: () => [fault] })
  expect(outcomes).toHaveLength(references.deploy.calls.length + references.updates[0].calls.length)
})

test.for(['loseCall', 'loseAnswer', 'late'] as const)('%s of every ACCEPT and KILL', { timeout }, async (fault) => {
  const outcomes = await tryAll({ calls: (type) => (type === 'accept' || type === 'kill' ? [fault] : []) })
  expect(outcomes.length).toBeGreaterThan(0)
})

test('the counts', () => {
  console.table(rows)
  expect(rows.length).toBeGreaterThan(0)
})
