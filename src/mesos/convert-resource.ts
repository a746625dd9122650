/**
 * Resources between the wire and the core. In: old, new and endpoint format of reservations all become one stack, scalars
 * integer thousandths. Out: the new format, allocated to the framework's role. Pure. Source: Mesos v1 `Resource`,
 * "Reservation" (formats), "Persistent volumes".
 */
import { persistenceId } from '../ids.js'
import type { Attribute, Labels, Reservation, Resource, Volume } from '../offer-evaluator/resources.js'
import { canonicalJson } from '../spec/canonical.js'
import { fromMilli, normalizeRanges, toMilli } from '../units.js'
import type * as wire from './messages.js'

/** The unreserved role of the old format. */
const anyRole = '*'

/** Undefined for a kind of resource that no agent offers (TEXT). */
export function fromResource(resource: wire.Resource): Resource | undefined {
  const base = fromResourceBase(resource)
  switch (resource.type) {
    case 'SCALAR':
      return { ...base, kind: 'scalar', amount: toMilli(resource.scalar?.value ?? 0) }
    case 'RANGES':
      return { ...base, kind: 'ranges', ranges: normalizeRanges(resource.ranges?.range ?? []) }
    case 'SET':
      return { ...base, kind: 'set', items: [...(resource.set?.item ?? [])] }
    default:
      return undefined
  }
}

function fromResourceBase(resource: wire.Resource) {
  const { disk } = resource
  return {
    name: resource.name,
    reservations: fromReservations(resource),
    ...(disk?.persistence === undefined ? {} : { volume: fromVolume(disk.persistence, disk.volume) }),
    ...(disk?.source === undefined ? {} : { diskSource: canonicalJson(disk.source) }),
    // Presence says it all: both are objects without content.
    ...(resource.revocable === undefined ? {} : { revocable: true }),
    ...(resource.shared === undefined ? {} : { shared: true }),
    ...(resource.provider_id === undefined ? {} : { providerId: resource.provider_id.value }),
  }
}

/** The operator API shows both formats side by side; where the stack is given, it is the more exact one. */
function fromReservations(resource: wire.Resource): readonly Reservation[] {
  if (resource.reservations !== undefined && resource.reservations.length > 0) {
    return resource.reservations.map((level) => ({
      type: level.type,
      role: level.role,
      ...principalAndLabels(level.principal, level.labels),
    }))
  }
  const { role, reservation } = resource
  if (role === undefined || role === anyRole) return []
  if (reservation === undefined) return [{ type: 'STATIC', role }]
  return [{ type: 'DYNAMIC', role, ...principalAndLabels(reservation.principal, reservation.labels) }]
}

/** No labels and an empty list are different reservations for Mesos, so the difference is kept. */
const principalAndLabels = (principal: string | undefined, labels: wire.Labels | undefined) => ({
  ...(principal === undefined ? {} : { principal }),
  ...(labels === undefined ? {} : { labels: fromLabels(labels) }),
})

const fromVolume = (persistence: wire.Persistence, volume: wire.Volume | undefined): Volume => ({
  persistenceId: persistenceId(persistence.id),
  ...(persistence.principal === undefined ? {} : { principal: persistence.principal }),
  ...(volume === undefined ? {} : { containerPath: volume.container_path }),
})

export const fromLabels = (labels: wire.Labels): Labels =>
  (labels.labels ?? []).map(({ key, value }) => ({ key, value: value ?? '' }))

export const toLabels = (labels: Labels): wire.Labels => ({ labels: labels.map(({ key, value }) => ({ key, value })) })

/** `role` is the one that the offers are allocated to. */
export function toResource(resource: Resource, role: string): wire.Resource {
  const disk = toDisk(resource)
  return {
    name: resource.name,
    ...toValue(resource),
    allocation_info: { role },
    ...(resource.reservations.length === 0 ? {} : { reservations: resource.reservations.map(toReservation) }),
    // A `disk` without content is invalid for Mesos.
    ...(disk === undefined ? {} : { disk }),
    ...(resource.revocable === true ? { revocable: {} } : {}),
    ...(resource.shared === true ? { shared: {} } : {}),
    ...(resource.providerId === undefined ? {} : { provider_id: { value: resource.providerId } }),
  }
}

function toValue(resource: Resource): Pick<wire.Resource, 'type' | 'scalar' | 'ranges' | 'set'> {
  switch (resource.kind) {
    case 'scalar':
      return { type: 'SCALAR', scalar: { value: fromMilli(resource.amount) } }
    case 'ranges':
      return { type: 'RANGES', ranges: { range: resource.ranges.map(({ begin, end }) => ({ begin, end })) } }
    case 'set':
      return { type: 'SET', set: { item: [...resource.items] } }
  }
}

const toReservation = (reservation: Reservation): wire.ReservationInfo => ({
  type: reservation.type,
  role: reservation.role,
  ...(reservation.principal === undefined ? {} : { principal: reservation.principal }),
  ...(reservation.labels === undefined ? {} : { labels: toLabels(reservation.labels) }),
})

function toDisk({ volume, diskSource }: Resource): wire.DiskInfo | undefined {
  if (volume === undefined && diskSource === undefined) return undefined
  return {
    ...(diskSource === undefined ? {} : { source: JSON.parse(diskSource) as wire.DiskSource }),
    ...(volume === undefined ? {} : toPersistentVolume(volume)),
  }
}

/**
 * `volume` with mode RW is validated in every operation on a persistent volume, though its path is no part of the volume's
 * identity: one that was offered without a path gets its persistence id, which is a valid directory name.
 */
const toPersistentVolume = (volume: Volume): Pick<wire.DiskInfo, 'persistence' | 'volume'> => ({
  persistence: { id: volume.persistenceId, ...(volume.principal === undefined ? {} : { principal: volume.principal }) },
  volume: { mode: 'RW', container_path: volume.containerPath ?? volume.persistenceId },
})

/** In the text form of an agent's `--attributes` flag, in which placement rules are written too. */
export function fromAttribute(attribute: wire.Attribute): Attribute {
  return { name: attribute.name, value: attributeText(attribute) }
}

function attributeText(attribute: wire.Attribute): string {
  switch (attribute.type) {
    case 'SCALAR':
      return String(fromMilli(toMilli(attribute.scalar?.value ?? 0)))
    case 'RANGES':
      return `[${(attribute.ranges?.range ?? []).map(({ begin, end }) => `${begin}-${end}`).join(',')}]`
    case 'SET':
      return `{${(attribute.set?.item ?? []).join(',')}}`
    default:
      return attribute.text?.value ?? ''
  }
}
