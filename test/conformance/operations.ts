/** Part D: operations on resources, their feedback, and what an agent keeps. Files in volumes are not of this cluster. */
import { expect } from 'vitest'
import type { Offer, Resource } from '../../src/mesos/messages.js'
import { amountsOf, volumesOf, type Bench, type Framework, type Statement } from './bench.js'
import {
  create,
  destroy,
  executor,
  launch,
  launchGroup,
  machine,
  reserve,
  reserved,
  scalar,
  task,
  unreserve,
  volume,
} from './messages.js'

const diskOf = (offer: Offer): Record<string, number> => amountsOf(offer.resources, 'disk')
const cpusOf = (offer: Offer): Record<string, number> => amountsOf(offer.resources, 'cpus')

const sizeOf = (offer: Offer, id: string): number | undefined =>
  offer.resources?.find((resource) => resource.disk?.persistence?.id === id)?.scalar?.value

/** Does operations on the newest offer of `agent-1`, and waits for the next one. */
async function operate(bench: Bench, framework: Framework, ...operations: readonly object[]): Promise<Offer> {
  framework.accept(framework.offer(), operations)
  await bench.advance(2_000)
  return framework.offer()
}

/** Reserved disk and a volume on it. */
const withVolume = (id: string, sizeMb: number): object[] => [
  reserve(undefined, reserved(scalar('disk', sizeMb))),
  create(undefined, volume(id, sizeMb)),
]

const state = (framework: Framework, operationId: string): string | undefined => framework.operations(operationId).at(-1)?.state

function expectError(framework: Framework, operationId: string): void {
  const [status, ...more] = framework.operations(operationId)
  expect(status).toMatchObject({ state: 'OPERATION_ERROR', message: expect.stringMatching(/.+/) })
  expect(status).not.toHaveProperty('uuid')
  expect(more).toEqual([])
}

const mountDisk: Resource = { ...scalar('disk', 2_000), disk: { source: { type: 'MOUNT', mount: { root: '/mnt/1' } } } }
const otherMountDisk: Resource = { ...scalar('disk', 2_000), disk: { source: { type: 'MOUNT', mount: { root: '/mnt/2' } } } }
const withMountDisks = { agents: [machine(1, { resources: [...machine(1).resources, mountDisk, otherMountDisk] })] }
const onMountDisk = (id: string, sizeMb: number): Resource => volume(id, sizeMb, mountDisk.disk)

const grow = (id: string, held: Resource, byMb: number): object => ({
  type: 'GROW_VOLUME',
  id: { value: id },
  grow_volume: {
    volume: held,
    addition: reserved({ ...scalar('disk', byMb), ...(held.disk?.source && { disk: { source: held.disk.source } }) }),
  },
})
const shrink = (id: string, held: Resource, byMb: number): object => ({
  type: 'SHRINK_VOLUME',
  id: { value: id },
  shrink_volume: { volume: held, subtract: { value: byMb } },
})

export const operations: readonly Statement[] = [
  {
    id: 'D1',
    says: 'RESERVE with an id yields OPERATION_FINISHED with uuid and agent, and the next offer shows it',
    async hold(bench) {
      const framework = bench.subscribe()
      const offer = await operate(bench, framework, reserve('r', reserved(scalar('cpus', 1))))
      expect(framework.operations()).toEqual([
        {
          operation_id: { value: 'r' },
          state: 'OPERATION_FINISHED',
          uuid: { value: expect.stringMatching(/^[\w+/]{22}==$/) },
          agent_id: { value: bench.agentId('agent-1') },
        },
      ])
      expect(cpusOf(offer)).toEqual({ '': 3, db: 1 })
    },
  },
  {
    id: 'D2',
    says: 'a fresh reservation is offered again whatever filter its ACCEPT had',
    async hold(bench) {
      const framework = bench.subscribe()
      framework.accept(framework.offer(), [reserve(undefined, reserved(scalar('cpus', 1)))], { refuse_seconds: 3_600 })
      await bench.advance(2_000)
      expect(cpusOf(framework.offer())).toEqual({ '': 3, db: 1 })
    },
  },
  {
    id: 'D3',
    says: 'RESERVE without the principal of its framework is OPERATION_ERROR, without uuid',
    async hold(bench) {
      const framework = bench.subscribe()
      const { principal: _, ...reservation } = reserved(scalar('cpus', 1)).reservations?.[0] ?? { type: 'DYNAMIC', role: 'db' }
      const offer = await operate(bench, framework, reserve('r', { ...scalar('cpus', 1), reservations: [reservation] }))
      expectError(framework, 'r')
      expect(cpusOf(offer)).toEqual({ '': 4 })
    },
  },
  {
    id: 'D4',
    says: 'RESERVE for another role than the offer is OPERATION_ERROR',
    async hold(bench) {
      const framework = bench.subscribe()
      await operate(bench, framework, reserve('r', reserved(scalar('cpus', 1), { role: 'web' })))
      expectError(framework, 'r')
    },
  },
  {
    id: 'D5',
    says: 'RESERVE of more than offered is OPERATION_ERROR; the other operations of the call are tried',
    async hold(bench) {
      const framework = bench.subscribe()
      const [much, some] = [reserved(scalar('cpus', 5)), reserved(scalar('mem', 64))]
      const offer = await operate(
        bench,
        framework,
        reserve('much', much),
        reserve('some', some),
        launch(task(framework.offer(), 't')),
      )
      expectError(framework, 'much')
      expect(state(framework, 'some')).toBe('OPERATION_FINISHED')
      expect(framework.states('t')).toEqual(['TASK_STARTING', 'TASK_RUNNING'])
      expect(amountsOf(offer.resources, 'mem')).toEqual({ '': 4_000, db: 64 })
    },
  },
  {
    id: 'D6',
    says: 'RESERVE with a source is OPERATION_ERROR',
    async hold(bench) {
      const framework = bench.subscribe()
      const reserving = reserve('r', reserved(scalar('cpus', 1))) as { reserve: object }
      await operate(bench, framework, { ...reserving, reserve: { ...reserving.reserve, source: [scalar('cpus', 1)] } })
      expectError(framework, 'r')
    },
  },
  {
    id: 'D7',
    says: 'an operation without an id fails without a word',
    async hold(bench) {
      const framework = bench.subscribe()
      await operate(
        bench,
        framework,
        reserve(undefined, reserved(scalar('cpus', 5))),
        create(undefined, volume('v', 10)),
        destroy(undefined, volume('w', 10)),
      )
      expect(framework.operations()).toEqual([])
      expect(framework.offer().resources).toHaveLength(4)
    },
  },
  {
    id: 'D8',
    says: 'RESERVE, CREATE and LAUNCH_GROUP on the result succeed in one ACCEPT',
    async hold(bench) {
      const framework = bench.subscribe()
      const parts = [scalar('cpus', 0.1), scalar('mem', 32), scalar('disk', 8)].map((part) => reserved(part))
      const rest = [reserved(scalar('cpus', 0.2)), reserved(scalar('mem', 64))]
      const database = task(framework.offer(), 't', {}, { resources: [...rest, volume('v', 100)] })
      const offer = await operate(
        bench,
        framework,
        reserve('r', ...[0.3, 96, 108].map((amount, index) => reserved(scalar(['cpus', 'mem', 'disk'][index] ?? '', amount)))),
        create('c', volume('v', 100)),
        launchGroup(executor(framework, 'x', { resources: parts }), database),
      )
      expect([state(framework, 'r'), state(framework, 'c')]).toEqual(['OPERATION_FINISHED', 'OPERATION_FINISHED'])
      expect(framework.states('t')).toEqual(['TASK_STARTING', 'TASK_RUNNING'])
      expect(cpusOf(offer)).toEqual({ '': 3.7 })
      expect(volumesOf(offer.resources)).toEqual([])
    },
  },
  {
    id: 'D9',
    says: 'CREATE without reservation or volume, of mode RO, with a host path or an id that is taken is OPERATION_ERROR',
    async hold(bench) {
      const framework = bench.subscribe()
      await operate(bench, framework, reserve(undefined, reserved(scalar('disk', 200))), create('good', volume('v', 10)))
      const good = volume('w', 10)
      const { reservations: _, ...unreservedDisk } = good
      const { volume: __, ...withoutVolume } = good.disk ?? {}
      const changed = (how: object): object => ({ ...good, disk: { ...good.disk, volume: { ...good.disk?.volume, ...how } } })
      await operate(
        bench,
        framework,
        create('unreserved', unreservedDisk),
        create('none', { ...good, disk: withoutVolume }),
        create('read-only', changed({ mode: 'RO' })),
        create('host', changed({ host_path: '/tmp' })),
        create('taken', volume('v', 10)),
      )
      for (const id of ['unreserved', 'none', 'read-only', 'host', 'taken']) expectError(framework, id)
      expect(volumesOf(framework.offer().resources)).toEqual(['v'])
    },
  },
  {
    id: 'D10',
    says: 'CREATE of part of a MOUNT disk is OPERATION_ERROR, of the whole disk it succeeds',
    options: withMountDisks,
    async hold(bench) {
      const framework = bench.subscribe()
      await operate(bench, framework, reserve('r', reserved(mountDisk)), create('part', onMountDisk('v', 500)))
      expect(state(framework, 'r')).toBe('OPERATION_FINISHED')
      expectError(framework, 'part')
      const offer = await operate(bench, framework, create('whole', onMountDisk('v', 2_000)))
      expect(state(framework, 'whole')).toBe('OPERATION_FINISHED')
      expect(sizeOf(offer, 'v')).toBe(2_000)
    },
  },
  {
    id: 'D12',
    says: 'a volume in use is in no offer; after the end of the task it is offered again',
    async hold(bench) {
      const framework = bench.subscribe()
      const resources = [scalar('cpus', 0.1), scalar('mem', 32), volume('v', 100)]
      const user = task(framework.offer(), 't', { endsAfterMs: 10_000 }, { resources })
      const during = await operate(bench, framework, ...withVolume('v', 100), launch(user))
      expect(framework.states('t')).toEqual(['TASK_STARTING', 'TASK_RUNNING'])
      expect(volumesOf(during.resources)).toEqual([])
      framework.decline(during, 3_600)
      await bench.advance(10_000)
      expect(framework.states('t').at(-1)).toBe('TASK_FINISHED')
      expect(volumesOf(framework.offer().resources)).toEqual(['v'])
      expect(bench.cluster.log.map((entry) => entry.type)).not.toContain('volumeDestroyed')
    },
  },
  {
    id: 'D13',
    says: 'DESTROY takes the data and leaves reserved disk; path and principal may differ, another mode than RW may not',
    async hold(bench) {
      const framework = bench.subscribe()
      await operate(bench, framework, ...withVolume('v', 100))
      const differing = { persistence: { id: 'v' }, volume: { mode: 'RO', container_path: 'elsewhere' } }
      await operate(bench, framework, destroy('read-only', volume('v', 100, differing)))
      expectError(framework, 'read-only')
      const destroyed = (): string[] =>
        bench.cluster.log.flatMap((entry) => (entry.type === 'volumeDestroyed' ? [entry.persistenceId] : []))
      expect(destroyed()).toEqual([])
      const rightMode = { ...differing, volume: { mode: 'RW', container_path: 'elsewhere' } }
      const offer = await operate(bench, framework, destroy('d', volume('v', 100, rightMode)))
      expect(state(framework, 'd')).toBe('OPERATION_FINISHED')
      expect(destroyed()).toEqual(['v'])
      expect(volumesOf(offer.resources)).toEqual([])
      expect(diskOf(offer)).toEqual({ '': 10_140, db: 100 })
    },
  },
  {
    id: 'D14',
    says: 'DESTROY of a volume that is in use, or that nobody knows, is OPERATION_ERROR',
    async hold(bench) {
      const framework = bench.subscribe()
      const resources = [scalar('cpus', 0.1), scalar('mem', 32), volume('v', 100)]
      await operate(bench, framework, ...withVolume('v', 100), launch(task(framework.offer(), 't', {}, { resources })))
      const offer = await operate(bench, framework, destroy('used', volume('v', 100)), destroy('unknown', volume('w', 100)))
      expectError(framework, 'used')
      expectError(framework, 'unknown')
      expect(framework.states('t')).toEqual(['TASK_STARTING', 'TASK_RUNNING'])
      expect(diskOf(offer)).toEqual({ '': 10_140 })
    },
  },
  {
    id: 'D15',
    says: 'UNRESERVE of a volume is OPERATION_ERROR; of plain reserved disk, or part of it, it succeeds',
    async hold(bench) {
      const framework = bench.subscribe()
      await operate(bench, framework, reserve(undefined, reserved(scalar('disk', 300))), create(undefined, volume('v', 100)))
      const offer = await operate(
        bench,
        framework,
        unreserve('volume', volume('v', 100)),
        unreserve('part', reserved(scalar('disk', 50))),
      )
      expectError(framework, 'volume')
      expect(state(framework, 'part')).toBe('OPERATION_FINISHED')
      expect(diskOf(offer)).toEqual({ '': 9_990, db: 150 })
      expect(volumesOf(offer.resources)).toEqual(['v'])
    },
  },
  {
    id: 'D16',
    says: 'GROW_VOLUME and SHRINK_VOLUME change the size and keep the data; not on MOUNT disks, and not down to nothing',
    options: withMountDisks,
    async hold(bench) {
      const framework = bench.subscribe()
      await operate(bench, framework, reserve(undefined, reserved(scalar('disk', 200))), create(undefined, volume('v', 100)))
      const grown = await operate(bench, framework, grow('grow', volume('v', 100), 60))
      expect([state(framework, 'grow'), sizeOf(grown, 'v'), diskOf(grown)['db']]).toEqual(['OPERATION_FINISHED', 160, 40])
      const shrunk = await operate(bench, framework, shrink('shrink', volume('v', 160), 90))
      expect([state(framework, 'shrink'), sizeOf(shrunk, 'v'), diskOf(shrunk)['db']]).toEqual(['OPERATION_FINISHED', 70, 130])
      expect(bench.cluster.log.map((entry) => entry.type)).not.toContain('volumeDestroyed')
      await operate(bench, framework, shrink('all', volume('v', 70), 70), shrink('none', volume('v', 70), 0))
      expectError(framework, 'all')
      expectError(framework, 'none')
      await operate(bench, framework, reserve(undefined, reserved(mountDisk)), create(undefined, onMountDisk('m', 2_000)))
      const offer = await operate(
        bench,
        framework,
        shrink('mount', onMountDisk('m', 2_000), 10),
        grow('mount-grow', onMountDisk('m', 2_000), 10),
      )
      expectError(framework, 'mount')
      expectError(framework, 'mount-grow')
      expect(sizeOf(offer, 'm')).toBe(2_000)
    },
  },
  {
    id: 'D17',
    says: 'sums have three decimals: 0.1 and 0.2 cpus reserved are 0.3, and 0.3 can be unreserved',
    async hold(bench) {
      const framework = bench.subscribe()
      await operate(bench, framework, reserve('a', reserved(scalar('cpus', 0.1))))
      const offer = await operate(bench, framework, reserve('b', reserved(scalar('cpus', 0.2))))
      expect(cpusOf(offer)).toEqual({ '': 3.7, db: 0.3 })
      const after = await operate(bench, framework, unreserve('c', reserved(scalar('cpus', 0.3))))
      expect(state(framework, 'c')).toBe('OPERATION_FINISHED')
      expect(cpusOf(after)).toEqual({ '': 4 })
    },
  },
  {
    id: 'D18',
    says: 'volumes, MOUNT disks and reservations with other labels stay apart; equal reservations are one',
    options: withMountDisks,
    async hold(bench) {
      const framework = bench.subscribe()
      const labelled = (pod: string): object => ({ labels: { labels: [{ key: 'pod', value: pod }] } })
      const offer = await operate(
        bench,
        framework,
        reserve(undefined, reserved(scalar('cpus', 0.5), labelled('a'))),
        reserve(undefined, reserved(scalar('cpus', 0.5), labelled('b'))),
        reserve(undefined, reserved(scalar('cpus', 0.25), labelled('b'))),
        reserve(undefined, reserved(scalar('disk', 200))),
        create(undefined, volume('v', 100), volume('w', 100)),
        reserve(undefined, reserved(mountDisk), reserved(otherMountDisk)),
      )
      const entries = (offer.resources ?? []).map(({ name, reservations, disk, scalar: amount }) => {
        const label = reservations?.[0]?.labels?.labels?.[0]?.value ?? 'none'
        const what = disk?.persistence?.id ?? disk?.source?.mount?.root ?? label
        return `${reservations?.[0]?.role ?? 'free'} ${name} ${what} ${amount?.value ?? ''}`
      })
      const disks = ['db disk v 100', 'db disk w 100', 'db disk /mnt/1 2000', 'db disk /mnt/2 2000', 'free disk none 10040']
      const expected = ['db cpus a 0.5', 'db cpus b 0.75', 'free cpus none 2.75', ...disks]
      for (const entry of expected) expect(entries.filter((each) => each === entry)).toEqual([entry])
      expect(entries).toHaveLength(expected.length + 2)
    },
  },
  {
    id: 'D20',
    says: 'an OPERATION_FINISHED that is not acknowledged comes again, first after 10 s; afterwards no more',
    async hold(bench) {
      const framework = bench.subscribe({ acknowledges: false })
      framework.accept(framework.offer(), [reserve('r', reserved(scalar('cpus', 1)))])
      await bench.advance(9_900)
      expect(framework.operations('r')).toHaveLength(1)
      await bench.advance(300)
      expect(framework.operations('r')).toHaveLength(2)
      await bench.advance(20_000)
      expect(framework.operations('r')).toHaveLength(3)
      expect(new Set(framework.operations('r').map((status) => status.uuid?.value)).size).toBe(1)
      framework.setAcknowledging(true)
      await bench.advance(600_000)
      expect(framework.operations('r')).toHaveLength(3)
      expect(bench.view('GET_OPERATIONS')).toEqual({})
    },
  },
  {
    id: 'D21',
    says: 'there is nothing to acknowledge in an update without uuid: it comes once, and no operation stays open',
    async hold(bench) {
      const framework = bench.subscribe()
      framework.accept(framework.offer(), [reserve('r', reserved(scalar('cpus', 5)))])
      await bench.advance(120_000)
      expectError(framework, 'r')
      expect(bench.view('GET_OPERATIONS')).toEqual({})
      bench.cluster.loseToAgent('agent-1', 'applyOperation')
      framework.accept(framework.offer(), [reserve('lost', reserved(scalar('cpus', 1)))])
      await bench.advance(1_000)
      bench.cluster.breakLink('agent-1')
      await bench.advance(120_000)
      expect(framework.operations('lost').map((status) => [status.state, status.uuid])).toEqual([
        ['OPERATION_DROPPED', undefined],
      ])
      expect(bench.view('GET_OPERATIONS')).toEqual({})
      expect(cpusOf(framework.offer())).toEqual({ '': 4 })
      const { operation_id } = framework.operations('r')[0] ?? {}
      const agent_id = { value: bench.agentId('agent-1') }
      expect(framework.call('ACKNOWLEDGE_OPERATION_STATUS', { operation_id, agent_id }).status).toBe(400)
    },
  },
  {
    id: 'D22',
    says: 'RECONCILE_OPERATIONS answers open ones with their state, unknown ones with OPERATION_UNKNOWN, all without uuid',
    async hold(bench) {
      const framework = bench.subscribe({ acknowledges: false })
      framework.accept(framework.offer(), [reserve('done', reserved(scalar('cpus', 1)))])
      await bench.advance(2_000)
      bench.cluster.deafenAgent('agent-1')
      framework.accept(framework.offer(), [reserve('pending', reserved(scalar('cpus', 1)))])
      framework.forget()
      const agent_id = { value: bench.agentId('agent-1') }
      const asked = ['done', 'pending', 'nosuch'].map((value) => ({ operation_id: { value }, agent_id }))
      framework.call('RECONCILE_OPERATIONS', { operations: asked })
      const answers = framework.operations()
      expect(answers.map((status) => [status.operation_id?.value, status.state])).toEqual([
        ['done', 'OPERATION_FINISHED'],
        ['pending', 'OPERATION_PENDING'],
        ['nosuch', 'OPERATION_UNKNOWN'],
      ])
      for (const status of answers) expect(status).not.toHaveProperty('uuid')
      framework.forget()
      framework.call('RECONCILE_OPERATIONS', { operations: [] })
      expect(
        framework
          .operations()
          .map((status) => status.operation_id?.value)
          .sort(),
      ).toEqual(['done', 'pending'])
    },
  },
  {
    id: 'D23',
    says: 'an id on LAUNCH or LAUNCH_GROUP is TASK_ERROR for all its tasks',
    async hold(bench) {
      const framework = bench.subscribe()
      const offer = framework.offer()
      const id = { value: 'op' }
      const group = launchGroup(executor(framework, 'x'), task(offer, 'c'), task(offer, 'd'))
      framework.accept(offer, [
        { ...launch(task(offer, 'a'), task(offer, 'b')), id },
        { ...group, id },
      ])
      await bench.advance(2_000)
      for (const taskId of ['a', 'b', 'c', 'd']) expect(framework.states(taskId)).toEqual(['TASK_ERROR'])
      expect(framework.operations()).toEqual([])
    },
  },
  {
    id: 'D24',
    says: 'one stale offer spoils the whole ACCEPT: nothing is done, everything refused, valid offers come back unfiltered',
    async hold(bench) {
      const framework = bench.subscribe()
      const [stale, valid] = [framework.offer('agent-1'), framework.offer('agent-2')]
      framework.decline(stale, 0)
      framework.accept([stale, valid], [reserve('r', reserved(scalar('cpus', 1))), launch(task(valid, 't'))], {
        refuse_seconds: 3_600,
      })
      expect(framework.statuses('t')).toMatchObject([
        { state: 'TASK_DROPPED', reason: 'REASON_INVALID_OFFERS', source: 'SOURCE_MASTER' },
      ])
      expect(framework.statuses('t')[0]).not.toHaveProperty('uuid')
      expectError(framework, 'r')
      await bench.advance(1_000)
      expect(cpusOf(framework.offer('agent-2'))).toEqual({ '': 4 })
      expect(framework.states('t')).toEqual(['TASK_DROPPED'])
    },
  },
  {
    id: 'D25',
    says: 'offers of two agents in one ACCEPT are treated the same',
    async hold(bench) {
      const framework = bench.subscribe()
      const [first, second] = [framework.offer('agent-1'), framework.offer('agent-2')]
      framework.accept([first, second], [reserve('r', reserved(scalar('cpus', 1))), launch(task(first, 't'))], {
        refuse_seconds: 3_600,
      })
      expect(framework.statuses('t')).toMatchObject([{ state: 'TASK_DROPPED', reason: 'REASON_INVALID_OFFERS' }])
      expectError(framework, 'r')
      await bench.advance(1_000)
      expect(framework.offers('agent-1')).toHaveLength(1)
      expect(framework.offers('agent-2')).toHaveLength(1)
    },
  },
  {
    id: 'D26',
    says: 'reservations and volumes survive a restart of the agent, and come under a new id when only its identity is lost',
    async hold(bench) {
      const framework = bench.subscribe()
      const before = await operate(bench, framework, reserve(undefined, reserved(scalar('cpus', 1))), ...withVolume('v', 100))
      const kept = (): void => {
        expect(cpusOf(framework.offer())).toEqual({ '': 3, db: 1 })
        expect(volumesOf(framework.offer().resources)).toEqual(['v'])
      }
      bench.cluster.stopAgent('agent-1')
      await bench.advance(1_000)
      bench.cluster.startAgent('agent-1')
      await bench.advance(2_000)
      expect(framework.offer().agent_id).toEqual(before.agent_id)
      kept()
      bench.cluster.stopAgent('agent-1')
      await bench.advance(1_000)
      bench.cluster.forgetIdentity('agent-1')
      bench.cluster.startAgent('agent-1')
      await bench.advance(2_000)
      expect(framework.offer().agent_id).not.toEqual(before.agent_id)
      kept()
    },
  },
  {
    id: 'D27',
    says: 'an agent whose disk was wiped has a new id and nothing reserved',
    async hold(bench) {
      const framework = bench.subscribe()
      const before = await operate(bench, framework, ...withVolume('v', 100))
      bench.cluster.stopAgent('agent-1')
      await bench.advance(1_000)
      bench.cluster.wipeDisk('agent-1')
      bench.cluster.startAgent('agent-1')
      await bench.advance(2_000)
      expect(framework.offer().agent_id).not.toEqual(before.agent_id)
      expect(diskOf(framework.offer())).toEqual({ '': 10_240 })
      expect(volumesOf(framework.offer().resources)).toEqual([])
    },
  },
]
