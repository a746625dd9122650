/**
 * Relaunch in place: the footprint's own resources, found by their resource ids, on its own agent and nowhere else. Pure.
 */
import { fromMilli, containsRanges } from '../units.js'
import type { Footprint, LedgerEntry } from './footprint-record.js'
import { takeReserved, type AgentPool } from './pool.js'
import { usableResource, type Ownership } from './reserve.js'
import type { Resource } from './resources.js'

export type FoundInPlace =
  | { readonly ok: true; readonly pool: AgentPool; readonly resources: ReadonlyMap<LedgerEntry, Resource> }
  | { readonly ok: false; readonly reason: string }

/** Takes the entries out of the pool, as offered: fields that this version does not know stay on them. */
export function findInPlace(
  footprint: Footprint,
  entries: readonly LedgerEntry[],
  pool: AgentPool,
  owner: Ownership,
): FoundInPlace {
  const resources = new Map<LedgerEntry, Resource>()
  const missing: string[] = []
  let left = pool
  for (const entry of entries) {
    const offered = pool.reserved.get(entry.resourceId)?.find((resource) => satisfies(resource, entry))
    if (offered === undefined) missing.push(describe(entry))
    else {
      resources.set(entry, asWanted(offered, entry, owner))
      left = takeReserved(left, entry.resourceId)
    }
  }
  if (missing.length === 0) return { ok: true, pool: left, resources }
  return {
    ok: false,
    reason: `agent ${footprint.hostname} does not offer all of the reserved resources yet (missing: ${missing.join(', ')})`,
  }
}

function satisfies(resource: Resource, entry: LedgerEntry): boolean {
  if (resource.name !== entry.name || resource.volume?.persistenceId !== entry.volume?.persistenceId) return false
  if (resource.kind === 'scalar') return entry.amount !== undefined && resource.amount >= entry.amount
  return resource.kind === 'ranges' && entry.ranges !== undefined && containsRanges(resource.ranges, entry.ranges)
}

/** The offered object with the amount and the mount that the ledger wants. */
function asWanted(offered: Resource, entry: LedgerEntry, owner: Ownership): Resource {
  const wanted = usableResource(entry, owner)
  if (offered.kind === 'scalar' && wanted.kind === 'scalar') {
    return { ...offered, amount: wanted.amount, ...(wanted.volume === undefined ? {} : { volume: wanted.volume }) }
  }
  return offered.kind === 'ranges' && wanted.kind === 'ranges' ? { ...offered, ranges: wanted.ranges } : wanted
}

const describe = (entry: LedgerEntry): string =>
  `${entry.part} ${entry.name}${entry.amount === undefined ? '' : ` ${fromMilli(entry.amount)}`}`

/** What an offer proves about the ledger: what is on offer under our resource ids is reserved, a volume seen is created. */
export function confirmFromOffer(footprint: Footprint, pool: AgentPool): Footprint {
  let changed = false
  const entries = footprint.entries.map((entry): LedgerEntry => {
    const offered = pool.reserved.get(entry.resourceId)
    if (offered === undefined || entry.state === 'created') return entry
    const hasVolume = offered.some((resource) => entry.volume !== undefined && satisfies(resource, entry))
    const state = hasVolume ? 'created' : 'reserved'
    if (state === entry.state) return entry
    changed = true
    return { ...entry, state }
  })
  return changed ? { ...footprint, entries } : footprint
}
