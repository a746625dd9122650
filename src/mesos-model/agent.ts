/**
 * An agent as a pure function (mesos-v1.md 4): launches, executors, kills, operations, registration, recovery after a
 * restart. Processes and directories are effects; whoever applies them stores the state first.
 */
import type { OperationStatus } from '../mesos/messages.js'
import { drain, forgetDrain } from './agent-drain.js'
import {
  abandonFramework,
  endTask,
  executorEnded,
  forgetExecutor,
  giveUp,
  heldResources,
  killTask,
  launch,
  newTask,
  receiveFromExecutor,
  shutDownExecutor,
} from './agent-executors.js'
import type { AgentEffect, AgentInput, AgentState, AgentTask, AgentTimings } from './agent-state.js'
import { acknowledgeStatus, addOperation, putExecutor, putOperation, resendAll, resendDue } from './agent-updates.js'
import type { AgentDraft } from './agent-updates.js'
import { executorKey } from './master-state.js'
import type { ModelEnv } from './master-state.js'
import { applyConversion, convert } from './operations.js'
import type { AgentDescription, AgentRegistration, FrameworkBrief, MasterToAgent, ReportedTask } from './protocol.js'
import { containsResources, takeResources, toResources, toWire } from './resources.js'
import type { Resources } from './resources.js'
import { uuidToBase64 } from './task-status.js'

export interface AgentStep {
  readonly state: AgentState
  readonly effects: readonly AgentEffect[]
}

export const createAgent = (description: AgentDescription): AgentState => ({
  description,
  total: description.resources,
  executors: {},
  tasks: {},
  operations: {},
  isConnected: false,
  isRegistered: false,
})

export function stepAgent(state: AgentState, input: AgentInput, env: ModelEnv, timings: AgentTimings): AgentStep {
  const draft: AgentDraft = { state, effects: [], env, timings }
  switch (input.type) {
    case 'started':
      recover(draft)
      break
    case 'masterConnected':
      draft.state = { ...draft.state, isConnected: true, isRegistered: false }
      register(draft)
      break
    case 'masterDisconnected':
      draft.state = { ...draft.state, isConnected: false, isRegistered: false }
      break
    case 'fromMaster':
      receiveFromMaster(draft, input.message)
      break
    case 'fromExecutor':
      receiveFromExecutor(draft, input.key, input.message)
      break
    case 'executorEnded':
      executorEnded(draft, input.key, input.status)
      break
    case 'tick':
      tick(draft)
  }
  forgetDrain(draft)
  return { state: draft.state, effects: draft.effects }
}

/** Executors of frameworks without a checkpoint do not outlive their agent; the others get a while to come back. */
function recover(draft: AgentDraft): void {
  draft.state = { ...draft.state, isConnected: false, isRegistered: false }
  for (const executor of Object.values(draft.state.executors)) {
    if (executor.phase === 'ended') continue
    if (!executor.framework.checkpoint) {
      putExecutor(draft, executor.key, { ...executor, phase: 'ending', isAbandoned: true })
      draft.effects.push({ type: 'killExecutor', key: executor.key })
      continue
    }
    const deadlineAtMs = draft.env.atMs + draft.timings.executorReregistrationTimeoutMs
    putExecutor(draft, executor.key, { ...executor, phase: 'recovering', deadlineAtMs })
  }
}

/** As on Mesos this does not wait for executors that have yet to come back: their tasks are reported as they were. */
function register(draft: AgentDraft): void {
  if (draft.state.isConnected && !draft.state.isRegistered)
    draft.effects.push({ type: 'toMaster', message: buildRegistration(draft.state) })
}

function buildRegistration(state: AgentState): AgentRegistration {
  const executors = Object.values(state.executors).filter(
    (executor) => !executor.isCommand && executor.phase !== 'ended' && executor.isAbandoned !== true,
  )
  return {
    type: 'register',
    ...(state.id === undefined ? {} : { agentId: state.id }),
    agent: state.description,
    total: state.total,
    tasks: Object.values(state.tasks).map(toReport),
    executors: executors.map((executor) => ({ frameworkId: executor.framework.id, executor: executor.info })),
    operations: Object.values(state.operations).map(({ uuid, frameworkId, operationId, operation }) => ({
      uuid,
      frameworkId,
      operation,
      ...(operationId === undefined ? {} : { operationId }),
    })),
  }
}

const toReport = (task: AgentTask): ReportedTask => ({
  framework: task.framework,
  task: task.info,
  ...(task.executorId === undefined ? {} : { executorId: task.executorId }),
  ...(task.sent === undefined ? {} : { status: task.sent }),
  latestState: task.latestState,
})

function receiveFromMaster(draft: AgentDraft, message: MasterToAgent): void {
  switch (message.type) {
    case 'registered':
      draft.state = { ...draft.state, id: message.agentId, isRegistered: true }
      return resendAll(draft)
    case 'registerAgain':
      // One for each message that crossed with the master's forgetting: one registration is enough.
      if (!draft.state.isRegistered) return
      draft.state = { ...draft.state, isRegistered: false }
      return register(draft)
    case 'alive':
      return
    case 'shutDown':
      for (const key of Object.keys(draft.state.executors)) draft.effects.push({ type: 'killExecutor', key })
      return void draft.effects.push({ type: 'stop', message: message.message })
    case 'launch':
      return launch(draft, message.framework, message.executor, message.tasks)
    case 'killTask':
      return killTask(draft, message)
    case 'shutDownExecutor':
      return shutDownExecutor(draft, draft.state.executors[executorKey(message.frameworkId, message.executorId)])
    case 'shutDownFramework':
      return abandonFramework(draft, message.frameworkId)
    case 'applyOperation':
      return applyOperation(draft, message)
    case 'acknowledgeStatus': {
      const key = executorKey(message.frameworkId, message.taskId)
      const owner = draft.state.tasks[key]?.executorKey
      if (acknowledgeStatus(draft, key, message.uuid) && owner !== undefined) forgetExecutor(draft, owner)
      return
    }
    case 'drain':
      return drain(draft, message)
    case 'acknowledgeOperation':
      if (draft.state.operations[message.uuid]?.status.uuid?.value === message.statusUuid)
        putOperation(draft, message.uuid, undefined)
      return
    case 'frameworkSubscribed':
      return resendAll(draft, message.frameworkId)
    case 'reconcileTasks':
      for (const { framework, taskId } of message.tasks) dropUnknownTask(draft, framework, taskId)
  }
}

function dropUnknownTask(draft: AgentDraft, framework: FrameworkBrief, taskId: string): void {
  const key = executorKey(framework.id, taskId)
  if (draft.state.tasks[key] !== undefined) return
  newTask(
    draft,
    framework,
    { name: taskId, task_id: { value: taskId }, agent_id: { value: draft.state.id ?? '' } },
    '',
    undefined,
  )
  endTask(
    draft,
    key,
    { state: 'TASK_DROPPED', reason: 'REASON_RECONCILIATION', message: 'Reconciliation: task unknown to the agent' },
    false,
  )
}

/** The other form of a total that this function made itself. */
const madeTotals = new WeakMap<AgentState['total'], Resources>()

function applyOperation(draft: AgentDraft, message: Extract<MasterToAgent, { type: 'applyOperation' }>): void {
  const { uuid, frameworkId, operationId, operation } = message
  const conversion = convert(operation)
  const all = madeTotals.get(draft.state.total) ?? toResources(draft.state.total)
  const idle = takeResources(all, heldResources(draft)) ?? []
  const total = containsResources(idle, conversion.consumed) ? applyConversion(all, conversion) : undefined
  const uuidField = { uuid: { value: uuidToBase64(draft.env.uuid()) } }
  const agentField = draft.state.id === undefined ? {} : { agent_id: { value: draft.state.id } }
  const idField = operationId === undefined ? {} : { operation_id: { value: operationId } }
  const state = total === undefined ? 'OPERATION_DROPPED' : 'OPERATION_FINISHED'
  const status: OperationStatus = { ...idField, state, ...uuidField, ...agentField }
  if (total !== undefined) {
    draft.state = { ...draft.state, total: toWire(total) }
    madeTotals.set(draft.state.total, total)
    if (operation.type === 'CREATE')
      for (const volume of operation.create.volumes ?? []) draft.effects.push({ type: 'createVolume', volume })
    if (operation.type === 'DESTROY')
      for (const volume of operation.destroy.volumes ?? []) draft.effects.push({ type: 'destroyVolume', volume })
  }
  addOperation(draft, { uuid, frameworkId, operation, ...(operationId === undefined ? {} : { operationId }) }, status)
  if (total !== undefined) return
  // The master's books are wrong, an earlier operation was lost. A real agent aborts here, and comes back with what it has.
  draft.state = { ...draft.state, isRegistered: false }
  register(draft)
}

function tick(draft: AgentDraft): void {
  for (const executor of Object.values(draft.state.executors)) {
    if (executor.deadlineAtMs !== undefined && executor.deadlineAtMs <= draft.env.atMs && executor.isKilled !== true)
      giveUp(draft, executor)
  }
  resendDue(draft)
}

/** When `tick` has something to do next. */
export function nextAgentTickAtMs(state: AgentState): number {
  let next = Infinity
  for (const executor of Object.values(state.executors))
    if (executor.isKilled !== true) next = Math.min(next, executor.deadlineAtMs ?? Infinity)
  if (!state.isRegistered) return next
  for (const task of Object.values(state.tasks)) if (task.pending.length > 0) next = Math.min(next, task.sendAtMs)
  for (const operation of Object.values(state.operations)) next = Math.min(next, operation.sendAtMs)
  return next
}
