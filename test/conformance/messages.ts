/** Machines, resources, tasks and operations for the statements. */
import type { Attribute, Offer, Resource } from '../../src/mesos/messages.js'
import type { VirtualMachine } from '../../src/testing/virtual/agent.js'
import type { TaskBehaviour } from '../../src/testing/virtual/tasks.js'

export const scalar = (name: string, value: number): Resource => ({ name, type: 'SCALAR', scalar: { value } })

export const ports = (begin: number, end: number): Resource => ({
  name: 'ports',
  type: 'RANGES',
  ranges: { range: [{ begin, end }] },
})

/** With one reservation more. */
export const reserved = (resource: Resource, how: object = {}): Resource => ({
  ...resource,
  reservations: [...(resource.reservations ?? []), { type: 'DYNAMIC', role: 'db', principal: 'p', ...how }],
})

export const volume = (id: string, sizeMb: number, disk: object = {}): Resource => ({
  ...reserved(scalar('disk', sizeMb)),
  disk: { persistence: { id, principal: 'p' }, volume: { mode: 'RW', container_path: 'data' }, ...disk },
})

export const attribute = (name: string, value: string): Attribute => ({ name, type: 'TEXT', text: { value } })

/** `agent-1` ...: 4 cpus, 4096 MB of memory, 10240 MB of disk, a thousand ports. */
export const machine = (number: number, changes: Partial<VirtualMachine> = {}): VirtualMachine => ({
  hostname: `agent-${number}`,
  ip: `10.0.0.${number}`,
  port: 5051,
  attributes: [],
  resources: [scalar('cpus', 4), scalar('mem', 4096), scalar('disk', 10_240), ports(31_000, 31_999)],
  ...changes,
})

export const task = (offer: Offer, id: string, behaviour: TaskBehaviour = {}, extras: object = {}): object => ({
  name: id,
  task_id: { value: id },
  agent_id: offer.agent_id,
  command: { value: JSON.stringify(behaviour) },
  resources: [scalar('cpus', 0.1), scalar('mem', 32)],
  ...extras,
})

export const launch = (...tasks: readonly object[]): object => ({ type: 'LAUNCH', launch: { task_infos: tasks } })

export const executor = (framework: { readonly id: string }, id: string, changes: object = {}): object => ({
  type: 'DEFAULT',
  executor_id: { value: id },
  framework_id: { value: framework.id },
  resources: [scalar('cpus', 0.1), scalar('mem', 32), scalar('disk', 8)],
  ...changes,
})

export const launchGroup = (executorInfo: object, ...tasks: readonly object[]): object => ({
  type: 'LAUNCH_GROUP',
  launch_group: { executor: executorInfo, task_group: { tasks } },
})

const withId = (id: string | undefined): object => (id === undefined ? {} : { id: { value: id } })

export const reserve = (id: string | undefined, ...resources: readonly Resource[]): object => ({
  type: 'RESERVE',
  ...withId(id),
  reserve: { resources },
})
export const unreserve = (id: string | undefined, ...resources: readonly Resource[]): object => ({
  type: 'UNRESERVE',
  ...withId(id),
  unreserve: { resources },
})
export const create = (id: string | undefined, ...volumes: readonly object[]): object => ({
  type: 'CREATE',
  ...withId(id),
  create: { volumes },
})
export const destroy = (id: string | undefined, ...volumes: readonly Resource[]): object => ({
  type: 'DESTROY',
  ...withId(id),
  destroy: { volumes },
})

/** A grace period as calls and tasks name it. */
export const grace = (seconds: number): object => ({ grace_period: { nanoseconds: seconds * 1e9 } })
