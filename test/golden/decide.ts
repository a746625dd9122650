/** What a scheduler of this version decides on a stored state: what must not change with a version of the SDK. */
import { frameworkId, offerId, streamId, type AgentId } from '../../src/ids.js'
import type { Footprint } from '../../src/offer-evaluator/footprint-record.js'
import { usableResource } from '../../src/offer-evaluator/reserve.js'
import type { Offer, Resource } from '../../src/offer-evaluator/resources.js'
import type { RunRecord } from '../../src/plan/run-record.js'
import { nameOf, tasksOf } from '../../src/scheduler/assess.js'
import type { Decision } from '../../src/scheduler/draft.js'
import type { Event } from '../../src/scheduler/events.js'
import { newState } from '../../src/scheduler/open-instances.js'
import type { Job, MesosCall } from '../../src/scheduler/output.js'
import type { InstanceRecord } from '../../src/scheduler/records/instance-record.js'
import type { State } from '../../src/scheduler/state.js'
import { step } from '../../src/scheduler/step.js'
import { parseRecords } from '../../src/scheduler/stored-records.js'
import { principalOf, roleOf } from '../../src/spec/check-update.js'
import { mayBeAlive, type TaskRecord } from '../../src/state-machine/task-record.js'
import { createCountingIds } from '../../src/testing/seeded-ids.js'

export type Stored = Readonly<Record<string, string>>

/** One line for each thing decided, step by step. */
export type Decided = readonly (readonly string[])[]

/** A file of golden stores: record texts, and stores that name them by their place. */
export interface Golden {
  readonly texts: readonly string[]
  readonly stores: readonly GoldenStore[]
}

export interface GoldenStore {
  readonly stored: Readonly<Record<string, number>>
  readonly decided: Decided
}

const minuteMs = 60_000

/** A start and what follows: the master tells what it knows, agents offer, gates open, a task fails, time passes. */
export function decideOn(stored: Stored): Decided {
  const records = parseRecords(new Map(Object.entries(stored)))
  const { service } = records
  const target = service === undefined ? undefined : records.targets.get(service.targetId)
  if (service === undefined || target === undefined) throw new Error('a golden store holds a service')
  const env = { ids: createCountingIds() }
  let state: State = newState(records)
  let jobs: readonly Job[] = []
  let atMs = Math.max(0, ...[...records.tasks.values()].map(({ context }) => context.launch?.atMs ?? 0))
  const decided: string[][] = []
  const hear = (...events: Event[]): void => {
    const result = step(state, events, env)
    state = result.state
    jobs = [...jobs, ...result.jobs]
    decided.push([
      ...result.decisions.map(describeDecision),
      ...result.calls.map(({ call }) => describeCall(call)),
      ...result.jobs.map(describeJob),
    ])
  }
  const settle = (): void => {
    hear({ type: 'ticked', atMs: (atMs += minuteMs) })
    hear(...answers(jobs, atMs))
    jobs = []
    hear({ type: 'offersReceived', offers: offersOf(state, atMs), atMs })
  }
  hear({ type: 'targetSubmitted', spec: target.spec, atMs })
  const id = service.frameworkId ?? frameworkId('framework-1')
  hear({ type: 'subscribed', streamId: streamId('stream-1'), frameworkId: id, atMs })
  hear(...tasksTold(state, atMs))
  hear(...operationsTold(state, atMs))
  settle()
  hear(...firstFailure(state, atMs))
  settle()
  settle()
  return decided
}

function tasksTold({ records }: State, atMs: number): Event[] {
  return [...records.tasks.values()].flatMap((record): Event[] => {
    const { launch, lastState } = record.context
    if (launch === undefined || !mayBeAlive(record)) return []
    const known = lastState === 'STARTING' || lastState === 'RUNNING' ? lastState : 'GONE'
    const status = {
      taskId: launch.taskId,
      agentId: launch.agentId,
      state: known,
      source: 'MASTER',
      reason: 'RECONCILIATION',
    } as const
    return [{ type: 'taskStatusReceived', status, atMs }]
  })
}

const operationsTold = ({ records }: State, atMs: number): Event[] =>
  [...records.instances.values()].flatMap(({ footprint }) =>
    (footprint?.operations ?? []).map((operation): Event => {
      const status = { operationId: operation.id, state: 'FINISHED', uuid: `uuid-${operation.id}` } as const
      return { type: 'operationStatusReceived', status, atMs }
    }),
  )

function firstFailure({ records }: State, atMs: number): Event[] {
  const running = [...records.tasks.values()].find(({ value }) => value === 'running')?.context.launch
  if (running === undefined) return []
  const status = {
    taskId: running.taskId,
    agentId: running.agentId,
    state: 'FAILED',
    source: 'EXECUTOR',
    uuid: 'uuid-failed',
  } as const
  return [{ type: 'taskStatusReceived', status, atMs }]
}

const answers = (jobs: readonly Job[], atMs: number): Event[] =>
  jobs.map(({ runId, attempt, input }): Event => {
    const { candidates } = input as { candidates?: readonly string[] }
    return {
      type: 'jobFinished',
      runId,
      attempt,
      outcome: { ok: true, value: candidates ?? { open: true, reason: 'open' } },
      atMs,
    }
  })

/** Of every agent with a footprint: what is reserved there for instances of which nothing runs, and plenty besides. */
function offersOf({ records }: State, atMs: number): Offer[] {
  const byAgent = new Map<AgentId, { footprint: Footprint; resources: Resource[] }>()
  for (const instance of records.instances.values()) {
    const { footprint } = instance
    const target = records.targets.get(instance.targetId)
    if (footprint === undefined || target === undefined) continue
    const { spec } = target
    const owner = {
      role: roleOf(spec),
      principal: principalOf(spec),
      service: spec.name,
      instance: nameOf(instance),
      generation: instance.generation,
    }
    const isIdle = tasksOf(records, instance).every(({ record }) => !mayBeAlive(record))
    const known = byAgent.get(footprint.agentId) ?? { footprint, resources: [] }
    if (isIdle) known.resources.push(...footprint.entries.map((entry) => usableResource(entry, owner)))
    byAgent.set(footprint.agentId, known)
  }
  const scalar = (name: string, amount: number): Resource => ({ kind: 'scalar', name, amount, reservations: [] })
  return [...byAgent].map(([agentId, { footprint, resources }]) => ({
    id: offerId(`offer-${agentId}-${atMs}`),
    agentId,
    hostname: footprint.hostname,
    address: footprint.address,
    role: resources[0]?.reservations.at(-1)?.role ?? 'role',
    attributes: [],
    executorIds: [],
    resources: [
      ...resources,
      scalar('cpus', 8_000),
      scalar('mem', 8_000_000),
      scalar('disk', 80_000_000),
      { kind: 'ranges', name: 'ports', ranges: [{ begin: 40_000, end: 41_000 }], reservations: [] },
    ],
  }))
}

const describeJob = ({ hook, attempt, input }: Job): string =>
  `job ${hook} ${attempt} ${(input as { instance?: string }).instance ?? ''}`.trimEnd()

const describeDecision = (decision: Decision): string =>
  `store ${decision.map(({ key, value }) => `${key} ${value === null ? 'deleted' : essence(key, value)}`.trimEnd()).join(', ')}`

/** The fields that decisions rest on; not times, not words for people. */
function essence(key: string, text: string): string {
  if (key.startsWith('tasks/')) {
    const { value, context } = JSON.parse(text) as TaskRecord
    const kill = context.killAtMs === undefined ? '' : ' to be killed'
    return `${value} ${context.launch?.taskId ?? ''} ${context.outcome ?? ''}${kill}`.trimEnd()
  }
  if (key.startsWith('instances/')) {
    const { owner, generation, deployed, footprint } = JSON.parse(text) as InstanceRecord
    const states = footprint?.entries.map(({ state }) => state[0]).join('') ?? ''
    return `${owner} ${generation} ${deployed ? 'deployed' : 'not deployed'} ${states}`.trimEnd()
  }
  if (key.startsWith('plans/')) return (JSON.parse(text) as RunRecord).completedAtMs === undefined ? 'open' : 'complete'
  return ''
}

function describeCall(call: MesosCall): string {
  switch (call.type) {
    case 'accept':
      return `accept ${call.agentId}: ${call.operations.map(({ type }) => type).join(' ')}`
    case 'kill':
      return `kill ${call.taskId}`
    case 'reconcileTasks':
      return `reconcileTasks ${call.tasks.map(({ taskId }) => taskId).join(' ')}`.trimEnd()
    case 'reconcileOperations':
      return `reconcileOperations ${call.operations.map(({ operationId }) => operationId).join(' ')}`
    default:
      return call.type
  }
}
