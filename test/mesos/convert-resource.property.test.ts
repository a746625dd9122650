import fc from 'fast-check'
import { expect, test } from 'vitest'
import { persistenceId } from '../../src/ids.js'
import { fromResource, toResource } from '../../src/mesos/convert-resource.js'
import { parseJson } from '../../src/mesos/convert-event.js'
import type * as wire from '../../src/mesos/messages.js'
import type { Resource } from '../../src/offer-evaluator/resources.js'
import { canonicalJson } from '../../src/spec/canonical.js'
import { normalizeRanges } from '../../src/units.js'

const word = fc.constantFrom('a', 'db', 'ünï', 'x-1', 'stateward.service')
const labels = fc.array(fc.record({ key: word, value: fc.string({ maxLength: 8 }) }), { maxLength: 3 })
const reservation = fc.record(
  { type: fc.constantFrom('STATIC' as const, 'DYNAMIC' as const), role: word, principal: word, labels },
  { requiredKeys: ['type', 'role'] },
)
const volume = fc
  .record({ persistenceId: word.map(persistenceId), principal: word, containerPath: word }, { requiredKeys: ['persistenceId'] })
  // Without a path the way out has to choose one; a test of its own covers that.
  .map((one) => ({ ...one, containerPath: one.containerPath ?? 'data' }))
const diskSource = fc
  .constantFrom<object>(
    { type: 'MOUNT', mount: { root: '/mnt/disk1' } },
    { type: 'PATH', path: { root: '/mnt/disk2' } },
    { type: 'RAW', id: 'r1', profile: 'fast', metadata: { labels: [{ key: 'k', value: 'v' }] } },
  )
  .map(canonicalJson)
const range = fc
  .record({ begin: fc.nat(1_000), length: fc.nat(100) })
  .map(({ begin, length }) => ({ begin, end: begin + length }))
const value = fc.oneof(
  fc.nat({ max: 2 ** 40 }).map((amount) => ({ kind: 'scalar' as const, amount })),
  fc.array(range, { maxLength: 5 }).map((ranges) => ({ kind: 'ranges' as const, ranges: normalizeRanges(ranges) })),
  fc.uniqueArray(word).map((items) => ({ kind: 'set' as const, items })),
)
const resource: fc.Arbitrary<Resource> = fc
  .tuple(
    value,
    fc.record(
      {
        name: fc.constantFrom('cpus', 'mem', 'disk', 'ports', 'custom'),
        reservations: fc.array(reservation, { maxLength: 3 }),
        volume,
        diskSource,
        revocable: fc.constant(true),
        shared: fc.constant(true),
        providerId: word,
      },
      { requiredKeys: ['name', 'reservations'] },
    ),
  )
  .map(([amount, rest]) => ({ ...amount, ...rest }))

test('a resource survives the way to the wire and back', () => {
  fc.assert(
    fc.property(resource, word, (original, role) => {
      const text = JSON.stringify(toResource(original, role))
      expect(fromResource(parseJson(text) as wire.Resource)).toEqual(original)
    }),
    { numRuns: 500 },
  )
})

test('text inside strings is never taken for a number, whatever stands around it', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.string(), fc.constantFrom('Infinity', '"NaN"', '\\"Infinity'))), (texts) => {
      const json = `{"limit":Infinity,"texts":${JSON.stringify(texts)}}`
      expect(parseJson(json)).toEqual({ limit: Infinity, texts })
    }),
  )
})
