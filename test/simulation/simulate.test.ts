/** The simulation itself: one seed is one run, a broken promise is found, shrunk, told and done again. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { defineService } from '../../src/spec/parse.js'
import type { ServiceSpecInput } from '../../src/spec/schema.js'
import {
  allCheckers,
  faultKinds,
  parsePlan,
  renderDiary,
  replaySimulation,
  shrinkSimulation,
  simulate,
  type Behave,
  type CheckerDefinition,
  type FaultKind,
  type RunOptions,
} from '../../src/testing.js'
import { makePlan } from '../../src/testing/simulation/make-plan.js'
import { shrinkPlan } from '../../src/testing/simulation/shrink.js'
import { databaseSpec } from '../support/specs.js'
import { bundle } from './pool.js'
import { planOf, scenarios } from './scenarios.js'

const spec = databaseSpec()

let folder: string
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'simulation-'))))
afterAll(() => rmSync(folder, { recursive: true }))

test.for(Object.keys(scenarios))('two processes do the same run of %s, byte for byte', async (scenario) => {
  const program = await bundle('digest')
  const file = join(folder, `${scenario}.json`)
  writeFileSync(file, JSON.stringify(planOf(scenario, 12)))
  const [first, second] = [1, 2].map(() => execFileSync(process.execPath, [program, file], { encoding: 'utf8' }))
  expect(second).toBe(first)
  const found = JSON.parse(first ?? '') as { entries: number; violations: unknown[] }
  expect(found.violations).toEqual([])
  expect(found.entries).toBeGreaterThan(500)
})

test('another seed is another run', async () => {
  const [one, other] = await Promise.all([1, 2].map((seed) => simulate(spec, { seed, keepLog: true })))
  expect(one?.violations).toEqual([])
  expect(other?.violations).toEqual([])
  expect(one?.log.length).not.toBe(other?.log.length)
})

test('an install without faults, an update, and a disk that is gone for ever', async () => {
  const update = { atMs: 60_000, spec: databaseSpec({ version: '2' }) }
  const updated = await simulate(spec, { seed: 1, faults: 'none', updates: [update] })
  expect(updated.violations).toEqual([])
  expect(updated.status?.plans.map(({ name, status }) => `${name} ${status}`)).toEqual(['deploy COMPLETE', 'update COMPLETE'])
  expect(Object.keys(updated.install.running)).toEqual(['db-0-server', 'db-1-server', 'db-2-server'])

  const [agent] = updated.status?.instances.flatMap(({ name, hostname }) => (name === 'db-1' ? hostname : [])) ?? []
  const faults = [{ kind: 'diskLost', atMs: 60_000, forMs: 5_000, agent: agent ?? '' }] as const
  const lost = await simulate(spec, { seed: 1, faults })
  expect(lost.violations).toEqual([])
  const steps = lost.status?.plans.flatMap((plan) => plan.phases.flatMap((phase) => phase.steps)) ?? []
  expect(steps.find(({ name, status }) => name === 'db-1' && status !== 'COMPLETE')?.reason).toMatch(
    /until there is a permit to replace db-1, which gives up volume db-1-data-/,
  )
})

test('an update that adds instances and a pod type, and one that is refused and says why', async () => {
  const gates = { preFlight: ['healthy'], afterEach: ['joined'], postFlight: ['healthy'] }
  const larger = databaseSpec({ count: 4, update: gates })
  const { db } = larger.pods
  const wider = defineService({ ...larger, pods: { db, log: { ...db, count: 2 } } } as ServiceSpecInput)
  const updates = [
    { atMs: 60_000, spec: larger },
    { atMs: 120_000, spec: wider },
  ]
  const grown = await simulate(databaseSpec({ update: gates }), { seed: 1, faults: 'none', agents: 5, updates })
  expect(grown.violations).toEqual([])
  expect(Object.keys(grown.install.running)).toHaveLength(6)

  const smaller = { atMs: 60_000, spec: databaseSpec({ count: 2 }) }
  const { violations } = await simulate(spec, { seed: 1, faults: 'none', updates: [smaller] })
  expect(violations.map(({ checker }) => checker)).toEqual(['liveness'])
  expect(violations[0]?.text).toMatch(/the spec 1:\w+ was refused: pods\.db\.count: cannot shrink to 2 while db-2 has reserved/)
})

test('hooks of the user are those that each spec names, and the install without faults is made with them', async () => {
  const gated = databaseSpec({ version: '2', update: { afterEach: ['joined'] } })
  const updates = [{ atMs: 60_000, spec: gated }]
  const hook = () => Promise.resolve({ open: true, reason: 'always' })
  const run = (hooks: RunOptions['hooks']) => simulate(spec, { seed: 1, faults: 'none', updates, ...(hooks && { hooks }) })
  await expect(run(() => ({ joined: hook }))).rejects.toThrow('options.hooks has joined, and the spec never names it')
  await expect(run(() => ({}))).rejects.toThrow('the spec names joined, and options.hooks has no such function')
  const { violations } = await run((_clock, asked) => (asked.update.afterEach.length > 0 ? { joined: hook } : {}))
  expect(violations).toEqual([])
})

test('the install without faults has tasks that behave alike', async () => {
  const launches: string[] = []
  const behave: Behave = ({ name }) => {
    launches.push(name)
    return name.endsWith('format') ? { endsAfterMs: 10 } : { readyAfterMs: 20 }
  }
  const updates = [{ atMs: 60_000, spec: databaseSpec({ version: '2' }) }]
  expect((await simulate(spec, { seed: 1, faults: 'none', updates, behave })).violations).toEqual([])
  // Three instances are installed, updated, and installed once more.
  expect(launches.filter((name) => name.endsWith('server'))).toHaveLength(9)
})

describe('a broken promise', () => {
  /** Holds that no task ever fails, which is easily broken. */
  const noFailure: CheckerDefinition = {
    name: 'no-failure',
    watches: 'no process ends with an exit code other than 0',
    create: ({ report }) => ({
      onEntry(entry) {
        if (entry.type === 'processEnded' && entry.code === 9) report(`${entry.process.name} has ended with 9`)
      },
    }),
  }
  const plan = {
    ...makePlan(spec, { seed: 5, faults: ['cluster', 'store'], mostFaults: 8, rival: true }),
    updates: [{ atMs: 60_000, spec: databaseSpec({ version: '2' }) }],
  }
  plan.faults.push({ kind: 'taskFails', atMs: 100_000, task: 'db-1-server', exitCode: 9 })
  const checkers = [...allCheckers, noFailure]

  test('is found, and shrunk to the fault that breaks it', async () => {
    const { runPlan } = await import('../../src/testing/simulation/simulate.js')
    const failureOf = async (smaller: typeof plan) => (await runPlan(smaller, { checkers })).violations[0]?.checker
    expect(await failureOf(plan)).toBe('no-failure')
    const { plan: short, runs } = await shrinkPlan(plan, 'no-failure', { failureOf })
    expect(short.faults).toEqual([{ kind: 'taskFails', atMs: 100_000, task: 'db-1-server', exitCode: 9 }])
    expect(short).toMatchObject({ rival: false, updates: [], untilMs: 101_000 })
    expect(runs).toBeLessThan(40)
    const diary = renderDiary(await runPlan(short, { checkers, keepLog: true }))
    expect(diary).toContain('0:01:40.000  fault     the process of the task ends (task db-1-server, exitCode 9)')
    expect(diary).toContain('0:01:40.000  !!!       no-failure: db-1-server has ended with 9')
    expect(diary.split('\n').length).toBeLessThan(160)
  })

  test('is no broken promise to those who do not hold it, and the shortest of such runs is the run itself', async () => {
    const result = await replaySimulation(parsePlan(JSON.stringify(plan), 'the plan'))
    expect(result.violations).toEqual([])
    expect(result.log.length).toBeGreaterThan(500)
    expect((await shrinkSimulation({ ...plan, faults: plan.faults.slice(-1) }, 'at-most-one')).plan.faults).toHaveLength(1)
  })
})

test('a file that is no plan is refused with what is wrong', () => {
  expect(() => parsePlan('{', 'x.json')).toThrow(/x\.json is no JSON/)
  const wrong = { ...makePlan(spec, { seed: 1 }), faults: [{ kind: 'earthquake', atMs: 1 }], rival: 'yes' }
  expect(() => parsePlan(JSON.stringify(wrong), 'x.json')).toThrow(/x\.json is no plan of a simulation[^]*rival[^]*faults/)
})

test('what cannot be asked for is refused with what can', async () => {
  await expect(async () => simulate(spec, { seed: -1 })).rejects.toThrow('seed must be an integer from 0 to below 2^32 (got -1)')
  const storm = 'storm' as FaultKind
  await expect(async () => simulate(spec, { seed: 1, faults: [storm] })).rejects.toThrow(
    /there is no fault "storm"; groups are cluster, loss, calls, store/,
  )
})

test('every kind of fault can be chosen', () => {
  const chosen = new Set<string>()
  for (let seed = 0; seed < 400; seed++)
    for (const { kind } of makePlan(spec, { seed, faults: 'all', rival: true }).faults) chosen.add(kind)
  expect([...chosen].sort()).toEqual(Object.values(faultKinds).flat().sort())
})
