/**
 * May a scheduler whose store knows no framework subscribe as a new one? Founding a service a second time is never safe: the
 * first one's tasks would run on unseen, beside copies of themselves. Pure.
 *
 * What cannot be seen counts as perhaps there. After a failover of the master agents come back one by one, and those that are
 * not back yet, or that the master has given up for the time being, may hold tasks, reservations and volumes of this service:
 * so the answer is to wait until they are back or were declared gone, or for the operator's word that the service is new.
 */
import type { FrameworkId, ResourceId } from '../ids.js'
import { labelNames, resourceLabel } from '../offer-evaluator/labels.js'
import { roleOf } from '../spec/check-update.js'
import type { ServiceSpec } from '../spec/schema.js'
import { labelOf, type ClusterView, type FrameworkView, type KnownTask } from './cluster-view.js'
import type { Records } from './state.js'

export type FoundingView = Pick<ClusterView, 'frameworks' | 'agents' | 'tasks'>

export type FoundingVerdict =
  /** The cluster has nothing of this service. */
  | { readonly kind: 'new' }
  /** An earlier attempt of this very store was given this id, and nothing was ever done with it. */
  | { readonly kind: 'adopt'; readonly frameworkId: FrameworkId }
  /** It cannot be said yet; `reason` says what would end the wait. */
  | { readonly kind: 'wait'; readonly reason: string }
  /** It exists; one line for each thing that was found. */
  | { readonly kind: 'exists'; readonly found: readonly string[] }

/** Lines of one kind that a message shows; the others are counted. */
const shownLimit = 5

/** `foundNew`: the operator says that the service is new. It outweighs what cannot be seen, never what was found. */
export function judgeFounding(spec: ServiceSpec, records: Records, view: FoundingView, foundNew: boolean): FoundingVerdict {
  const mine = frameworksOf(spec, view.frameworks)
  const traces = [...taskTraces(spec, mine, view.tasks), ...reservationTraces(spec, records, view)]
  const isBegun = records.service?.founding === true
  if (traces.length > 0 || (mine.length > 0 && !isBegun)) {
    const removed = frameworksOf(spec, view.frameworks, 'completed').map(describeFramework)
    return { kind: 'exists', found: [...shorten(mine.map(describeFramework)), ...shorten(removed), ...traces] }
  }
  const blind = unseen(view)
  // This store had been told that nothing exists, and has not founded since: what cannot be seen now was seen then.
  if (mine.length === 0) return blind === undefined || foundNew || isBegun ? { kind: 'new' } : { kind: 'wait', reason: blind }
  const [only, ...others] = mine
  if (only === undefined || others.length > 0) return { kind: 'exists', found: shorten(mine.map(describeFramework)) }
  if (only.state === 'connected') {
    return {
      kind: 'wait',
      reason: `a scheduler is subscribed as ${only.id}, which this store may have founded: until that stream is closed, or the other scheduler stopped`,
    }
  }
  return { kind: 'adopt', frameworkId: only.id }
}

/** Those of the service's name and role that exist, or those that were removed. */
export const frameworksOf = (
  spec: ServiceSpec,
  frameworks: readonly FrameworkView[],
  which: 'existing' | 'completed' = 'existing',
): FrameworkView[] =>
  frameworks.filter(
    ({ name, roles, state }) =>
      name === spec.name && roles.includes(roleOf(spec)) && (state === 'completed') === (which === 'completed'),
  )

const describeFramework = ({ id, state }: FrameworkView): string => `framework ${id} of this name and role (${state})`

/** Tasks that are not known to have ended: of a framework of ours, or under our labels in whatever framework. */
function taskTraces(spec: ServiceSpec, mine: readonly FrameworkView[], tasks: readonly KnownTask[]): string[] {
  const ids = new Set(mine.map(({ id }) => id))
  const own = tasks.filter(
    ({ frameworkId, labels, list }) =>
      list !== 'completed' && (ids.has(frameworkId) || labelOf(labels, labelNames.service) === spec.name),
  )
  return shorten(own.map(({ id, state, agentId }) => `task ${id} (${state}) on agent ${agentId}`))
}

/** Reservations under our labels that the records do not hold: those of a rebuilt store are its own. */
function reservationTraces(spec: ServiceSpec, records: Records, { agents }: FoundingView): string[] {
  const held = heldResources(records)
  return shorten(
    agents.registered.flatMap(({ id, hostname, resources }) => {
      const ids = resources.flatMap((resource) => resourceLabel(resource, roleOf(spec), spec.name) ?? [])
      const foreign = [...new Set(ids)].filter((resource) => !held.has(resource))
      return foreign.length === 0
        ? []
        : [`${foreign.length} reserved resources on agent ${id} (${hostname}), for example ${foreign[0]}`]
    }),
  )
}

/** Resource ids of every footprint. */
export const heldResources = ({ instances }: Records): ReadonlySet<ResourceId> =>
  new Set([...instances.values()].flatMap(({ footprint }) => (footprint?.entries ?? []).map(({ resourceId }) => resourceId)))

/** What may hide something, and what would end that. */
function unseen({ agents }: FoundingView): string | undefined {
  const { recovered, unreachable } = agents
  if (recovered.length > 0) {
    const names = shorten(recovered.map(({ id, hostname }) => (hostname === '' ? id : `${id} (${hostname})`)))
    return `the master was restarted and waits for ${recovered.length} of its agents, whose reservations cannot be seen: ${names.join(', ')}. It goes on when they are back`
  }
  if (unreachable === 0) return undefined
  const what =
    unreachable === undefined
      ? 'the master does not say how many of its agents are unreachable; reservations on them could not be seen'
      : `${unreachable === 1 ? 'one agent is' : `${unreachable} agents are`} unreachable, and reservations there cannot be seen. It goes on when every agent is back or was marked gone`
  return `${what}. If this service was never deployed in this cluster, start it with foundNew: true`
}

function shorten(lines: readonly string[]): string[] {
  const shown = lines.slice(0, shownLimit)
  return lines.length <= shownLimit ? shown : [...shown, `and ${lines.length - shownLimit} more like it`]
}
