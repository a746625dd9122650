/**
 * Deactivating and draining agents (mesos-v1.md 5.2): what an operator asks for, and when a drain is over. Works on a draft.
 * All of it is kept by agent id beside the agents, because it outlives their absence and a failover of the master.
 */
import type { DurationInfo } from '../mesos/messages.js'
import { drop, put, sendToAgent, storeRegistry } from './master-state.js'
import type { Draft, DrainConfig, MasterAgent } from './master-state.js'
import { recoverOffers } from './offers.js'
import { findAgentByLink, markGone } from './registration.js'

/** Text of a 400. */
export type DrainProblem = 'Unknown agent' | 'Agent is not deactivated' | 'Agent is still in the DRAINING state'

const isKnown = ({ state }: Draft, agentId: string): boolean =>
  state.agents.has(agentId) || state.unreachable.has(agentId) || state.recovered.has(agentId)

const rescindOffersOf = (draft: Draft, agentId: string): void => recoverOffers(draft, (offer) => offer.agentId === agentId, true)

const sendDrain = (draft: Draft, agent: MasterAgent | undefined, config: DrainConfig): void =>
  void sendToAgent(draft, agent, { type: 'drain', ...config })

/** DEACTIVATE_AGENT; a drain that is under way goes on. */
export function deactivateAgent(draft: Draft, agentId: string): DrainProblem | undefined {
  if (!isKnown(draft, agentId)) return 'Unknown agent'
  put(draft, 'deactivated', agentId, draft.state.deactivated.get(agentId) ?? {})
  rescindOffersOf(draft, agentId)
  storeRegistry(draft)
  return undefined
}

/** DRAIN_AGENT; one that was drained already starts over. An agent that is away is told when it is back. */
export function drainAgent(draft: Draft, agentId: string, config: DrainConfig): DrainProblem | undefined {
  if (!isKnown(draft, agentId)) return 'Unknown agent'
  put(draft, 'deactivated', agentId, { drain: { state: 'DRAINING', config } })
  rescindOffersOf(draft, agentId)
  sendDrain(draft, draft.state.agents.get(agentId), config)
  storeRegistry(draft)
  return undefined
}

/** REACTIVATE_AGENT: offers return with the next cycle. */
export function reactivateAgent(draft: Draft, agentId: string): DrainProblem | undefined {
  if (!isKnown(draft, agentId)) return 'Unknown agent'
  const deactivation = draft.state.deactivated.get(agentId)
  if (deactivation === undefined) return 'Agent is not deactivated'
  if (deactivation.drain?.state === 'DRAINING') return 'Agent is still in the DRAINING state'
  drop(draft, 'deactivated', agentId)
  draft.state.isAllocationDue = true
  storeRegistry(draft)
  return undefined
}

/** An agent has registered: it may not know yet, or no longer, that it is to be drained. */
export function resumeDrain(draft: Draft, link: string): void {
  const agent = findAgentByLink(draft, link)
  const drain = agent === undefined ? undefined : draft.state.deactivated.get(agent.id)?.drain
  if (drain?.state === 'DRAINING') sendDrain(draft, agent, drain.config)
}

const hasWork = ({ state }: Draft, agent: MasterAgent): boolean =>
  agent.operations.size > 0 ||
  [...state.frameworks.values()].some((framework) => [...framework.tasks.values()].some((task) => task.agentId === agent.id))

/** After every input: over is a drain when the agent has neither a task, acknowledged ones excepted, nor an operation. */
export function finishDrains(draft: Draft): void {
  for (const [id, { drain }] of draft.state.deactivated) {
    const agent = draft.state.agents.get(id)
    if (drain?.state !== 'DRAINING' || agent === undefined || hasWork(draft, agent)) continue
    if (drain.config.markGone) markGone(draft, id)
    else {
      put(draft, 'deactivated', id, { drain: { ...drain, state: 'DRAINED' } })
      storeRegistry(draft)
    }
  }
}

/** As DRAIN_AGENT writes a duration, unlike all other calls. */
export const toDurationInfo = ({ seconds = 0, nanos = 0 }: { seconds?: number; nanos?: number }): DurationInfo => ({
  nanoseconds: seconds * 1e9 + nanos,
})
