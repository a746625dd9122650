/**
 * The core is a function of its inputs. A deployment, a failure and an update are run on a virtual cluster; every step of the
 * scheduler, of the master, of agents and executors is recorded, and done again in a realm without clock, chance, timers or
 * I/O (`pure-realm.ts`). What lint forbids by name (`purity-rules.test.ts`) is proved here by running, packages included.
 */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type * as AgentModule from '../../src/mesos-model/agent.js'
import type * as ExecutorModule from '../../src/mesos-model/executor.js'
import type * as MasterModule from '../../src/mesos-model/master.js'
import type * as StepModule from '../../src/scheduler/step.js'
import { serviceStatus } from '../../src/scheduler/report.js'
import type { StepResult } from '../../src/scheduler/draft.js'
import { parseRecords } from '../../src/scheduler/stored-records.js'
import { createMemoryStore } from '../../src/store/memory-store.js'
import { createCountingIds } from '../../src/testing/seeded-ids.js'
import { buildVirtualAgents, createVirtualCluster } from '../../src/testing/virtual/cluster.js'
import { createVirtualScheduler, directStore } from '../../src/testing/virtual/scheduler.js'
import { behaveAsSpecified } from '../../src/testing/virtual/tasks.js'
import { tieredSpec } from '../support/specs.js'
import { createBundler, openRealm, type Bundler, type PureRealm, type Rewrite, type Use } from './pure-realm.js'

const coreFiles = [
  ...['step', 'stored-records', 'report'].map((file) => `src/scheduler/${file}.ts`),
  ...['master', 'agent', 'executor'].map((file) => `src/mesos-model/${file}.ts`),
]

/** Where faults are put: at the top of the core, and far below. */
const [aboveFile, belowFile] = ['src/scheduler/step.ts', 'src/units.ts']

type StepName = 'step' | 'stepMaster' | 'stepAgent' | 'stepExecutor'

/** One step as it happened outside. */
interface Recorded {
  readonly name: StepName
  readonly state: unknown
  readonly input: unknown
  readonly env: { readonly atMs?: number }
  readonly rest: readonly unknown[]
  /** Ids that it drew, in order. */
  readonly ids: readonly string[]
  readonly result: unknown
}

interface AnyEnv {
  readonly atMs?: number
  readonly ids?: { uuid(kind: string): string }
  readonly uuid?: () => string
}

/** Everything steps with the same order of arguments: state, input, env. */
const { course, recording } = vi.hoisted(() => {
  const course: Recorded[] = []
  const recording = <Step>(name: StepName, original: Step): Step => {
    const steps = (state: unknown, input: unknown, env: AnyEnv, ...rest: unknown[]): unknown => {
      const ids: string[] = []
      const draw = (id: string): string => {
        ids.push(id)
        return id
      }
      const watched = {
        ...env,
        uuid: () => draw(env.uuid?.() ?? ''),
        ids: { uuid: (kind: string) => draw(env.ids?.uuid(kind) ?? '') },
      }
      const result = (original as (...args: unknown[]) => unknown)(state, input, watched, ...rest)
      course.push({ name, state, input, env: env.atMs === undefined ? {} : { atMs: env.atMs }, rest, ids, result })
      return result
    }
    return steps as Step
  }
  return { course, recording }
})

vi.mock('../../src/scheduler/step.js', async (importOriginal) => {
  const original = await importOriginal<typeof StepModule>()
  return { ...original, step: recording('step', original.step) }
})
vi.mock('../../src/mesos-model/master.js', async (importOriginal) => {
  const original = await importOriginal<typeof MasterModule>()
  return { ...original, stepMaster: recording('stepMaster', original.stepMaster) }
})
vi.mock('../../src/mesos-model/agent.js', async (importOriginal) => {
  const original = await importOriginal<typeof AgentModule>()
  return { ...original, stepAgent: recording('stepAgent', original.stepAgent) }
})
vi.mock('../../src/mesos-model/executor.js', async (importOriginal) => {
  const original = await importOriginal<typeof ExecutorModule>()
  return { ...original, stepExecutor: recording('stepExecutor', original.stepExecutor) }
})

/** A deployment, a task that fails, an update. */
async function runCourse(): Promise<void> {
  const [first, second] = [tieredSpec('1'), tieredSpec('2')]
  const cluster = createVirtualCluster({ agents: buildVirtualAgents(3), behave: behaveAsSpecified(first) })
  const store = createMemoryStore()
  const open = () => Promise.resolve({ open: true, reason: 'open' })
  const hooks = {
    healthy: open,
    joined: open,
    leaderLast: (context: { candidates?: readonly string[] }) => Promise.resolve(context.candidates ?? []),
  }
  const scheduler = createVirtualScheduler({
    cluster,
    storeOf: directStore(store, () => cluster.nowMs),
    ids: createCountingIds(),
    hooksOf: () => hooks,
  })
  await scheduler.start(first)
  await cluster.advance(60_000)
  cluster.endTask('store-1-server', { code: 1 })
  await cluster.advance(30_000)
  await scheduler.stop()
  await scheduler.start(second)
  await cluster.advance(60_000)
  await scheduler.stop()
  expect(scheduler.failures).toEqual([])
}

/**
 * What packages reach for, and nothing else. zod looks whether it runs on Cloudflare, where no code can be made from text; it
 * finds no `navigator` and makes code. xstate binds `console.log` for its actors, of which none ever runs: calling it throws.
 * The hash of a spec is made of bytes, and JavaScript itself cannot make them from text; the answer is the same everywhere.
 */
const allowed = [
  { when: 'loading', what: 'navigator', file: /^node_modules\/zod\/v4\/core\/util\.js$/ },
  { when: 'loading', what: 'console', file: /^node_modules\/xstate\/dist\/raise-\w+\.esm\.js$/ },
  { when: 'running', what: 'TextEncoder', file: /^node_modules\/@noble\/hashes\/utils\.js$/ },
]
const namesAllowed = (when: string): string[] => allowed.filter((each) => each.when === when).map(({ what }) => what)

const namesOf = (uses: readonly Use[]): string[] => [...new Set(uses.map(({ what }) => what))]

function openCore(script: string): PureRealm {
  let when = 'loading'
  const realm = openRealm(script, (use) =>
    allowed.some((each) => each.when === when && each.what === use.what && each.file.test(use.file)),
  )
  when = 'running'
  return realm
}

/** Does a recorded step again; answers what is different, if anything is. */
function repeat(realm: PureRealm, recorded: Recorded): string | undefined {
  const left = [...recorded.ids]
  const uuid = (): string => left.shift() ?? 'one id too many'
  const env = { ...recorded.env, uuid, ids: { uuid } }
  const [state, input, ...rest] = [recorded.state, recorded.input, ...recorded.rest].map(realm.adopt)
  const result = realm.core[recorded.name]?.(state, input, env, ...rest)
  if (left.length > 0) return `${left.length} ids were not drawn`
  return realm.findDifference(recorded.result, result)
}

const stepsOf = (name: StepName): Recorded[] => course.filter((recorded) => recorded.name === name)

let bundler: Bundler
let script = ''
beforeAll(async () => {
  bundler = await createBundler(coreFiles, [aboveFile, belowFile])
  script = await bundler.bundle()
  await runCourse()
}, 30_000)
afterAll(() => bundler.close())

describe('the course', () => {
  test('has a deployment, a failure and an update in it', () => {
    const results = stepsOf('step').map(({ result }) => result as StepResult)
    const calls = results.flatMap((result) => result.calls.map(({ call }) => call.type))
    const last = results.at(-1)
    expect(new Set(calls)).toEqual(new Set(['accept', 'decline', 'kill', 'reconcileTasks', 'revive', 'suppress']))
    expect(results.flatMap((result) => result.jobs).length).toBeGreaterThan(5)
    expect(results.flatMap((result) => result.acks).length).toBeGreaterThan(30)
    const status = last === undefined ? undefined : serviceStatus(last.state)
    expect(status?.plans.map((plan) => `${plan.name} ${plan.status}`)).toContain('update COMPLETE')
    expect(status?.instances.flatMap((instance) => instance.tasks).some((task) => task.failures > 0)).toBe(true)
  })
})

describe('the core in a realm of its own', () => {
  test('reaches for nothing when it is loaded', () => {
    expect(namesOf(openCore(script).uses).sort()).toEqual(namesAllowed('loading').sort())
  })

  test.each<StepName>(['step', 'stepMaster', 'stepAgent', 'stepExecutor'])(
    '%s answers as it did outside, and reaches for nothing',
    (name) => {
      const realm = openCore(script)
      const before = realm.uses.length
      expect(stepsOf(name).length).toBeGreaterThan(20)
      for (const [index, recorded] of stepsOf(name).entries()) {
        const difference = repeat(realm, recorded)
        if (difference !== undefined) expect.fail(`${name} ${index}: ${difference}`)
      }
      expect(namesOf(realm.uses.slice(before))).toEqual(name === 'step' ? namesAllowed('running') : [])
    },
  )

  test('reports and reads stored records alike', () => {
    const realm = openCore(script)
    const stored = new Map<string, string>()
    for (const { result } of stepsOf('step')) {
      const { state, decisions } = result as StepResult
      for (const { key, value } of decisions.flat()) {
        if (value === null) stored.delete(key)
        else stored.set(key, value)
      }
      expect(realm.findDifference(serviceStatus(state), realm.core['serviceStatus']?.(realm.adopt(state)))).toBeUndefined()
    }
    expect(stored.size).toBeGreaterThan(10)
    expect(realm.findDifference(parseRecords(stored), realm.core['parseRecords']?.(realm.adopt(stored)))).toBeUndefined()
  })
})

/** The first step of the scheduler that says so fails. */
const failureOf = (realm: PureRealm): string => {
  try {
    for (const recorded of stepsOf('step')) {
      const difference = repeat(realm, recorded)
      if (difference !== undefined) return difference
    }
    return 'nothing was found'
  } catch (error) {
    return String(error)
  }
}

describe('an impure core is caught', () => {
  const inStep = (statement: string): Rewrite => ({
    file: aboveFile,
    change: (text) => text.replace(/(export function step\(.*\{\n)/, `$1  ${statement}\n`),
  })

  test.each([
    ['Date.now', 'Date.now()'],
    ['Math.random', 'Math.random()'],
    ['setTimeout', 'setTimeout(() => {}, 0)'],
    ['process', 'process.hrtime()'],
  ])('%s in a function', async (what, statement) => {
    const realm = openCore(await bundler.bundle(inStep(statement)))
    expect(failureOf(realm)).toContain(`${aboveFile} reaches for ${what}`)
  })

  test('also when it is loaded', async () => {
    const script = await bundler.bundle({ file: belowFile, change: (text) => `${text}\nDate.now()\n` })
    expect(() => openCore(script)).toThrow(`${belowFile} reaches for Date.now`)
  })

  test('also where it would hide the error', async () => {
    const realm = openCore(await bundler.bundle(inStep('try { Date.now() } catch {}')))
    failureOf(realm)
    expect(realm.uses).toContainEqual({ what: 'Date.now', file: aboveFile })
  })

  test('when it remembers something from one step to the next', async () => {
    const counting = 'const kept = step as unknown as { n?: number }; if ((kept.n = (kept.n ?? 0) + 1) === 20) events = []'
    const realm = openCore(await bundler.bundle(inStep(counting)))
    expect(failureOf(realm)).not.toBe('nothing was found')
  })

  test('when it changes its input', async () => {
    const realm = openCore(await bundler.bundle(inStep('(state.volatile as { nowMs: number }).nowMs += 1')))
    expect(failureOf(realm)).toContain('TypeError')
  })
})

describe('in the realm', () => {
  test.each([
    'new Date()',
    'new Date(0)',
    'Date()',
    'Date.now()',
    'Date.parse("")',
    'Date.UTC(2000)',
    'new (Date.prototype.constructor)()',
    'Reflect.construct(Date, [])',
    'Math.random()',
    'const { random } = Math',
    'setTimeout',
    'setInterval',
    'setImmediate',
    'queueMicrotask',
    'typeof process',
    'globalThis.process',
    'performance.now()',
    'crypto.randomUUID()',
    'fetch("x")',
    'require("fs")',
    'new Function("return Date.now()")()',
    'console.log()',
    'new Intl.DateTimeFormat()',
  ])('%s throws', (expression) => {
    expect(() => openRealm(`var core = {}; ${expression}`)).toThrow('reaches for')
  })

  test.each(['new Map([[1, 2]])', 'JSON.parse("[]")', 'Math.max(1, 2)', 'structure instanceof Date'])(
    '%s does not',
    (expression) => {
      expect(openRealm(`var core = {}, structure = {}; ${expression}`).uses).toEqual([])
    },
  )
})
