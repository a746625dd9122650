/**
 * Rules for single resources and identifiers (mesos-v1.md 2.4, 3.1-3.4, 8.2). Pure. A problem is a text in Mesos' manner,
 * undefined means valid.
 */
import type { Resource } from '../mesos/messages.js'
import { toMilli } from '../units.js'

const MAX_ID_BYTES = 255

/** Bytes of the text in UTF-8. */
function utf8Length(text: string): number {
  let bytes = 0
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0
    bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4
  }
  return bytes
}

/** Task, executor, persistence ids: they become directory names. */
export function findIdProblem(id: string): string | undefined {
  if (id === '') return 'ID must not be empty'
  if (utf8Length(id) > MAX_ID_BYTES) return `ID must not be greater than ${MAX_ID_BYTES} characters`
  if (id === '.' || id === '..') return `'${id}' is disallowed`
  // eslint-disable-next-line no-control-regex -- control characters are exactly what Mesos refuses
  return /[\u0000-\u001f\u007f/\\]/.test(id) ? `'${id}' contains invalid characters` : undefined
}

export const isSafeId = (id: string): boolean => findIdProblem(id) === undefined

function findAmountProblem(resource: Resource): string | undefined {
  const { name, type, scalar, ranges, set } = resource
  if (type === 'SCALAR') {
    if (scalar === undefined || ranges !== undefined || set !== undefined) return `Invalid scalar resource '${name}'`
    if (!Number.isFinite(scalar.value) || scalar.value < 0)
      return `Invalid scalar resource: value < 0 or not finite for '${name}'`
    if (scalar.value !== 0 && toMilli(scalar.value) === 0) return `Invalid scalar resource: '${name}' rounds to zero`
    return undefined
  }
  if (type === 'RANGES') {
    if (ranges === undefined || scalar !== undefined || set !== undefined) return `Invalid ranges resource '${name}'`
    return findRangesProblem(ranges.range ?? [])
  }
  if (type === 'SET') {
    if (set === undefined || scalar !== undefined || ranges !== undefined) return `Invalid set resource '${name}'`
    const items = set.item ?? []
    return new Set(items).size === items.length ? undefined : 'Invalid set resource: duplicated elements'
  }
  return `Unsupported resource type of '${name}'`
}

function findRangesProblem(ranges: readonly { begin: number; end: number }[]): string | undefined {
  const sorted = [...ranges].sort((a, b) => a.begin - b.begin)
  for (const [index, range] of sorted.entries()) {
    if (range.begin > range.end) return 'Invalid ranges resource: begin > end'
    const before = sorted[index - 1]
    if (before !== undefined && range.begin <= before.end) return 'Invalid ranges resource: overlapping ranges'
  }
  return undefined
}

function findReservationProblem(resource: Resource): string | undefined {
  const stack = resource.reservations ?? []
  if (resource.role === '*' && stack.length > 0) return "Invalid reservation: role '*' together with 'reservations'"
  if (stack.length > 1 && (resource.role !== undefined || resource.reservation !== undefined))
    return 'Invalid reservation: both formats are set'
  for (const [index, reservation] of stack.entries()) {
    if (reservation.role === undefined || reservation.type === undefined)
      return "Invalid reservation: 'type' and 'role' are mandatory"
    if (reservation.role === '*') return "Invalid reservation: role '*' cannot be reserved"
    if (index > 0 && reservation.type !== 'DYNAMIC') return 'Invalid reservation: refined reservations must be dynamic'
    const before = stack[index - 1]
    if (before !== undefined && !reservation.role.startsWith(`${before.role}/`)) {
      return `Invalid reservation: role '${reservation.role}' is not a refinement of '${before.role}'`
    }
  }
  return undefined
}

export function findResourceProblem(resource: Resource): string | undefined {
  if (resource.name === '') return 'Empty resource name'
  const disk = resource.disk
  if (disk !== undefined && resource.name !== 'disk') return `DiskInfo should not be set for ${resource.name} resource`
  if (disk !== undefined && disk.persistence === undefined && disk.source === undefined && disk.volume === undefined) {
    return 'DiskInfo is set but empty'
  }
  if (resource.revocable !== undefined && (resource.reservations ?? []).length > 0)
    return 'Revocable resources cannot be reserved'
  return findAmountProblem(resource) ?? findReservationProblem(resource)
}
