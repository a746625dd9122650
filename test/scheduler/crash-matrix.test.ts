/**
 * A scheduler may die, or lose its store, at any write of a deployment and of a rolling update, and between a write and any of
 * the calls that follow. Each time the next one resumes at the same step: nothing is launched twice, and nothing is killed
 * that was not due.
 */
import { expect, test } from 'vitest'
import { runWithFault, type FaultPoint, type RunOptions, type RunResult } from '../support/crash-run.js'
import { databaseSpec } from '../support/specs.js'

/** `unknown`: the connection broke, the same bytes were sent again. `lost`: the session was over, another was opened. */
const storeFaults = ['stopBefore', 'stopAfter', 'unknownBefore', 'unknownAfter', 'lostBefore', 'lostAfter'] as const

const rows: { service: string; fault: string; runs: number; restarts: number; launches: number; kills: number }[] = []

const sum = (counts: Readonly<Record<string, number>>): number => Object.values(counts).reduce((a, b) => a + b, 0)

/** What a run with a fault must have in common with the run without. */
const essence = ({ problems, launches, kills, blocks }: RunResult) => ({
  problems,
  launches: Object.fromEntries(Object.entries(launches).sort()),
  kills,
  blocks: Object.fromEntries(Object.entries(blocks).sort()),
})

async function runAll(service: string, options: RunOptions, reference: RunResult, name: string, points: readonly FaultPoint[]) {
  const row = { service, fault: name, runs: 0, restarts: 0, launches: 0, kills: 0 }
  const wrong: unknown[] = []
  for (const fault of points) {
    const result = await runWithFault({ ...options, fault, kills: reference.kills })
    row.runs += 1
    row.restarts += result.restarts
    row.launches += sum(result.launches)
    row.kills += result.kills.length
    try {
      expect(essence(result)).toEqual(essence(reference))
    } catch {
      wrong.push({ fault, ...essence(result) })
    }
  }
  rows.push(row)
  expect(wrong).toEqual([])
  return row
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1)

function describeMatrix(service: string, options: RunOptions): void {
  let reference: RunResult

  test(`${service}: the run without a fault`, async () => {
    reference = await runWithFault(options)
    expect(reference.problems).toEqual([])
    rows.push({ service, fault: `none (${reference.commits} commits, ${reference.calls} calls)`, runs: 1, restarts: 0, launches: sum(reference.launches), kills: reference.kills.length })
  })

  test.for(storeFaults)(`${service}: %s at every commit`, { timeout: 600_000 }, async (fault) => {
    const points = numbers(reference.commits).map((number): FaultPoint => ({ at: 'commit', number, fault }))
    const row = await runAll(service, options, reference, fault, points)
    expect(row.restarts).toBe(fault.startsWith('stop') ? reference.commits : 0)
  })

  test(`${service}: a crash between the write and each call`, { timeout: 600_000 }, async () => {
    const points = numbers(reference.calls).map((number): FaultPoint => ({ at: 'call', number, fault: 'crash' }))
    const row = await runAll(service, options, reference, 'crash before a call', points)
    expect(row.restarts).toBe(reference.calls)
  })

  test.for(['loseCall', 'loseAnswer'] as const)(`${service}: %s of every ACCEPT`, { timeout: 600_000 }, async (fault) => {
    const points = reference.accepts.map((number): FaultPoint => ({ at: 'call', number, fault }))
    await runAll(service, options, reference, `${fault} of an ACCEPT`, points)
  })
}

describeMatrix('three pods', { first: databaseSpec(), second: databaseSpec({ version: '2' }), agents: 4 })

test('the counts', () => {
  console.table(rows)
  expect(rows.length).toBeGreaterThan(0)
})
