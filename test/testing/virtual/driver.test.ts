/** The virtual driver follows the rules of the real one. */
import { describe, expect, it } from 'vitest'
import { taskId, agentId, offerId, type StreamId } from '../../../src/ids.js'
import type { FrameworkInfo } from '../../../src/ports/mesos-driver.js'
import type { DriverEvent } from '../../../src/scheduler/events.js'
import type { Ack, MesosCall } from '../../../src/scheduler/output.js'
import { buildVirtualAgents, createVirtualCluster, type VirtualCluster } from '../../../src/testing/virtual/cluster.js'
import type { CallFault, VirtualDriver } from '../../../src/testing/virtual/driver.js'

const second = 1_000
const callTimeoutMs = 75 * second
const decline: MesosCall = { type: 'decline', offerIds: [], refuseSeconds: 5 }
const accept: MesosCall = {
  type: 'accept',
  offerIds: [offerId('none')],
  agentId: agentId('none'),
  operations: [],
  refuseSeconds: 5,
}
const reconcile: MesosCall = {
  type: 'reconcileTasks',
  tasks: [{ taskId: taskId('db-0-server__1'), agentId: agentId('none') }],
}

interface Subscribed {
  readonly cluster: VirtualCluster
  readonly driver: VirtualDriver
  readonly events: DriverEvent[]
  readonly troubles: string[]
  /** Of the last `subscribed`. */
  streamId(): StreamId
  send(call: MesosCall | Ack): Promise<void>
  /** Calls that the master took, after SUBSCRIBE. */
  taken(): string[]
  names(): string[]
}

async function subscribe(faultOf: (call: MesosCall | Ack) => CallFault = () => 'none'): Promise<Subscribed> {
  const cluster = createVirtualCluster({ agents: buildVirtualAgents(1), behave: () => ({}) })
  const driver = cluster.newDriver({ faultOf })
  const events: DriverEvent[] = []
  const troubles: string[] = []
  let info: FrameworkInfo = { name: 'x', role: 'x', principal: 'x', user: 'root', failoverTimeoutMs: 86_400_000 }
  let streamId: StreamId | undefined
  driver.start({
    beforeSubscribe: () => Promise.resolve(info),
    onEvent(event) {
      events.push(event)
      if (event.type !== 'subscribed') return
      streamId = event.streamId
      info = { ...info, id: event.frameworkId }
    },
    onTrouble: (error) => void troubles.push(error.message),
  })
  await cluster.run(() => streamId !== undefined, second)
  return {
    cluster,
    driver,
    events,
    troubles,
    streamId: () => streamId as StreamId,
    send: (call) => driver.send({ streamId: streamId as StreamId, call }),
    taken: () =>
      cluster.log.flatMap((entry) => (entry.type === 'callTaken' && entry.call.type !== 'SUBSCRIBE' ? [entry.call.type] : [])),
    names: () => events.map((event) => event.type).filter((type) => type !== 'offersReceived' && type !== 'offerRescinded'),
  }
}

describe('a call', () => {
  it('is sent after the answer to the one before, and logged when it is written, with the moment of its decision', async () => {
    const { cluster, send, taken } = await subscribe()
    const both = Promise.all([send(decline), send(reconcile)])
    await cluster.advance(second)
    await both
    expect(taken()).toEqual(['DECLINE', 'RECONCILE'])
    const sent = cluster.log.filter((entry) => entry.type === 'callSent')
    expect(sent.map((entry) => [entry.call.type, entry.decidedAtMs])).toEqual([
      ['decline', sent[0]?.atMs],
      ['reconcileTasks', sent[0]?.atMs],
    ])
    expect(sent[1]?.atMs).toBeGreaterThan(sent[0]?.atMs ?? Infinity)
  })

  it.each(['loseCall', 'loseAnswer'] as const)(
    'without an answer ends the stream after 75 s (%s), and is not repeated',
    async (fault) => {
      const { cluster, send, taken, names } = await subscribe(({ type }) => (type === 'accept' ? fault : 'none'))
      const sent = send(accept)
      const queued = send(decline)
      await cluster.advance(callTimeoutMs - second)
      expect(names()).toEqual(['subscribed'])
      await cluster.advance(2 * second)
      await Promise.all([sent, queued])
      expect(names().slice(0, 3)).toContain('disconnected')
      await cluster.advance(20 * second)
      expect(names().at(-1)).toBe('subscribed')
      expect(taken().filter((type) => type !== 'RECONCILE')).toEqual(fault === 'loseCall' ? [] : ['ACCEPT'])
    },
  )

  it('that arrives when its sender has given up on it is refused, because its stream is over', async () => {
    const { cluster, send, taken } = await subscribe(({ type }) => (type === 'accept' ? 'late' : 'none'))
    void send(accept)
    await cluster.advance(2 * callTimeoutMs)
    expect(taken()).toEqual([])
    const refused = cluster.log.flatMap((entry) => (entry.type === 'requestRefused' ? [entry.text] : []))
    expect(refused).toEqual([expect.stringContaining("didn't match the stream ID")])
  })

  it('is decided on one stream and never sent on another', async () => {
    const { cluster, driver, streamId, send, taken } = await subscribe()
    const first = streamId()
    cluster.breakStreams()
    await cluster.advance(5 * second)
    expect(streamId()).not.toBe(first)
    await driver.send({ streamId: first, call: decline })
    const sent = send(reconcile)
    await cluster.advance(second)
    await sent
    expect(taken()).toEqual(['RECONCILE'])
  })

  it('that the master has twice is answered once', async () => {
    const { cluster, send, taken, names } = await subscribe(({ type }) => (type === 'decline' ? 'duplicate' : 'none'))
    const both = Promise.all([send(decline), send(reconcile)])
    await cluster.advance(second)
    await both
    expect(taken()).toEqual(['DECLINE', 'DECLINE', 'RECONCILE'])
    expect(names()).not.toContain('disconnected')
  })

  it('that the master refuses is told, and the stream goes on', async () => {
    const { cluster, send, troubles, names } = await subscribe()
    const sent = send({ type: 'acknowledgeTask', taskId: taskId('t'), agentId: agentId('a'), uuid: 'none' })
    await cluster.advance(second)
    await sent
    expect(troubles).toEqual([expect.stringContaining('400')])
    expect(names()).toEqual(['subscribed'])
  })

  it('at which the process dies is not sent', async () => {
    const { cluster, send, taken } = await subscribe(() => 'crash')
    void send(decline)
    await cluster.advance(second)
    expect(taken()).toEqual([])
  })
})

describe('a stream', () => {
  it('that another subscription replaces ends for good', async () => {
    const { cluster, names } = await subscribe()
    const info: FrameworkInfo = { name: 'x', role: 'x', principal: 'x', user: 'root', failoverTimeoutMs: 86_400_000 }
    const [framework] = cluster.masterBooks().frameworks.values()
    const rival = cluster.newDriver({ scheduler: 'b1' })
    const id = framework?.id as NonNullable<FrameworkInfo['id']>
    rival.start({ beforeSubscribe: () => Promise.resolve({ ...info, id }), onEvent: () => undefined, onTrouble: () => undefined })
    await cluster.advance(60 * second)
    expect(names()).toEqual(['subscribed', 'frameworkErrorReceived'])
  })

  it('is silent for 75 s over a cut, and then given up', async () => {
    const { cluster, names } = await subscribe()
    cluster.cutScheduler()
    await cluster.advance(74 * second)
    expect(names()).toEqual(['subscribed'])
    await cluster.advance(20 * second)
    expect(names()).toEqual(['subscribed', 'disconnected'])
    cluster.healScheduler()
    await cluster.advance(60 * second)
    expect(names()).toEqual(['subscribed', 'disconnected', 'subscribed'])
  })

  it('ends with the master, and the next one has the same framework', async () => {
    const { cluster, events, names } = await subscribe()
    cluster.stopMaster()
    await cluster.advance(100 * second)
    expect(names()).toEqual(['subscribed', 'disconnected'])
    cluster.startMaster()
    await cluster.advance(30 * second)
    expect(names()).toEqual(['subscribed', 'disconnected', 'subscribed'])
    const ids = events.flatMap((event) => (event.type === 'subscribed' ? [event.frameworkId] : []))
    expect(new Set(ids).size).toBe(1)
  })

  it('of a process that vanishes ends when what it sent has arrived', async () => {
    const { cluster, driver, send, taken } = await subscribe()
    void send(reconcile)
    driver.vanish()
    await cluster.advance(second)
    expect(taken()).toEqual(['RECONCILE'])
    expect([...cluster.masterBooks().frameworks.values()].map((framework) => framework.streamId)).toEqual([undefined])
  })
})

it('all offers can be rescinded, and are made anew', async () => {
  const { cluster, events } = await subscribe()
  await cluster.advance(2 * second)
  const before = [...cluster.masterBooks().offers.keys()]
  expect(cluster.rescindOffers()).toBe(true)
  expect(cluster.rescindOffers()).toBe(false)
  await cluster.advance(2 * second)
  const rescinded = events.flatMap((event) => (event.type === 'offerRescinded' ? [event.offerId] : []))
  expect(rescinded).toEqual(before)
  expect([...cluster.masterBooks().offers.keys()]).not.toEqual(before)
  expect(cluster.masterBooks().offers.size).toBe(before.length)
})
