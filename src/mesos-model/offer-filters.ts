/** Who may be offered what: roles, capabilities, minimum amounts, constraints, decline filters (mesos-v1.md 2.2, 2.5, 3.4). Pure. */
import type { AttributeConstraint, FrameworkInfo } from '../mesos/messages.js'
import { toMilli } from '../units.js'
import type { MasterAgent, MasterFramework, MasterState } from './master-state.js'
import { containsResources, currentReservation, quantityOf } from './resources.js'
import type { Holding, Resources } from './resources.js'
import { hasCapability } from './validate-framework.js'

const MIN_CPUS_MILLI = 10
const MIN_MEMORY_MILLI = 32_000

const isOfferable = (holding: Holding, role: string, info: FrameworkInfo): boolean => {
  const stack = holding.shape.reservations ?? []
  if (stack.length > 1 && !hasCapability(info, 'RESERVATION_REFINEMENT')) return false
  if (holding.shape.revocable !== undefined && !hasCapability(info, 'REVOCABLE_RESOURCES')) return false
  const owner = currentReservation(holding.shape)?.role
  return owner === undefined || owner === role || role.startsWith(`${owner}/`)
}

/** What of `free` a role of the framework may see. */
export const offerableResources = (free: Resources, role: string, info: FrameworkInfo): Resources =>
  free.filter((holding) => isOfferable(holding, role, info))

function isEnough(resources: Resources, role: string, info: FrameworkInfo): boolean {
  const wanted = info.offer_filters?.[role]?.min_allocatable_resources
  if (wanted === undefined)
    return quantityOf(resources, 'cpus') >= MIN_CPUS_MILLI || quantityOf(resources, 'mem') >= MIN_MEMORY_MILLI
  const alternatives = wanted.quantities ?? []
  if (alternatives.length === 0) return true
  return alternatives.some(({ quantities }) =>
    Object.entries(quantities ?? {}).every(([name, { value }]) => quantityOf(resources, name) >= toMilli(value)),
  )
}

/** The value a selector points at; undefined if the agent has no such attribute, null if it is not text. */
function selected(agent: MasterAgent, selector: AttributeConstraint['selector']): string | null | undefined {
  switch (selector.pseudoattribute_type) {
    case 'HOSTNAME':
      return agent.hostname
    case 'REGION':
      return agent.domain?.fault_domain?.region.name
    case 'ZONE':
      return agent.domain?.fault_domain?.zone.name
    case 'UNKNOWN':
    case undefined: {
      const attribute = agent.attributes.find((entry) => entry.name === selector.attribute_name)
      return attribute === undefined ? undefined : (attribute.text?.value ?? null)
    }
  }
}

const matches = (value: string, regex: string): boolean => {
  try {
    return new RegExp(`^(?:${regex})$`).test(value)
  } catch {
    return false
  }
}

function holds(constraint: AttributeConstraint, agent: MasterAgent): boolean {
  const value = selected(agent, constraint.selector)
  const { exists, not_exists, text_equals, text_not_equals, text_matches, text_not_matches } = constraint.predicate
  if (exists !== undefined) return value !== undefined
  if (not_exists !== undefined) return value === undefined
  if (text_not_equals !== undefined) return typeof value !== 'string' || value !== text_not_equals.value
  if (text_not_matches !== undefined) return typeof value !== 'string' || !matches(value, text_not_matches.regex)
  if (value === undefined) return false
  if (value === null) return true
  if (text_equals !== undefined) return value === text_equals.value
  return text_matches !== undefined && matches(value, text_matches.regex)
}

function meetsConstraints(framework: MasterFramework, role: string, agent: MasterAgent): boolean {
  const groups = framework.constraints?.role_constraints?.[role]?.groups
  if (groups === undefined) return true
  return groups.some((group) => (group.attribute_constraints ?? []).every((constraint) => holds(constraint, agent)))
}

function meetsCapabilities(state: MasterState, framework: MasterFramework, agent: MasterAgent): boolean {
  const region = agent.domain?.fault_domain?.region.name
  const home = state.info.domain?.fault_domain?.region.name
  if (region !== undefined && home !== undefined && region !== home && !hasCapability(framework.info, 'REGION_AWARE'))
    return false
  return quantityOf(agent.total, 'gpus') === 0 || hasCapability(framework.info, 'GPU_RESOURCES')
}

const isFiltered = (framework: MasterFramework, role: string, agentId: string, resources: Resources, atMs: number): boolean =>
  framework.filters.some(
    (filter) =>
      filter.agentId === agentId &&
      filter.role === role &&
      filter.untilMs > atMs &&
      containsResources(filter.resources, resources),
  )

/** Whether these resources of the agent may be offered to this role of the framework now. */
export function mayOffer(
  state: MasterState,
  framework: MasterFramework,
  role: string,
  agent: MasterAgent,
  resources: Resources,
  atMs: number,
): boolean {
  return (
    resources.length > 0 &&
    isEnough(resources, role, framework.info) &&
    meetsCapabilities(state, framework, agent) &&
    meetsConstraints(framework, role, agent) &&
    !isFiltered(framework, role, agent.id, resources, atMs)
  )
}
