/**
 * Calls of the core -> requests of the v1 scheduler API. Pure; what is chosen here (capabilities, offer filters) is the same
 * for every service and can never change later. Source: Mesos v1 `scheduler::Call`, `FrameworkInfo`.
 */
import { assertNever } from '../errors.js'
import type { FrameworkInfo } from '../ports/mesos-driver.js'
import type { Ack, MesosCall } from '../scheduler/output.js'
import { toDuration, toOperation, type Framework } from './convert-operation.js'
import type * as wire from './messages.js'

const capabilities: readonly wire.FrameworkCapability[] = [
  'MULTI_ROLE',
  'PARTITION_AWARE',
  'RESERVATION_REFINEMENT',
  'TASK_KILLING_STATE',
  'REGION_AWARE',
]

/**
 * By default an agent is offered only while it has 0.01 cpus or 32 MB free, which hides the volumes of a full agent; a list
 * replaces that default, so it is repeated here, and disk alone is enough too.
 */
const offeredWhenAtLeast: wire.OfferFilters = {
  min_allocatable_resources: {
    quantities: [
      { quantities: { cpus: { value: 0.01 } } },
      { quantities: { mem: { value: 32 } } },
      { quantities: { disk: { value: 1 } } },
    ],
  },
}

/** The id is given twice or not at all: Mesos refuses it in one place only. */
export function toSubscribe(info: FrameworkInfo): wire.SubscribeCall {
  const id = info.id === undefined ? undefined : { value: info.id }
  return {
    type: 'SUBSCRIBE',
    ...(id === undefined ? {} : { framework_id: id }),
    subscribe: {
      framework_info: {
        ...(id === undefined ? {} : { id }),
        user: info.user,
        name: info.name,
        roles: [info.role],
        principal: info.principal,
        ...(info.hostname === undefined ? {} : { hostname: info.hostname }),
        ...(info.webUiUrl === undefined ? {} : { webui_url: info.webUiUrl }),
        failover_timeout: info.failoverTimeoutMs / 1000,
        // Without it an agent's restart, or a broken connection of the agent, ends the tasks.
        checkpoint: true,
        capabilities: capabilities.map((type) => ({ type })),
        offer_filters: { [info.role]: offeredWhenAtLeast },
      },
    },
  }
}

export function toCall(call: MesosCall | Ack, framework: Framework): wire.FrameworkCall {
  const framework_id = { value: framework.frameworkId }
  switch (call.type) {
    case 'accept': {
      const operations = call.operations.map((operation) => toOperation(operation, framework))
      return { type: 'ACCEPT', framework_id, accept: { offer_ids: toIds(call.offerIds), operations, filters: toFilters(call) } }
    }
    case 'decline':
      return { type: 'DECLINE', framework_id, decline: { offer_ids: toIds(call.offerIds), filters: toFilters(call) } }
    case 'kill':
      return { type: 'KILL', framework_id, kill: toKill(call) }
    case 'reconcileTasks': {
      const tasks = call.tasks.map((task) => ({ task_id: { value: task.taskId }, agent_id: { value: task.agentId } }))
      return { type: 'RECONCILE', framework_id, reconcile: { tasks } }
    }
    case 'reconcileOperations': {
      const operations = call.operations.map(({ operationId, agentId }) => ({
        operation_id: { value: operationId },
        agent_id: { value: agentId },
      }))
      return { type: 'RECONCILE_OPERATIONS', framework_id, reconcile_operations: { operations } }
    }
    case 'suppress':
      return { type: 'SUPPRESS', framework_id, suppress: { roles: [framework.role] } }
    case 'revive':
      return { type: 'REVIVE', framework_id, revive: { roles: [framework.role] } }
    case 'acknowledgeTask':
      return {
        type: 'ACKNOWLEDGE',
        framework_id,
        acknowledge: { agent_id: { value: call.agentId }, task_id: { value: call.taskId }, uuid: call.uuid },
      }
    case 'acknowledgeOperation':
      return {
        type: 'ACKNOWLEDGE_OPERATION_STATUS',
        framework_id,
        acknowledge_operation_status: {
          agent_id: { value: call.agentId },
          operation_id: { value: call.operationId },
          uuid: call.uuid,
        },
      }
    default:
      return assertNever(call)
  }
}

const toIds = (ids: readonly string[]): wire.IdValue[] => ids.map((value) => ({ value }))

const toFilters = ({ refuseSeconds }: { readonly refuseSeconds: number }): wire.Filters => ({ refuse_seconds: refuseSeconds })

const toKill = (call: Extract<MesosCall, { type: 'kill' }>) => ({
  task_id: { value: call.taskId },
  agent_id: { value: call.agentId },
  ...(call.graceMs === undefined ? {} : { kill_policy: { grace_period: toDuration(call.graceMs) } }),
})
