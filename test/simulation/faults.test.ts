/** Faults as a run tells of them: what hit nothing has not happened, and the end of one is not the end of another. */
import { describe, expect, test } from 'vitest'
import { simulate, type Fault, type FaultKind, type SimulateOptions } from '../../src/testing.js'
import { createFaultControl } from '../../src/testing/simulation/apply-faults.js'
import type { VirtualCluster } from '../../src/testing/virtual/cluster.js'
import { createVirtualClock } from '../../src/testing/virtual/clock.js'
import { databaseSpec } from '../support/specs.js'

const minute = 60_000
const spec = databaseSpec({ update: { afterEach: ['joined'] } })
const atRest = { atMs: 2 * minute, forMs: minute }

/** A deployment, with faults, and what is known of it. */
async function run(faults: readonly Fault[], options: Partial<SimulateOptions> = {}) {
  const { violations, coverage, log } = await simulate(spec, { seed: 1, faults, keepLog: true, ...options })
  expect(violations).toEqual([])
  const told = log.flatMap((entry) => (entry.type === 'fault' ? [entry.text] : []))
  const sessions = log.flatMap((entry) =>
    entry.type === 'sessionOpened'
      ? [`${entry.scheduler} opened`]
      : entry.type === 'sessionEnded'
        ? [`${entry.scheduler} ${entry.end}`]
        : [],
  )
  return { happened: coverage.faults, told, sessions, log }
}

test.for<Fault>([
  { kind: 'commitFails', atMs: 2 * minute, how: 'lostAfter' },
  { kind: 'messageToMasterTwice', atMs: 2 * minute, agent: 'agent-1' },
  { kind: 'taskNeverReady', ...atRest, task: 'db-0-server' },
  { kind: 'taskFailsAtStart', ...atRest, task: 'db-0-server' },
  { kind: 'taskIgnoresTerm', ...atRest, task: 'db-0-server' },
  { kind: 'hooksHang', ...atRest },
  { kind: 'gatesShut', ...atRest },
  { kind: 'planPaused', ...atRest, plan: 'deploy' },
  { kind: 'podRestarted', atMs: 1, pod: 'db-0' },
  { kind: 'sessionExpired', atMs: 0, told: true },
])('what finds nothing to hit has not happened: $kind', async (fault) => {
  expect(await run([fault])).toMatchObject({ happened: {}, told: [] })
})

const fromTheStart = { atMs: 0, forMs: minute }
const updates = [{ atMs: 40_000, spec: databaseSpec({ version: '2', update: { afterEach: ['joined'] } }) }]

test.for<Fault>([
  { kind: 'commitFails', atMs: 0, how: 'unknownAfter' },
  { kind: 'messageToMasterTwice', atMs: 0, agent: 'agent-1' },
  { kind: 'taskNeverReady', ...fromTheStart, task: 'db-0-server' },
  { kind: 'taskFailsAtStart', ...fromTheStart, task: 'db-0-server' },
  { kind: 'taskIgnoresTerm', ...fromTheStart, task: 'db-0-server' },
  { kind: 'gatesShut', ...atRest, atMs: 40_000 },
  { kind: 'planPaused', ...fromTheStart, plan: 'deploy' },
  { kind: 'podRestarted', atMs: minute, pod: 'db-0' },
  { kind: 'sessionExpired', atMs: 10_000, told: false },
  { kind: 'schedulerCutFromStore', ...fromTheStart, place: 'a' },
])('what hits something has happened, once: $kind', async (fault) => {
  const { happened, told } = await run([fault], { updates })
  expect(happened).toEqual({ [fault.kind]: 1 } satisfies Partial<Record<FaultKind, number>>)
  expect(told).toHaveLength('forMs' in fault ? 2 : 1)
})

test('faults of hooks hit hooks of the user too', async () => {
  const hooks = () => ({ joined: () => Promise.resolve({ open: true, reason: 'always' }) })
  const fault: Fault = { kind: 'hooksAnswerNonsense', ...atRest, atMs: 40_000 }
  expect(await run([fault], { updates, hooks })).toMatchObject({ happened: { hooksAnswerNonsense: 1 } })
})

describe('a scheduler that is cut off from the store', () => {
  const cut = (place: 'a' | 'b', forMs: number): Fault => ({ kind: 'schedulerCutFromStore', atMs: minute, forMs, place })

  // Of this seed's two, b leads first.
  test('keeps its session through a short cut', async () => {
    expect((await run([cut('b', 5_000)], { rival: true })).sessions).toEqual(['b1 opened'])
  })

  test('has lost it after a long one: its rival leads, and it lives on behind that', async () => {
    const { sessions, log } = await run([cut('b', 2 * minute)], { rival: true })
    expect(sessions).toEqual(['b1 opened', 'b1 lost', 'a1 opened'])
    expect(log.filter(({ type }) => type === 'schedulerEnded')).toEqual([])
  })

  test('without a rival, leads again when it is back', async () => {
    expect((await run([cut('a', 2 * minute)])).sessions).toEqual(['a1 opened', 'a1 lost', 'a1 opened'])
  })
})

test('where slow links overlap the slowest counts, and the end of one leaves the other', () => {
  const clock = createVirtualClock(0, 1)
  const delays: [number, string, number][] = []
  const cluster = {
    after: (ms: number, act: () => void) => clock.after(ms, act),
    write: () => undefined,
    slowAgent: (agent: string, extraMs: number) => delays.push([clock.nowMs, agent, extraMs]) > 0,
  }
  const control = createFaultControl({
    cluster: cluster as unknown as VirtualCluster,
    store: () => {
      throw new Error('there is no store here')
    },
    schedulerAt: () => undefined,
    startLater: () => undefined,
  })
  const slow = (atMs: number, forMs: number, agent: string, delayMs: number): void =>
    void clock.after(atMs, () => control.begin({ kind: 'agentSlow', atMs, forMs, agent, delayMs }))
  slow(0, 30, 'agent-1', 500)
  slow(10, 10, 'agent-1', 3_000)
  slow(15, 25, 'agent-1', 100)
  slow(5, 10, 'agent-2', 200)
  while (clock.doNext(Infinity));
  const of = (agent: string) => delays.flatMap(([atMs, slowed, extraMs]) => (slowed === agent ? [[atMs, extraMs]] : []))
  expect(of('agent-1')).toEqual([
    [0, 500],
    [10, 3_000],
    [15, 3_000],
    [20, 500],
    [30, 100],
    [40, 0],
  ])
  expect(of('agent-2')).toEqual([
    [5, 200],
    [15, 0],
  ])
})
