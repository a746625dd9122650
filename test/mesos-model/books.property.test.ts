/**
 * Whatever schedulers, operators, agents and failures do: an agent's resources are free, offered or used, each exactly once.
 * Random scripts over the books of a master and three agents in a virtual cluster.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { findBooksProblem } from '../../src/mesos-model/invariants.js'
import { equalResources, toResources } from '../../src/mesos-model/resources.js'
import type { Event, Offer } from '../../src/mesos/messages.js'
import { createRecordedCluster, type RecordedCluster } from '../transcripts/recorded-cluster.js'

const runs = process.env['STATEWARD_LONG'] === '1' ? 10_000 : 150
/** Until every agent that can is back. */
const SETTLE_MS = 30_000
const HEADERS = { 'content-type': 'application/json' }
const CAPABILITIES = ['MULTI_ROLE', 'PARTITION_AWARE', 'RESERVATION_REFINEMENT', 'TASK_KILLING_STATE', 'REGION_AWARE']

interface Script {
  readonly cluster: RecordedCluster
  streamId: string
  frameworkId: string
  /** Of the stream, not yet looked at. */
  events: Event[]
  offers: Map<string, Offer>
  tasks: string[]
  volumes: number
  requests: number
}

function post(script: Script, call: Record<string, unknown>): void {
  const streamId = `stream-${++script.requests}`
  const isSubscribe = call['type'] === 'SUBSCRIBE'
  const headers = isSubscribe ? HEADERS : { ...HEADERS, 'mesos-stream-id': script.streamId }
  const frameworkField = script.frameworkId === '' ? {} : { framework_id: { value: script.frameworkId } }
  const body = JSON.stringify({ ...frameworkField, ...call })
  const events: Event[] = []
  const response = script.cluster.request(
    { method: 'POST', path: '/api/v1/scheduler', headers, body, streamId },
    { onEvent: (event) => events.push(event), onEnd: () => undefined },
  )
  if (response?.streamId === undefined) return
  script.streamId = response.streamId
  script.events = events
  script.offers.clear()
}

function subscribe(script: Script): void {
  const idField = script.frameworkId === '' ? {} : { id: { value: script.frameworkId } }
  const info = {
    user: 'root',
    name: 'x',
    roles: ['web'],
    principal: 'p',
    checkpoint: true,
    failover_timeout: 600,
    capabilities: CAPABILITIES.map((type) => ({ type })),
    ...idField,
  }
  post(script, { type: 'SUBSCRIBE', subscribe: { framework_info: info } })
  handleEvents(script, true)
}

function handleEvents(script: Script, acknowledges: boolean): void {
  for (const event of script.events.splice(0)) {
    if (event.type === 'SUBSCRIBED') script.frameworkId = event.subscribed.framework_id.value
    if (event.type === 'OFFERS') for (const offer of event.offers.offers ?? []) script.offers.set(offer.id.value, offer)
    if (event.type === 'RESCIND') script.offers.delete(event.rescind.offer_id.value)
    if (event.type !== 'UPDATE' || !acknowledges) continue
    const { uuid, task_id: taskId, agent_id: agentId } = event.update.status
    if (uuid !== undefined) post(script, { type: 'ACKNOWLEDGE', acknowledge: { agent_id: agentId, task_id: taskId, uuid } })
  }
}

const RESERVATION = [{ type: 'DYNAMIC', role: 'web', principal: 'p' }]
const scalar = (name: string, value: number, isReserved: boolean): object => ({
  name,
  type: 'SCALAR',
  scalar: { value },
  ...(isReserved ? { reservations: RESERVATION } : {}),
})

function launch(script: Script, withVolume: boolean, sleepSeconds: number): void {
  const offer = [...script.offers.values()][0]
  if (offer === undefined) return
  script.offers.delete(offer.id.value)
  const number = script.tasks.length
  const taskId = `task-${number}`
  script.tasks.push(taskId)
  const volume = {
    ...scalar('disk', 10, true),
    disk: { persistence: { id: `v-${++script.volumes}`, principal: 'p' }, volume: { mode: 'RW', container_path: 'data' } },
  }
  const reserve = {
    type: 'RESERVE',
    id: { value: `r-${number}` },
    reserve: { resources: [scalar('cpus', 0.5, true), scalar('mem', 128, true), scalar('disk', 20, true)] },
  }
  const executor = {
    type: 'DEFAULT',
    executor_id: { value: `e-${number}` },
    framework_id: { value: script.frameworkId },
    resources: [scalar('cpus', 0.1, true), scalar('mem', 32, true), scalar('disk', 5, true)],
  }
  const task = {
    name: taskId,
    task_id: { value: taskId },
    agent_id: offer.agent_id,
    command: { value: `sleep ${sleepSeconds}` },
    resources: [scalar('cpus', 0.2, true), scalar('mem', 32, true), ...(withVolume ? [volume] : [])],
  }
  const group = { type: 'LAUNCH_GROUP', launch_group: { executor, task_group: { tasks: [task] } } }
  const operations = [reserve, ...(withVolume ? [{ type: 'CREATE', create: { volumes: [volume] } }] : []), group]
  post(script, { type: 'ACCEPT', accept: { offer_ids: [offer.id], operations, filters: { refuse_seconds: 0 } } })
}

const agentName = (index: number): string => `agent${index + 1}.local`

type Action = (script: Script) => void

type OfAgent = (cluster: RecordedCluster, agent: string) => unknown

const faults: readonly OfAgent[] = [
  (cluster, agent) => cluster.stopAgent(agent),
  (cluster, agent) => cluster.deafenAgent(agent),
  (cluster, agent) => cluster.cutAgent(agent),
  (cluster, agent) => cluster.slowAgent(agent, 3_000),
  (cluster, agent) => cluster.loseToAgent(agent),
  (cluster, agent) => cluster.loseToMaster(agent),
  (cluster, agent) => cluster.duplicateToMaster(agent),
  (cluster, agent) => cluster.machineDown(agent, false),
  (cluster, agent) => cluster.machineDown(agent, true),
  (cluster, agent) => cluster.forgetIdentity(agent),
  (cluster, agent) => cluster.wipeDisk(agent),
  (cluster, agent) => cluster.markGone(agent),
  (cluster, agent) => cluster.drainAgent(agent),
  (cluster) => cluster.stopMaster(),
  (cluster) => cluster.rescindOffers(),
]
const ends: readonly OfAgent[] = [
  (cluster, agent) => cluster.startAgent(agent),
  (cluster, agent) => cluster.healAgent(agent),
  (cluster, agent) => cluster.slowAgent(agent, 0),
  (cluster, agent) => cluster.machineUp(agent),
  (cluster, agent) => cluster.reactivateAgent(agent),
  (cluster) => cluster.startMaster(),
  (cluster, agent) => cluster.breakLink(agent),
  (cluster, agent) => cluster.stopAgent(agent) && cluster.startAgent(agent),
]
const inflict =
  (nth: number, agent: number): Action =>
  ({ cluster }) =>
    void faults[nth]?.(cluster, agentName(agent))
const end =
  (nth: number, agent: number): Action =>
  ({ cluster }) =>
    void ends[nth]?.(cluster, agentName(agent))

const index = fc.integer({ min: 0, max: 2 })
const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 20 })).map(
      ([withVolume, seconds]): Action =>
        (script) =>
          launch(script, withVolume, seconds),
    ),
  },
  {
    weight: 8,
    arbitrary: fc.integer({ min: 1, max: 12_000 }).map(
      (ms): Action =>
        (script) =>
          script.cluster.advanceTo(script.cluster.nowMs + ms),
    ),
  },
  {
    weight: 3,
    arbitrary: fc.nat(20).map((nth): Action => (script) => {
      const taskId = script.tasks[nth % Math.max(script.tasks.length, 1)]
      if (taskId !== undefined) post(script, { type: 'KILL', kill: { task_id: { value: taskId } } })
    }),
  },
  {
    weight: 2,
    arbitrary: fc.integer({ min: 0, max: 30 }).map((seconds): Action => (script) => {
      const ids = [...script.offers.keys()].map((value) => ({ value }))
      script.offers.clear()
      post(script, { type: 'DECLINE', decline: { offer_ids: ids, filters: { refuse_seconds: seconds } } })
    }),
  },
  { weight: 1, arbitrary: fc.constant<Action>((script) => post(script, { type: 'REVIVE' })) },
  { weight: 2, arbitrary: fc.constant<Action>((script) => subscribe(script)) },
  {
    weight: 1,
    arbitrary: fc.nat(20).map((nth): Action => (script) => {
      script.cluster.killExecutor(`e-${nth % Math.max(script.tasks.length, 1)}`)
    }),
  },
  { weight: 6, arbitrary: fc.tuple(fc.nat(faults.length - 1), index).map(([nth, one]): Action => inflict(nth, one)) },
  { weight: 8, arbitrary: fc.tuple(fc.nat(ends.length - 1), index).map(([nth, one]): Action => end(nth, one)) },
)

/** What the master has of an agent, once every message between them has arrived. */
function expectAgreement(cluster: RecordedCluster, agent: string): void {
  const { agents, frameworks } = cluster.masterBooks()
  const told = cluster.agentBooks(agent)
  const known = agents.get(told?.id ?? '')
  if (told === undefined || known?.link === undefined) return
  expect(equalResources(known.total, toResources(told.total))).toBe(true)
  const live = Object.values(told.executors).filter((each) => each.phase !== 'ended' && !each.isCommand)
  expect([...known.executors.keys()].sort()).toEqual(live.map((each) => each.key).sort())
  const tasks = [...frameworks.values()].flatMap((framework) => [...framework.tasks.values()])
  const ofAgent = tasks.filter((task) => task.agentId === known.id).map((task) => task.taskId)
  expect(ofAgent.sort()).toEqual(
    Object.values(told.tasks)
      .map(({ info }) => info.task_id.value)
      .sort(),
  )
}

describe('books', () => {
  it('hold each resource exactly once', { timeout: 3_600_000 }, () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(action, fc.boolean()), { minLength: 20, maxLength: 80, size: 'max' }), (actions) => {
        const cluster = createRecordedCluster()
        const script: Script = {
          cluster,
          streamId: '',
          frameworkId: '',
          events: [],
          offers: new Map(),
          tasks: [],
          volumes: 0,
          requests: 0,
        }
        subscribe(script)
        for (const [act, acknowledges] of actions) {
          act(script)
          handleEvents(script, acknowledges)
          cluster.advanceTo(cluster.nowMs + 5)
          expect(findBooksProblem(cluster.masterBooks())).toBeUndefined()
        }
        cluster.disarm()
        for (const one of [0, 1, 2]) for (const act of ends) act(cluster, agentName(one))
        cluster.advanceTo(cluster.nowMs + SETTLE_MS)
        expect(findBooksProblem(cluster.masterBooks())).toBeUndefined()
        for (const one of [0, 1, 2]) expectAgreement(cluster, agentName(one))
      }),
      { numRuns: runs },
    )
  })
})
