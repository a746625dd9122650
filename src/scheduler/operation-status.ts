/**
 * An operation status comes in: the ledger of its footprint moves. Pure.
 */
import { taskIdSeparator, type PodInstanceName } from '../ids.js'
import { isComplete, type Footprint, type LedgerEntry, type OpenOperation } from '../offer-evaluator/footprint-record.js'
import { backoffAfterFailure } from '../recovery/backoff.js'
import { targetOf } from './assess.js'
import type { Draft } from './draft.js'
import type { OperationStatus } from './events.js'
import type { InstanceRecord } from './records/instance-record.js'
import { maxMessageLength } from './task-status.js'

export function applyOperationStatus(draft: Draft, status: OperationStatus): void {
  const name = status.operationId.split(taskIdSeparator)[0] as PodInstanceName
  const instance = draft.records.instances.get(name)
  const open = instance?.footprint?.operations.find((operation) => operation.id === status.operationId)
  if (instance?.footprint !== undefined && open !== undefined)
    applyToOpen(draft, name, instance, instance.footprint, open, status)
  if (status.uuid !== undefined && status.agentId !== undefined) {
    draft.ack({ type: 'acknowledgeOperation', operationId: status.operationId, agentId: status.agentId, uuid: status.uuid })
  }
}

function applyToOpen(
  draft: Draft,
  name: PodInstanceName,
  instance: InstanceRecord,
  footprint: Footprint,
  open: OpenOperation,
  status: OperationStatus,
): void {
  const unanswered = draft.edit('unansweredOperations')
  switch (status.state) {
    case 'FINISHED': {
      const done = closeOperation(markDone(footprint, open), open)
      const { refusal, ...rest } = instance
      draft.setInstance(name, { ...rest, footprint: done, ...(refusal === undefined || isComplete(done) ? {} : { refusal }) })
      break
    }
    case 'FAILED':
    case 'ERROR':
    case 'DROPPED':
      draft.setInstance(name, {
        ...refused(draft, instance, status),
        footprint: closeOperation(markUndone(footprint, open), open),
      })
      break
    case 'UNKNOWN':
      // Known not to have happened only when asked for after the ACCEPT was answered, or on a new stream, and only of an agent
      // that the master has registered. Until then the instance stays bound to the agent, and the question is repeated.
      if (!unanswered.has(open.id) || !draft.volatile.registeredAgents.has(footprint.agentId)) return
      draft.setInstance(name, { ...instance, footprint: closeOperation(markUndone(footprint, open), open) })
      break
    case 'UNREACHABLE':
    case 'GONE_BY_OPERATOR':
    case 'RECOVERING':
      if (!unanswered.has(open.id)) unanswered.set(open.id, { askedAtMs: draft.volatile.nowMs, tries: 1 })
      return
    case 'PENDING':
      unanswered.delete(open.id)
      return
  }
  unanswered.delete(open.id)
  draft.decided()
}

/** A refused reservation is tried again after a pause that grows: what refuses it is rarely over in an instant. */
function refused(draft: Draft, instance: InstanceRecord, status: OperationStatus): InstanceRecord {
  const target = targetOf(draft.records, instance)
  if (target === undefined) return instance
  const known = instance.refusal
  // What is refused with it, of the same attempt, is no further failure.
  const isSameAttempt = known !== undefined && known.notBeforeMs > draft.volatile.nowMs
  const before = { failures: known?.failures ?? 0, notBeforeMs: 0 }
  const { failures, notBeforeMs } = isSameAttempt
    ? known
    : backoffAfterFailure(before, target.spec.recovery.backoff, draft.volatile.nowMs, undefined)
  const message = `${status.state}${status.message === undefined ? '' : `: ${status.message.slice(0, maxMessageLength)}`}`
  return { ...instance, refusal: { failures, notBeforeMs, message } }
}

function markDone(footprint: Footprint, open: OpenOperation): Footprint {
  const entries = footprint.entries.map((entry): LedgerEntry => {
    if (entry.resourceId !== open.resourceId || entry.state === 'created') return entry
    return { ...entry, state: open.type === 'create' ? 'created' : 'reserved' }
  })
  return { ...footprint, entries }
}

/** It did not happen, even if the master had booked it and offered the result; a later offer may prove the contrary. */
function markUndone(footprint: Footprint, open: OpenOperation): Footprint {
  const entries = footprint.entries.map((entry): LedgerEntry => {
    if (entry.resourceId !== open.resourceId) return entry
    if (open.type === 'create') return entry.state === 'created' ? { ...entry, state: 'reserved' } : entry
    // A volume that is known to be there, and was not only seen on offer, proves the reservation below it.
    const isSeenOnly = footprint.operations.some(({ type, resourceId }) => type === 'create' && resourceId === open.resourceId)
    return entry.state === 'created' && !isSeenOnly ? entry : { ...entry, state: 'wanted' }
  })
  return { ...footprint, entries }
}

const closeOperation = (footprint: Footprint, open: OpenOperation): Footprint => ({
  ...footprint,
  operations: footprint.operations.filter((operation) => operation.id !== open.id),
})
