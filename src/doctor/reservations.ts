/**
 * What the agents have reserved under the labels of a service, put together by footprint. Pure.
 */
import type { AgentId, PodInstanceName, ResourceId } from '../ids.js'
import { labelNames, readResourceId, resourceLabel } from '../offer-evaluator/labels.js'
import type { Resource } from '../offer-evaluator/resources.js'
import { labelOf, type AgentView } from '../scheduler/cluster-view.js'
import { roleOf } from '../spec/check-update.js'
import type { ServiceSpec } from '../spec/schema.js'

/** Everything on one agent under one resource id. */
export interface OwnReservation {
  readonly agent: AgentView
  readonly resourceId: ResourceId
  /** Several, where a volume covers a part of a reservation. */
  readonly resources: readonly Resource[]
}

/** The reservations of one footprint on one agent. */
export interface FoundFootprint {
  readonly agent: AgentView
  readonly instance: PodInstanceName
  readonly generation: number
  readonly nonce: string
  readonly reservations: readonly OwnReservation[]
}

/** In the order of agents, as they are shown. */
export function ownReservations(spec: ServiceSpec, agents: readonly AgentView[]): OwnReservation[] {
  return agents.flatMap((agent) => {
    const byId = new Map<ResourceId, Resource[]>()
    for (const resource of agent.resources) {
      const id = resourceLabel(resource, roleOf(spec), spec.name)
      if (id !== undefined) byId.set(id, [...(byId.get(id) ?? []), resource])
    }
    return [...byId].map(([resourceId, resources]) => ({ agent, resourceId, resources }))
  })
}

/** Footprints, and those reservations whose labels contradict each other or that this service never made. */
export function foundFootprints(own: readonly OwnReservation[]): {
  readonly footprints: readonly FoundFootprint[]
  readonly unclear: readonly OwnReservation[]
} {
  const footprints = new Map<string, FoundFootprint>()
  const unclear: OwnReservation[] = []
  for (const reservation of own) {
    const parts = readResourceId(reservation.resourceId)
    if (parts === undefined || !reservation.resources.every((resource) => agrees(resource, parts))) {
      unclear.push(reservation)
      continue
    }
    const { instance, generation, nonce } = parts
    const key = `${reservation.agent.id} ${instance} ${generation} ${nonce}`
    const known = footprints.get(key) ?? { agent: reservation.agent, instance, generation, nonce, reservations: [] }
    footprints.set(key, { ...known, reservations: [...known.reservations, reservation] })
  }
  return { footprints: [...footprints.values()], unclear }
}

function agrees({ reservations }: Resource, of: { readonly instance: string; readonly generation: number }): boolean {
  const labels = reservations.at(-1)?.labels
  return labelOf(labels, labelNames.instance) === of.instance && labelOf(labels, labelNames.generation) === String(of.generation)
}

/** Persistence ids of the volumes among them. */
export const volumesOf = (reservations: readonly OwnReservation[]): string[] =>
  reservations.flatMap(({ resources }) => resources.flatMap(({ volume }) => volume?.persistenceId ?? []))

export const describeAgent = ({ id, hostname }: { readonly id: AgentId; readonly hostname: string }): string =>
  hostname === '' ? id : `${id} (${hostname})`
