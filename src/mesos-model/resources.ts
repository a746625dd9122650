/**
 * Resource arithmetic as Mesos does it (mesos-v1.md 3.7), over integer thousandths. Pure. A `Holding` is one entry: its
 * identity (everything but the amount, new format) and its amount. Persistent volumes and MOUNT disks are indivisible:
 * they never merge and are taken whole or not at all.
 */
import type { Labels, ReservationInfo, Resource } from '../mesos/messages.js'
import { addRanges, containsRanges, fromMilli, normalizeRanges, subtractRanges, toMilli } from '../units.js'
import type { Milli, Range } from '../units.js'

/** An amount: thousandths, or sorted ranges, or the items of a set. */
export type Amount = Milli | readonly Range[] | readonly string[]

export interface Holding {
  /** Equal for two entries of one kind; the allocation is part of it. */
  readonly key: string
  readonly name: string
  /** New format, without amount and without allocation. */
  readonly shape: Resource
  /** Role the resource is offered or allocated to; absent in an agent's books. */
  readonly allocation?: string
  readonly isWhole: boolean
  readonly amount: Amount
}

export type Resources = readonly Holding[]

/** Old format in, new format out: `role` and `reservation` become the stack. */
function reservationsOf(resource: Resource): readonly ReservationInfo[] | undefined {
  if (resource.reservations !== undefined && resource.reservations.length > 0) return resource.reservations
  if (resource.role === undefined || resource.role === '*') return undefined
  if (resource.reservation === undefined) return [{ type: 'STATIC', role: resource.role }]
  return [{ type: 'DYNAMIC', role: resource.role, ...resource.reservation }]
}

/** Label lists are compared without regard to order; absent and empty differ. */
function labelsKey(labels: Labels | undefined): unknown {
  return labels === undefined ? null : (labels.labels ?? []).map((label) => `${label.key}=${label.value ?? ''}`).sort()
}

/** The fields of a source may come in any order. */
const sourceKey = (source: NonNullable<Resource['disk']>['source']): unknown =>
  Object.entries(source ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))

function identityKey(shape: Resource): string {
  const stack = (shape.reservations ?? []).map((r) => [r.type, r.role, r.principal ?? null, labelsKey(r.labels)])
  const flags = [sourceKey(shape.disk?.source), shape.disk?.persistence?.id ?? null, shape.revocable !== undefined]
  return JSON.stringify([shape.name, shape.type, stack, flags, shape.shared !== undefined, shape.provider_id?.value ?? null])
}

/** One wire resource as a holding. `defaultRole` is the allocation of those that name none. */
export function toHolding(resource: Resource, defaultRole?: string): Holding {
  const reservations = reservationsOf(resource)
  const { scalar, ranges, set, allocation_info, role, reservation, reservations: _, ...rest } = resource
  void role
  void reservation
  const shape: Resource = { ...rest, ...(reservations === undefined ? {} : { reservations }) }
  const allocation = allocation_info?.role ?? defaultRole
  const amount: Amount =
    resource.type === 'SCALAR'
      ? toMilli(scalar?.value ?? 0)
      : resource.type === 'RANGES'
        ? normalizeRanges(ranges?.range ?? [])
        : [...(set?.item ?? [])].sort()
  const isWhole = shape.disk?.persistence !== undefined || shape.disk?.source?.type === 'MOUNT'
  const key = `${allocation ?? ''}|${identityKey(shape)}`
  return { key, name: shape.name, shape, isWhole, amount, ...(allocation === undefined ? {} : { allocation }) }
}

const isEmptyAmount = (amount: Amount): boolean => (typeof amount === 'number' ? amount === 0 : amount.length === 0)

function addAmounts(a: Amount, b: Amount): Amount {
  if (typeof a === 'number' || typeof b === 'number') return Number(a) + Number(b)
  if (typeof (a[0] ?? b[0]) === 'string') return [...new Set([...a, ...b] as string[])].sort()
  return addRanges(a as readonly Range[], b as readonly Range[])
}

function subtractAmounts(a: Amount, b: Amount): Amount {
  if (typeof a === 'number' || typeof b === 'number') return Number(a) - Number(b)
  if (typeof a[0] === 'string') return (a as readonly string[]).filter((item) => !(b as readonly string[]).includes(item))
  return subtractRanges(a as readonly Range[], b as readonly Range[])
}

function containsAmount(a: Amount, b: Amount): boolean {
  if (typeof a === 'number' || typeof b === 'number') return Number(a) >= Number(b)
  if (typeof b[0] === 'string') return (b as readonly string[]).every((item) => (a as readonly string[]).includes(item))
  return containsRanges(a as readonly Range[], b as readonly Range[])
}

const sameAmount = (a: Amount, b: Amount): boolean => containsAmount(a, b) && containsAmount(b, a)

function addHolding(to: Resources, holding: Holding): Resources {
  if (isEmptyAmount(holding.amount)) return to
  const index = holding.isWhole ? -1 : to.findIndex((other) => other.key === holding.key)
  const found = to[index]
  if (found === undefined) return [...to, holding]
  return to.with(index, { ...found, amount: addAmounts(found.amount, holding.amount) })
}

export const addResources = (a: Resources, b: Resources): Resources => b.reduce(addHolding, a)

/** Index of the one entry of `from` that holds all of `wanted`, or -1. */
function findContaining(from: Resources, wanted: Holding): number {
  return from.findIndex(
    (held) => held.key === wanted.key && (held.isWhole ? sameAmount : containsAmount)(held.amount, wanted.amount),
  )
}

/** `from` without `wanted`, or undefined if it does not fit into one entry. */
function takeHolding(from: Resources, wanted: Holding): Resources | undefined {
  if (isEmptyAmount(wanted.amount)) return from
  const index = findContaining(from, wanted)
  const found = from[index]
  if (found === undefined) return undefined
  const left = subtractAmounts(found.amount, wanted.amount)
  return isEmptyAmount(left) ? from.toSpliced(index, 1) : from.with(index, { ...found, amount: left })
}

/** `from` without all of `wanted`, or undefined if it does not contain them. */
export function takeResources(from: Resources, wanted: Resources): Resources | undefined {
  let left: Resources | undefined = from
  for (const holding of wanted) {
    left = takeHolding(left, holding)
    if (left === undefined) return undefined
  }
  return left
}

export const containsResources = (a: Resources, b: Resources): boolean => takeResources(a, b) !== undefined

export const equalResources = (a: Resources, b: Resources): boolean => containsResources(a, b) && containsResources(b, a)

export const toResources = (list: readonly Resource[] | undefined, defaultRole?: string): Resources =>
  (list ?? []).reduce<Resources>((sum, resource) => addHolding(sum, toHolding(resource, defaultRole)), [])

/** The same resources, offered or allocated to `role`; without a role: as an agent's books hold them. */
export function allocateTo(resources: Resources, role: string | undefined): Resources {
  return resources.map(({ allocation: _, ...holding }) => ({
    ...holding,
    key: `${role ?? ''}${holding.key.slice(holding.key.indexOf('|'))}`,
    ...(role === undefined ? {} : { allocation: role }),
  }))
}

function withAmount(shape: Resource, amount: Amount): Resource {
  const { name, type, ...rest } = shape
  if (typeof amount === 'number') return { name, type, scalar: { value: fromMilli(amount) }, ...rest }
  if (type === 'SET') return { name, type, set: { item: amount as readonly string[] }, ...rest }
  return { name, type, ranges: { range: amount as readonly Range[] }, ...rest }
}

export const holdingToWire = (holding: Holding): Resource => ({
  ...withAmount(holding.shape, holding.amount),
  ...(holding.allocation === undefined ? {} : { allocation_info: { role: holding.allocation } }),
})

export const toWire = (resources: Resources): Resource[] => resources.map(holdingToWire)

/** As frameworks without RESERVATION_REFINEMENT see it: `role`, and `reservation` if dynamic. */
export function toOldFormat(resource: Resource): Resource {
  const { reservations, ...rest } = resource
  const last = reservations?.at(-1)
  if (last === undefined) return { ...rest, role: '*' }
  const { type, role, ...reservation } = last
  return type === 'STATIC' ? { ...rest, role } : { ...rest, role, reservation }
}

/** As the operator API writes it: both notations while there is at most one reservation. */
export function toEndpointFormat(resource: Resource): Resource {
  const stack = resource.reservations ?? []
  if (stack.length > 1) return resource
  return stack.length === 0 ? toOldFormat(resource) : { ...toOldFormat(resource), reservations: stack }
}

export const currentReservation = (shape: Resource): ReservationInfo | undefined => shape.reservations?.at(-1)

/** Sum over all reservations, in thousandths; ranges count their values. */
export function quantityOf(resources: Resources, name: string): Milli {
  let sum = 0
  for (const holding of resources) {
    if (holding.name !== name) continue
    sum += typeof holding.amount === 'number' ? holding.amount : holding.amount.length * 1000
  }
  return sum
}
