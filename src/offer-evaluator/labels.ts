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
  /** Content hash of the task, and of what its executor and volumes depend on. */
  task: 'stateward.task',
  pod: 'stateward.pod',
  /** `true` on a task that idles in the place of the real one. */
  idle: 'stateward.idle',
  /** `true` once the instance's deploy step is done. */
  deployed: 'stateward.deployed',
  /** Followed by the name of a task of the pod that has ended with success; the content hash it had. */
  finished: 'stateward.finished.',
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

/** What a resource id says: `broker-1.2.1f0c9a3e.task/server/cpus`; a port has its name at the end. */
export interface ResourceIdParts {
  readonly instance: PodInstanceName
  readonly generation: number
  /** Sets this footprint apart from every other one of the instance. */
  readonly nonce: string
}

export const buildResourceId = ({ instance, generation, nonce }: ResourceIdParts, part: string): ResourceId =>
  resourceId(`${instance}.${generation}.${nonce}.${part}`)

/** Undefined for an id that this service never made. */
export function readResourceId(id: ResourceId): (ResourceIdParts & { readonly part: string }) | undefined {
  const [, instance, generation, nonce, part] = /^([a-z0-9-]+)\.(\d+)\.([0-9a-f]+)\.(.+)$/.exec(id) ?? []
  if (instance === undefined || generation === undefined || nonce === undefined || part === undefined) return undefined
  return { instance: instance as PodInstanceName, generation: Number(generation), nonce, part }
}
