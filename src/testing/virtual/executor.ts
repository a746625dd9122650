/**
 * One executor of a virtual agent: the books of `src/mesos-model/executor.ts`, with virtual processes where a real one has a
 * shell. It outlives its agent process; when that stays away for too long it ends its tasks.
 */
import type { CheckStatusInfo, TaskInfo } from '../../mesos/messages.js'
import { createExecutor, nextExecutorTickAtMs, stepExecutor } from '../../mesos-model/executor.js'
import type { ExecutorEffect, ExecutorInput, ExecutorState, ProcessEnd } from '../../mesos-model/executor-state.js'
import type { AgentExecutor } from '../../mesos-model/agent-state.js'
import type { ModelEnv } from '../../mesos-model/master-state.js'
import type { AgentToExecutor, ExecutorToAgent } from '../../mesos-model/protocol.js'
import { createAlarm, type VirtualClock } from './clock.js'
import type { EndCause, LoggedProcess, WriteLog } from './log.js'
import { startProcess, type TaskProcess } from './process.js'
import type { TaskBehaviour } from './tasks.js'

/** What things take on a machine. A test may change them on the way. */
export interface MachineTimings {
  /** From the order to start an executor until it subscribes. */
  readonly executorStartMs: number
  /** The same after its agent has been away. */
  readonly executorReconnectMs: number
  /** From an executor's decision to end until its process is gone. */
  readonly executorExitMs: number
  /** From the order to start a task until its process runs. */
  readonly taskStartMs: number
  readonly checkMs: number
  /** Between an agent and its executors. */
  readonly messageMs: number
  /** How long executors wait for an agent that is away. */
  readonly executorRecoveryTimeoutMs: number
}

export const defaultMachineTimings: MachineTimings = {
  executorStartMs: 150,
  executorReconnectMs: 10,
  executorExitMs: 40,
  taskStartMs: 15,
  checkMs: 5,
  messageMs: 1,
  executorRecoveryTimeoutMs: 900_000,
}

export interface VirtualExecutorParts {
  readonly clock: VirtualClock
  readonly timings: MachineTimings
  readonly env: () => ModelEnv
  readonly write: WriteLog
  readonly agent: { readonly id: string; readonly hostname: string }
  readonly behave: (task: TaskInfo) => TaskBehaviour
  /** Arrives only while the agent process runs. */
  readonly toAgent: (message: ExecutorToAgent) => void
  /** Its process has ended: a raw wait status. */
  readonly onEnded: (status: number) => void
}

export interface VirtualExecutor {
  readonly key: string
  readonly executorId: string
  readonly isAlive: boolean
  receive(message: AgentToExecutor): void
  /** The agent process has ended. */
  agentAway(): void
  agentBack(): void
  /** Ends the executor and all its processes at once. */
  kill(status: number): void
  /** The machine has lost its power. */
  vanish(): void
  /** Does nothing and hears nothing any more, as a stopped process. */
  freeze(): void
  processes(): Iterable<TaskProcess>
}

export function startVirtualExecutor(executor: AgentExecutor, parts: VirtualExecutorParts): VirtualExecutor {
  const { clock, timings, write } = parts
  const { key, executorId, isCommand } = executor
  const processes = new Map<string, TaskProcess>()
  let state: ExecutorState = createExecutor(isCommand, executor.framework.hasTaskKilling, executor.containerId)
  let isAlive = true
  let isFrozen = false
  let isAgentAway = false
  let cancelWait = (): void => undefined
  let pids = 0

  const feed = (input: ExecutorInput): void => {
    if (!isAlive || isFrozen) return
    const step = stepExecutor(state, input, parts.env())
    state = step.state
    for (const effect of step.effects) apply(effect)
    alarm.set(isAlive ? nextExecutorTickAtMs(state) : Infinity)
  }
  const alarm = createAlarm(clock, () => feed({ type: 'tick' }))

  const apply = (effect: ExecutorEffect): void => {
    switch (effect.type) {
      case 'startTask':
        return void clock.after(timings.taskStartMs, () => start(effect.info))
      case 'signalTask':
        return processes.get(effect.taskId)?.signal(effect.signal)
      case 'runCheck':
        return check(effect.taskId)
      case 'runHealthCheck':
        return checkHealth(effect.taskId)
      case 'toAgent':
        if (!isAgentAway) clock.after(timings.messageMs, () => parts.toAgent(effect.message))
        return
      case 'exit':
        return void clock.after(timings.executorExitMs, () => kill(0))
    }
  }

  const start = (info: TaskInfo): void => {
    if (!isAlive || isFrozen) return
    const taskId = info.task_id.value
    const { id: agentId, hostname } = parts.agent
    const logged: LoggedProcess = { taskId, name: info.name, agentId, hostname, volumes: volumesOf(executor) }
    const onEnded = (end: ProcessEnd): void => {
      processes.delete(taskId)
      feed({ type: 'taskEnded', taskId, end })
      // A command executor does not wait for an agent that is away.
      if (isAgentAway && isCommand) kill(0)
    }
    processes.set(taskId, startProcess(logged, parts.behave(info), { clock, write, checkMs: () => timings.checkMs, onEnded }))
    feed({ type: 'taskStarted', taskId, pid: 1_000 + ++pids })
  }

  const check = (taskId: string): void => {
    const type = state.tasks[taskId]?.info.check?.type
    processes.get(taskId)?.check((isReady) => feed({ type: 'checked', taskId, result: checkResult(type, isReady) }))
  }

  /** While it is well one answer is enough: hours in which nothing changes cost nothing. */
  const checkHealth = (taskId: string): void => {
    const process = processes.get(taskId)
    if (process === undefined) return
    const isHealthy = clock.nowMs < process.unhealthyAtMs
    if (!isHealthy || state.tasks[taskId]?.healthy !== true) {
      clock.after(timings.checkMs, () => feed({ type: 'healthChecked', taskId, isHealthy }))
    } else if (process.unhealthyAtMs !== Infinity) clock.after(process.unhealthyAtMs - clock.nowMs, () => checkHealth(taskId))
  }

  const endAll = (cause: EndCause): void => {
    isAlive = false
    cancelWait()
    alarm.set(Infinity)
    for (const process of processes.values()) process.vanish(cause)
    processes.clear()
  }

  const kill = (status: number): void => {
    if (!isAlive) return
    endAll('executorKilled')
    clock.after(timings.messageMs, () => parts.onEnded(status))
  }

  clock.after(timings.executorStartMs, () => feed({ type: 'agentConnected' }))
  return {
    key,
    executorId,
    get isAlive() {
      return isAlive
    },
    receive: (message) => void clock.after(timings.messageMs, () => feed({ type: 'fromAgent', message })),
    agentAway() {
      if (!isAlive || isAgentAway) return
      isAgentAway = true
      cancelWait = clock.after(timings.executorRecoveryTimeoutMs, () => feed({ type: 'agentLost' }))
    },
    agentBack() {
      cancelWait()
      isAgentAway = false
      clock.after(timings.executorReconnectMs, () => {
        if (!isAgentAway) feed({ type: 'agentConnected' })
      })
    },
    kill,
    vanish() {
      if (isAlive) endAll('machineDown')
    },
    freeze: () => void (isFrozen = true),
    processes: () => processes.values(),
  }
}

function checkResult(type: string | undefined, isReady: boolean): Omit<CheckStatusInfo, 'type'> {
  if (type === 'TCP') return { tcp: { succeeded: isReady } }
  if (type === 'HTTP') return { http: { status_code: isReady ? 200 : 503 } }
  return { command: { exit_code: isReady ? 0 : 1 } }
}

const volumesOf = (executor: AgentExecutor): string[] =>
  (executor.info.resources ?? [])
    .flatMap((resource) => (resource.disk?.persistence === undefined ? [] : [resource.disk.persistence.id]))
    .sort()
