/** Calls as the master takes them, and as schedulers send them. */
import { agentId, executorId, offerId, operationId, taskId, taskName, type PodInstanceName } from '../../../../src/ids.js'
import type { Call, Operation, Resource } from '../../../../src/mesos/messages.js'
import type { Operation as SentOperation } from '../../../../src/offer-evaluator/operations.js'
import type { MesosCall } from '../../../../src/scheduler/output.js'
import { volumeOfInstance } from './story.js'

const framework_id = { value: 'f1' }

export const accept = (...operations: readonly Operation[]): Call => ({ type: 'ACCEPT', framework_id, accept: { operations } })
export const kill = (id: string): Call => ({ type: 'KILL', framework_id, kill: { task_id: { value: id } } })
export const acknowledge = (id: string, uuid: string): Call => ({
  type: 'ACKNOWLEDGE',
  framework_id,
  acknowledge: { agent_id: { value: 'agent' }, task_id: { value: id }, uuid },
})
export const acknowledgeOperation = (id: string, uuid: string): Call => ({
  type: 'ACKNOWLEDGE_OPERATION_STATUS',
  framework_id,
  acknowledge_operation_status: { operation_id: { value: id }, uuid },
})
export const subscribe: Call = {
  type: 'SUBSCRIBE',
  subscribe: { framework_info: { user: 'root', name: 'store' } },
}

interface ReservedBy {
  readonly name?: string
  readonly role?: string
  readonly service?: string
  readonly instance?: string
  readonly volume?: string
}

/** A resource reserved for an instance of the service. */
export function reserved({
  name = 'cpus',
  role = 'store-role',
  service = 'store',
  instance = 'db-0',
  volume,
}: ReservedBy = {}): Resource {
  const labels = [
    { key: 'stateward.service', value: service },
    { key: 'stateward.instance', value: instance },
  ]
  return {
    name: volume === undefined ? name : 'disk',
    type: 'SCALAR',
    scalar: { value: 1 },
    reservations: [{ type: 'DYNAMIC', role, principal: 'store-principal', labels: { labels } }],
    ...(volume === undefined ? {} : { disk: { persistence: { id: volume } } }),
  }
}

export const reserve = (id: string, ...resources: readonly Resource[]): Operation => ({
  type: 'RESERVE',
  id: { value: id },
  reserve: { resources },
})
export const create = (id: string, ...volumes: readonly Resource[]): Operation => ({
  type: 'CREATE',
  id: { value: id },
  create: { volumes },
})
export const createFor = (instance: string): Operation =>
  create(`${instance}__create`, reserved({ instance, volume: volumeOfInstance(instance) }))
export const launch = (id: string, executor: string, resources: readonly Resource[] = [], own = resources): Operation => ({
  type: 'LAUNCH_GROUP',
  launch_group: {
    executor: { executor_id: { value: executor }, resources: own },
    task_group: {
      tasks: [{ name: id.split('__')[0] ?? id, task_id: { value: id }, agent_id: { value: 'agent' }, resources }],
    },
  },
})

/** An ACCEPT as a scheduler sends it. */
export const acceptSent = (offers: readonly string[], ...operations: readonly SentOperation[]): MesosCall => ({
  type: 'accept',
  offerIds: offers.map(offerId),
  agentId: agentId('agent'),
  operations,
  refuseSeconds: 1,
})
export const declineSent = (...offers: readonly string[]): MesosCall => ({
  type: 'decline',
  offerIds: offers.map(offerId),
  refuseSeconds: 1,
})
export const reserveSent = (id: string): SentOperation => ({ type: 'reserve', id: operationId(id), resources: [] })
export const launchSent = (id: string, executor: string, label = 'content'): SentOperation => ({
  type: 'launchGroup',
  executor: { executorId: executorId(executor), resources: [], labels: [{ key: 'label', value: label }] },
  tasks: [
    {
      taskId: taskId(id),
      name: taskName('db-0' as PodInstanceName, 'server'),
      agentId: agentId('agent'),
      resources: [],
      command: 'run',
      env: [],
      uris: [],
      killGraceMs: 0,
      labels: [],
      parentVolumes: [],
      ports: [],
    },
  ],
})
