/**
 * Whatever schedulers, agents and failures do: an agent's resources are free, offered or used, each exactly once. Random
 * scripts over the books of a master and three agents in virtual time.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { findBooksProblem } from '../../src/mesos-model/invariants.js'
import type { Event, Offer } from '../../src/mesos/messages.js'
import { RECORDED_AGENTS } from '../transcripts/transcript.js'
import { VirtualCluster } from '../transcripts/virtual-cluster.js'

const START_MS = 1_000_000
const HEADERS = { 'content-type': 'application/json' }
const CAPABILITIES = ['MULTI_ROLE', 'PARTITION_AWARE', 'RESERVATION_REFINEMENT', 'TASK_KILLING_STATE', 'REGION_AWARE']

interface Script {
  readonly cluster: VirtualCluster
  streamId: string
  frameworkId: string
  handled: number
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
  const response = script.cluster.request({
    method: 'POST',
    path: '/api/v1/scheduler',
    headers,
    body: JSON.stringify({ ...frameworkField, ...call }),
    streamId,
  })
  if (response.streamId !== undefined) {
    script.streamId = response.streamId
    script.handled = 0
    script.offers.clear()
  }
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
  const events: readonly Event[] = script.cluster.streams.get(script.streamId) ?? []
  const fresh = events.slice(script.handled)
  script.handled = events.length
  for (const event of fresh) {
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

const index = fc.integer({ min: 0, max: 2 })
const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 20 })).map(
      ([withVolume, seconds]): Action =>
        (script) =>
          launch(script, withVolume, seconds),
    ),
  },
  {
    weight: 4,
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
  { weight: 1, arbitrary: fc.constant<Action>((script) => subscribe(script)) },
  {
    weight: 1,
    arbitrary: index.map(
      (one): Action =>
        (script) =>
          script.cluster.stopAgent(agentName(one)),
    ),
  },
  {
    weight: 2,
    arbitrary: index.map((one): Action => (script) => {
      if (script.cluster.agents.get(agentName(one))?.isAlive === false) script.cluster.startAgent(agentName(one))
    }),
  },
  {
    weight: 1,
    arbitrary: index.map(
      (one): Action =>
        (script) =>
          script.cluster.deafen(agentName(one)),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.nat(20).map(
      (nth): Action =>
        (script) =>
          script.cluster.killExecutor(`${script.frameworkId}/e-${nth % Math.max(script.tasks.length, 1)}`, 9),
    ),
  },
)

describe('books', () => {
  it('hold each resource exactly once', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(action, fc.boolean()), { maxLength: 40 }), (actions) => {
        const cluster = new VirtualCluster(START_MS)
        for (const agent of RECORDED_AGENTS) cluster.addAgent(agent.hostname, agent)
        const script: Script = {
          cluster,
          streamId: '',
          frameworkId: '',
          handled: 0,
          offers: new Map(),
          tasks: [],
          volumes: 0,
          requests: 0,
        }
        cluster.advanceTo(START_MS + 10)
        subscribe(script)
        for (const [act, acknowledges] of actions) {
          act(script)
          handleEvents(script, acknowledges)
          cluster.advanceTo(cluster.nowMs + 5)
          expect(findBooksProblem(cluster.master)).toBeUndefined()
        }
      }),
      { numRuns: 150 },
    )
  })
})
