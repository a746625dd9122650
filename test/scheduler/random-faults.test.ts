/**
 * Faults without a plan, from a seed: tasks fail, schedulers die, sessions with the store are lost, calls and answers get lost,
 * gates are shut, a new spec comes before the old one is deployed. While they last nothing may go wrong; once they end
 * everything completes. A failure names its seed.
 */
import { expect, test } from 'vitest'
import type { Hook } from '../../src/runtime/hooks.js'
import { hookNames } from '../../src/scheduler/questions.js'
import { createMemoryStore, type StoreFault } from '../../src/store/memory-store.js'
import { createCountingIds } from '../../src/testing/seeded-ids.js'
import { buildVirtualAgents, createVirtualCluster } from '../../src/testing/virtual/cluster.js'
import type { CallFault } from '../../src/testing/virtual/driver.js'
import { createVirtualScheduler, directStore } from '../../src/testing/virtual/scheduler.js'
import { behaveAsSpecified } from '../../src/testing/virtual/tasks.js'
import {
  checkAcknowledgedIsStored,
  checkAtMostOne,
  checkFootprints,
  checkIntentStored,
  type Checker,
  type ReadRecord,
} from '../support/cluster-checkers.js'
import { databaseSpec, tieredSpec } from '../support/specs.js'

const seeds = process.env['STATEWARD_LONG'] === '1' ? 200 : 8
const minute = 60_000
/** Back-off grows to five minutes, and each instance may have to wait it out. */
const completionLimitMs = 60 * minute

/** Numbers from 0 to below 1; not the cluster's own, so that a fault more does not shift its delays. */
function seededChance(seed: number): () => number {
  let state = Math.imul(seed, 7_919) >>> 0
  return () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32
}

/** Each fault has the same small probability. */
const choose = <Fault>(chance: number, each: number, faults: readonly Fault[], none: Fault): Fault =>
  faults[Math.floor(chance / each)] ?? none

async function live(seed: number): Promise<{ problems: string[]; launches: number }> {
  const chance = seededChance(seed)
  const [first, second] = seed % 3 === 0 ? [tieredSpec('1'), tieredSpec('2')] : [databaseSpec(), databaseSpec({ version: '2' })]
  const problems: string[] = []
  const report = (problem: string): void => void problems.push(problem)
  const alive = new Set<string>()
  let launches = 0
  let areFaultsOn = true
  let spec = first

  const store = createMemoryStore({
    fault: ({ attempt }): StoreFault => {
      if (!areFaultsOn || attempt > 1) return 'none'
      const fault = choose<StoreFault>(
        chance(),
        0.01,
        ['stopBefore', 'stopAfter', 'lostBefore', 'lostAfter', 'unknownBefore', 'unknownAfter'],
        'none',
      )
      if (fault.startsWith('stop')) scheduler.crash()
      return fault
    },
  })
  const read: ReadRecord = (key) => JSON.parse(store.dump().get(key) ?? 'null') ?? undefined
  const checkers: Checker[] = [
    checkAtMostOne(report),
    checkIntentStored(read, report),
    checkAcknowledgedIsStored(read, report),
    checkFootprints((task) => task.endsWith('-format'), report),
  ]
  const cluster = createVirtualCluster({
    agents: buildVirtualAgents(4),
    behave: behaveAsSpecified(first),
    seed,
    onLog: (entry) => {
      for (const checker of checkers) checker.onLog?.(entry)
      if (entry.type === 'processStarted') alive.add(entry.process.name)
      if (entry.type === 'processEnded') alive.delete(entry.process.name)
      if (entry.type === 'processStarted') launches += 1
    },
  })
  const hook: Hook = ({ candidates }) =>
    Promise.resolve(candidates?.toReversed() ?? { open: !areFaultsOn || chance() < 0.7, reason: 'chance' })
  const scheduler = createVirtualScheduler({
    cluster,
    storeOf: directStore(store, () => cluster.nowMs),
    ids: createCountingIds(),
    hooksOf: () => Object.fromEntries(hookNames(first).map((name) => [name, hook])),
    faultOf: () => (areFaultsOn ? choose<CallFault>(chance(), 0.01, ['crash', 'loseCall', 'loseAnswer'], 'none') : 'none'),
  })

  const failTasks = (): void =>
    cluster.after(2_000 + chance() * 15_000, () => {
      if (!areFaultsOn) return
      const name = [...alive][Math.floor(chance() * alive.size)]
      if (name !== undefined) cluster.endTask(name, { code: 1 })
      failTasks()
    })
  /** Goes on with one scheduler after the other. */
  const run = async (until: () => boolean, limitMs: number): Promise<boolean> => {
    const endMs = cluster.nowMs + limitMs
    while (scheduler.failures.length === 0) {
      if (!scheduler.isRunning) await scheduler.start(spec)
      const isReached = await cluster.run(() => !scheduler.isRunning || until(), endMs - cluster.nowMs)
      if (scheduler.isRunning) return isReached
    }
    return false
  }
  let seenCommits = -1
  let isSettled = false
  const settled = (): boolean => {
    const status = store.commits === seenCommits ? undefined : scheduler.status()
    if (status !== undefined) {
      seenCommits = store.commits
      const { instances, plans } = status
      isSettled = instances.every((instance) => instance.ready) && plans.every((plan) => plan.status === 'COMPLETE')
    }
    return isSettled
  }

  failTasks()
  await run(() => false, minute + chance() * 2 * minute)
  await scheduler.stop()
  spec = second
  await run(() => false, minute + chance() * 3 * minute)
  areFaultsOn = false
  if (!(await run(settled, completionLimitMs))) report(`does not complete: ${JSON.stringify(scheduler.status()?.plans)}`)
  for (const error of scheduler.failures) report(String(error))
  await scheduler.stop()
  return { problems, launches }
}

test('whatever fails, nothing goes wrong, and everything completes when it ends', { timeout: 3_600_000 }, async () => {
  let launches = 0
  for (let seed = 1; seed <= seeds; seed++) {
    const result = await live(seed)
    expect({ seed, problems: result.problems }).toEqual({ seed, problems: [] })
    launches += result.launches
  }
  expect(launches).toBeGreaterThan(seeds * 10)
})
