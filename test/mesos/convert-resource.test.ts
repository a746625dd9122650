import { describe, expect, test } from 'vitest'
import { persistenceId } from '../../src/ids.js'
import { fromAttribute, fromResource, toResource } from '../../src/mesos/convert-resource.js'
import type * as wire from '../../src/mesos/messages.js'
import type { Resource } from '../../src/offer-evaluator/resources.js'
import { allEvents } from './support/transcripts.js'

const labels = { labels: [{ key: 'instance', value: 'db-0' }] }
const disk = { name: 'disk', type: 'SCALAR', scalar: { value: 64 } } as const

describe('reservations in', () => {
  // mesos-v1.md 3.4: the same stack from the old, the new and the endpoint format (G13).
  const stack = [{ type: 'DYNAMIC', role: 'db', principal: 'p', labels: [{ key: 'instance', value: 'db-0' }] }]
  const fresh = { ...disk, reservations: [{ type: 'DYNAMIC', role: 'db', principal: 'p', labels }] } as const
  const old = { ...disk, role: 'db', reservation: { principal: 'p', labels } } as const

  test.each<[string, wire.Resource, unknown]>([
    ['unreserved, new', disk, []],
    ['unreserved, old', { ...disk, role: '*' }, []],
    ['static, new', { ...disk, reservations: [{ type: 'STATIC', role: 'db' }] }, [{ type: 'STATIC', role: 'db' }]],
    ['static, old', { ...disk, role: 'db' }, [{ type: 'STATIC', role: 'db' }]],
    ['dynamic, new', fresh, stack],
    ['dynamic, old', old, stack],
    ['dynamic, endpoint', { ...old, ...fresh }, stack],
    [
      'refined',
      { ...disk, reservations: [{ type: 'STATIC', role: 'eng' }, ...fresh.reservations] },
      [{ type: 'STATIC', role: 'eng' }, ...stack],
    ],
    ['dynamic without principal, old', { ...disk, role: 'db', reservation: {} }, [{ type: 'DYNAMIC', role: 'db' }]],
    [
      'labels present but empty',
      { ...disk, reservations: [{ type: 'DYNAMIC', role: 'db', labels: {} }] },
      [{ type: 'DYNAMIC', role: 'db', labels: [] }],
    ],
    [
      'a label without a value',
      { ...disk, reservations: [{ type: 'DYNAMIC', role: 'db', labels: { labels: [{ key: 'a' }] } }] },
      [{ type: 'DYNAMIC', role: 'db', labels: [{ key: 'a', value: '' }] }],
    ],
  ])('%s', (_name, resource, expected) => {
    expect(fromResource(resource)?.reservations).toEqual(expected)
  })
})

describe('resources in', () => {
  test.each([
    [1.1, 1_100],
    [0.1 + 0.2, 300],
    [1.0004, 1_000],
    [10_304, 10_304_000],
  ])('the scalar %d is %d thousandths (D17)', (value, amount) => {
    expect(fromResource({ name: 'cpus', type: 'SCALAR', scalar: { value } })).toMatchObject({ kind: 'scalar', amount })
  })

  test('ranges are sorted and joined, sets kept', () => {
    const ranges = { range: [{ begin: 30, end: 40 }, { begin: 1, end: 2 }, { begin: 3, end: 4 }] } // prettier-ignore
    expect(fromResource({ name: 'ports', type: 'RANGES', ranges })).toMatchObject({
      kind: 'ranges',
      ranges: [
        { begin: 1, end: 4 },
        { begin: 30, end: 40 },
      ],
    })
    expect(fromResource({ name: 'ssds', type: 'SET', set: { item: ['b', 'a'] } })).toMatchObject({ items: ['b', 'a'] })
    expect(fromResource({ name: 'odd', type: 'TEXT' })).toBeUndefined()
  })

  test('a volume, its source, and all that is a matter of presence', () => {
    const resource: wire.Resource = {
      ...disk,
      disk: {
        persistence: { id: 'v1', principal: 'p' },
        volume: { mode: 'RW', container_path: 'data' },
        source: { type: 'PATH', path: { root: '/mnt/disk2' } },
      },
      revocable: {},
      shared: {},
      provider_id: { value: 'rp' },
    }
    expect(fromResource(resource)).toEqual({
      kind: 'scalar',
      name: 'disk',
      amount: 64_000,
      reservations: [],
      volume: { persistenceId: 'v1', principal: 'p', containerPath: 'data' },
      diskSource: '{"path":{"root":"/mnt/disk2"},"type":"PATH"}',
      revocable: true,
      shared: true,
      providerId: 'rp',
    })
  })
})

describe('resources out', () => {
  const plain: Resource = { kind: 'scalar', name: 'disk', amount: 64_000, reservations: [] }

  test('leave out what is not there: an empty `disk` or `reservations` is not the same to Mesos', () => {
    expect(toResource(plain, 'db')).toEqual({ ...disk, allocation_info: { role: 'db' } })
  })

  test('a volume that was offered without a path still names one, as every operation validates it', () => {
    const volume = { persistenceId: persistenceId('v1') }
    expect(toResource({ ...plain, volume }, 'db').disk).toEqual({
      persistence: { id: 'v1' },
      volume: { mode: 'RW', container_path: 'v1' },
    })
  })

  test('every resource that a real master offered in the new format comes out as it went in', () => {
    const offers = allEvents('OFFERS').flatMap((event) => event.offers.offers ?? [])
    const resources = offers.flatMap((offer) => offer.resources ?? []).filter(({ role }) => role === undefined)
    expect(resources.length).toBeGreaterThan(100)
    for (const resource of resources) {
      const converted = fromResource(resource)
      expect(converted && toResource(converted, resource.allocation_info?.role ?? '')).toEqual(resource)
    }
  })
})

test.each<[wire.Attribute, string]>([
  [{ name: 'a', type: 'TEXT', text: { value: 'ssd' } }, 'ssd'],
  [{ name: 'a', type: 'SCALAR', scalar: { value: 7 } }, '7'],
  [{ name: 'a', type: 'SCALAR', scalar: { value: 7.25 } }, '7.25'],
  [{ name: 'a', type: 'RANGES', ranges: { range: [{ begin: 1, end: 3 }, { begin: 5, end: 5 }] } }, '[1-3,5-5]'], // prettier-ignore
  [{ name: 'a', type: 'SET', set: { item: ['a', 'b'] } }, '{a,b}'],
])('the attribute %j reads %s', (attribute, value) => {
  expect(fromAttribute(attribute)).toEqual({ name: 'a', value })
})
