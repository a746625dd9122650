/** The courses that the simulation runs through, from a seed: which spec, what happens when, which faults may come. */
import { SdkError } from '../../src/errors.js'
import type { ServiceSpec } from '../../src/spec/schema.js'
import { makePlan, type SimulationOptions } from '../../src/testing/simulation/make-plan.js'
import type { SimulationPlan } from '../../src/testing/simulation/plan.js'
import { databaseSpec, tieredSpec } from '../support/specs.js'

interface Scenario {
  readonly description: string
  readonly plan: (seed: number) => SimulationPlan
}

const minute = 60_000
/** By then a deployment without faults is done. */
const deployedMs = 40_000

type Versions = readonly [ServiceSpec, ServiceSpec, ServiceSpec]

const update = {
  preFlight: ['healthy'],
  order: 'leaderLast',
  beforeEach: ['calm'],
  afterEach: ['joined'],
  postFlight: ['healthy'],
}
const databases = ['1', '2', '3'].map((version) => databaseSpec({ version, update })) as unknown as Versions
const tiers = ['1', '2', '3'].map(tieredSpec) as unknown as Versions

/** Most runs are of the small service: more seeds, fewer moving parts. */
const versionsOf = (seed: number): Versions => (seed % 4 === 0 ? tiers : databases)

function scenario(description: string, options: (seed: number, versions: Versions) => Omit<SimulationOptions, 'seed'>): Scenario {
  return {
    description,
    plan(seed) {
      const versions = versionsOf(seed)
      return makePlan(versions[0], { seed, ...options(seed, versions) })
    },
  }
}

const everyday = ['cluster', 'calls', 'store', 'schedulers', 'tasks', 'hooks', 'operators'] as const

export const scenarios: Readonly<Record<string, Scenario>> = {
  deploy: scenario('faults of every kind from the first moment of an install', () => ({
    faults: everyday,
    until: 4 * minute,
  })),
  update: scenario(
    'a rolling update, sometimes a second one on top of it, under faults of every kind',
    (seed, [, second, third]) => ({
      faults: everyday,
      faultsFromMs: 35_000,
      updates: [
        { atMs: deployedMs + (seed % 5) * 5_000, spec: second },
        ...(seed % 3 === 0 ? [{ atMs: deployedMs + 60_000 + (seed % 7) * 10_000, spec: third }] : []),
      ],
      until: 7 * minute,
    }),
  ),
  recovery: scenario('an installed service whose tasks, agents and machines fail', () => ({
    faults: ['cluster', 'tasks', 'calls', 'operators'],
    faultsFromMs: deployedMs,
    until: 7 * minute,
    mostFaults: 14,
  })),
  restart: scenario(
    'schedulers that crash, freeze, lose their store and take over from each other, half of them during an update',
    (seed, [, second]) => ({
      faults: ['schedulers', 'store', 'calls'],
      updates: seed % 2 === 0 ? [{ atMs: deployedMs, spec: second }] : [],
      rival: seed % 4 !== 1,
      until: 5 * minute,
      mostFaults: 14,
    }),
  ),
  loss: scenario('agents and disks that never come back, beside everything else', (seed, [, second]) => ({
    faults: ['loss', 'loss', 'cluster', 'tasks', 'schedulers', 'store'],
    faultsFromMs: 20_000,
    updates: seed % 3 === 0 ? [{ atMs: deployedMs, spec: second }] : [],
    until: 5 * minute,
  })),
}

/** @throws SdkError `ERR_INVALID_OPTION` for a name that is none. */
export function planOf(name: string, seed: number): SimulationPlan {
  const found = scenarios[name]
  if (found !== undefined) return found.plan(seed)
  throw new SdkError('ERR_INVALID_OPTION', `there is no scenario ${name}; there are: ${Object.keys(scenarios).join(', ')}`)
}
