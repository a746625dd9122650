/** Stored records as writes, with defaults: a deployed database of three, each instance on its own machine. */
import { executorId, runId, type TargetConfigId } from '../../../../src/ids.js'
import type { RunRecord } from '../../../../src/plan/run-record.js'
import type { Write } from '../../../../src/ports/state-store.js'
import type { InstanceRecord } from '../../../../src/scheduler/records/instance-record.js'
import type { ServiceRecord } from '../../../../src/scheduler/records/service-record.js'
import { canonicalJson } from '../../../../src/spec/canonical.js'
import { specId } from '../../../../src/spec/identity.js'
import type { ServiceSpec } from '../../../../src/spec/schema.js'
import type { TaskContext, TaskLaunch, TaskRecord } from '../../../../src/state-machine/task-record.js'
import { databaseSpec } from '../../../support/specs.js'
import { agentOf, hostOf, volumeOfInstance } from './story.js'

/** All of a record, or parts of it, with plain texts for ids. */
type Loose<Value> = { readonly [Key in keyof Value]?: Value[Key] extends string | undefined ? string : Value[Key] }

export const spec1 = databaseSpec()
export const spec2 = databaseSpec({ version: '2' })

const write = (key: string, value: unknown): Write => ({ key, value: canonicalJson(value) })

/** The target as wanted, with its spec. */
export const wants = (spec: ServiceSpec = spec1): Write[] => {
  const targetId = specId(spec)
  const service: ServiceRecord = {
    v: 2,
    name: spec.name,
    user: spec.user,
    principal: `${spec.name}-principal`,
    targetId,
    values: {},
    firstCounts: {},
  }
  return [write(`targets/${targetId.replace(':', '-')}`, { v: 2, spec }), write('service/service', service)]
}

/** An instance with a footprint: deployed, in nobody's hands. */
export function instance(name: string, given: Loose<InstanceRecord> & { readonly spec?: ServiceSpec } = {}): Write {
  const { spec = spec1, ...changed } = given
  const record = {
    v: 2,
    pod: name.replace(/-\d+$/, ''),
    index: Number(name.replace(/^.*-/, '')),
    owner: 'none',
    targetId: specId(spec),
    generation: 1,
    initialisedGeneration: 0,
    launched: true,
    joined: true,
    deployed: true,
    footprint: footprint(name),
    executor: executor(name),
    ...changed,
  }
  return write(`instances/${name}`, record)
}

export const executor = (name: string, id = `${name}__executor`): NonNullable<InstanceRecord['executor']> => ({
  executorId: executorId(id),
  resources: [],
  labels: [],
})

type Footprint = NonNullable<InstanceRecord['footprint']>

export function footprint(name: string, given: Loose<Footprint> = {}): Footprint {
  const entry = {
    resourceId: `${name}.1.volume/data/disk`,
    part: 'volume/data',
    name: 'disk',
    amount: 1_024_000,
    volume: { persistenceId: volumeOfInstance(name), containerPath: 'data' },
    state: 'created',
  }
  const made = {
    agentId: agentOf(name),
    hostname: hostOf(name),
    address: '10.0.0.1',
    hash: '1:f',
    placedAtMs: 0,
    ports: {},
    entries: [entry],
    operations: [],
    ...given,
  }
  return made as unknown as Footprint
}

export const block = (
  plan: 'deploy' | 'update' | 'recovery',
  startedAtMs: number,
  endedAtMs?: number,
  id = `run of ${plan}`,
) => ({
  plan,
  runId: runId(id),
  startedAtMs,
  ...(endedAtMs === undefined ? {} : { endedAtMs }),
  gates: {},
})

interface TaskParts extends Loose<Omit<TaskContext, 'launch'>> {
  readonly value?: TaskRecord['value']
  readonly spec?: ServiceSpec
  readonly launch?: Loose<TaskLaunch>
}

/** A task by the id of its launch; running and ready. */
export function task(taskId: string, given: TaskParts = {}): Write {
  const name = taskId.split('__')[0] ?? taskId
  const { value = 'running', spec = spec1, launch: of = {}, ...context } = given
  const owner = name.replace(/-[^-]*$/, '')
  const launch = {
    taskId,
    agentId: agentOf(owner),
    executorId: `${owner}__executor`,
    targetId: specId(spec),
    taskHash: '1:t',
    podHash: '1:p',
    generation: 1,
    atMs: 0,
    ...of,
  }
  const isHeardOf = value !== 'launching' && value !== 'idle'
  const record = {
    v: 2,
    value,
    context: { launch, seen: isHeardOf, ready: value === 'running', ...context },
    backoff: { failures: 0, notBeforeMs: 0 },
  }
  return write(`tasks/${name}`, record)
}

export const run = (plan: RunRecord['plan'], given: Loose<RunRecord> = {}): Write =>
  write(`plans/${plan}`, {
    v: 2,
    plan,
    runId: `run of ${plan}`,
    targetId: specId(spec1),
    startedAtMs: 0,
    isCure: false,
    paused: false,
    questions: {},
    ...given,
  })

export const deleted = (key: string): Write => ({ key, value: null })
export const idOf = (spec: ServiceSpec): TargetConfigId => specId(spec)

/** A service of three that is deployed: each server runs and is ready, its initialisation is done. */
export const deployedService = (spec: ServiceSpec = spec1): Write[] => [
  ...wants(spec),
  run('deploy', { completedAtMs: 1, targetId: specId(spec) }),
  ...['db-0', 'db-1', 'db-2'].flatMap((name) => [
    instance(name, { spec, initialisedGeneration: 1, block: block('deploy', 0, 1) }),
    task(`${name}-format__1`, { spec, value: 'ended', outcome: 'finished' }),
    task(`${name}-server__1`, { spec }),
  ]),
]
