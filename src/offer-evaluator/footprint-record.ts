/**
 * The stored footprint of a pod instance: a ledger of what was wanted on one agent, and how much of it is known to be reserved
 * and created. Host, address, region and zone are kept, so that rules count right while full agents offer nothing. Pure.
 */
import { z } from 'zod'
import {
  agentId,
  operationId,
  persistenceId,
  resourceId,
  type AgentId,
  type OperationId,
  type PersistenceId,
  type ResourceId,
} from '../ids.js'

const branded = <Id>(brand: (text: string) => Id) => z.string().min(1).transform(brand)

/** One resource of a footprint. `created` only for volumes. */
const ledgerEntrySchema = z.strictObject({
  resourceId: branded<ResourceId>(resourceId),
  /** `executor`, `task/NAME` or `volume/NAME`. */
  part: z.string(),
  /** `cpus`, `mem`, `disk` or `ports`. */
  name: z.string(),
  /** Thousandths, for scalars. */
  amount: z.int().optional(),
  ranges: z.array(z.strictObject({ begin: z.int(), end: z.int() })).optional(),
  volume: z.strictObject({ persistenceId: branded<PersistenceId>(persistenceId), containerPath: z.string() }).optional(),
  state: z.enum(['wanted', 'reserved', 'created']),
})

const openOperationSchema = z.strictObject({
  id: branded<OperationId>(operationId),
  type: z.enum(['reserve', 'create']),
  sentAtMs: z.number(),
  resourceId: branded<ResourceId>(resourceId),
})

export const footprintSchema = z.strictObject({
  agentId: branded<AgentId>(agentId),
  hostname: z.string(),
  address: z.string(),
  region: z.string().optional(),
  zone: z.string().optional(),
  /** Content it was made for; a change of it needs other reservations. */
  hash: z.string(),
  placedAtMs: z.number(),
  /** Port numbers by task and port name, kept over relaunches. */
  ports: z.record(z.string(), z.record(z.string(), z.int())),
  entries: z.array(ledgerEntrySchema),
  /** Sent, and not known to have ended. */
  operations: z.array(openOperationSchema),
})

export type Footprint = z.output<typeof footprintSchema>
export type LedgerEntry = z.output<typeof ledgerEntrySchema>
export type OpenOperation = z.output<typeof openOperationSchema>

/** What an open operation was to bring about has been seen on offer. */
export function isSeen({ entries }: Footprint, { resourceId: id, type }: OpenOperation): boolean {
  const state = entries.find((entry) => entry.resourceId === id)?.state
  return state === 'created' || (state === 'reserved' && type === 'reserve')
}

/** Nothing is wanting: everything reserved, every volume created. */
export const isComplete = (footprint: Footprint): boolean =>
  footprint.entries.every((entry) => (entry.volume === undefined ? entry.state !== 'wanted' : entry.state === 'created'))
