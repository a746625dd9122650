/**
 * Records of the scheduler's stream -> events of the core: offers, rescinds, statuses, failures. Pure. Source: Mesos v1
 * `scheduler::Event`, `Offer`, `TaskStatus`, `OperationStatus`.
 */
import { agentId, executorId, offerId, operationId, taskId } from '../ids.js'
import type { Offer } from '../offer-evaluator/resources.js'
import type { DriverEvent, FrameworkErrorKind, OperationState, OperationStatus, TaskStatus } from '../scheduler/events.js'
import type { MesosTaskState } from '../state-machine/task-events.js'
import { fromAttribute, fromLabels, fromResource } from './convert-resource.js'
import type * as wire from './messages.js'

const nanosecondsPerMillisecond = 1_000_000
/** Of a framework without roles of its own; ours always has one. */
const noRole = '*'

/**
 * A bare `Infinity` or `NaN` is no JSON, yet a master writes it where a double is infinite (task limits). Tried again only
 * after the plain parser gave up, strings left as they are.
 *
 * @throws SyntaxError if the text is no JSON then either.
 */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    const repaired = text.replace(/"(?:[^"\\]|\\.)*"|Infinity|NaN/g, (token) =>
      token === 'Infinity' ? '1e999' : token === 'NaN' ? 'null' : token,
    )
    if (repaired === text) throw error
    return JSON.parse(repaired)
  }
}

/** Undefined for what the core does not need: heartbeats, inverse offers, messages of executors, news of later versions. */
export function fromEvent(event: wire.Event, atMs: number): DriverEvent | undefined {
  switch (event.type) {
    case 'OFFERS':
      return { type: 'offersReceived', offers: (event.offers.offers ?? []).map(fromOffer), atMs }
    case 'RESCIND':
      return { type: 'offerRescinded', offerId: offerId(event.rescind.offer_id.value), atMs }
    case 'UPDATE':
      return { type: 'taskStatusReceived', status: fromTaskStatus(event.update.status), atMs }
    case 'UPDATE_OPERATION_STATUS': {
      const status = fromOperationStatus(event.update_operation_status.status)
      return status === undefined ? undefined : { type: 'operationStatusReceived', status, atMs }
    }
    case 'FAILURE':
      return fromFailure(event.failure, atMs)
    default:
      return undefined
  }
}

function fromFailure(failure: Extract<wire.Event, { type: 'FAILURE' }>['failure'], atMs: number): DriverEvent | undefined {
  if (failure.agent_id === undefined) return undefined
  const agent = agentId(failure.agent_id.value)
  if (failure.executor_id === undefined) return { type: 'agentFailed', agentId: agent, atMs }
  return {
    type: 'executorFailed',
    agentId: agent,
    executorId: executorId(failure.executor_id.value),
    status: failure.status ?? -1,
    atMs,
  }
}

export function fromOffer(offer: wire.Offer): Offer {
  const faultDomain = offer.domain?.fault_domain
  const start = offer.unavailability?.start.nanoseconds
  return {
    id: offerId(offer.id.value),
    agentId: agentId(offer.agent_id.value),
    hostname: offer.hostname,
    address: offer.url?.address.ip ?? offer.hostname,
    role: offer.allocation_info?.role ?? noRole,
    ...(faultDomain === undefined ? {} : { region: faultDomain.region.name, zone: faultDomain.zone.name }),
    attributes: (offer.attributes ?? []).map(fromAttribute),
    resources: (offer.resources ?? []).flatMap((resource) => fromResource(resource) ?? []),
    executorIds: (offer.executor_ids ?? []).map(({ value }) => executorId(value)),
    // Nanoseconds since the epoch exceed what a double holds exactly; the error is far below a millisecond.
    ...(start === undefined ? {} : { unavailableFromMs: Math.floor(start / nanosecondsPerMillisecond) }),
  }
}

const sources: Readonly<Record<string, TaskStatus['source']>> = {
  SOURCE_MASTER: 'MASTER',
  SOURCE_AGENT: 'AGENT',
  SOURCE_EXECUTOR: 'EXECUTOR',
}

export function fromTaskStatus(status: wire.TaskStatus): TaskStatus {
  const exitCode = status.check_status?.command?.exit_code
  return {
    taskId: taskId(status.task_id.value),
    state: status.state.slice('TASK_'.length) as MesosTaskState,
    ...(status.agent_id === undefined ? {} : { agentId: agentId(status.agent_id.value) }),
    ...(status.executor_id === undefined ? {} : { executorId: executorId(status.executor_id.value) }),
    source: sources[status.source ?? ''] ?? 'UNKNOWN',
    ...(status.reason === undefined ? {} : { reason: status.reason.replace(/^REASON_/, '') }),
    ...(status.message === undefined ? {} : { message: status.message }),
    ...(status.uuid === undefined ? {} : { uuid: status.uuid }),
    ...(status.healthy === undefined ? {} : { healthy: status.healthy }),
    ...(exitCode === undefined ? {} : { checkExitCode: exitCode }),
    ...(status.labels === undefined ? {} : { labels: fromLabels(status.labels) }),
  }
}

/**
 * Undefined without an operation id, and for OPERATION_UNSUPPORTED, which stands for a state of a newer Mesos: taking it for
 * UNKNOWN would say that the operation never happened.
 */
export function fromOperationStatus(status: wire.OperationStatus): OperationStatus | undefined {
  if (status.operation_id === undefined || status.state === 'OPERATION_UNSUPPORTED') return undefined
  return {
    operationId: operationId(status.operation_id.value),
    state: status.state.slice('OPERATION_'.length) as OperationState,
    ...(status.agent_id === undefined ? {} : { agentId: agentId(status.agent_id.value) }),
    ...(status.message === undefined ? {} : { message: status.message }),
    ...(status.uuid === undefined ? {} : { uuid: status.uuid.value }),
  }
}

/** What only another configuration can cure: roles, principal, user, permissions, the FrameworkInfo itself. */
const aboutConfiguration =
  /frameworkinfo|\broles?\b|principal|not authorized|unauthorized|root submissions|framework id|offer filter|constraints|suppressed/i

/**
 * An ERROR has no code, only a text (Mesos `master.cpp`). A text that is not known counts as `other`: trying again with
 * long pauses does less harm than stopping. So does a failure of the authoriser itself, which passes.
 */
export function classifyFrameworkError(message: string): FrameworkErrorKind {
  if (/^framework failed over/i.test(message)) return 'failedOver'
  if (/framework has been removed/i.test(message)) return 'removed'
  if (/^authorization failure/i.test(message)) return 'other'
  return aboutConfiguration.test(message) ? 'refused' : 'other'
}
