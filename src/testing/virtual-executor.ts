/**
 * One executor of a virtual agent: the books of `src/mesos-model/executor.ts`, with virtual processes where a real one has a
 * shell. Processes start, become ready, end and obey signals in virtual time.
 */
import type { TaskInfo } from '../mesos/messages.js'
import { createExecutor, nextExecutorTickAtMs, stepExecutor } from '../mesos-model/executor.js'
import type { ExecutorEffect, ExecutorInput, ExecutorState, ProcessEnd } from '../mesos-model/executor-state.js'
import type { AgentExecutor } from '../mesos-model/agent-state.js'
import type { ModelEnv } from '../mesos-model/master-state.js'
import type { AgentToExecutor, ExecutorToAgent } from '../mesos-model/protocol.js'
import { openChannel, type Deadline, type VirtualClock } from './virtual-clock.js'
import type { EndCause, LoggedProcess, WriteLog } from './virtual-log.js'
import type { TaskBehaviour } from './virtual-tasks.js'

/** About what a real agent needs to start the executor's container and a task's in it. */
const executorStartMs = 150
const taskStartMs = 15
const executorExitMs = 40
const checkMs = 5

export interface VirtualExecutorParts {
  readonly clock: VirtualClock
  readonly env: () => ModelEnv
  readonly write: WriteLog
  readonly agent: { readonly id: string; readonly hostname: string }
  readonly behave: (task: TaskInfo) => TaskBehaviour
  readonly toAgent: (message: ExecutorToAgent) => void
  /** Its process has ended; told to the agent after a while. */
  readonly onEnded: (status: number) => void
}

export interface VirtualExecutor {
  readonly isAlive: () => boolean
  receive(message: AgentToExecutor): void
  /** Ends the executor and all its processes at once. */
  kill(status: number): void
  /** Ends the process of a task, if it is here. */
  endTask(taskId: string, end: ProcessEnd): boolean
  deadline(): Deadline | undefined
}

interface Process {
  readonly logged: LoggedProcess
  readonly behaviour: TaskBehaviour
  readonly startedAtMs: number
  isReady: boolean
}

export function startVirtualExecutor(executor: AgentExecutor, parts: VirtualExecutorParts): VirtualExecutor {
  const { clock, write } = parts
  const toAgent = openChannel(clock)
  const processes = new Map<string, Process>()
  let state: ExecutorState = createExecutor(executor.isCommand, executor.framework.hasTaskKilling, executor.containerId)
  let isAlive = true
  let pids = 0

  const feed = (input: ExecutorInput): void => {
    if (!isAlive) return
    const step = stepExecutor(state, input, parts.env())
    state = step.state
    step.effects.forEach(apply)
  }

  const apply = (effect: ExecutorEffect): void => {
    switch (effect.type) {
      case 'startTask':
        return clock.after(taskStartMs, () => start(effect.info))
      case 'signalTask':
        return signal(effect.taskId, effect.signal)
      case 'runCheck':
        return clock.after(checkMs, () => check(effect.taskId))
      case 'runHealthCheck':
        return clock.after(checkMs, () => feed({ type: 'healthChecked', taskId: effect.taskId, isHealthy: true }))
      case 'toAgent':
        return toAgent(() => parts.toAgent(effect.message))
      case 'exit':
        return clock.after(executorExitMs, () => kill(0))
    }
  }

  const start = (info: TaskInfo): void => {
    if (!isAlive) return
    const taskId = info.task_id.value
    const logged: LoggedProcess = {
      taskId,
      name: info.name,
      agentId: parts.agent.id,
      hostname: parts.agent.hostname,
      volumes: volumesOf(executor),
    }
    const behaviour = parts.behave(info)
    processes.set(taskId, { logged, behaviour, startedAtMs: clock.nowMs, isReady: false })
    write({ type: 'processStarted', process: logged })
    feed({ type: 'taskStarted', taskId, pid: 1_000 + ++pids })
    if (behaviour.endsAfterMs === undefined) return
    clock.after(behaviour.endsAfterMs, () => end(taskId, { code: behaviour.exitCode ?? 0 }, 'itself'))
  }

  const end = (taskId: string, how: ProcessEnd, cause: EndCause): boolean => {
    const process = processes.get(taskId)
    if (process === undefined) return false
    processes.delete(taskId)
    write({ type: 'processEnded', process: process.logged, cause, ...(how.signal === undefined ? { code: how.code ?? 0 } : {}) })
    feed({ type: 'taskEnded', taskId, end: how })
    return true
  }

  const signal = (taskId: string, name: 'SIGTERM' | 'SIGKILL'): void => {
    const process = processes.get(taskId)
    if (process === undefined) return
    write({ type: 'processSignalled', process: process.logged, signal: name })
    const afterMs = name === 'SIGKILL' ? 0 : (process.behaviour.stopsAfterMs ?? 0)
    clock.after(afterMs, () => end(taskId, { signal: name }, 'signal'))
  }

  const check = (taskId: string): void => {
    const process = processes.get(taskId)
    if (process === undefined) return
    const isReady = clock.nowMs - process.startedAtMs >= (process.behaviour.readyAfterMs ?? 0)
    if (isReady && !process.isReady) write({ type: 'processReady', process: process.logged })
    process.isReady = isReady
    feed({ type: 'checked', taskId, result: { command: { exit_code: isReady ? 0 : 1 } } })
  }

  const kill = (status: number): void => {
    if (!isAlive) return
    for (const [taskId, { logged }] of processes) {
      processes.delete(taskId)
      write({ type: 'processEnded', process: logged, cause: 'executorKilled' })
    }
    isAlive = false
    toAgent(() => parts.onEnded(status))
  }

  clock.after(executorStartMs, () => feed({ type: 'agentConnected' }))
  return {
    isAlive: () => isAlive,
    receive: (message) => feed({ type: 'fromAgent', message }),
    kill,
    endTask: (taskId, how) => end(taskId, how, 'test'),
    deadline() {
      const dueMs = isAlive ? nextExecutorTickAtMs(state) : Infinity
      return dueMs === Infinity ? undefined : { dueMs, run: () => feed({ type: 'tick' }) }
    },
  }
}

const volumesOf = (executor: AgentExecutor): string[] =>
  (executor.info.resources ?? [])
    .flatMap((resource) => (resource.disk?.persistence === undefined ? [] : [resource.disk.persistence.id]))
    .sort()
