/**
 * An operation status comes in: the ledger of its footprint moves. Pure.
 */
import type { PodInstanceName } from '../ids.js'
import type { Footprint, LedgerEntry, OpenOperation } from '../offer-evaluator/footprint-record.js'
import type { Draft } from './draft.js'
import type { OperationStatus } from './events.js'
import type { InstanceRecord } from './records/instance-record.js'
import { taskIdSeparator } from './task-status.js'

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
    case 'FINISHED':
      draft.setInstance(name, { ...instance, footprint: closeOperation(markDone(footprint, open), open) })
      break
    case 'FAILED':
    case 'ERROR':
    case 'DROPPED':
      draft.setInstance(name, { ...instance, footprint: closeOperation(footprint, open) })
      break
    case 'UNKNOWN':
      // Known not to have happened only when asked after subscribing anew, of an agent that the master has registered: an offer
      // of it on this stream proves that. Until then the instance stays bound to the agent, and the question is repeated.
      if (!unanswered.has(open.id) || !draft.volatile.offeringAgents.has(footprint.agentId)) return
      draft.setInstance(name, { ...instance, footprint: closeOperation(footprint, open) })
      break
    case 'PENDING':
      unanswered.delete(open.id)
      return
    case 'UNREACHABLE':
    case 'GONE_BY_OPERATOR':
    case 'RECOVERING':
      return
  }
  unanswered.delete(open.id)
  draft.decided()
}

function markDone(footprint: Footprint, open: OpenOperation): Footprint {
  const done = new Set(open.resourceIds)
  const entries = footprint.entries.map((entry): LedgerEntry => {
    if (!done.has(entry.resourceId) || entry.state === 'created') return entry
    return { ...entry, state: open.type === 'create' ? 'created' : 'reserved' }
  })
  return { ...footprint, entries }
}

const closeOperation = (footprint: Footprint, open: OpenOperation): Footprint => ({
  ...footprint,
  operations: footprint.operations.filter((operation) => operation.id !== open.id),
})
