/** Part A: what the HTTP front takes and refuses. Framing, connections and authentication are not of this cluster. */
import { expect } from 'vitest'
import type { Statement } from './bench.js'
import { usualInfo } from './bench.js'
import { grace, launch, ports, scalar, task } from './messages.js'

const subscription = { type: 'SUBSCRIBE', subscribe: { framework_info: { ...usualInfo } } }

export const requests: readonly Statement[] = [
  {
    id: 'A1',
    says: 'a POST without Content-Type is 400',
    hold({ send }) {
      expect(send({ body: subscription, headers: { 'content-type': undefined } }).status).toBe(400)
    },
  },
  {
    id: 'A2',
    says: 'a charset parameter in Content-Type is 415',
    hold({ send }) {
      const headers = { 'content-type': 'application/json; charset=utf-8' }
      expect(send({ body: subscription, headers }).status).toBe(415)
    },
  },
  {
    id: 'A3',
    says: 'GET on the scheduler endpoint is 405 and names POST',
    hold({ send }) {
      expect(send({ method: 'GET', body: '' })).toMatchObject({ status: 405, headers: { Allow: 'POST' } })
    },
  },
  {
    id: 'A4',
    says: 'a body that is no JSON is 400, and says so',
    hold({ send }) {
      const answer = send({ body: '{"type": SUBSCRIBE}' })
      expect(answer).toMatchObject({ status: 400, body: expect.stringMatching(/^Failed to parse body into JSON/) })
    },
  },
  {
    id: 'A5',
    says: 'a field of the wrong JSON type is 400, and says so',
    hold({ send }) {
      const body = { type: 'SUBSCRIBE', subscribe: { framework_info: { ...usualInfo, name: 5 } } }
      const text = expect.stringMatching(/^Failed to convert JSON into Call protobuf/)
      expect(send({ body })).toMatchObject({ status: 400, body: text })
    },
  },
  {
    id: 'A6',
    says: 'a required field that is missing is 400 and named with its path',
    hold({ send }) {
      const { user: _, ...info } = usualInfo
      const answer = send({ body: { type: 'SUBSCRIBE', subscribe: { framework_info: info } } })
      expect(answer).toMatchObject({ status: 400, body: expect.stringContaining('subscribe.framework_info.user') })
    },
  },
  {
    id: 'A7',
    says: 'a field that nobody knows changes nothing',
    async hold(bench) {
      for (const unknown of [{}, { zork: { deep: [1] } }]) {
        const framework = bench.subscribe({ info: unknown, subscribe: unknown })
        const offer = framework.offer()
        const answer = framework.accept(offer, [{ ...launch(task(offer, 't', {}, unknown)), ...unknown }], {
          refuse_seconds: 0,
          ...unknown,
        })
        expect(answer.status).toBe(202)
        await bench.advance(1_000)
        expect(framework.states()).toEqual(['TASK_STARTING', 'TASK_RUNNING'])
        expect(framework.call('TEARDOWN', unknown).status).toBe(202)
        await bench.advance(1_000)
      }
    },
  },
  {
    id: 'A8',
    says: 'a call of an unknown type, or of none, is 400; the literal UNKNOWN reaches the dispatch and is 501 here',
    hold(bench) {
      const framework = bench.subscribe()
      expect(framework.call('ZORK').status).toBe(400)
      const framework_id = { value: framework.id }
      expect(bench.send({ body: { framework_id }, headers: { 'mesos-stream-id': framework.streamId } }).status).toBe(400)
      expect(framework.call('UNKNOWN').status).toBe(501)
    },
  },
  {
    id: 'A9',
    says: 'SUBSCRIBE that accepts RecordIO only is 406; without Accept it is answered in JSON',
    hold({ send }) {
      expect(send({ body: subscription, headers: { accept: 'application/recordio' } }).status).toBe(406)
      expect(send({ body: subscription, headers: { accept: undefined } }).status).toBe(200)
    },
  },
  {
    id: 'A10',
    says: 'SUBSCRIBE with a stream id is 400',
    hold({ send }) {
      expect(send({ body: subscription, headers: { 'mesos-stream-id': 'x' } }).status).toBe(400)
    },
  },
  {
    id: 'A11',
    says: 'any other call without a stream id is 400',
    hold(bench) {
      const framework = bench.subscribe()
      const offer = framework.offer()
      const without = { 'mesos-stream-id': undefined }
      for (const type of ['REVIVE', 'SUPPRESS', 'TEARDOWN']) expect(framework.call(type, {}, without).status).toBe(400)
      expect(framework.call('DECLINE', { offer_ids: [offer.id] }, without).status).toBe(400)
      expect(framework.isEnded).toBe(false)
    },
  },
  {
    id: 'A12',
    says: 'a call with the stream id of an earlier stream is 400 and does nothing',
    async hold(bench) {
      const first = bench.subscribe()
      first.leave()
      const second = bench.subscribe({ id: first.id })
      const offer = second.offer()
      const earlier = { 'mesos-stream-id': first.streamId }
      const accept = { offer_ids: [offer.id], operations: [launch(task(offer, 't'))] }
      expect(second.call('ACCEPT', accept, earlier).status).toBe(400)
      expect(second.call('TEARDOWN', {}, earlier).status).toBe(400)
      await bench.advance(2_000)
      expect([second.isEnded, second.statuses(), second.rescinded()]).toEqual([false, [], []])
      expect(second.accept(offer, [launch(task(offer, 't'))]).status).toBe(202)
      await bench.advance(1_000)
      expect(second.states()).toEqual(['TASK_STARTING', 'TASK_RUNNING'])
    },
  },
  {
    id: 'A13',
    says: 'a call for a framework that nobody knows is 400',
    hold({ send }) {
      const body = { type: 'REVIVE', framework_id: { value: 'nosuch' } }
      const answer = send({ body, headers: { 'mesos-stream-id': 'x' } })
      expect(answer).toMatchObject({ status: 400, body: 'Framework cannot be found' })
    },
  },
  {
    id: 'A14',
    says: 'a call for a framework that is disconnected is 403',
    hold(bench) {
      const framework = bench.subscribe()
      framework.leave()
      expect(framework.call('REVIVE')).toMatchObject({ status: 403, body: 'Framework is not subscribed' })
    },
  },
  {
    id: 'A15',
    says: 'ACKNOWLEDGE of anything but a well-formed UUID is 400, of one that nobody knows 202',
    hold(bench) {
      const framework = bench.subscribe()
      const acknowledge = (bytes: Buffer): unknown =>
        framework.call('ACKNOWLEDGE', {
          uuid: bytes.toString('base64'),
          agent_id: { value: bench.agentId('agent-1') },
          task_id: { value: 't' },
        })
      for (const bytes of [Buffer.alloc(3, 1), Buffer.alloc(16, 0), Buffer.alloc(16, 255)])
        expect(acknowledge(bytes)).toMatchObject({ status: 400, body: expect.stringMatching(/Not a valid UUID$/) })
      expect(acknowledge(Buffer.from('a52bdb7e8c274ac7ba0041d6a750f6e6', 'hex'))).toMatchObject({ status: 202 })
    },
  },
  {
    id: 'A16',
    says: '64-bit integers may be numbers or text',
    async hold(bench) {
      const framework = bench.subscribe()
      const offer = framework.offer()
      const asText = { ...ports(0, 0), ranges: { range: [{ begin: '31010', end: '31019' }] } }
      const tasks = [ports(31_000, 31_009), asText].map((range, index) =>
        task(
          offer,
          `t${index}`,
          { ignoresTerm: true },
          {
            resources: [scalar('cpus', 0.1), scalar('mem', 32), range],
            kill_policy: index === 0 ? grace(2) : { grace_period: { nanoseconds: '2000000000' } },
          },
        ),
      )
      framework.accept(offer, [launch(...tasks)])
      await bench.advance(1_500)
      expect(framework.offer().resources).toContainEqual({ ...ports(31_020, 31_999), allocation_info: { role: 'db' } })
      const startedMs = bench.cluster.nowMs
      for (const taskId of ['t0', 't1']) framework.call('KILL', { task_id: { value: taskId } })
      await bench.advance(5_000)
      const ends = bench.cluster.log.filter((entry) => entry.type === 'processEnded')
      expect(ends.map((entry) => Math.round((entry.atMs - startedMs) / 1_000))).toEqual([2, 2])
    },
  },
  {
    id: 'A17',
    says: 'defaulted fields may be left out: a DECLINE without a filter lasts 5 s',
    async hold(bench) {
      const framework = bench.subscribe()
      framework.decline(framework.offer())
      await bench.advance(4_900)
      expect(framework.offers('agent-1')).toEqual([])
      await bench.advance(2_100)
      expect(framework.offers('agent-1')).toHaveLength(1)
    },
  },
  {
    id: 'A18',
    says: 'bytes are padded base64: uuids with +, / and = come back as they went out',
    async hold(bench) {
      const framework = bench.subscribe()
      for (const agent of ['agent-1', 'agent-2', 'agent-3']) {
        const offer = framework.offer(agent)
        framework.accept(offer, [
          launch(...Array.from({ length: 30 }, (_, index) => task(offer, `${agent}-${index}`, { endsAfterMs: 500 }))),
        ])
      }
      await bench.advance(60_000)
      const uuids = framework.statuses().map((status) => status.uuid ?? '')
      for (const sign of ['+', '/', '==']) expect(uuids.some((uuid) => uuid.includes(sign))).toBe(true)
      for (const uuid of uuids) expect(Buffer.from(uuid, 'base64').toString('base64')).toBe(uuid)
      // None is repeated, so each was understood.
      expect(new Set(uuids).size).toBe(uuids.length)
      expect(uuids).toHaveLength(270)
    },
  },
]
