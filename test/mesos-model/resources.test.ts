/** Resource arithmetic; sections 3.1 to 3.7 of the Mesos v1 reference. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  addResources,
  containsResources,
  equalResources,
  takeResources,
  toHolding,
  toOldFormat,
  toResources,
  toWire,
} from '../../src/mesos-model/resources.js'
import type { Resource } from '../../src/mesos/messages.js'

const scalar = (name: string, value: number, extras: Partial<Resource> = {}): Resource => ({
  name,
  type: 'SCALAR',
  scalar: { value },
  ...extras,
})
const reserved = (labels?: string): Partial<Resource> => ({
  reservations: [
    { type: 'DYNAMIC', role: 'web', ...(labels === undefined ? {} : { labels: { labels: [{ key: 'pod', value: labels }] } }) },
  ],
})

describe('resources', () => {
  it('adds in thousandths: 0.1 and 0.2 are 0.3', () => {
    const sum = addResources(toResources([scalar('cpus', 0.1)]), toResources([scalar('cpus', 0.2)]))
    expect(toWire(sum)).toEqual([scalar('cpus', 0.3)])
  })

  it('keeps reservations with different labels apart and merges equal ones', () => {
    const sum = toResources([
      scalar('cpus', 1, reserved('a')),
      scalar('cpus', 1, reserved('b')),
      scalar('cpus', 1, reserved('a')),
    ])
    expect(sum.map((holding) => holding.amount)).toEqual([2000, 1000])
  })

  it('takes a volume whole or not at all', () => {
    const volume = (size: number): Resource =>
      scalar('disk', size, { ...reserved(), disk: { persistence: { id: 'v' }, volume: { mode: 'RW', container_path: 'data' } } })
    const held = toResources([volume(512)])
    expect(containsResources(held, toResources([volume(256)]))).toBe(false)
    expect(takeResources(held, toResources([volume(512)]))).toEqual([])
  })

  it('does not look at container path, mode and persistence principal', () => {
    const volume = (path: string, principal?: string): Resource =>
      scalar('disk', 1, {
        ...reserved(),
        disk: {
          persistence: { id: 'v', ...(principal === undefined ? {} : { principal }) },
          volume: { mode: 'RW', container_path: path },
        },
      })
    expect(toHolding(volume('a', 'x')).key).toBe(toHolding(volume('b')).key)
  })

  it('reads the old format and writes it', () => {
    const old = scalar('cpus', 1, { role: 'web', reservation: { principal: 'p' } })
    const [holding] = toResources([old])
    expect(holding?.shape.reservations).toEqual([{ type: 'DYNAMIC', role: 'web', principal: 'p' }])
    expect(toWire(toResources([old])).map(toOldFormat)).toEqual([old])
  })

  it('takes back what it added, whatever it was', () => {
    const amount = fc.integer({ min: 1, max: 100_000 }).map((milli) => milli / 1000)
    const one = fc.oneof(
      fc.tuple(fc.constantFrom('cpus', 'mem', 'disk'), amount).map(([name, value]) => scalar(name, value)),
      fc
        .tuple(fc.constantFrom('cpus', 'mem'), amount, fc.constantFrom('a', 'b'))
        .map(([name, value, label]) => scalar(name, value, reserved(label))),
      fc
        .tuple(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 0, max: 9 }))
        .map(([begin, more]): Resource => ({ name: 'ports', type: 'RANGES', ranges: { range: [{ begin, end: begin + more }] } })),
    )
    fc.assert(
      fc.property(fc.array(one), fc.array(one), (a, b) => {
        const ports = b.filter((resource) => resource.name !== 'ports')
        const held = toResources(a)
        const sum = addResources(held, toResources(ports))
        const left = takeResources(sum, toResources(ports))
        expect(left !== undefined && equalResources(left, held)).toBe(true)
      }),
    )
  })
})
