/** Part B: subscribing, taking over, leaving. Leader detection, framing and chunks are not of this cluster. */
import { expect } from 'vitest'
import type { Event } from '../../src/mesos/messages.js'
import { usualCapabilities, volumesOf, type Bench, type Framework, type Statement } from './bench.js'
import { create, launch, reserve, reserved, scalar, task, volume } from './messages.js'

const errors = (framework: Framework): string[] =>
  framework.events.flatMap((event: Event) => (event.type === 'ERROR' ? [event.error.message ?? ''] : []))

const firstTypes = (framework: Framework): string[] => framework.events.slice(0, 2).map((event) => event.type)

const ended = (bench: Bench): string[] =>
  bench.cluster.log.flatMap((entry) => (entry.type === 'processEnded' ? [entry.process.taskId] : []))

export const streams: readonly Statement[] = [
  {
    id: 'B5',
    says: 'a first subscription is 200 with a stream id, and begins with SUBSCRIBED and a new framework id',
    hold(bench) {
      const [first, second] = [bench.subscribe(), bench.subscribe()]
      for (const framework of [first, second]) {
        expect(framework.answer.status).toBe(200)
        expect(framework.streamId).not.toBe('')
        expect(framework.events[0]).toMatchObject({
          type: 'SUBSCRIBED',
          subscribed: {
            framework_id: { value: expect.stringMatching(/.+/) },
            heartbeat_interval_seconds: 15,
            master_info: { version: '1.12.0' },
          },
        })
      }
      expect(first.id).not.toBe(second.id)
      expect(first.streamId).not.toBe(second.streamId)
    },
  },
  {
    id: 'B6',
    says: 'a first HEARTBEAT follows SUBSCRIBED at once',
    hold(bench) {
      expect(firstTypes(bench.subscribe())).toEqual(['SUBSCRIBED', 'HEARTBEAT'])
    },
  },
  {
    id: 'B7',
    says: 'heartbeats follow at the announced interval',
    async hold(bench) {
      const framework = bench.subscribe()
      framework.forget()
      const beats: number[] = []
      for (let second = 1; second <= 61; second++) {
        await bench.advance(1_000)
        for (const event of framework.events) if (event.type === 'HEARTBEAT') beats.push(second)
        framework.forget()
      }
      expect(beats).toEqual([15, 30, 45, 60])
    },
  },
  {
    id: 'B16',
    says: 'a FrameworkInfo that makes no sense is 200, one ERROR, and the end of the stream',
    hold(bench) {
      const wrong = [{ role: 'db' }, { roles: ['db', 'db'] }, { roles: ['/db'] }, { roles: ['a b'] }, { failover_timeout: 1e300 }]
      for (const info of wrong) {
        const framework = bench.subscribe({ info })
        expect(framework.answer.status).toBe(200)
        expect(framework.events.map((event) => event.type)).toEqual(['ERROR'])
        expect(framework.isEnded).toBe(true)
      }
    },
  },
  {
    id: 'B17',
    says: 'framework_id and framework_info.id that differ are 400',
    hold(bench) {
      const { id } = bench.subscribe()
      expect(bench.subscribe({ id, info: { id: { value: 'another' } } }).answer.status).toBe(400)
      expect(bench.subscribe({ info: { id: { value: id } } }).answer.status).toBe(400)
    },
  },
  {
    id: 'B18',
    says: 'a second subscription ends the first with "Framework failed over"',
    hold(bench) {
      const first = bench.subscribe()
      const second = bench.subscribe({ id: first.id })
      expect(errors(first)).toEqual(['Framework failed over'])
      expect(first.isEnded).toBe(true)
      expect(second.id).toBe(first.id)
      expect(second.isEnded).toBe(false)
    },
  },
  {
    id: 'B22',
    says: 'without a failover timeout the end of the stream ends framework and tasks; the id is refused from then on',
    async hold(bench) {
      const framework = bench.subscribe({ info: { failover_timeout: 0 } })
      framework.accept(framework.offer(), [launch(task(framework.offer(), 't'))])
      await bench.advance(1_000)
      framework.leave()
      await bench.advance(1_000)
      expect(ended(bench)).toEqual(['t'])
      const again = bench.subscribe({ id: framework.id })
      expect(errors(again)).toEqual(['Framework has been removed'])
      expect(again.isEnded).toBe(true)
    },
  },
  {
    id: 'B23',
    says: 'within the failover timeout tasks live on and the id is taken again; after it they end',
    async hold(bench) {
      const framework = bench.subscribe({ info: { failover_timeout: 60 } })
      framework.accept(framework.offer(), [launch(task(framework.offer(), 't'))])
      await bench.advance(1_000)
      framework.leave()
      await bench.advance(59_000)
      const again = bench.subscribe({ id: framework.id, info: { failover_timeout: 60 } })
      again.call('RECONCILE', {})
      expect(again.states('t')).toEqual(['TASK_RUNNING'])
      again.leave()
      await bench.advance(61_000)
      expect(ended(bench)).toEqual(['t'])
      expect(errors(bench.subscribe({ id: framework.id }))).toEqual(['Framework has been removed'])
    },
  },
  {
    id: 'B24',
    says: 'a framework id that this master never saw is accepted',
    hold(bench) {
      const framework = bench.subscribe({ id: 'made-up-0007' })
      expect(firstTypes(framework)).toEqual(['SUBSCRIBED', 'HEARTBEAT'])
      expect(framework.id).toBe('made-up-0007')
    },
  },
  {
    id: 'B25',
    says: 'a new subscription replaces roles and capabilities; user and checkpoint stay as they were',
    hold(bench) {
      const { id } = bench.subscribe()
      const again = bench.subscribe({
        id,
        roles: ['web'],
        capabilities: ['MULTI_ROLE', 'RESERVATION_REFINEMENT'],
        info: { user: 'nobody', checkpoint: false },
      })
      expect(again.answer.status).toBe(200)
      const [framework] = bench.view('GET_FRAMEWORKS')['frameworks'] as { framework_info: object }[]
      expect(framework?.framework_info).toMatchObject({
        roles: ['web'],
        capabilities: [{ type: 'MULTI_ROLE' }, { type: 'RESERVATION_REFINEMENT' }],
        user: 'root',
        checkpoint: true,
      })
    },
  },
  {
    id: 'B26',
    says: 'another principal is refused with ERROR, and a stream that is open stays open',
    async hold(bench) {
      const first = bench.subscribe()
      const second = bench.subscribe({ id: first.id, info: { principal: 'somebody' } })
      expect(second.events.map((event) => event.type)).toEqual(['ERROR'])
      expect(second.isEnded).toBe(true)
      await bench.advance(1_000)
      expect(first.isEnded).toBe(false)
      expect(first.call('REVIVE').status).toBe(202)
    },
  },
  {
    id: 'B27',
    says: 'TEARDOWN is 202 and ends stream and tasks without a word; reservations and volumes remain',
    async hold(bench) {
      const framework = bench.subscribe()
      const data = volume('v', 100)
      const operations = [reserve(undefined, reserved(scalar('disk', 100))), create(undefined, data)]
      framework.accept(framework.offer(), [...operations, launch(task(framework.offer(), 't'))])
      const far = framework.offer('agent-2')
      framework.accept(far, [launch(task(far, 'far'))])
      await bench.advance(1_000)
      bench.cluster.stopAgent('agent-2')
      await bench.advance(1_000)
      framework.forget()
      expect(framework.call('TEARDOWN').status).toBe(202)
      expect(framework.isEnded).toBe(true)
      await bench.advance(10_000)
      expect(framework.statuses()).toEqual([])
      expect(ended(bench)).toEqual(['t'])
      // What an agent that was away still runs ends when it is back.
      bench.cluster.startAgent('agent-2')
      await bench.advance(10_000)
      expect(ended(bench)).toEqual(['t', 'far'])
      expect(volumesOf(bench.subscribe().offer().resources)).toEqual(['v'])
    },
  },
  {
    id: 'B29',
    says: 'UPDATE_FRAMEWORK of the user is 400 and changes nothing; of the roles it is 200 and rescinds offers of dropped ones',
    async hold(bench) {
      const framework = bench.subscribe({ roles: ['db', 'web'] })
      const offered = framework.offers()
      const update = (changes: object): unknown =>
        framework.call('UPDATE_FRAMEWORK', {
          framework_info: {
            user: 'root',
            name: 'conformance',
            principal: 'p',
            checkpoint: true,
            failover_timeout: 600,
            roles: ['db', 'web'],
            capabilities: usualCapabilities.map((type) => ({ type })),
            id: { value: framework.id },
            ...changes,
          },
        })
      expect(update({ user: 'nobody', roles: ['web'] })).toMatchObject({ status: 400 })
      expect(framework.rescinded()).toEqual([])
      const dropped = offered[0]?.allocation_info?.role ?? ''
      const kept = dropped === 'db' ? 'web' : 'db'
      expect(update({ roles: [kept] })).toMatchObject({ status: 200 })
      const gone = offered.filter((offer) => offer.allocation_info?.role === dropped).map((offer) => offer.id.value)
      expect(framework.rescinded().sort()).toEqual(gone.sort())
      await bench.advance(2_000)
      expect(new Set(framework.offers().map((offer) => offer.allocation_info?.role))).toEqual(new Set([kept]))
      expect(framework.offers()).toHaveLength(3)
    },
  },
]
