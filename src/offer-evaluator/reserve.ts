/** Ledger entries as resources of operations: the reservation pushed, the volume described. Pure. */
import type { OperationId } from '../ids.js'
import { reservationLabels, type FootprintLabels } from './labels.js'
import type { LedgerEntry } from './footprint-record.js'
import type { Operation } from './operations.js'
import type { Reservation, Resource } from './resources.js'

/** Under which role and principal, and for whom, a footprint is reserved. */
export interface Ownership extends FootprintLabels {
  readonly role: string
  readonly principal: string
}

const reservationOf = (entry: LedgerEntry, owner: Ownership): Reservation => ({
  type: 'DYNAMIC',
  role: owner.role,
  principal: owner.principal,
  labels: reservationLabels(owner, entry.resourceId),
})

/** An entry as reserved, before any volume is on it. */
export function reservedResource(entry: LedgerEntry, owner: Ownership): Resource {
  const reservations = [reservationOf(entry, owner)]
  return entry.ranges === undefined
    ? { kind: 'scalar', name: entry.name, amount: entry.amount ?? 0, reservations }
    : { kind: 'ranges', name: entry.name, ranges: entry.ranges, reservations }
}

/** An entry as a task or executor uses it: with its volume. */
export function usableResource(entry: LedgerEntry, owner: Ownership): Resource {
  const reserved = reservedResource(entry, owner)
  if (entry.volume === undefined) return reserved
  const { persistenceId, containerPath } = entry.volume
  return { ...reserved, volume: { persistenceId, containerPath, principal: owner.principal } }
}

export const reserveOperation = (id: OperationId, entry: LedgerEntry, owner: Ownership): Operation => ({
  type: 'reserve',
  id,
  resources: [reservedResource(entry, owner)],
})

export const createOperation = (id: OperationId, entry: LedgerEntry, owner: Ownership): Operation => ({
  type: 'create',
  id,
  volumes: [usableResource(entry, owner)],
})
