/**
 * A scheduler may die, or lose its store, at any write of a deployment and of a rolling update, and between a write and any of
 * the calls that follow. Each time the next one resumes at the same step: nothing is launched twice, and nothing is killed
 * that was not due.
 */
import { isDeepStrictEqual } from 'node:util'
import { beforeAll, expect, test } from 'vitest'
import { serversOf } from '../support/crash-demands.js'
import { runWithFault, type FaultPoint, type RunOptions, type RunResult } from '../support/crash-run.js'
import { databaseSpec, tieredSpec } from '../support/specs.js'

/** `unknown`: the connection broke, the same bytes were sent again. `lost`: the session was over, another was opened. */
const storeFaults = ['stopBefore', 'stopAfter', 'unknownBefore', 'unknownAfter', 'lostBefore', 'lostAfter'] as const

const timeout = 3_600_000
/** A run that comes to no end takes long; so many say enough. */
const mostWrong = 5

const sum = (counts: Iterable<number>): number => [...counts].reduce((a, b) => a + b, 0)

const rowOf = (service: string, fault: string, results: readonly RunResult[]) => ({
  service,
  fault,
  runs: results.length,
  crashes: sum(results.map((result) => result.crashes)),
  launches: sum(results.flatMap((result) => Object.values(result.launches))),
  kills: sum(results.map((result) => result.kills.length)),
})
const rows: ReturnType<typeof rowOf>[] = []

/** What a run with a fault must have in common with the run without. */
const essence = ({ problems, launches, kills, blocks, runs, volumes, install }: RunResult) => ({
  problems,
  launches,
  kills,
  blocks,
  runs,
  volumes,
  install,
})

/** What is wrong with a run, beside what was expected instead. */
function differencesOf(result: RunResult, reference: RunResult): Record<string, unknown> {
  const expected = { ...essence(reference), problems: [] }
  return Object.fromEntries(
    Object.entries(essence(result)).flatMap(([key, found]) => {
      const due = expected[key as keyof typeof expected]
      return isDeepStrictEqual(found, due) ? [] : [[key, { found, due }]]
    }),
  )
}

interface Subject extends RunOptions {
  readonly service: string
}

/** Runs without a fault: deployment alone, and with the update behind it. */
interface References {
  readonly deploy: RunResult
  readonly update: RunResult
}

async function runAll({ service, ...options }: Subject, references: References, name: string, points: readonly FaultPoint[]) {
  const results: RunResult[] = []
  const wrong: unknown[] = []
  for (const fault of points) {
    const { commits, calls } = references.update.deployed
    const onlyDeploy = fault.number <= (fault.at === 'call' ? calls : commits)
    const result = await runWithFault({ ...options, fault, onlyDeploy })
    const differences = differencesOf(result, onlyDeploy ? references.deploy : references.update)
    results.push(result)
    if (Object.keys(differences).length > 0) wrong.push({ fault, ...differences })
    if (wrong.length === mostWrong) break
  }
  expect(wrong).toEqual([])
  const row = rowOf(service, name, results)
  rows.push(row)
  return row
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1)

function describeMatrix(subject: Subject): void {
  const { service } = subject
  let references: References

  beforeAll(async () => {
    references = { deploy: await runWithFault({ ...subject, onlyDeploy: true }), update: await runWithFault(subject) }
  }, timeout)

  test(`${service}: a run without a fault`, () => {
    const { deploy, update } = references
    expect(deploy.problems).toEqual([])
    expect(update.problems).toEqual([])
    expect(update.kills.toSorted()).toEqual(serversOf(subject.second).sort())
    rows.push(rowOf(service, `none: ${update.commits} commits, ${update.calls} calls`, [update]))
  })

  test.for(storeFaults)(`${service}: %s at every commit`, { timeout }, async (fault) => {
    const { commits } = references.update
    const points = numbers(commits).map((number): FaultPoint => ({ at: 'commit', number, fault }))
    const row = await runAll(subject, references, `${fault} at a commit`, points)
    expect(row.crashes).toBe(fault.startsWith('stop') ? commits : 0)
  })

  test(`${service}: a crash after each decision of a commit that holds several`, { timeout }, async () => {
    const points = references.update.decisions.flatMap(({ commit, decisions }) =>
      decisions
        .slice(1)
        .map((_, index): FaultPoint => ({ at: 'decision', number: commit, landed: decisions.slice(0, index + 1) })),
    )
    const row = await runAll(subject, references, 'crash between decisions', points)
    expect(row.crashes).toBe(points.length)
  })

  test(`${service}: a crash between a write and each call that follows`, { timeout }, async () => {
    const { calls } = references.update
    const points = numbers(calls).map((number): FaultPoint => ({ at: 'call', number, fault: 'crash' }))
    const row = await runAll(subject, references, 'crash before a call', points)
    expect(row.crashes).toBe(calls)
  })

  test.for(['loseCall', 'loseAnswer', 'late'] as const)(`${service}: %s of every ACCEPT`, { timeout }, async (fault) => {
    const points = references.update.accepts.map((number): FaultPoint => ({ at: 'call', number, fault }))
    await runAll(subject, references, `${fault} of an ACCEPT`, points)
  })
}

describeMatrix({ service: 'three pods', first: databaseSpec(), second: databaseSpec({ version: '2' }), agents: 4 })
if (process.env['STATEWARD_LONG'] === '1') {
  describeMatrix({ service: 'six pods', first: tieredSpec('1'), second: tieredSpec('2'), agents: 4 })
  for (const seed of [2, 3, 4])
    describeMatrix({
      service: `three pods, seed ${seed}`,
      first: databaseSpec(),
      second: databaseSpec({ version: '2' }),
      agents: 3,
      seed,
    })
}

test('the counts', () => {
  console.table(rows)
  expect(rows.length).toBeGreaterThan(0)
})
