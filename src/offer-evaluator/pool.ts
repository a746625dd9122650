/**
 * What one agent has on offer to one role: all its outstanding offers taken together, because after a task group has ended its
 * resources come back as several offers, each too small. A pool never changes; taking gives a smaller pool or a shortfall. Pure.
 */
import type { AgentId, OfferId, ResourceId } from '../ids.js'
import { fromMilli, subtractRanges, type Milli, type Range } from '../units.js'
import { resourceLabel } from './labels.js'
import type { Offer, RangesResource, Resource, ScalarResource } from './resources.js'

export interface AgentPool {
  readonly agentId: AgentId
  readonly hostname: string
  readonly address: string
  readonly region: string | undefined
  readonly zone: string | undefined
  readonly offerIds: readonly OfferId[]
  /** Start of planned maintenance, if some is announced. */
  readonly unavailableFromMs: number | undefined
  readonly unreserved: readonly Resource[]
  /** Dynamic reservations of this service, by resource id. */
  readonly reserved: ReadonlyMap<ResourceId, readonly Resource[]>
}

/** Pools by agent, in the order of agent ids. Offers for another role are left out. */
export function buildPools(offers: readonly Offer[], role: string, service: string): Map<AgentId, AgentPool> {
  const byAgent = new Map<AgentId, Offer[]>()
  for (const offer of offers) {
    if (offer.role !== role) continue
    const known = byAgent.get(offer.agentId)
    if (known === undefined) byAgent.set(offer.agentId, [offer])
    else known.push(offer)
  }
  const sorted = [...byAgent].sort(([a], [b]) => (a < b ? -1 : 1))
  return new Map(sorted.map(([agent, list]) => [agent, buildPool(agent, list, role, service)]))
}

function buildPool(agentId: AgentId, offers: readonly Offer[], role: string, service: string): AgentPool {
  const unreserved: Resource[] = []
  const reserved = new Map<ResourceId, Resource[]>()
  for (const resource of offers.flatMap((offer) => offer.resources)) {
    const id = resourceLabel(resource, role, service)
    if (id !== undefined) reserved.set(id, [...(reserved.get(id) ?? []), resource])
    else if (isPlain(resource)) unreserved.push(resource)
  }
  const first = offers[0] as Offer
  const starts = offers.flatMap((offer) => (offer.unavailableFromMs === undefined ? [] : [offer.unavailableFromMs]))
  return {
    agentId,
    hostname: first.hostname,
    address: first.address,
    region: first.region,
    zone: first.zone,
    offerIds: offers.map((offer) => offer.id),
    unavailableFromMs: starts.length === 0 ? undefined : Math.min(...starts),
    unreserved,
    reserved,
  }
}

/** Free for a ROOT footprint: nobody's reservation, no volume, no PATH or MOUNT disk, not revocable. */
const isPlain = (resource: Resource): boolean =>
  resource.reservations.length === 0 &&
  resource.volume === undefined &&
  resource.diskSource === undefined &&
  resource.revocable !== true &&
  resource.providerId === undefined

export type Taken = { readonly ok: true; readonly pool: AgentPool } | { readonly ok: false; readonly reason: string }

/** Takes a scalar from what is unreserved. */
export function takeScalar(pool: AgentPool, name: string, amount: Milli): Taken {
  const parts = pool.unreserved.filter(
    (resource): resource is ScalarResource => resource.kind === 'scalar' && resource.name === name,
  )
  const total = parts.reduce((sum, part) => sum + part.amount, 0)
  if (total < amount) return { ok: false, reason: `lacks ${name} (needs ${fromMilli(amount)}, has ${fromMilli(total)})` }
  const rest = pool.unreserved.filter((resource) => !(resource.kind === 'scalar' && resource.name === name))
  const left: Resource[] = total > amount ? [{ kind: 'scalar', name, amount: total - amount, reservations: [] }] : []
  return { ok: true, pool: { ...pool, unreserved: [...rest, ...left] } }
}

/** Unreserved values of a range resource. */
export const unreservedRanges = (pool: AgentPool, name: string): Range[] =>
  pool.unreserved.flatMap((resource) => (resource.kind === 'ranges' && resource.name === name ? resource.ranges : []))

/** Takes ranges that are known to be in the pool. */
export function takeRanges(pool: AgentPool, name: string, wanted: readonly Range[]): AgentPool {
  const rest = pool.unreserved.filter((resource) => !(resource.kind === 'ranges' && resource.name === name))
  const left = subtractRanges(unreservedRanges(pool, name), wanted)
  const remaining: RangesResource[] = left.length === 0 ? [] : [{ kind: 'ranges', name, ranges: left, reservations: [] }]
  return { ...pool, unreserved: [...rest, ...remaining] }
}

/** Takes everything offered under a resource id. */
export function takeReserved(pool: AgentPool, id: ResourceId): AgentPool {
  const reserved = new Map(pool.reserved)
  reserved.delete(id)
  return { ...pool, reserved }
}
