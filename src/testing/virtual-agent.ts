/** One agent of a virtual cluster: the books of `src/mesos-model/agent.ts` with virtual executors. */
import type { Resource, TaskInfo } from '../mesos/messages.js'
import { createAgent, nextAgentTickAtMs, stepAgent } from '../mesos-model/agent.js'
import { DEFAULT_AGENT_TIMINGS, type AgentEffect, type AgentInput, type AgentState } from '../mesos-model/agent-state.js'
import type { ProcessEnd } from '../mesos-model/executor-state.js'
import type { ModelEnv } from '../mesos-model/master-state.js'
import type { AgentDescription, AgentToMaster, MasterToAgent } from '../mesos-model/protocol.js'
import { openChannel, type Deadline, type VirtualClock } from './virtual-clock.js'
import { startVirtualExecutor, type VirtualExecutor } from './virtual-executor.js'
import type { WriteLog } from './virtual-log.js'
import type { TaskBehaviour } from './virtual-tasks.js'

export interface VirtualAgentParts {
  readonly clock: VirtualClock
  readonly env: () => ModelEnv
  readonly write: WriteLog
  readonly behave: (task: TaskInfo) => TaskBehaviour
  /** Called when the message has arrived at the master. */
  readonly toMaster: (message: AgentToMaster) => void
}

export interface VirtualAgent {
  receive(message: MasterToAgent): void
  /** Ends the process of a task, if it is here. */
  endTask(taskId: string, end: ProcessEnd): boolean
  deadlines(): Deadline[]
}

/** Comes up and registers. */
export function startVirtualAgent(description: AgentDescription, parts: VirtualAgentParts): VirtualAgent {
  const { clock, write } = parts
  const toMaster = openChannel(clock)
  const executors = new Map<string, VirtualExecutor>()
  let state: AgentState = createAgent(description)

  const feed = (input: AgentInput): void => {
    const step = stepAgent(state, input, parts.env(), DEFAULT_AGENT_TIMINGS)
    state = step.state
    step.effects.forEach(apply)
  }

  const apply = (effect: AgentEffect): void => {
    switch (effect.type) {
      case 'toMaster':
        return toMaster(() => parts.toMaster(effect.message))
      case 'toExecutor':
        return executors.get(effect.key)?.receive(effect.message)
      case 'startExecutor':
        return startExecutor(effect)
      case 'killExecutor':
        return executors.get(effect.key)?.kill(9)
      case 'createVolume':
        return logVolume('volumeCreated', effect.volume)
      case 'destroyVolume':
        return logVolume('volumeDestroyed', effect.volume)
      case 'stop':
        for (const executor of executors.values()) executor.kill(9)
        return
    }
  }

  const startExecutor = ({ executor }: Extract<AgentEffect, { type: 'startExecutor' }>): void => {
    const { key } = executor
    const started = startVirtualExecutor(executor, {
      ...parts,
      agent: { id: state.id ?? '', hostname: description.hostname },
      toAgent: (message) => feed({ type: 'fromExecutor', key, message }),
      onEnded: (status) => {
        executors.delete(key)
        feed({ type: 'executorEnded', key, status })
      },
    })
    executors.set(key, started)
  }

  const logVolume = (type: 'volumeCreated' | 'volumeDestroyed', volume: Resource): void => {
    const persistenceId = volume.disk?.persistence?.id
    if (persistenceId !== undefined) write({ type, persistenceId, agentId: state.id ?? '' })
  }

  feed({ type: 'started' })
  feed({ type: 'masterConnected' })
  return {
    receive: (message) => feed({ type: 'fromMaster', message }),
    endTask: (taskId, end) => [...executors.values()].some((executor) => executor.endTask(taskId, end)),
    deadlines() {
      const dueMs = nextAgentTickAtMs(state)
      const own: Deadline[] = dueMs === Infinity ? [] : [{ dueMs, run: () => feed({ type: 'tick' }) }]
      return [...own, ...[...executors.values()].flatMap((executor) => executor.deadline() ?? [])]
    },
  }
}
