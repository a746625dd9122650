/**
 * The product: one pure function from state and events to the next state, what to store, and what to do once it is stored.
 * Level-triggered: an event only updates what is known; then target and known state are compared. Ask again with no events
 * and nothing changes. Pure.
 */
import { assertNever } from '../errors.js'
import { acceptTarget } from './accept-target.js'
import { endBlocks } from './blocks.js'
import { claimInstances } from './claims.js'
import { applyCommand } from './commands.js'
import { createDraft, type Draft, type StepResult } from './draft.js'
import type { Env } from './env.js'
import type { Event } from './events.js'
import { decideKills, sendKills } from './kills.js'
import { settleOffers } from './offer-policy.js'
import { applyOperationStatus } from './operation-status.js'
import { applyAnswer } from './questions.js'
import { openAsks, reconcile } from './reconcile.js'
import { quietUntil } from './quiet.js'
import { manageRuns } from './runs.js'
import type { State } from './state.js'
import { applyTaskStatus } from './task-status.js'
import { dropEmptyFootprints, useOffers } from './use-offers.js'

/** The order of `decide` is the order of urgency: ends before beginnings, kills before launches, offers last. */
export function step(state: State, events: readonly Event[], env: Env): StepResult {
  const tickMs = onlyTicks(events)
  if (tickMs !== undefined && tickMs < state.volatile.quietUntilMs) return nothingBut(state, tickMs)
  const draft = createDraft(state)
  let { nowMs } = state.volatile
  for (const event of events) {
    if (event.atMs > nowMs) draft.setVolatile({ nowMs: (nowMs = event.atMs) })
    apply(draft, env, event)
    draft.decided()
  }
  decide(draft, env)
  draft.setVolatile({ quietUntilMs: 0 })
  const result = draft.result()
  // What was decided may open the way for more, which the next step sees.
  const isActive = result.decisions.length + result.calls.length + result.jobs.length > 0
  if (isActive) return result
  const volatile = { ...result.state.volatile, quietUntilMs: quietUntil(result.state) }
  return { ...result, state: { ...result.state, volatile } }
}

/** The time they tell, if nothing else is told. */
function onlyTicks(events: readonly Event[]): number | undefined {
  let atMs: number | undefined
  for (const event of events) {
    if (event.type !== 'ticked') return undefined
    atMs = event.atMs
  }
  return atMs
}

const nothingBut = ({ records, volatile }: State, nowMs: number): StepResult => ({
  state: { records, volatile: { ...volatile, nowMs: Math.max(volatile.nowMs, nowMs) } },
  decisions: [],
  calls: [],
  acks: [],
  jobs: [],
})

function decide(draft: Draft, env: Env): void {
  if (draft.records.service === undefined) return
  dropEmptyFootprints(draft)
  endBlocks(draft, env)
  manageRuns(draft, env)
  claimInstances(draft, env)
  decideKills(draft)
  reconcile(draft)
  sendKills(draft)
  useOffers(draft, env)
  settleOffers(draft)
}

function apply(draft: Draft, env: Env, event: Event): void {
  switch (event.type) {
    case 'targetSubmitted':
      return acceptTarget(draft, env, event.spec)
    case 'foundingDecided':
      return beginFounding(draft)
    case 'subscribed':
      return subscribed(draft, event)
    case 'disconnected':
      return draft.setVolatile({ stream: undefined, offers: new Map(), offersWantedFor: undefined })
    case 'frameworkErrorReceived':
      return
    case 'offersReceived':
      return offersReceived(draft, event)
    case 'offerRescinded':
      return void draft.edit('offers').delete(event.offerId)
    case 'taskStatusReceived':
      return applyTaskStatus(draft, event.status, event.atMs)
    case 'operationStatusReceived':
      return applyOperationStatus(draft, event.status)
    case 'agentFailed':
      return agentFailed(draft, event)
    case 'executorFailed':
      return
    case 'jobFinished':
      return applyAnswer(draft, event.runId, event.attempt, event.outcome, event.atMs)
    case 'commandReceived':
      return applyCommand(draft, event.command)
    case 'ticked':
      return
    default:
      return assertNever(event)
  }
}

/** A new stream knows nothing of the old one's offers, and has to tell about every task and operation anew. */
function subscribed(draft: Draft, event: Event & { type: 'subscribed' }): void {
  const { tasks, operations } = openAsks(draft.records)
  draft.setVolatile({
    stream: { id: event.streamId, frameworkId: event.frameworkId, sinceMs: event.atMs },
    offers: new Map(),
    registeredAgents: new Set(),
    unansweredTasks: tasks,
    unansweredOperations: operations,
    reconciledAtMs: 0,
    doubtsAskedAtMs: event.atMs,
    offersWantedFor: undefined,
    killsSentAtMs: new Map(),
    strangers: new Map(),
  })
  const { service } = draft.records
  if (service === undefined || service.frameworkId === event.frameworkId) return
  const { founding: _done, ...rest } = service
  draft.setService({ ...rest, frameworkId: event.frameworkId })
}

/** Stored before the first SUBSCRIBE: whoever finds it without a framework id knows that one may have been assigned. */
function beginFounding(draft: Draft): void {
  const { service } = draft.records
  if (service !== undefined && service.frameworkId === undefined && service.founding === undefined)
    draft.setService({ ...service, founding: true })
}

function offersReceived(draft: Draft, event: Event & { type: 'offersReceived' }): void {
  const offers = draft.edit('offers')
  for (const offer of event.offers) offers.set(offer.id, { offer, receivedAtMs: event.atMs })
  const unknown = event.offers.filter((offer) => !draft.volatile.registeredAgents.has(offer.agentId))
  if (unknown.length === 0) return
  draft.setVolatile({ registeredAgents: new Set([...draft.volatile.registeredAgents, ...unknown.map((offer) => offer.agentId)]) })
}

/** Its offers are void, and it no longer counts as registered. Tasks get statuses of their own. */
function agentFailed(draft: Draft, event: Event & { type: 'agentFailed' }): void {
  const agents = new Set(draft.volatile.registeredAgents)
  agents.delete(event.agentId)
  draft.setVolatile({ registeredAgents: agents })
  for (const [id, { offer }] of draft.volatile.offers) if (offer.agentId === event.agentId) draft.edit('offers').delete(id)
}
