/**
 * Resources as text, the way Mesos writes them into messages of refused launches and operations. Pure. For people only;
 * nothing decides on it.
 */
import type { ReservationInfo, Resource } from '../mesos/messages.js'
import { fromMilli } from '../units.js'
import type { Range } from '../units.js'
import type { Amount, Holding, Resources } from './resources.js'

function describeReservation(reservation: ReservationInfo): string {
  const labels = (reservation.labels?.labels ?? []).map((label) => `${label.key}: ${label.value ?? ''}`).join(', ')
  const parts = [reservation.type, reservation.role]
  if (reservation.principal !== undefined) parts.push(reservation.principal)
  if (reservation.labels !== undefined) parts.push(`{${labels}}`)
  return `(${parts.join(',')})`
}

function describeDisk(disk: NonNullable<Resource['disk']>): string {
  const source = disk.source
  const root = source?.path?.root ?? source?.mount?.root
  const parts: string[] = []
  if (source !== undefined) parts.push(`${source.type}${root === undefined ? '' : `:${root}`}`)
  if (disk.persistence !== undefined) {
    parts.push(`${disk.persistence.id}${disk.volume === undefined ? '' : `:${disk.volume.container_path}`}`)
  }
  return `[${parts.join(',')}]`
}

function describeAmount(amount: Amount): string {
  if (typeof amount === 'number') return String(fromMilli(amount))
  if (typeof amount[0] === 'string') return `{${(amount as readonly string[]).join(', ')}}`
  return `[${(amount as readonly Range[]).map((range) => `${range.begin}-${range.end}`).join(', ')}]`
}

export function describeHolding(holding: Holding): string {
  let text = holding.name
  if (holding.allocation !== undefined) text += `(allocated: ${holding.allocation})`
  const stack = holding.shape.reservations ?? []
  if (stack.length > 0) text += `(reservations: [${stack.map(describeReservation).join(',')}])`
  if (holding.shape.disk !== undefined) text += describeDisk(holding.shape.disk)
  if (holding.shape.revocable !== undefined) text += '{REV}'
  if (holding.shape.shared !== undefined) text += '<SHARED>'
  return `${text}:${describeAmount(holding.amount)}`
}

export const describeResources = (resources: Resources): string =>
  resources.length === 0 ? '{}' : resources.map(describeHolding).join('; ')
