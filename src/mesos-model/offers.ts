/**
 * Offers: making them, taking them back (mesos-v1.md 2.3, 2.5). Works on a draft. One offer is one agent and one role;
 * unreserved resources of an agent go to one framework at a time.
 */
import type { Offer } from '../mesos/messages.js'
import { changeAgent, drop, put, putAgent, putFramework, sendEvent } from './master-state.js'
import type { Draft, MasterAgent, MasterFramework, MasterOffer } from './master-state.js'
import { mayOffer, offerableResources } from './offer-filters.js'
import { addResources, allocateTo, quantityOf, takeResources, toOldFormat, toWire } from './resources.js'
import type { Resources } from './resources.js'
import { hasCapability } from './validate-framework.js'

const DEFAULT_REFUSE_SECONDS = 5
const MAX_REFUSE_SECONDS = 365 * 86_400

/** Negative and unusable values are the default. */
export function refuseMs(seconds: number | undefined): number {
  if (seconds === undefined || Number.isNaN(seconds) || seconds < 0) return DEFAULT_REFUSE_SECONDS * 1000
  return Math.min(seconds, MAX_REFUSE_SECONDS) * 1000
}

/** How the framework sees resources: by its capabilities. */
function toFrameworkFormat(framework: MasterFramework, resources: Resources, role: string): ReturnType<typeof toWire> {
  const allocated = toWire(allocateTo(resources, hasCapability(framework.info, 'MULTI_ROLE') ? role : undefined))
  return hasCapability(framework.info, 'RESERVATION_REFINEMENT') ? allocated : allocated.map(toOldFormat)
}

function toOffer(framework: MasterFramework, agent: MasterAgent, offer: MasterOffer): Offer {
  const executorIds = [...agent.executors.values()]
    .filter((executor) => executor.frameworkId === framework.id)
    .map((executor) => executor.info.executor_id)
  return {
    id: { value: offer.id },
    framework_id: { value: framework.id },
    agent_id: { value: agent.id },
    hostname: agent.hostname,
    url: { scheme: 'http', address: { hostname: agent.hostname, ip: agent.ip, port: agent.port }, path: '/slave(1)' },
    ...(agent.domain === undefined ? {} : { domain: agent.domain }),
    resources: toFrameworkFormat(framework, offer.resources, offer.role),
    ...(agent.attributes.length === 0 ? {} : { attributes: agent.attributes }),
    ...(executorIds.length === 0 ? {} : { executor_ids: executorIds }),
    ...(hasCapability(framework.info, 'MULTI_ROLE') ? { allocation_info: { role: offer.role } } : {}),
  }
}

/** What a framework holds, for the order of turns: cpus and memory of its tasks and offers. */
function holdingsOf(draft: Draft, framework: MasterFramework): number {
  let sum = 0
  for (const task of framework.tasks.values())
    sum += quantityOf(task.resources, 'cpus') + quantityOf(task.resources, 'mem') / 1024
  for (const offer of draft.state.offers.values()) {
    if (offer.frameworkId === framework.id) sum += quantityOf(offer.resources, 'cpus') + quantityOf(offer.resources, 'mem') / 1024
  }
  return sum
}

/** Those who hold least come first; ids decide between equals. */
function inTurn(draft: Draft): MasterFramework[] {
  const waiting = [...draft.state.frameworks.values()].filter(
    (framework) => framework.streamId !== undefined && framework.roles.some((role) => !framework.suppressed.includes(role)),
  )
  if (waiting.length < 2) return waiting
  const held = new Map(waiting.map((framework) => [framework.id, holdingsOf(draft, framework)]))
  return waiting.sort((a, b) => (held.get(a.id) ?? 0) - (held.get(b.id) ?? 0) || (a.id < b.id ? -1 : 1))
}

/** The role that holds least comes first, as fair sharing would have it. */
function rolesInTurn(draft: Draft, framework: MasterFramework): readonly string[] {
  if (framework.roles.length < 2) return framework.roles
  const held = new Map<string, number>()
  const count = (role: string, resources: Resources): void =>
    void held.set(role, (held.get(role) ?? 0) + quantityOf(resources, 'cpus'))
  for (const task of framework.tasks.values()) count(task.info.resources?.[0]?.allocation_info?.role ?? '', task.resources)
  for (const offer of draft.state.offers.values()) if (offer.frameworkId === framework.id) count(offer.role, offer.resources)
  return [...framework.roles].sort((a, b) => (held.get(a) ?? 0) - (held.get(b) ?? 0) || (a < b ? -1 : 1))
}

function offerAgent(draft: Draft, agent: MasterAgent, framework: MasterFramework, offered: Map<string, Offer[]>): MasterAgent {
  const { atMs } = draft.env
  let current = agent
  for (const role of rolesInTurn(draft, framework)) {
    if (framework.suppressed.includes(role) || current.free.length === 0) continue
    const resources = offerableResources(current.free, role, framework.info)
    if (!mayOffer(draft.state, framework, role, current, resources, atMs)) continue
    const { numbers } = draft.state
    const offer: MasterOffer = {
      id: `${draft.state.info.id}-O${numbers.offer}`,
      frameworkId: framework.id,
      agentId: agent.id,
      role,
      resources,
      atMs,
    }
    draft.state.numbers = { ...numbers, offer: numbers.offer + 1 }
    put(draft, 'offers', offer.id, offer)
    current = { ...current, free: takeResources(current.free, resources) ?? [] }
    const list = offered.get(framework.id) ?? []
    offered.set(framework.id, [...list, toOffer(framework, current, offer)])
  }
  return current
}

/** Offers what is free, on all agents or on the named ones. */
export function allocate(draft: Draft, agentIds?: readonly string[]): void {
  const frameworks = inTurn(draft)
  if (frameworks.length === 0) return
  const offered = new Map<string, Offer[]>()
  for (const agentId of agentIds ?? draft.state.agents.keys()) {
    const agent = draft.state.agents.get(agentId)
    if (agent?.link === undefined || agent.free.length === 0 || draft.state.deactivated.has(agentId)) continue
    let current = agent
    for (const framework of frameworks) current = offerAgent(draft, current, framework, offered)
    if (current !== agent) putAgent(draft, current)
  }
  for (const [frameworkId, offers] of offered)
    sendEvent(draft, draft.state.frameworks.get(frameworkId), { type: 'OFFERS', offers: { offers } })
}

/** The regular cycle: forgets filters that have passed, then offers. */
export function runAllocationCycle(draft: Draft): void {
  const { atMs } = draft.env
  const { allocationIntervalMs } = draft.state.timings
  const passed = Math.floor((atMs - draft.state.lastAllocationAtMs) / allocationIntervalMs)
  draft.state.lastAllocationAtMs += Math.max(passed, 1) * allocationIntervalMs
  draft.state.isAllocationDue = false
  for (const framework of draft.state.frameworks.values()) {
    if (framework.filters.some((filter) => filter.untilMs <= atMs)) {
      putFramework(draft, { ...framework, filters: framework.filters.filter((filter) => filter.untilMs > atMs) })
    }
  }
  allocate(draft)
}

/** A task may have used a volume under another path; it is offered as it was created. */
const asBooked = (total: Resources, resources: Resources): Resources =>
  resources.map((holding) =>
    holding.isWhole ? (total.find((own) => own.key === holding.key && own.amount === holding.amount) ?? holding) : holding,
  )

/** Gives resources back to an agent's free ones. */
export function release(draft: Draft, agentId: string, resources: Resources): void {
  if (resources.length === 0) return
  changeAgent(draft, agentId, (agent) => ({ ...agent, free: addResources(agent.free, asBooked(agent.total, resources)) }))
  draft.state.isAllocationDue = true
}

/** A filter lasts at least one allocation interval, or it would have no effect. */
export function addFilter(
  draft: Draft,
  offer: Pick<MasterOffer, 'frameworkId' | 'agentId' | 'role'>,
  resources: Resources,
  forMs: number,
): void {
  const framework = draft.state.frameworks.get(offer.frameworkId)
  if (framework === undefined || forMs <= 0 || resources.length === 0) return
  const untilMs = draft.env.atMs + Math.max(forMs, draft.state.timings.allocationIntervalMs)
  putFramework(draft, {
    ...framework,
    filters: [...framework.filters, { agentId: offer.agentId, role: offer.role, resources, untilMs }],
  })
}

/** The offer is over and its resources are free again. */
export function recoverOffer(draft: Draft, offer: MasterOffer): void {
  drop(draft, 'offers', offer.id)
  release(draft, offer.agentId, offer.resources)
}

/** Takes back all offers that `isMeant`; frameworks are told unless they lose them with their stream anyway. */
export function recoverOffers(draft: Draft, isMeant: (offer: MasterOffer) => boolean, tellsFramework: boolean): void {
  for (const offer of [...draft.state.offers.values()].filter(isMeant)) {
    recoverOffer(draft, offer)
    if (tellsFramework)
      sendEvent(draft, draft.state.frameworks.get(offer.frameworkId), {
        type: 'RESCIND',
        rescind: { offer_id: { value: offer.id } },
      })
  }
}

export function declineOffers(
  draft: Draft,
  frameworkId: string,
  offerIds: readonly string[],
  refuseSeconds: number | undefined,
): void {
  for (const offerId of offerIds) {
    const offer = draft.state.offers.get(offerId)
    if (offer?.frameworkId !== frameworkId) continue
    recoverOffer(draft, offer)
    addFilter(draft, offer, offer.resources, refuseMs(refuseSeconds))
  }
}

/** An empty list means all roles; one foreign role makes the call a silent no-op. */
function rolesMeant(framework: MasterFramework, roles: readonly string[] | undefined): readonly string[] | undefined {
  if (roles === undefined || roles.length === 0) return framework.roles
  return roles.every((role) => framework.roles.includes(role)) ? roles : undefined
}

export function suppressRoles(draft: Draft, framework: MasterFramework, roles: readonly string[] | undefined): void {
  const meant = rolesMeant(framework, roles)
  if (meant !== undefined) putFramework(draft, { ...framework, suppressed: [...new Set([...framework.suppressed, ...meant])] })
}

export function reviveRoles(draft: Draft, framework: MasterFramework, roles: readonly string[] | undefined): void {
  const meant = rolesMeant(framework, roles)
  if (meant === undefined) return
  const suppressed = framework.suppressed.filter((role) => !meant.includes(role))
  putFramework(draft, { ...framework, suppressed, filters: framework.filters.filter((filter) => !meant.includes(filter.role)) })
  allocate(draft)
}
