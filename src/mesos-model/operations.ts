/**
 * What an operation on resources takes and gives (mesos-v1.md 2.4 and 3.7), and why a master refuses it. Pure; used by
 * the master, which books the result at once, and by the agent, which applies it to what it checkpoints.
 */
import type { Operation, Resource } from '../mesos/messages.js'
import { toMilli } from '../units.js'
import { describeHolding, describeResources } from './describe.js'
import { addResources, currentReservation, takeResources, toHolding } from './resources.js'
import type { Holding, Resources } from './resources.js'
import { findResourceProblem, isSafeId } from './validate-resource.js'

/** Operations that change resources, as opposed to launches. */
export type ResourceOperation = Exclude<Operation, { type: 'LAUNCH' | 'LAUNCH_GROUP' }>

export interface Conversion {
  readonly consumed: Resources
  readonly converted: Resources
}

const withoutLastReservation = (resource: Resource, role: string | undefined): Holding => {
  const { reservations, ...rest } = toHolding(resource, role).shape
  const left = (reservations ?? []).slice(0, -1)
  const { scalar, ranges, set, allocation_info } = resource
  const amount = {
    ...(scalar && { scalar }),
    ...(ranges && { ranges }),
    ...(set && { set }),
    ...(allocation_info && { allocation_info }),
  }
  return toHolding({ ...rest, ...(left.length === 0 ? {} : { reservations: left }), ...amount }, role)
}

const withoutVolume = (resource: Resource, role: string | undefined): Holding => {
  const { disk, shared, ...rest } = resource
  void shared
  return toHolding({ ...rest, ...(disk?.source === undefined ? {} : { disk: { source: disk.source } }) }, role)
}

const resize = (volume: Resource, byMilli: number): Resource => ({
  ...volume,
  scalar: { value: (toMilli(volume.scalar?.value ?? 0) + byMilli) / 1000 },
})

/** `role`: the allocation of resources that name none; absent in an agent's books. */
export function convert(operation: ResourceOperation, role?: string): Conversion {
  switch (operation.type) {
    case 'RESERVE': {
      const list = operation.reserve.resources ?? []
      return { consumed: list.map((r) => withoutLastReservation(r, role)), converted: list.map((r) => toHolding(r, role)) }
    }
    case 'UNRESERVE': {
      const list = operation.unreserve.resources ?? []
      return { consumed: list.map((r) => toHolding(r, role)), converted: list.map((r) => withoutLastReservation(r, role)) }
    }
    case 'CREATE': {
      const list = operation.create.volumes ?? []
      return { consumed: list.map((r) => withoutVolume(r, role)), converted: list.map((r) => toHolding(r, role)) }
    }
    case 'DESTROY': {
      const list = operation.destroy.volumes ?? []
      return { consumed: list.map((r) => toHolding(r, role)), converted: list.map((r) => withoutVolume(r, role)) }
    }
    case 'GROW_VOLUME': {
      const { volume, addition } = operation.grow_volume
      const grown = resize(volume, toMilli(addition.scalar?.value ?? 0))
      return { consumed: [toHolding(volume, role), toHolding(addition, role)], converted: [toHolding(grown, role)] }
    }
    case 'SHRINK_VOLUME': {
      const { volume, subtract } = operation.shrink_volume
      const freed = withoutVolume({ ...volume, scalar: subtract }, role)
      return {
        consumed: [toHolding(volume, role)],
        converted: [toHolding(resize(volume, -toMilli(subtract.value)), role), freed],
      }
    }
  }
}

/** Takes `consumed` and adds `converted`; undefined if something is not there. */
export function applyConversion(held: Resources, conversion: Conversion): Resources | undefined {
  const left = takeResources(held, conversion.consumed)
  return left === undefined ? undefined : addResources(left, conversion.converted)
}

/** What a refusal depends on beside the operation. */
export interface OperationContext {
  readonly role: string
  readonly principal: string | undefined
  /** All resources of the agent, without allocation: volumes are looked up there. */
  readonly agentTotal: Resources
  /** Volumes that tasks use now. */
  readonly used: Resources
}

const operationResources = (operation: ResourceOperation): readonly Resource[] => {
  switch (operation.type) {
    case 'RESERVE':
      return operation.reserve.resources ?? []
    case 'UNRESERVE':
      return operation.unreserve.resources ?? []
    case 'CREATE':
      return operation.create.volumes ?? []
    case 'DESTROY':
      return operation.destroy.volumes ?? []
    case 'GROW_VOLUME':
      return [operation.grow_volume.volume, operation.grow_volume.addition]
    case 'SHRINK_VOLUME':
      return [operation.shrink_volume.volume]
  }
}

function findReserveProblem(resource: Resource, context: OperationContext): string | undefined {
  const holding = toHolding(resource, context.role)
  const reservation = currentReservation(holding.shape)
  if (reservation?.type !== 'DYNAMIC') return `Resource ${describeHolding(holding)} is not dynamically reserved`
  if (reservation.role !== holding.allocation) {
    return `A reserve operation was attempted for a resource with role '${reservation.role}', but the resource was allocated to role '${holding.allocation ?? '*'}'`
  }
  if (context.principal !== undefined && reservation.principal === undefined) {
    return `A reserve operation was attempted by authenticated principal '${context.principal}', but a reserved resource in the request has no principal set`
  }
  if (context.principal !== undefined && reservation.principal !== context.principal) {
    return `A reserve operation was attempted by authenticated principal '${context.principal}', which does not match a reserved resource in the request with principal '${reservation.principal ?? ''}'`
  }
  if (holding.shape.disk?.persistence !== undefined)
    return `A persistent volume ${describeHolding(holding)} must already be reserved`
  if (holding.shape.revocable !== undefined) return `Resource ${describeHolding(holding)} is revocable`
  return undefined
}

const persistenceKey = (shape: Resource): string =>
  `${currentReservation(shape)?.role ?? '*'}/${shape.disk?.persistence?.id ?? ''}`

function findCreateProblem(volume: Resource, context: OperationContext): string | undefined {
  const disk = volume.disk
  if (disk?.persistence === undefined) return `Invalid DiskInfo: Expecting 'persistence' to be set for persistent volume`
  if (disk.volume === undefined) return "Invalid DiskInfo: Expecting 'volume' to be set for persistent volume"
  if (disk.volume.mode !== 'RW') return "Invalid DiskInfo: Expecting 'volume.mode' to be RW for persistent volume"
  if (disk.volume.host_path !== undefined)
    return "Invalid DiskInfo: Expecting 'volume.host_path' to be unset for persistent volume"
  if (!isSafeId(disk.persistence.id)) return `Invalid DiskInfo: Invalid persistence ID '${disk.persistence.id}'`
  const holding = toHolding(volume, context.role)
  if (currentReservation(holding.shape) === undefined) {
    return 'Invalid resources: Invalid DiskInfo: Persistent volumes cannot be created from unreserved resources'
  }
  if (volume.shared !== undefined) return 'Shared volumes are not supported by this cluster'
  if (context.principal !== undefined && disk.persistence.principal !== context.principal) {
    return `A create volume operation was attempted by principal '${context.principal}', but the volume names ${disk.persistence.principal === undefined ? 'no principal' : `principal '${disk.persistence.principal}'`}`
  }
  const taken = context.agentTotal.some(
    (held) => held.shape.disk?.persistence !== undefined && persistenceKey(held.shape) === persistenceKey(holding.shape),
  )
  return taken ? `Persistence ID '${disk.persistence.id}' is not unique` : undefined
}

const holdsVolume = (resources: Resources, holding: Holding): boolean =>
  resources.some((held) => persistenceKey(held.shape) === persistenceKey(holding.shape) && held.amount === holding.amount)

function findDestroyProblem(volume: Resource, context: OperationContext): string | undefined {
  const mode = volume.disk?.volume?.mode
  if (volume.disk?.persistence === undefined || mode === undefined) return 'Resource is not a persistent volume'
  if (mode !== 'RW') return "Invalid resources: Invalid DiskInfo: Expecting 'volume.mode' to be RW for persistent volume"
  const holding = toHolding(volume)
  if (!holdsVolume(context.agentTotal, holding)) return 'Persistent volumes not found'
  return holdsVolume(context.used, holding) ? 'Persistent volumes in use' : undefined
}

function findResizeProblem(operation: ResourceOperation): string | undefined {
  if (operation.type !== 'GROW_VOLUME' && operation.type !== 'SHRINK_VOLUME') return undefined
  const volume = operation.type === 'GROW_VOLUME' ? operation.grow_volume.volume : operation.shrink_volume.volume
  if (volume.disk?.persistence === undefined) return 'Resource is not a persistent volume'
  if (volume.disk.source?.type === 'MOUNT') return 'A persistent volume on a MOUNT disk cannot be resized'
  if (operation.type === 'GROW_VOLUME') {
    const { addition } = operation.grow_volume
    const plain = withoutVolume(volume, undefined)
    return toHolding({ ...addition }).key.replace(/^[^|]*/, '') === plain.key.replace(/^[^|]*/, '')
      ? undefined
      : "Incompatible resources in the 'volume' and 'addition' fields"
  }
  const subtract = toMilli(operation.shrink_volume.subtract.value)
  if (subtract <= 0) return "Value of 'subtract' must be greater than zero"
  return subtract >= toMilli(volume.scalar?.value ?? 0) ? "Value of 'subtract' must be smaller than 'volume'" : undefined
}

function findUnreserveProblem(resource: Resource): string | undefined {
  const holding = toHolding(resource)
  if (currentReservation(holding.shape)?.type !== 'DYNAMIC')
    return `Resource ${describeHolding(holding)} is not dynamically reserved`
  return holding.shape.disk?.persistence === undefined
    ? undefined
    : `A dynamically reserved persistent volume ${describeHolding(holding)} cannot be unreserved directly. Please destroy the persistent volume first then unreserve the resource`
}

/** What a framework may never ask for, whatever the resources. */
export const findUnsupported = (operation: ResourceOperation): string | undefined =>
  operation.type === 'RESERVE' && (operation.reserve.source ?? []).length > 0
    ? 'Reservation updates are not yet implemented for the scheduler API.'
    : undefined

/** Why the operation is refused before its resources are looked for, as text; undefined if it is well-formed. */
export function findOperationProblem(operation: ResourceOperation, context: OperationContext): string | undefined {
  const resources = operationResources(operation)
  for (const resource of resources) {
    const problem = findResourceProblem(resource)
    if (problem !== undefined) return `Invalid resources: ${problem}`
  }
  const check = (resource: Resource): string | undefined => {
    if (operation.type === 'RESERVE') return findReserveProblem(resource, context)
    if (operation.type === 'UNRESERVE') return findUnreserveProblem(resource)
    if (operation.type === 'CREATE') return findCreateProblem(resource, context)
    return operation.type === 'DESTROY' ? findDestroyProblem(resource, context) : undefined
  }
  for (const resource of resources) {
    const problem = check(resource)
    if (problem !== undefined) return problem
  }
  return findResizeProblem(operation)
}

/** The text of a refusal because the remainder of the offers lacks something: what there is when it is looked for. */
export function describeMissing(held: Resources, { consumed, converted }: Conversion): string {
  let left = held
  for (const [index, holding] of consumed.entries()) {
    const rest = takeResources(left, [holding])
    if (rest === undefined) return `${describeResources(left)} does not contain ${describeHolding(holding)}`
    const result = converted[index]
    left = result === undefined ? rest : addResources(rest, [result])
  }
  return 'nothing is missing'
}
