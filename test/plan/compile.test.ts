import { describe, expect, test } from 'vitest'
import { compilePlans, type StepOutline } from '../../src/plan/compile.js'
import { deployPhases, updatePhases } from '../../src/plan/phases.js'
import { renderOutline } from '../../src/plan/render-outline.js'
import { defineService } from '../../src/spec/parse.js'
import type { ServiceSpecInput } from '../../src/spec/schema.js'
import { tieredSpec } from '../support/specs.js'

const task = { command: 'exec ./run.sh', cpus: 0.1, memoryMb: 32 }
const db = { count: 3, tasks: { format: task, server: task, backup: task } }
const build = (rest: Partial<ServiceSpecInput> = {}) => defineService({ name: 'store', pods: { db }, ...rest })

type Steps = NonNullable<NonNullable<NonNullable<ServiceSpecInput['deploy']>['phases']>[number]['steps']>
const custom: Steps = [
  { instance: 0, tasks: [['format', 'backup'], ['server']] },
  { instance: 'default', tasks: [['format'], ['server']] },
]

const planOf = (rest: Partial<ServiceSpecInput>, name = 'deploy') => {
  const plan = compilePlans(build(rest)).find((each) => each.name === name)
  if (plan === undefined) throw new Error(`there is no plan ${name}`)
  return plan
}
const waits = (steps: readonly StepOutline[] = []) =>
  steps.map(({ name, after, operator }) =>
    [name, after === undefined ? '' : `< ${steps[after]?.name}`, operator ?? ''].join(' ').trim(),
  )
const stepsOf = (phase: object, name = 'deploy') =>
  waits(planOf({ [name]: { phases: [{ pod: 'db', ...phase }] } }, name).phases[0]?.steps)

describe('compiling plans', () => {
  test('left out, the deployment is one serial phase per pod type with one step per instance', () => {
    const spec = build({ pods: { db, web: { count: 1, tasks: { server: task } } } })
    const [deploy, update] = compilePlans(spec)
    expect(deploy?.strategy).toBe('serial')
    expect(deploy?.phases.map(({ name, pod, strategy }) => [name, pod, strategy])).toEqual([
      ['db', 'db', 'serial'],
      ['web', 'web', 'serial'],
    ])
    expect(waits(deploy?.phases[0]?.steps)).toEqual([
      'db-0:[format, server, backup]',
      'db-1:[format, server, backup] < db-0:[format, server, backup]',
      'db-2:[format, server, backup] < db-1:[format, server, backup]',
    ])
    expect(update?.phases).toEqual(deploy?.phases)
  })

  test.for<[string, object, readonly string[]]>([
    [
      'parallel instances wait for nobody',
      { strategy: 'parallel' },
      ['db-0:[format, server, backup]', 'db-1:[format, server, backup]', 'db-2:[format, server, backup]'],
    ],
    [
      'steps of a serial phase come instance by instance',
      { steps: custom },
      [
        'db-0:[format, backup]',
        'db-0:[server] < db-0:[format, backup]',
        'db-1:[format] < db-0:[server]',
        'db-1:[server] < db-1:[format]',
        'db-2:[format] < db-1:[server]',
        'db-2:[server] < db-2:[format]',
      ],
    ],
    [
      'steps of a parallel phase keep their order within an instance',
      { strategy: 'parallel', steps: custom },
      [
        'db-0:[format, backup]',
        'db-0:[server] < db-0:[format, backup]',
        'db-1:[format]',
        'db-1:[server] < db-1:[format]',
        'db-2:[format]',
        'db-2:[server] < db-2:[format]',
      ],
    ],
    [
      'an instance without tasks has no step',
      {
        steps: [
          { instance: 'default', tasks: [] },
          { instance: 1, tasks: [['backup']] },
        ],
      },
      ['db-1:[backup]'],
    ],
    [
      'a serial canary waits for an operator before the first instance and before each other',
      { strategy: 'serial-canary' },
      [
        'db-0:[format, server, backup]  first',
        'db-1:[format, server, backup] < db-0:[format, server, backup] rest',
        'db-2:[format, server, backup] < db-1:[format, server, backup] rest',
      ],
    ],
    [
      'a parallel canary is complete before all others start together',
      {
        strategy: 'parallel-canary',
        steps: [
          { instance: 0, tasks: [] },
          { instance: 'default', tasks: [['format'], ['server']] },
        ],
      },
      [
        'db-1:[format]  first',
        'db-1:[server] < db-1:[format]',
        'db-2:[format] < db-1:[server] rest',
        'db-2:[server] < db-2:[format]',
      ],
    ],
  ])('%s', ([, phase, expected]) => {
    expect(stepsOf(phase)).toEqual(expected)
  })

  test("an update without phases takes the deployment's, one instance at a time and behind its own gates", () => {
    const update = planOf(
      {
        deploy: {
          strategy: 'parallel',
          phases: [{ pod: 'db', strategy: 'parallel-canary', steps: custom, afterEach: ['joined'] }],
        },
        update: { order: 'leaderLast', beforeEach: ['quiet'], afterEach: ['inSync'] },
      },
      'update',
    )
    expect([update.strategy, update.order, update.gates.beforeEach.map(({ gate }) => gate)]).toEqual([
      'serial',
      'leaderLast',
      ['quiet'],
    ])
    const [phase] = update.phases
    expect([phase?.strategy, phase?.afterEach.map(({ gate }) => gate), phase?.steps.length]).toEqual([
      'serial-canary',
      ['inSync'],
      6,
    ])
  })

  test('an update with phases of its own runs them as they are, a one-way phase too', () => {
    const { phases } = planOf(
      {
        update: {
          strategy: 'parallel',
          afterEach: ['inSync'],
          phases: [{ pod: 'db', strategy: 'parallel', oneWay: true, afterEach: ['joined'] }],
        },
      },
      'update',
    )
    expect(phases).toMatchObject([{ strategy: 'parallel', oneWay: true, afterEach: [{ gate: 'joined' }, { gate: 'inSync' }] }])
  })

  test("the author's own plans follow in their order", () => {
    const phases = [{ pod: 'db', steps: [{ instance: 'default' as const, tasks: [['backup']] }] }]
    const plans = compilePlans(
      build({ plans: { save: { phases, parameters: { WHERE: { type: 'string' } } }, repair: { phases, strategy: 'parallel' } } }),
    )
    expect(plans.map(({ name, strategy, parameters }) => [name, strategy, Object.keys(parameters)])).toEqual([
      ['deploy', 'serial', []],
      ['update', 'serial', []],
      ['save', 'serial', ['WHERE']],
      ['repair', 'parallel', []],
    ])
  })

  test('the scheduler runs what the outline shows', () => {
    const spec = tieredSpec('1')
    const [deploy, update] = compilePlans(spec)
    for (const [outline, phases] of [
      [deploy, deployPhases(spec)],
      [update, updatePhases(spec)],
    ] as const)
      expect(phases).toEqual(
        outline?.phases.map(({ name, pod, strategy, afterEach, steps }) => ({
          name,
          pod,
          strategy,
          afterEach,
          instances: steps.map(({ instance }) => instance),
        })),
      )
  })

  test('a phase of many instances is shown by its first and its last', () => {
    const spec = defineService({
      name: 'fleet',
      pods: { node: { count: 10_000, tasks: { format: task, server: task } }, one: { count: 1, tasks: { server: task } } },
      deploy: {
        preFlight: ['healthy'],
        phases: [
          { pod: 'node', strategy: 'parallel-canary', afterEach: ['joined'] },
          { name: 'last', pod: 'one', oneWay: true },
        ],
      },
      plans: {
        check: {
          parameters: { LEVEL: { type: 'number', default: 1 } },
          phases: [
            {
              pod: 'node',
              steps: [
                { instance: 3, tasks: [['server']] },
                { instance: 'default', tasks: [['format'], ['server']] },
              ],
            },
            { pod: 'one', steps: [{ instance: 'default', tasks: [] }] },
          ],
        },
      },
    })
    expect(renderOutline(compilePlans(spec))).toMatchInlineSnapshot(`
      "deploy  serial  pre-flight: healthy
        node  parallel-canary  after each: joined
          node-0:[format, server]  waits for an operator
          node-1:[format, server] ... node-9999:[format, server]  waits for an operator, who has seen the first instance
        last  serial  pod: one  one-way
          one-0:[server]
      update  serial
        node  serial-canary
          node-0:[format, server]  waits for an operator
          node-1:[format, server] ... node-9999:[format, server]  waits for an operator, who has seen the first instance
        last  serial  pod: one  one-way
          one-0:[server]
      check  serial  parameters: LEVEL
        node  serial
          node-0:[format]
          node-0:[server]
          node-1:[format]
          node-1:[server]
          node-2:[format]
          node-2:[server]
          node-3:[server]
          node-4:[format] ... node-9999:[format]
          node-4:[server] ... node-9999:[server]
        one  serial  no steps"
    `)
  })
})
