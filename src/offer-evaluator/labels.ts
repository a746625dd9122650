/**
 * Labels on reservations and tasks. They tie cpus and memory, which Mesos would otherwise merge into sums, to one instance, and
 * from them a lost store can be rebuilt. Their names can never change. Pure.
 */
import { resourceId, type PodInstanceName, type ResourceId } from '../ids.js'
import type { Labels, Resource } from './resources.js'

export const labelNames = {
  service: 'stateward.service',
  instance: 'stateward.instance',
  resource: 'stateward.resource',
  generation: 'stateward.generation',
  spec: 'stateward.spec',
  /** Followed by the value's name. */
  value: 'stateward.value.',
} as const

/** What a footprint belongs to. */
export interface FootprintLabels {
  readonly service: string
  readonly instance: PodInstanceName
  readonly generation: number
}

/** Labels of one reserved resource. */
export const reservationLabels = (of: FootprintLabels, resource: ResourceId): Labels => [
  { key: labelNames.service, value: of.service },
  { key: labelNames.instance, value: of.instance },
  { key: labelNames.resource, value: resource },
  { key: labelNames.generation, value: String(of.generation) },
]

/** The resource id of a resource that this service has reserved for this role. */
export function resourceLabel(resource: Resource, role: string, service: string): ResourceId | undefined {
  const owner = resource.reservations.at(-1)
  if (owner === undefined || owner.type !== 'DYNAMIC' || owner.role !== role) return undefined
  const label = (key: string) => owner.labels?.find((candidate) => candidate.key === key)?.value
  const id = label(labelNames.resource)
  return id === undefined || label(labelNames.service) !== service ? undefined : resourceId(id)
}
