/** Part D, volumes: from CREATE to DESTROY, and the arithmetic of what is kept. Files in volumes are not of this cluster. */
import { expect } from 'vitest'
import type { Offer, Resource } from '../../src/mesos/messages.js'
import { volumesOf, type Statement } from './bench.js'
import { create, destroy, launch, machine, reserve, reserved, scalar, task, unreserve, volume } from './messages.js'
import { cpusOf, diskOf, expectError, operate, state, withVolume } from './operating.js'

const sizeOf = (offer: Offer, id: string): number | undefined =>
  offer.resources?.find((resource) => resource.disk?.persistence?.id === id)?.scalar?.value

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

export const volumes: readonly Statement[] = [
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
]
