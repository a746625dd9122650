/** Plans in files: what is not there, or not usable, is refused with what could have been said. */
import { expect, test } from 'vitest'
import { parsePlan, type Fault, type SimulationPlan } from '../../src/testing.js'
import { makePlan } from '../../src/testing/simulation/make-plan.js'
import { shrinkPlan } from '../../src/testing/simulation/shrink.js'
import { databaseSpec } from '../support/specs.js'

const plan = makePlan(databaseSpec(), { seed: 1, faults: 'none', agents: 3 })
const withFault = (fault: Fault, changes: Partial<SimulationPlan> = {}): string =>
  JSON.stringify({ ...plan, faults: [fault], ...changes })
const during = { atMs: 1_000, forMs: 1_000 }

test.for<[Fault, RegExp]>([
  [
    { kind: 'agentCutOff', ...during, agent: 'agent-4' },
    /no agent "agent-4" .*agent-1, agent-2, agent-3\)\s+→ at faults\[0\]\.agent/,
  ],
  [
    { kind: 'taskFails', atMs: 1, task: 'db-3-server', exitCode: 1 },
    /no task "db-3-server" .*db-0-format, db-0-server, db-1-format/,
  ],
  [{ kind: 'podRestarted', atMs: 1, pod: 'db' }, /no pod "db" .*db-0, db-1, db-2\)/],
  [
    { kind: 'schedulerCutOff', ...during, place: 'b' },
    /no place "b" .*\(there are: a, and a second scheduler only with rival: true\)/,
  ],
])('a fault of what the plan does not have is refused: %o', ([fault, problem]) => {
  expect(() => parsePlan(withFault(fault), 'x.json')).toThrow(/x\.json is no plan of a simulation/)
  expect(() => parsePlan(withFault(fault), 'x.json')).toThrow(problem)
})

test('what only a later spec has, or a rival, may be named', () => {
  const task = { kind: 'taskFails', atMs: 1, task: 'db-3-server', exitCode: 1 } as const
  const updates = [{ atMs: 1, spec: databaseSpec({ count: 4 }) }]
  expect(parsePlan(withFault(task, { updates }), 'x.json').faults).toEqual([task])
  const rival = { kind: 'schedulerStopped', ...during, place: 'b' } as const
  expect(parsePlan(withFault(rival, { rival: true }), 'x.json').faults).toEqual([rival])
})

test('specs in a plan are checked as those of users, with the same words', () => {
  const { db } = plan.spec.pods
  const wrong = {
    ...plan,
    spec: { ...plan.spec, pods: { 'db-0': db } },
    updates: [{ atMs: 1, spec: { name: 'store', pods: {} } }],
  }
  const refuse = (): unknown => parsePlan(JSON.stringify(wrong), 'x.json')
  expect(refuse).toThrow(/a pod name must have no part that is all digits; add a letter to it\s+→ at spec\.pods\["db-0"\]/)
  expect(refuse).toThrow(/a service needs at least one pod\s+→ at updates\[0\]\.spec\.pods/)
})

test('a shorter plan names nothing that it has lost', async () => {
  const failing: SimulationPlan = {
    ...plan,
    rival: true,
    updates: [{ atMs: 1, spec: databaseSpec({ count: 4 }) }],
    faults: [
      { kind: 'schedulerStopped', ...during, place: 'b' },
      { kind: 'taskFails', atMs: 1, task: 'db-3-server', exitCode: 1 },
      { kind: 'taskFails', atMs: 1, task: 'db-0-server', exitCode: 1 },
    ],
  }
  const tried: SimulationPlan[] = []
  const failureOf = (smaller: SimulationPlan): Promise<string | undefined> => {
    tried.push(smaller)
    return Promise.resolve(smaller.faults.length > 0 ? 'some' : undefined)
  }
  await shrinkPlan(failing, 'some', { failureOf })
  for (const smaller of tried) expect(parsePlan(JSON.stringify(smaller), 'a shorter plan')).toEqual(smaller)
})
