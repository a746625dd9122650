/**
 * What becomes of offers that were not used: held for an instance that waits for more of the same agent, declined otherwise.
 * Offers are called for when something needs them and suppressed when nothing does. Pure.
 */
import type { AgentId, OfferId, PodInstanceName } from '../ids.js'
import { isSeen } from '../offer-evaluator/footprint-record.js'
import { needOf } from './assess.js'
import type { Draft } from './draft.js'
import { placedAhead } from './environment.js'
import { openInstances } from './open-instances.js'
import type { InstanceRecord } from './records/instance-record.js'
import type { State } from './state.js'

/** Held offers are given back after this time: only when all offers of an agent are answered does the master merge the pieces. */
export const maxHoldMs = 20_000
/** Filter while something still waits for offers, and while nothing does. */
const busyRefuseSeconds = 2
const idleRefuseSeconds = 3_600

export function settleOffers(draft: Draft): void {
  if (draft.volatile.stream === undefined) return
  const wanting = instancesWantingOffers(draft)
  callForOffers(draft, wanting)
  declineRest(draft, wanting)
}

/** Instances that can go on only with resources on offer, or of which an offer would prove something. */
function instancesWantingOffers(draft: Draft): Map<PodInstanceName, InstanceRecord> {
  const { records, volatile } = draft
  const result = new Map<PodInstanceName, InstanceRecord>()
  const target = records.service === undefined ? undefined : records.targets.get(records.service.targetId)
  if (target === undefined) return result
  const isAhead = placedAhead(draft, target)
  for (const [name, instance] of openInstances(draft)) {
    const inDoubt = isInDoubt(volatile, instance)
    if (!inDoubt && instance.owner === 'none' && !isAhead(instance)) continue
    const { kind } = needOf(draft, instance)
    if (inDoubt || kind === 'place' || kind === 'complete' || kind === 'launch') result.set(name, instance)
  }
  return result
}

const isInDoubt = ({ unansweredOperations }: State['volatile'], { footprint }: InstanceRecord): boolean =>
  footprint?.operations.some((operation) => unansweredOperations.has(operation.id) && !isSeen(footprint, operation)) === true

/** Revive clears all filters at once, so it is sent whenever an instance joins those that wait. */
function callForOffers(draft: Draft, wanting: ReadonlyMap<PodInstanceName, InstanceRecord>): void {
  const known = draft.volatile.offersWantedFor
  const names = new Set(wanting.keys())
  if (names.size === 0) {
    if (known === undefined || known.size > 0) draft.call({ type: 'suppress' })
  } else if (known === undefined || [...names].some((name) => !known.has(name))) {
    draft.call({ type: 'revive' })
  }
  draft.setVolatile({ offersWantedFor: names })
}

function declineRest(draft: Draft, wanting: ReadonlyMap<PodInstanceName, InstanceRecord>): void {
  const { offers, nowMs } = draft.volatile
  if (offers.size === 0) return
  const keep = new Set<AgentId>()
  for (const instance of wanting.values()) if (instance.footprint !== undefined) keep.add(instance.footprint.agentId)
  const declined: OfferId[] = []
  const stale: OfferId[] = []
  for (const [id, { offer, receivedAtMs }] of offers) {
    if (!keep.has(offer.agentId)) declined.push(id)
    else if (nowMs - receivedAtMs >= maxHoldMs) stale.push(id)
  }
  const edited = draft.edit('offers')
  for (const id of [...declined, ...stale]) edited.delete(id)
  if (declined.length > 0) {
    draft.call({ type: 'decline', offerIds: declined, refuseSeconds: wanting.size > 0 ? busyRefuseSeconds : idleRefuseSeconds })
  }
  if (stale.length > 0) draft.call({ type: 'decline', offerIds: stale, refuseSeconds: 0 })
}
