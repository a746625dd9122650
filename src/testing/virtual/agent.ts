/**
 * One machine of a virtual cluster: the agent process around the books of `src/mesos-model/agent.ts`, its executors, and what
 * outlives the process: its checkpoint, and the volumes in it.
 */
import type { Resource, TaskInfo } from '../../mesos/messages.js'
import { createAgent, nextAgentTickAtMs, stepAgent } from '../../mesos-model/agent.js'
import type { AgentEffect, AgentInput, AgentState, AgentTimings } from '../../mesos-model/agent-state.js'
import type { MasterTimings, ModelEnv } from '../../mesos-model/master-state.js'
import type { AgentDescription } from '../../mesos-model/protocol.js'
import { openAgentLink, type AgentLink, type MessageFaults } from './agent-link.js'
import { createAlarm, type VirtualClock } from './clock.js'
import { startVirtualExecutor, type MachineTimings, type VirtualExecutor } from './executor.js'
import type { WriteLog } from './log.js'
import type { VirtualMaster } from './master.js'
import type { Route } from './network.js'
import type { TaskProcess } from './process.js'
import type { TaskBehaviour } from './tasks.js'

/** A machine as it is at the beginning. */
export interface VirtualMachine extends AgentDescription {
  /** Reservations and volumes of others, beside `resources`: they are there before any scheduler, on a disk that can be wiped. */
  readonly existing?: readonly Resource[]
}

export interface VirtualAgentParts {
  readonly clock: VirtualClock
  readonly route: Route
  readonly master: VirtualMaster
  readonly env: () => ModelEnv
  readonly write: WriteLog
  readonly behave: (task: TaskInfo) => TaskBehaviour
  readonly timings: {
    readonly agent: AgentTimings
    readonly machine: MachineTimings
    readonly master: Pick<MasterTimings, 'agentPingTimeoutMs'>
  }
}

/** A machine and its agent; what does not apply at the moment answers false. */
export interface VirtualAgent {
  readonly hostname: string
  /** The id it has, or had last; undefined before the first registration. */
  readonly id: string | undefined
  readonly faults: MessageFaults
  books(): AgentState
  start(): boolean
  stop(): boolean
  powerOff(silent: boolean): boolean
  powerOn(): boolean
  forgetIdentity(): boolean
  wipeDisk(): boolean
  breakLink(): boolean
  /** Connects to the master after a while, if it can and is not connected yet. */
  connectSoon(): void
  /** It hangs: it runs and takes no message any more. */
  deafen(): boolean
  /** Those that live, whether the agent knows them or not. */
  executors(): VirtualExecutor[]
  processes(): TaskProcess[]
}

const minReconnectMs = 10
const maxReconnectMs = 500
/** The registration is repeated, because the answer may be lost. */
const minRegistrationRetryMs = 1_000
const maxRegistrationRetryMs = 60_000

export function createVirtualAgent({ existing = [], ...description }: VirtualMachine, parts: VirtualAgentParts): VirtualAgent {
  const { clock, route, master, write, timings } = parts
  const { hostname } = description
  const chance = clock.chanceOf(`${hostname} agent`)
  const faults: MessageFaults = { toAgent: [], toMaster: [] }
  const executors = new Map<string, VirtualExecutor>()
  /** Of an agent that lost its identity: nobody knows them, and they go on until they notice that they are alone. */
  let orphans: VirtualExecutor[] = []
  let state: AgentState = { ...createAgent(description), total: [...description.resources, ...existing] }
  let id: string | undefined
  let isRunning = false
  let isPowered = true
  let isDeaf = false
  let link: AgentLink | undefined
  /** Left open by a machine that lost its power. */
  let leftOpen: AgentLink | undefined
  let links = 0
  let isConnectPlanned = false
  let registrationRetryMs = minRegistrationRetryMs
  let cancelRegistration: (() => void) | undefined

  const feed = (input: AgentInput): void => {
    if (!isRunning) return
    const before = state
    const step = stepAgent(state, input, parts.env(), timings.agent)
    state = step.state
    id = state.id ?? id
    logStatuses(before)
    for (const effect of step.effects) apply(effect)
    alarm.set(isRunning ? nextAgentTickAtMs(state) : Infinity)
    watchRegistration()
  }
  const alarm = createAlarm(clock, () => feed({ type: 'tick' }))

  const apply = (effect: AgentEffect): void => {
    switch (effect.type) {
      case 'toMaster':
        return link?.send(effect.message)
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
        // Everything of this agent ends with it.
        for (const executor of executors.values()) executor.kill(9)
        return void stop()
    }
  }

  const startExecutor = ({ executor }: Extract<AgentEffect, { type: 'startExecutor' }>): void => {
    const { key } = executor
    const started = startVirtualExecutor(executor, {
      clock,
      timings: timings.machine,
      env: parts.env,
      write,
      behave: parts.behave,
      agent: { id: state.id ?? '', hostname },
      toAgent(message) {
        if (executors.get(key) === started) feed({ type: 'fromExecutor', key, message })
      },
      onEnded(status) {
        // An agent that is away finds out when it is back.
        if (!isRunning || executors.get(key) !== started) return
        executors.delete(key)
        feed({ type: 'executorEnded', key, status })
      },
    })
    executors.set(key, started)
  }

  const logVolume = (type: 'volumeCreated' | 'volumeDestroyed', volume: Resource): void => {
    const persistenceId = volume.disk?.persistence?.id
    if (persistenceId !== undefined) write({ type, persistenceId, agentId: state.id ?? '', hostname })
  }

  /** What the step took into the update streams of tasks. */
  const logStatuses = (before: AgentState): void => {
    if (state.tasks === before.tasks) return
    for (const [key, task] of Object.entries(state.tasks)) {
      const known = before.tasks[key]
      if (task === known || task.seen === known?.seen) continue
      const added = task.seen.length - (known?.seen.length ?? 0)
      for (const status of added > 0 ? task.pending.slice(-added) : []) write({ type: 'statusMade', hostname, status })
    }
  }

  const connect = (): void => {
    if (!isRunning || link !== undefined || !master.isUp || route.isCut) return
    const opened = openAgentLink({
      clock,
      route,
      master,
      hostname,
      name: `${hostname} link ${++links}`,
      pingTimeoutMs: timings.master.agentPingTimeoutMs,
      faults,
      receive(message) {
        if (link === opened && !isDeaf) feed({ type: 'fromMaster', message })
      },
      closed() {
        if (link !== opened) return
        link = undefined
        feed({ type: 'masterDisconnected' })
        connectSoon()
      },
    })
    link = opened
    feed({ type: 'masterConnected' })
  }

  const connectSoon = (): void => {
    if (isConnectPlanned) return
    isConnectPlanned = true
    clock.after(chance.between(minReconnectMs, maxReconnectMs), () => {
      isConnectPlanned = false
      connect()
    })
  }

  /** Registers again and again until the master answers. */
  const watchRegistration = (): void => {
    if (state.isRegistered || link === undefined) {
      cancelRegistration?.()
      cancelRegistration = undefined
      registrationRetryMs = minRegistrationRetryMs
      return
    }
    cancelRegistration ??= clock.after(registrationRetryMs, () => {
      cancelRegistration = undefined
      registrationRetryMs = Math.min(registrationRetryMs * 2, maxRegistrationRetryMs)
      if (link !== undefined) feed({ type: 'masterConnected' })
    })
  }

  const start = (): boolean => {
    if (isRunning || !isPowered) return false
    isRunning = true
    isDeaf = false
    feed({ type: 'started' })
    for (const executor of [...executors.values()]) {
      if (executor.isAlive) executor.agentBack()
      else {
        executors.delete(executor.key)
        feed({ type: 'executorEnded', key: executor.key, status: -1 })
      }
    }
    connect()
    return true
  }

  /** The process is gone; `close` says how the connection ends. */
  const end = (close: (open: AgentLink) => void): void => {
    isRunning = false
    alarm.set(Infinity)
    const open = link
    link = undefined
    watchRegistration()
    if (open !== undefined) close(open)
    // As a file it survives; what cannot be written as JSON does not.
    state = JSON.parse(JSON.stringify(state)) as AgentState
    for (const executor of executors.values()) executor.agentAway()
  }

  const stop = (): boolean => {
    if (!isRunning) return false
    end((open) => open.close())
    return true
  }

  /** An agent that finds no checkpoint registers as a new one. What it had started, it neither kills nor knows. */
  const forget = (total: readonly Resource[]): boolean => {
    if (isRunning) return false
    // On Mesos the launcher decides whether such processes are found and killed at the next start (linux) or live on (posix).
    // Here they live on until the executor has missed its agent for the recovery timeout: promise 2 has to hold against it.
    orphans = [...orphans, ...executors.values()].filter((executor) => executor.isAlive)
    executors.clear()
    state = { ...createAgent(description), total }
    return true
  }

  const liveExecutors = (): VirtualExecutor[] => [...executors.values(), ...orphans].filter((executor) => executor.isAlive)

  return {
    hostname,
    get id() {
      return id
    },
    faults,
    books: () => state,
    start,
    stop,
    powerOff(silent) {
      if (!isPowered) return false
      isPowered = false
      for (const executor of liveExecutors()) executor.vanish()
      orphans = []
      if (!isRunning) return true
      end((open) => {
        if (!silent) return open.close()
        leftOpen = open
        open.vanish()
      })
      return true
    },
    powerOn() {
      if (isPowered) return false
      isPowered = true
      leftOpen?.break()
      leftOpen = undefined
      return start()
    },
    forgetIdentity: () => forget(state.total),
    wipeDisk() {
      if (!forget(description.resources)) return false
      write({ type: 'diskLost', hostname })
      return true
    },
    breakLink() {
      link?.break()
      return link !== undefined
    },
    connectSoon,
    deafen() {
      if (!isRunning || isDeaf) return false
      isDeaf = true
      link?.fallSilent()
      return true
    },
    executors: liveExecutors,
    processes: () => liveExecutors().flatMap((executor) => [...executor.processes()]),
  }
}
