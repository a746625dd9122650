/** Ledgers against what the agents have reserved. Pure. */
import type { Footprint, LedgerEntry } from '../offer-evaluator/footprint-record.js'
import type { Resource } from '../offer-evaluator/resources.js'
import { nameOf } from '../scheduler/assess.js'
import type { AgentsView } from '../scheduler/cluster-view.js'
import { heldResources } from '../scheduler/founding.js'
import type { Records } from '../scheduler/state.js'
import { canonicalJson } from '../spec/canonical.js'
import { fromMilli, normalizeRanges } from '../units.js'
import { finding, type Finding } from './findings.js'
import { describeAgent, foundFootprints, volumesOf, type OwnReservation } from './reservations.js'

export function compareFootprints(records: Records, agents: AgentsView, own: readonly OwnReservation[]): Finding[] {
  const instances = [...records.instances.values()].flatMap((instance) =>
    instance.footprint === undefined ? [] : compareFootprint(nameOf(instance), instance.footprint, agents, own),
  )
  return [...instances, ...strays(records, own)]
}

function compareFootprint(name: string, footprint: Footprint, agents: AgentsView, own: readonly OwnReservation[]): Finding[] {
  const ids = new Set(footprint.entries.map(({ resourceId }) => resourceId))
  const mine = own.filter(({ resourceId }) => ids.has(resourceId))
  const elsewhere = mine.filter(({ agent }) => agent.id !== footprint.agentId)
  const moved = elsewhere.length === 0 ? [] : [finding('FOOTPRINT_ELSEWHERE', name, describeMove(footprint, elsewhere))]
  const agent = agents.registered.find(({ id }) => id === footprint.agentId)
  if (agent === undefined) {
    const isAwaited = agents.recovered.some(({ id }) => id === footprint.agentId)
    const why = isAwaited ? 'not back since the master was restarted' : 'not registered'
    return [...moved, finding('AGENT_NOT_SEEN', name, `its agent ${footprint.agentId} (${footprint.hostname}) is ${why}`)]
  }
  const here = new Map(mine.filter((each) => each.agent === agent).map((each) => [each.resourceId, each.resources]))
  const differences = footprint.entries.flatMap((entry) => compareEntry(name, entry, here.get(entry.resourceId) ?? []))
  return [...moved, ...differences.map(({ code, what }) => finding(code, `${name} on ${describeAgent(agent)}`, what))]
}

function describeMove({ agentId }: Footprint, elsewhere: readonly OwnReservation[]): string {
  const volumes = volumesOf(elsewhere)
  const where = [...new Set(elsewhere.map(({ agent }) => describeAgent(agent)))].join(', ')
  const what = volumes.length === 0 ? `${elsewhere.length} of its resources` : `volume ${volumes.join(', ')}`
  return `${what} is on agent ${where}, and the store has it on agent ${agentId}`
}

interface Difference {
  readonly code: Finding['code']
  readonly what: string
}

function compareEntry(name: string, entry: LedgerEntry, found: readonly Resource[]): Difference[] {
  const id = `${entry.part} ${entry.name} ${entry.resourceId.replace(`${name}.`, '')}`
  if (found.length === 0) {
    if (entry.state === 'wanted') return []
    const code = entry.state === 'created' ? 'VOLUME_NOT_THERE' : 'NOT_RESERVED'
    return [{ code, what: `${id} is stored as ${entry.state} and is not reserved on the agent` }]
  }
  const hasVolume =
    entry.volume !== undefined && found.some(({ volume }) => volume?.persistenceId === entry.volume?.persistenceId)
  if (entry.state === 'created' && !hasVolume)
    return [{ code: 'VOLUME_NOT_THERE', what: `${id} is reserved, and volume ${entry.volume?.persistenceId ?? ''} is not on it` }]
  if (entry.state === 'wanted' || (entry.state === 'reserved' && hasVolume))
    return [{ code: 'RESERVED_UNNOTED', what: `${id} is stored as ${entry.state}, and the agent has it` }]
  const [wanted, present] = [describeAmount(entry), describeFound(found)]
  return wanted === present
    ? []
    : [{ code: 'AMOUNT_DIFFERS', what: `${id} is ${present} on the agent and ${wanted} in the store` }]
}

const describeAmount = ({ amount, ranges }: LedgerEntry): string =>
  amount === undefined ? canonicalJson(normalizeRanges(ranges ?? [])) : String(fromMilli(amount))

/** Everything under one resource id, as one amount. */
function describeFound(found: readonly Resource[]): string {
  const ranges = found.flatMap((resource) => (resource.kind === 'ranges' ? resource.ranges : []))
  if (ranges.length > 0) return canonicalJson(normalizeRanges(ranges))
  return String(fromMilli(found.reduce((sum, resource) => sum + (resource.kind === 'scalar' ? resource.amount : 0), 0)))
}

/** One finding for each footprint that no record holds, and for each reservation that is no part of any. */
function strays(records: Records, own: readonly OwnReservation[]): Finding[] {
  const held = heldResources(records)
  const { footprints, unclear } = foundFootprints(own.filter(({ resourceId }) => !held.has(resourceId)))
  return [
    ...footprints.map(({ agent, instance, generation, nonce, reservations }) => {
      const volumes = volumesOf(reservations)
      const what = `${reservations.length} resources${volumes.length === 0 ? '' : ` with volume ${volumes.join(', ')}`}`
      return finding(
        'STRAY_RESERVATION',
        `${instance} on ${describeAgent(agent)}`,
        `${what} of generation ${generation} (${nonce})`,
      )
    }),
    ...unclear.map(({ agent, resourceId }) =>
      finding('STRAY_RESERVATION', `${resourceId} on ${describeAgent(agent)}`, 'its labels do not agree with each other'),
    ),
  ]
}
