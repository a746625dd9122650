/** Feedback of operations: updates from agents, acknowledgements, reconciliation (mesos-v1.md 2.7, 2.8). Works on a draft. */
import type { OperationStatus } from '../mesos/messages.js'
import { changeAgent, sendEvent, sendToAgent, withEntry, withoutEntry } from './master-state.js'
import type { Draft, MasterAgent, MasterFramework } from './master-state.js'
import type { AgentToMaster } from './protocol.js'
import { operationStatus } from './task-status.js'

export function receiveOperationStatus(
  draft: Draft,
  agent: MasterAgent,
  message: Extract<AgentToMaster, { type: 'operationUpdate' }>,
): void {
  const operation = agent.operations.get(message.uuid)
  if (operation === undefined) return
  if (operation.operationId === undefined) {
    // Nobody asked for feedback: the master acknowledges itself.
    changeAgent(draft, agent.id, (current) => ({ ...current, operations: withoutEntry(current.operations, message.uuid) }))
    sendToAgent(draft, agent, { type: 'acknowledgeOperation', uuid: message.uuid, statusUuid: message.status.uuid?.value ?? '' })
    return
  }
  changeAgent(draft, agent.id, (current) => ({
    ...current,
    operations: withEntry(current.operations, message.uuid, { ...operation, status: message.status }),
  }))
  sendEvent(draft, draft.state.frameworks.get(message.frameworkId), {
    type: 'UPDATE_OPERATION_STATUS',
    update_operation_status: { status: message.status },
  })
}

export function acknowledgeOperation(
  draft: Draft,
  framework: MasterFramework,
  agentId: string | undefined,
  operationId: string,
  statusUuid: string,
): void {
  const agent = agentId === undefined ? undefined : draft.state.agents.get(agentId)
  if (agent === undefined) return
  for (const operation of agent.operations.values()) {
    const isMeant =
      operation.frameworkId === framework.id &&
      operation.operationId === operationId &&
      operation.status?.uuid?.value === statusUuid
    if (!isMeant || !sendToAgent(draft, agent, { type: 'acknowledgeOperation', uuid: operation.uuid, statusUuid })) continue
    changeAgent(draft, agent.id, (current) => ({ ...current, operations: withoutEntry(current.operations, operation.uuid) }))
  }
}

interface Question {
  readonly operationId: string
  readonly agentId: string | undefined
}

const withoutUuid = ({ uuid: _, converted_resources: __, ...status }: OperationStatus): OperationStatus => status

function knownOperations(draft: Draft, frameworkId: string): Map<string, OperationStatus> {
  const known = new Map<string, OperationStatus>()
  for (const agent of draft.state.agents.values()) {
    for (const { operationId, status, frameworkId: owner } of agent.operations.values()) {
      if (owner !== frameworkId || operationId === undefined) continue
      const pending = operationStatus(operationId, 'OPERATION_PENDING', undefined, agent.id)
      known.set(operationId, status === undefined ? pending : withoutUuid(status))
    }
  }
  return known
}

function answerUnknown(draft: Draft, { operationId, agentId }: Question): OperationStatus {
  const answer = (state: OperationStatus['state'], message: string): OperationStatus =>
    operationStatus(operationId, state, `Reconciliation: ${message}`, agentId)
  const { agents, unreachable, gone, recovered } = draft.state
  if (agentId === undefined) return answer('OPERATION_UNKNOWN', "Operation is unknown and no 'agent_id' was provided")
  if (recovered.has(agentId)) return answer('OPERATION_RECOVERING', 'Agent is recovered but has not re-registered')
  if (agents.has(agentId)) return answer('OPERATION_UNKNOWN', 'Operation is unknown')
  if (unreachable.has(agentId)) return answer('OPERATION_UNREACHABLE', 'Agent is unreachable')
  if (gone.has(agentId)) return answer('OPERATION_GONE_BY_OPERATOR', 'Agent marked gone by operator')
  return answer('OPERATION_UNKNOWN', 'Both operation and agent are unknown')
}

/** An empty list asks about all known operations. */
export function reconcileOperations(draft: Draft, framework: MasterFramework, questions: readonly Question[]): void {
  const known = knownOperations(draft, framework.id)
  const answers =
    questions.length === 0
      ? [...known.values()]
      : questions.map((question) => known.get(question.operationId) ?? answerUnknown(draft, question))
  for (const status of answers)
    sendEvent(draft, framework, { type: 'UPDATE_OPERATION_STATUS', update_operation_status: { status } })
}
