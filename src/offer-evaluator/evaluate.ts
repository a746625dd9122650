/**
 * Offers x requirement -> a new footprint with the operations that make it. Agents are scored (no planned maintenance, spread
 * over hosts), stages are asked cheap ones first, ties break by agent id. Pure.
 */
import type { AgentId, OperationId } from '../ids.js'
import { containsRanges } from '../units.js'
import type { Footprint, LedgerEntry } from './footprint-record.js'
import type { Operation } from './operations.js'
import { takeRanges, takeReserved, takeScalar, unreservedRanges, type AgentPool } from './pool.js'
import type { Requirement } from './requirement.js'
import { createOperation, reserveOperation, type Ownership } from './reserve.js'
import { placementStage } from './stages/placement.js'
import { portsStage } from './stages/ports.js'
import { scalarsStage } from './stages/scalars.js'
import type { Candidate, Placed, Stage, StageResult } from './stages/stage.js'

const stages: readonly Stage[] = [placementStage, scalarsStage, portsStage]

/** Ids come from the caller's source, so that nothing is random here. */
export type NextOperationId = () => OperationId

export type PlaceResult =
  | { readonly ok: true; readonly pool: AgentPool; readonly footprint: Footprint; readonly operations: readonly Operation[] }
  | { readonly ok: false; readonly reason: string }

/** Finds the best agent for a new footprint. */
export function placeFootprint(
  requirement: Requirement,
  pools: ReadonlyMap<AgentId, AgentPool>,
  placed: Placed,
  owner: Ownership,
  nextId: NextOperationId,
  made: { readonly hash: string; readonly atMs: number },
): PlaceResult {
  const refusals: (StageResult & { ok: false })[] = []
  for (const pool of [...pools.values()].sort(byScore(placed))) {
    const result = runStages(requirement, { pool, ports: {} }, placed)
    if (result.ok)
      return { ok: true, pool: result.candidate.pool, ...buildFootprint(requirement, result.candidate, owner, nextId, made) }
    refusals.push(result)
  }
  return { ok: false, reason: summarize(refusals) }
}

/** Hosts without planned maintenance first, then those with the fewest instances of this pod, of all pods, then by id. */
const byScore = (placed: Placed) => (a: AgentPool, b: AgentPool) =>
  Number(a.unavailableFromMs !== undefined) - Number(b.unavailableFromMs !== undefined) ||
  (placed.samePod.get(a.hostname) ?? 0) - (placed.samePod.get(b.hostname) ?? 0) ||
  (placed.all.get(a.hostname) ?? 0) - (placed.all.get(b.hostname) ?? 0) ||
  (a.agentId < b.agentId ? -1 : 1)

function runStages(requirement: Requirement, start: Candidate, placed: Placed): StageResult {
  let candidate = start
  for (const stage of stages) {
    const result = stage(requirement, candidate, placed)
    if (!result.ok) return result
    candidate = result.candidate
  }
  return { ok: true, candidate }
}

function buildFootprint(
  requirement: Requirement,
  { pool, ports }: Candidate,
  owner: Ownership,
  nextId: NextOperationId,
  made: { readonly hash: string; readonly atMs: number },
): { footprint: Footprint; operations: Operation[] } {
  // Each port is reserved for itself, so that its reservation tells its name.
  const portEntries = Object.entries(ports).flatMap(([task, numbers]) =>
    Object.entries(numbers).map(([port, number]) => portEntry(requirement, task, port, number)),
  )
  const entries = [...requirement.scalars, ...portEntries]
  const { operations, open } = buildOperations(entries, entries, owner, nextId, made.atMs)
  const footprint: Footprint = {
    agentId: pool.agentId,
    hostname: pool.hostname,
    address: pool.address,
    ...(pool.region === undefined ? {} : { region: pool.region }),
    ...(pool.zone === undefined ? {} : { zone: pool.zone }),
    hash: made.hash,
    placedAtMs: made.atMs,
    ports: Object.fromEntries(Object.entries(ports).map(([task, numbers]) => [task, { ...numbers }])),
    entries,
    operations: open,
  }
  return { footprint, operations }
}

/** The ledger's line for one port of a task. */
export const portEntry = (requirement: Requirement, task: string, port: string, number: number): LedgerEntry => ({
  resourceId: requirement.resourceId(`task/${task}/ports/${port}`),
  part: `task/${task}`,
  name: 'ports',
  ranges: [{ begin: number, end: number }],
  state: 'wanted',
})

/** One operation per resource: each carries labels of its own, and each is known to have happened or not for itself. */
function buildOperations(
  toReserve: readonly LedgerEntry[],
  toCreate: readonly LedgerEntry[],
  owner: Ownership,
  nextId: NextOperationId,
  sentAtMs: number,
) {
  const operations: Operation[] = []
  const open: Footprint['operations'] = []
  const add = (type: 'reserve' | 'create', entry: LedgerEntry) => {
    const id = nextId()
    operations.push(type === 'reserve' ? reserveOperation(id, entry, owner) : createOperation(id, entry, owner))
    open.push({ id, type, sentAtMs, resourceId: entry.resourceId })
  }
  for (const entry of toReserve) add('reserve', entry)
  for (const entry of toCreate) if (entry.volume !== undefined) add('create', entry)
  return { operations, open }
}

/**
 * Makes what is missing of a footprint on its own agent: entries known not to be reserved, volumes known not to be created.
 * Entries that the ledger has as reserved are left alone; if they are not on offer, something still uses them.
 */
export function completeFootprint(
  footprint: Footprint,
  pool: AgentPool,
  owner: Ownership,
  nextId: NextOperationId,
  atMs: number,
): PlaceResult {
  const toReserve = footprint.entries.filter((entry) => entry.state === 'wanted')
  const toCreate = footprint.entries.filter((entry) => entry.volume !== undefined && entry.state !== 'created')
  let left = pool
  for (const entry of toReserve) {
    if (entry.amount === undefined) continue
    const taken = takeScalar(left, entry.name, entry.amount)
    if (!taken.ok) return { ok: false, reason: `agent ${taken.reason}` }
    left = taken.pool
  }
  for (const { ranges, part } of toReserve) {
    if (ranges === undefined) continue
    if (!containsRanges(unreservedRanges(left, 'ports'), ranges))
      return { ok: false, reason: `the ports of ${part} are not offered` }
    left = takeRanges(left, 'ports', ranges)
  }
  for (const entry of toCreate.filter((candidate) => candidate.state === 'reserved')) {
    if (!left.reserved.has(entry.resourceId)) return { ok: false, reason: `the reserved disk of ${entry.part} is not offered` }
    left = takeReserved(left, entry.resourceId)
  }
  const { operations, open } = buildOperations(toReserve, toCreate, owner, nextId, atMs)
  return { ok: true, pool: left, footprint: { ...footprint, operations: open }, operations }
}

/** "fits 0 of 3 agents; 2: lacks cpus ...; 1: max-per-host ..." */
function summarize(refusals: readonly { code: string; reason: string }[]): string {
  if (refusals.length === 0) return 'no agent offers anything at the moment'
  const groups = new Map<string, { count: number; example: string }>()
  for (const { code, reason } of refusals) {
    const group = groups.get(code)
    groups.set(code, { count: (group?.count ?? 0) + 1, example: group?.example ?? reason })
  }
  const parts = [...groups.values()].map(({ count, example }) => `${count}: ${example}`)
  return `fits none of ${refusals.length} agents on offer; ${parts.join('; ')}`
}
