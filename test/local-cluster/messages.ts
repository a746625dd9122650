/** Resources, operations and tasks for tests on real processes. */
import type {
  ExecutorInfo,
  LaunchGroupOperation,
  Offer,
  Operation,
  Resource,
  ReservationInfo,
  TaskInfo,
} from '../../src/mesos/messages.js'

const RESERVATIONS: readonly ReservationInfo[] = [
  { type: 'DYNAMIC', role: 'web', principal: 'tester', labels: { labels: [{ key: 'pod', value: 'p0' }] } },
]

export const scalar = (name: string, value: number, isReserved = false): Resource => ({
  name,
  type: 'SCALAR',
  scalar: { value },
  allocation_info: { role: 'web' },
  ...(isReserved ? { reservations: RESERVATIONS } : {}),
})

export const volume = (id: string, sizeMb = 64): Resource => ({
  ...scalar('disk', sizeMb, true),
  disk: { persistence: { id, principal: 'tester' }, volume: { mode: 'RW', container_path: 'data' } },
})

export const reserveAndCreate = (volumeId: string): Operation[] => [
  {
    type: 'RESERVE',
    id: { value: `reserve-${volumeId}` },
    reserve: { resources: [scalar('cpus', 1, true), scalar('mem', 256, true), scalar('disk', 128, true)] },
  },
  { type: 'CREATE', id: { value: `create-${volumeId}` }, create: { volumes: [volume(volumeId)] } },
]

export const task = (offer: Offer, id: string, command: string, extras: Partial<TaskInfo> = {}, isReserved = true): TaskInfo => ({
  name: id,
  task_id: { value: id },
  agent_id: offer.agent_id,
  resources: [scalar('cpus', 0.2, isReserved), scalar('mem', 32, isReserved)],
  command: { value: command },
  ...extras,
})

export const group = (
  frameworkId: string,
  executorId: string,
  tasks: readonly TaskInfo[],
  isReserved = true,
): LaunchGroupOperation => {
  const executor: ExecutorInfo = {
    type: 'DEFAULT',
    executor_id: { value: executorId },
    framework_id: { value: frameworkId },
    resources: [scalar('cpus', 0.1, isReserved), scalar('mem', 32, isReserved), scalar('disk', 8, isReserved)],
  }
  return { type: 'LAUNCH_GROUP', launch_group: { executor, task_group: { tasks } } }
}

/** Whether the offer holds the volume. */
export const holdsVolume =
  (id: string) =>
  (offer: Offer): boolean =>
    (offer.resources ?? []).some((resource) => resource.disk?.persistence?.id === id)

export const cpusOf = (offer: Offer): number =>
  (offer.resources ?? [])
    .filter((resource) => resource.name === 'cpus')
    .reduce((sum, resource) => sum + (resource.scalar?.value ?? 0), 0)
