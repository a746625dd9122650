/**
 * What frameworks ask about tasks and what agents tell about them: updates, acknowledgements, kills, reconciliation
 * (mesos-v1.md 2.6-2.8). Works on a draft.
 */
import type { KillPolicy, TaskStatus } from '../mesos/messages.js'
import { completeTask, putTask } from './frameworks.js'
import { changeFramework, executorKey, putAgent, sendEvent, sendToAgent } from './master-state.js'
import type { Draft, MasterAgent, MasterFramework, MasterTask } from './master-state.js'
import { release } from './offers.js'
import type { AgentToMaster, MasterToAgent } from './protocol.js'
import { isTerminalState, masterStatus } from './task-status.js'
import { hasCapability } from './validate-framework.js'

/** One status per state is kept for operators. */
const rememberStatus = (statuses: readonly TaskStatus[], status: TaskStatus): readonly TaskStatus[] => {
  const last = statuses.at(-1)
  return last !== undefined && last.state === status.state ? [...statuses.slice(0, -1), status] : [...statuses, status]
}

export function receiveStatus(draft: Draft, agent: MasterAgent, message: Extract<AgentToMaster, { type: 'statusUpdate' }>): void {
  const framework = draft.state.frameworks.get(message.frameworkId)
  if (framework === undefined) return
  const { status, latestState } = message
  const task = framework.tasks.get(status.task_id.value)
  if (task?.agentId === agent.id) {
    const isReleased = isTerminalState(task.state)
    const isRepeated = task.forwarded?.uuid === status.uuid
    const statuses = isRepeated ? task.statuses : rememberStatus(task.statuses, status)
    putTask(draft, { ...task, forwarded: status, statuses, state: isReleased ? task.state : latestState })
    if (!isReleased && isTerminalState(latestState)) release(draft, agent.id, task.resources)
  }
  sendEvent(draft, framework, { type: 'UPDATE', update: { status } })
}

export function receiveExecutorExit(
  draft: Draft,
  agent: MasterAgent,
  message: Extract<AgentToMaster, { type: 'executorExited' }>,
): void {
  const key = executorKey(message.frameworkId, message.executorId)
  const executor = agent.executors.get(key)
  if (executor !== undefined) {
    const executors = new Map(agent.executors)
    executors.delete(key)
    putAgent(draft, { ...agent, executors })
    release(draft, agent.id, executor.resources)
  }
  if (message.isCommand) return
  const failure = { agent_id: { value: agent.id }, executor_id: { value: message.executorId }, status: message.status }
  sendEvent(draft, draft.state.frameworks.get(message.frameworkId), { type: 'FAILURE', failure })
}

export function acknowledge(draft: Draft, framework: MasterFramework, agentId: string, taskId: string, uuid: string): void {
  const agent = draft.state.agents.get(agentId)
  if (!sendToAgent(draft, agent, { type: 'acknowledgeStatus', frameworkId: framework.id, taskId, uuid })) return
  const task = framework.tasks.get(taskId)
  if (task?.agentId === agentId && task.forwarded?.uuid === uuid && isTerminalState(task.forwarded.state))
    completeTask(draft, task)
}

export function killTask(
  draft: Draft,
  framework: MasterFramework,
  taskId: string,
  agentId: string | undefined,
  killPolicy: KillPolicy | undefined,
): void {
  const task = framework.tasks.get(taskId)
  if (task === undefined) return reconcileTasks(draft, framework, [{ taskId, agentId }])
  if (agentId !== undefined && agentId !== task.agentId) return
  const message: MasterToAgent = {
    type: 'killTask',
    frameworkId: framework.id,
    taskId,
    ...(killPolicy === undefined ? {} : { killPolicy }),
  }
  if (sendToAgent(draft, draft.state.agents.get(task.agentId), message)) return
  changeFramework(draft, framework.id, (current) => ({
    ...current,
    pendingKills: [...current.pendingKills, { agentId: task.agentId, message }],
  }))
}

interface Question {
  readonly taskId: string
  readonly agentId: string | undefined
}

/** What was last forwarded, without what only an agent may send. */
function latestStatus(task: MasterTask, atMs: number): TaskStatus {
  const known = task.forwarded
  return {
    ...masterStatus({
      taskId: task.taskId,
      state: known?.state ?? 'TASK_STAGING',
      reason: 'REASON_RECONCILIATION',
      message: 'Reconciliation: Latest task state',
      agentId: task.agentId,
      executorId: task.executorId,
      atMs,
    }),
    ...(known?.healthy === undefined ? {} : { healthy: known.healthy }),
    ...(known?.check_status === undefined ? {} : { check_status: known.check_status }),
    ...(known?.container_status === undefined ? {} : { container_status: known.container_status }),
  }
}

/** The answer about a task that is not in the books; undefined: no answer yet, an agent is not back from a failover. */
function answerUnknown(draft: Draft, framework: MasterFramework, question: Question): TaskStatus | undefined {
  const { agentId, taskId } = question
  const { agents, unreachable, gone, recovered } = draft.state
  const isWaiting = agentId === undefined ? recovered.size > 0 : recovered.has(agentId)
  if (isWaiting) return undefined
  const isAware = hasCapability(framework.info, 'PARTITION_AWARE')
  const answer = (state: TaskStatus['state'], message: string): TaskStatus =>
    masterStatus({
      taskId,
      state: isAware ? state : 'TASK_LOST',
      reason: 'REASON_RECONCILIATION',
      message: `Reconciliation: ${message}`,
      agentId,
      atMs: draft.env.atMs,
    })
  if (agentId !== undefined && agents.has(agentId)) return answer('TASK_GONE', 'Task is unknown to the agent')
  const unreachableAtMs = agentId === undefined ? undefined : unreachable.get(agentId)
  if (unreachableAtMs !== undefined) {
    return {
      ...answer('TASK_UNREACHABLE', 'Task is unreachable'),
      unreachable_time: { nanoseconds: Math.round(unreachableAtMs * 1e6) },
    }
  }
  if (agentId !== undefined && gone.has(agentId)) return answer('TASK_GONE_BY_OPERATOR', 'Task is gone')
  return answer('TASK_UNKNOWN', 'Task is unknown')
}

/** An empty list asks about all known tasks. */
export function reconcileTasks(draft: Draft, framework: MasterFramework, questions: readonly Question[]): void {
  const answer = (status: TaskStatus | undefined): void => {
    if (status !== undefined) sendEvent(draft, framework, { type: 'UPDATE', update: { status } })
  }
  if (questions.length === 0) {
    for (const task of framework.tasks.values()) answer(latestStatus(task, draft.env.atMs))
    return
  }
  for (const question of questions) {
    const task = framework.tasks.get(question.taskId)
    answer(task === undefined ? answerUnknown(draft, framework, question) : latestStatus(task, draft.env.atMs))
  }
}
