/** Whatever is offered: no agent is over-committed, no port is given twice, and what is not ours is not touched. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { agentId, offerId, operationId, podInstanceName, type AgentId } from '../../src/ids.js'
import { completeFootprint, placeFootprint } from '../../src/offer-evaluator/evaluate.js'
import type { Footprint } from '../../src/offer-evaluator/footprint-record.js'
import { confirmFromOffer, findInPlace } from '../../src/offer-evaluator/in-place.js'
import { buildPools } from '../../src/offer-evaluator/pool.js'
import { buildRequirement } from '../../src/offer-evaluator/requirement.js'
import { usableResource, type Ownership } from '../../src/offer-evaluator/reserve.js'
import type { Offer, Reservation, Resource } from '../../src/offer-evaluator/resources.js'
import { parseSpec } from '../../src/spec/parse.js'
import { containsRanges, countRanges, type Range } from '../../src/units.js'

const role = 'store-role'

/** Reservations that are none of ours: of other roles, static ones of our role, and those of our role without our label. */
const foreign = fc.constantFrom<Reservation[]>(
  [{ type: 'DYNAMIC', role: 'other-role', labels: [{ key: 'stateward.resource', value: 'db-0.1.x.executor/cpus' }] }],
  [{ type: 'STATIC', role: 'other-role' }],
  [{ type: 'STATIC', role }],
  [{ type: 'DYNAMIC', role, labels: [{ key: 'owner', value: 'somebody' }] }],
  [{ type: 'DYNAMIC', role }],
)

const scalar = (name: string, max: number) =>
  fc.integer({ min: 0, max }).map((amount): Resource => ({ kind: 'scalar', name, amount, reservations: [] }))
const portRange = fc.tuple(fc.integer({ min: 31_000, max: 31_020 }), fc.nat(4)).map(([begin, length]): Resource => ({
  kind: 'ranges',
  name: 'ports',
  ranges: [{ begin, end: begin + length }],
  reservations: [],
}))
const plain = fc.oneof(scalar('cpus', 4_000), scalar('mem', 2_000_000), scalar('disk', 4_000_000), portRange)

/** Never to be used, however well it would fit. */
const untouchable = fc.oneof(
  fc.tuple(plain, foreign).map(([resource, reservations]): Resource => ({ ...resource, reservations })),
  scalar('cpus', 8_000).map((resource): Resource => ({ ...resource, revocable: true })),
  scalar('disk', 8_000_000).map((resource): Resource => ({ ...resource, diskSource: '{"type":"MOUNT"}' })),
  scalar('disk', 8_000_000).map((resource): Resource => ({ ...resource, providerId: 'csi' })),
)

const agents = fc
  .array(
    fc.array(fc.tuple(fc.array(plain, { maxLength: 6 }), fc.array(untouchable, { maxLength: 3 })), {
      minLength: 1,
      maxLength: 3,
    }),
    { minLength: 1, maxLength: 4 },
  )
  .map((perAgent) =>
    perAgent.flatMap((offers, index) =>
      offers.map(([own, others], piece): Offer => ({
        id: offerId(`offer-${index}-${piece}`),
        agentId: agentId(`agent-${index}`),
        hostname: `host-${index}`,
        address: `10.0.0.${index}`,
        role,
        attributes: [],
        executorIds: [],
        resources: withoutSharedPorts([...own, ...others]),
      })),
    ),
  )
  .map(withoutPortsOfOtherPieces)

/** A real agent offers each port once. */
function withoutSharedPorts(resources: readonly Resource[]): Resource[] {
  const seen = new Set<number>()
  return resources.filter((resource) => {
    if (resource.kind !== 'ranges') return true
    const values = resource.ranges.flatMap(({ begin, end }) =>
      Array.from({ length: end - begin + 1 }, (_, index) => begin + index),
    )
    if (values.some((value) => seen.has(value))) return false
    values.forEach((value) => seen.add(value))
    return true
  })
}

function withoutPortsOfOtherPieces(offers: readonly Offer[]): Offer[] {
  const portsSeen = new Set<AgentId>()
  return offers.map((offer) => {
    const mayHavePorts = !portsSeen.has(offer.agentId)
    portsSeen.add(offer.agentId)
    return { ...offer, resources: offer.resources.filter((resource) => mayHavePorts || resource.kind !== 'ranges') }
  })
}

const pods = fc
  .record({
    count: fc.integer({ min: 1, max: 5 }),
    cpus: fc.integer({ min: 10, max: 1_500 }).map((milli) => milli / 1_000),
    memoryMb: fc.integer({ min: 32, max: 600 }),
    sizeMb: fc.integer({ min: 1, max: 1_500 }),
    ports: fc.integer({ min: 0, max: 3 }),
    fixed: fc.boolean(),
    max: fc.integer({ min: 1, max: 3 }),
  })
  .map(({ count, cpus, memoryMb, sizeMb, ports, fixed, max }) => {
    const dynamic = Array.from({ length: ports }, (_, index) => [`p${index}`, { port: 0 }] as const)
    const task = {
      command: 'true',
      cpus,
      memoryMb,
      ports: Object.fromEntries([...dynamic, ...(fixed ? [['f', { port: 31_004 }]] : [])]),
    }
    const placement = [{ type: 'maxPerHost', max: fixed ? 1 : max }]
    const spec = parseSpec({
      name: 'store',
      pods: { db: { count, placement, volumes: { data: { sizeMb } }, tasks: { server: task } } },
    })
    const { db } = spec.pods
    if (db === undefined) throw new TypeError('the spec has its pod')
    return db
  })

const made = { hash: '1:f', atMs: 0 }
const ownerOf = (index: number): Ownership => ({
  role,
  principal: 'store-principal',
  service: 'store',
  instance: podInstanceName('db', index),
  generation: 1,
})
/** The instance can be read off every id. */
const idsOf = (index: number) => {
  let count = 0
  return () => operationId(`${index}-${count++}`)
}

/** Places one instance after the other on what the ones before have left. */
function placeAll(offers: readonly Offer[], pod: typeof pods extends fc.Arbitrary<infer Pod> ? Pod : never): Footprint[] {
  const pools = buildPools(offers, role, 'store')
  const footprints: Footprint[] = []
  const hosts = new Map<string, number>()
  for (let index = 0; index < pod.count; index++) {
    const requirement = buildRequirement(podInstanceName('db', index), 'db', pod, 1, `n${index}`)
    const result = placeFootprint(requirement, pools, { samePod: hosts, all: hosts }, ownerOf(index), idsOf(index), made)
    if (!result.ok) continue
    pools.set(result.footprint.agentId, result.pool)
    hosts.set(result.footprint.hostname, (hosts.get(result.footprint.hostname) ?? 0) + 1)
    footprints.push(result.footprint)
    for (const operation of result.operations) {
      const resources = operation.type === 'reserve' ? operation.resources : operation.type === 'create' ? operation.volumes : []
      for (const { reservations } of resources)
        expect(reservations).toMatchObject([{ type: 'DYNAMIC', role, principal: 'store-principal' }])
    }
  }
  return footprints
}

const isPlain = (resource: Resource): boolean =>
  resource.reservations.length === 0 &&
  resource.diskSource === undefined &&
  resource.revocable !== true &&
  resource.providerId === undefined

const plainOf = (offers: readonly Offer[], agent: AgentId): Resource[] =>
  offers.filter((offer) => offer.agentId === agent).flatMap((offer) => offer.resources.filter(isPlain))

const sumOf = (resources: readonly { readonly name: string; readonly amount?: number | undefined }[], name: string): number =>
  resources.filter((resource) => resource.name === name).reduce((sum, { amount }) => sum + (amount ?? 0), 0)

describe('placing footprints', () => {
  test('takes no more of an agent than it offers freely, no port twice, and obeys the rules', () => {
    let placed = 0
    fc.assert(
      fc.property(agents, pods, (offers, pod) => {
        const footprints = placeAll(offers, pod)
        placed += footprints.length
        for (const agent of new Set(offers.map((offer) => offer.agentId))) {
          const free = plainOf(offers, agent)
          const here = footprints.filter((footprint) => footprint.agentId === agent)
          const entries = here.flatMap((footprint) => footprint.entries)
          const scalars = free.flatMap((resource) => (resource.kind === 'scalar' ? [resource] : []))
          for (const name of ['cpus', 'mem', 'disk']) expect(sumOf(entries, name)).toBeLessThanOrEqual(sumOf(scalars, name))
          const taken: Range[] = entries.flatMap((entry) => entry.ranges ?? [])
          const offered = free.flatMap((resource) => (resource.kind === 'ranges' ? resource.ranges : []))
          expect(countRanges(taken)).toBe(taken.length)
          expect(containsRanges(offered, taken)).toBe(true)
          const [rule] = pod.placement
          expect(here.length).toBeLessThanOrEqual(rule?.type === 'maxPerHost' ? rule.max : 0)
        }
        const ids = footprints.flatMap((footprint) => footprint.entries.map((entry) => entry.resourceId))
        expect(new Set(ids).size).toBe(ids.length)
      }),
      { numRuns: 500 },
    )
    expect(placed).toBeGreaterThan(50)
  })

  test('does not depend on the order of the offers', () => {
    fc.assert(
      fc.property(agents, pods, (offers, pod) => {
        expect(placeAll([...offers].reverse(), pod)).toEqual(placeAll(offers, pod))
      }),
    )
  })

  test('leaves offers and pools as they were', () => {
    fc.assert(
      fc.property(agents, pods, (offers, pod) => {
        const before = JSON.stringify(offers)
        placeAll(offers, pod)
        expect(JSON.stringify(offers)).toBe(before)
      }),
      { numRuns: 30 },
    )
  })
})

describe('a footprint on offer again', () => {
  const reserved = (footprint: Footprint, index: number): Offer => ({
    id: offerId(`back-${index}`),
    agentId: footprint.agentId,
    hostname: footprint.hostname,
    address: footprint.address,
    role,
    attributes: [],
    executorIds: [],
    resources: footprint.entries.map((entry) => usableResource(entry, ownerOf(index))),
  })

  test('is found by its own ids alone, once, and proves itself complete', () => {
    fc.assert(
      fc.property(agents, pods, (offers, pod) => {
        const footprints = placeAll(offers, pod)
        const indexOf = (footprint: Footprint): number => Number(footprint.operations[0]?.id.split('-')[0])
        const back = buildPools(
          [...offers, ...footprints.map((footprint) => reserved(footprint, indexOf(footprint)))],
          role,
          'store',
        )
        for (const footprint of footprints) {
          const pool = back.get(footprint.agentId)
          if (pool === undefined) throw new TypeError('its agent offers')
          const owner = ownerOf(indexOf(footprint))
          const found = findInPlace(footprint, footprint.entries, pool, owner)
          expect(found.ok).toBe(true)
          if (found.ok) expect(findInPlace(footprint, footprint.entries, found.pool, owner).ok).toBe(false)
          const settled = confirmFromOffer(footprint, pool)
          expect(settled.entries.every((entry) => entry.state === (entry.volume === undefined ? 'reserved' : 'created'))).toBe(
            true,
          )
          expect(completeFootprint({ ...settled, operations: [] }, pool, owner, idsOf(9), 0)).toMatchObject({
            ok: true,
            operations: [],
          })
        }
      }),
    )
  })

  test('is not found on an agent that does not offer it', () => {
    fc.assert(
      fc.property(agents, pods, (offers, pod) => {
        for (const footprint of placeAll(offers, pod)) {
          const pool = buildPools(offers, role, 'store').get(footprint.agentId)
          if (pool === undefined) throw new TypeError('its agent offers')
          expect(findInPlace(footprint, footprint.entries, pool, ownerOf(0))).toMatchObject({ ok: false })
        }
      }),
    )
  })
})
