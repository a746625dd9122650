/**
 * The books of master, agents and executors in virtual time, without a process or a socket: what the transcripts are
 * replayed against. Messages take a millisecond; processes start and end after fixed times, close to those recorded.
 */
import { createAgent, nextAgentTickAtMs, stepAgent } from '../../src/mesos-model/agent.js'
import { DEFAULT_AGENT_TIMINGS } from '../../src/mesos-model/agent-state.js'
import type { AgentEffect, AgentInput, AgentState } from '../../src/mesos-model/agent-state.js'
import { createExecutor, nextExecutorTickAtMs, stepExecutor } from '../../src/mesos-model/executor.js'
import type { ExecutorEffect, ExecutorInput, ExecutorState, ProcessEnd } from '../../src/mesos-model/executor-state.js'
import type { MasterEffect, MasterInput, MasterRequest, MasterResponse, MasterState } from '../../src/mesos-model/master-state.js'
import { DEFAULT_MASTER_TIMINGS, createMaster, nextMasterTickAtMs, stepMaster } from '../../src/mesos-model/master.js'
import type { Event, MasterInfo, TaskInfo } from '../../src/mesos/messages.js'
import type { AgentDescription } from '../../src/mesos-model/protocol.js'

const LINK_MS = 1
const EXECUTOR_START_MS = 150
const TASK_START_MS = 15
const SIGNAL_MS = 60

const MASTER_TIMINGS = { ...DEFAULT_MASTER_TIMINGS, agentPingTimeoutMs: 2_000 * 1.25, maxAgentPingTimeouts: 3 }
const AGENT_TIMINGS = { ...DEFAULT_AGENT_TIMINGS, executorReregistrationTimeoutMs: 3_000 }

interface VirtualExecutor {
  state: ExecutorState
  readonly key: string
  readonly agent: VirtualAgent
  isSubscribed: boolean
  isAlive: boolean
  /** Does nothing and hears nothing, like a stopped process. */
  isFrozen: boolean
}

interface VirtualAgent {
  readonly name: string
  readonly description: AgentDescription
  state: AgentState
  link: string | undefined
  isAlive: boolean
  /** Alive, but takes no message any more. */
  isDeaf: boolean
  readonly executors: Map<string, VirtualExecutor>
}

/** How a command behaves: read from its text, as far as the transcripts need it. */
function outcomeOf(task: TaskInfo): { readonly afterMs: number; readonly end: ProcessEnd } {
  const text = task.command?.value ?? ''
  if (text.includes('http.server') || text.includes('while')) return { afterMs: 1e9, end: { code: 0 } }
  const slept = [...text.matchAll(/sleep (\d+)/g)].reduce((sum, match) => sum + Number(match[1]), 0)
  const code = Number(/exit (\d+)$/.exec(text)?.[1] ?? 0)
  return { afterMs: slept * 1000 + 150, end: { code } }
}

const ignoresTerm = (task: TaskInfo | undefined): boolean => /trap (''|"") (SIG)?TERM/.test(task?.command?.value ?? '')

export class VirtualCluster {
  nowMs: number
  /** From an executor's decision to end until its process is gone. */
  executorExitMs = 40
  master: MasterState
  readonly agents = new Map<string, VirtualAgent>()
  /** Events by stream, in order. */
  readonly streams = new Map<string, Event[]>()
  readonly closedStreams = new Set<string>()
  private readonly queue: { atMs: number; order: number; run: () => void }[] = []
  private order = 0
  private uuids = 0
  private links = 0

  constructor(startMs: number) {
    this.nowMs = startMs
    const info: MasterInfo = {
      id: '00000000-0000-4000-8000-000000000000',
      hostname: '127.0.0.1',
      version: '1.12.0',
      domain: { fault_domain: { region: { name: 'region-a' }, zone: { name: 'zone-1' } } },
    }
    this.master = createMaster(info, MASTER_TIMINGS, { agents: [], unreachable: [], gone: [] }, startMs)
  }

  private env = (): { atMs: number; uuid: () => string } => ({
    atMs: this.nowMs,
    uuid: () => `${(++this.uuids).toString(16).padStart(8, '0')}-0000-4000-8000-000000000000`,
  })

  private later(ms: number, run: () => void): void {
    this.queue.push({ atMs: this.nowMs + ms, order: this.order++, run })
  }

  /** The earliest thing to happen: a message, a process, or a deadline in somebody's books. */
  private next(): { atMs: number; run: () => void } | undefined {
    let best: { atMs: number; order: number; run: () => void } | undefined
    const consider = (atMs: number, order: number, run: () => void): void => {
      if (best === undefined || atMs < best.atMs || (atMs === best.atMs && order < best.order)) best = { atMs, order, run }
    }
    for (const item of this.queue) consider(item.atMs, item.order, item.run)
    consider(Math.max(nextMasterTickAtMs(this.master), this.nowMs), Infinity, () => this.toMaster({ type: 'tick' }))
    for (const agent of this.agents.values()) {
      if (!agent.isAlive) continue
      consider(Math.max(nextAgentTickAtMs(agent.state), this.nowMs), Infinity, () => this.toAgent(agent, { type: 'tick' }))
    }
    for (const agent of this.agents.values()) {
      for (const executor of agent.executors.values()) {
        if (!executor.isAlive || executor.isFrozen) continue
        consider(Math.max(nextExecutorTickAtMs(executor.state), this.nowMs), Infinity, () =>
          this.toExecutor(executor, { type: 'tick' }),
        )
      }
    }
    return best
  }

  /** Lets time pass, until `isEnough` or the given moment. */
  advanceTo(atMs: number, isEnough: () => boolean = () => false): void {
    while (!isEnough()) {
      const next = this.next()
      if (next === undefined || next.atMs > atMs) break
      this.nowMs = Math.max(this.nowMs, next.atMs)
      const index = this.queue.findIndex((item) => item.run === next.run)
      if (index >= 0) this.queue.splice(index, 1)
      next.run()
    }
    if (!isEnough()) this.nowMs = Math.max(this.nowMs, atMs)
  }

  private toMaster(input: MasterInput): MasterResponse | undefined {
    const step = stepMaster(this.master, input, this.env())
    this.master = step.state
    let response: MasterResponse | undefined
    for (const effect of step.effects) response = this.applyMaster(effect) ?? response
    return response
  }

  private applyMaster(effect: MasterEffect): MasterResponse | undefined {
    if (effect.type === 'respond') {
      if (effect.response.streamId !== undefined) this.streams.set(effect.response.streamId, [])
      return effect.response
    }
    if (effect.type === 'sendEvent') this.streams.get(effect.streamId)?.push(effect.event)
    if (effect.type === 'closeStream') this.closedStreams.add(effect.streamId)
    if (effect.type === 'toAgent') {
      const agent = [...this.agents.values()].find((one) => one.link === effect.link)
      this.later(LINK_MS, () => {
        if (agent?.isAlive === true && !agent.isDeaf && agent.link === effect.link)
          this.toAgent(agent, { type: 'fromMaster', message: effect.message })
      })
    }
    return undefined
  }

  request(request: MasterRequest): MasterResponse {
    const response = this.toMaster({ type: 'request', request })
    if (response === undefined) throw new Error('the master did not answer')
    return response
  }

  closeStream(streamId: string): void {
    this.closedStreams.add(streamId)
    this.toMaster({ type: 'streamClosed', streamId })
  }

  private toAgent(agent: VirtualAgent, input: AgentInput): void {
    const step = stepAgent(agent.state, input, this.env(), AGENT_TIMINGS)
    // What an agent checkpoints must survive being written as JSON.
    agent.state = JSON.parse(JSON.stringify(step.state)) as AgentState
    for (const effect of step.effects) this.applyAgent(agent, effect)
  }

  private applyAgent(agent: VirtualAgent, effect: AgentEffect): void {
    if (effect.type === 'toMaster') {
      const { link } = agent
      this.later(LINK_MS, () => {
        if (link !== undefined) this.toMaster({ type: 'agentMessage', link, message: effect.message })
      })
    }
    if (effect.type === 'toExecutor') {
      this.later(LINK_MS, () => {
        const executor = agent.executors.get(effect.key)
        if (executor?.isAlive === true && !executor.isFrozen)
          this.toExecutor(executor, { type: 'fromAgent', message: effect.message })
      })
    }
    if (effect.type === 'startExecutor') {
      const { key, isCommand, framework, containerId } = effect.executor
      const state = createExecutor(isCommand, framework.hasTaskKilling, containerId)
      const executor: VirtualExecutor = { state, key, agent, isSubscribed: false, isAlive: true, isFrozen: false }
      agent.executors.set(key, executor)
      this.later(EXECUTOR_START_MS, () => this.connectExecutor(executor))
    }
    if (effect.type === 'killExecutor') this.killExecutor(effect.key, 9)
  }

  private connectExecutor(executor: VirtualExecutor): void {
    if (!executor.isAlive || executor.isFrozen || !executor.agent.isAlive) return
    executor.isSubscribed = true
    this.toExecutor(executor, { type: 'agentConnected' })
  }

  private toExecutor(executor: VirtualExecutor, input: ExecutorInput): void {
    if (!executor.isAlive) return
    const step = stepExecutor(executor.state, input, this.env())
    executor.state = step.state
    for (const effect of step.effects) this.applyExecutor(executor, effect)
  }

  private applyExecutor(executor: VirtualExecutor, effect: ExecutorEffect): void {
    const { agent, key } = executor
    switch (effect.type) {
      case 'startTask':
        return this.later(TASK_START_MS, () => {
          this.toExecutor(executor, { type: 'taskStarted', taskId: effect.taskId, pid: 4000 + this.order })
          const { afterMs, end } = outcomeOf(effect.info)
          this.later(afterMs, () => this.endTask(effect.taskId, end))
        })
      case 'signalTask':
        // A task that traps the signal takes no notice of it.
        if (effect.signal === 'SIGTERM' && ignoresTerm(executor.state.tasks[effect.taskId]?.info)) return
        return this.later(SIGNAL_MS, () => this.endTask(effect.taskId, { signal: effect.signal }))
      case 'runCheck':
        return this.later(1, () =>
          this.toExecutor(executor, { type: 'checked', taskId: effect.taskId, result: { tcp: { succeeded: true } } }),
        )
      case 'runHealthCheck':
        return
      case 'toAgent':
        return this.later(LINK_MS, () => {
          if (agent.isAlive) this.toAgent(agent, { type: 'fromExecutor', key, message: effect.message })
        })
      case 'exit':
        return this.later(this.executorExitMs, () => this.killExecutor(key, 0))
    }
  }

  /** The end of a task's process, whoever caused it. */
  endTask(taskId: string, end: ProcessEnd): void {
    for (const agent of this.agents.values()) {
      for (const executor of agent.executors.values()) {
        if (executor.state.tasks[taskId] === undefined || executor.isFrozen) continue
        this.toExecutor(executor, { type: 'taskEnded', taskId, end })
        // A command executor does not wait for an agent that is away.
        if (!agent.isAlive && executor.state.isCommand) executor.isAlive = false
      }
    }
  }

  /** The end of an executor's process, with the raw wait status. */
  killExecutor(key: string, status: number): void {
    for (const agent of this.agents.values()) {
      const executor = agent.executors.get(key)
      if (executor?.isAlive !== true) continue
      executor.isAlive = false
      if (agent.isAlive) this.later(LINK_MS, () => this.toAgent(agent, { type: 'executorEnded', key, status }))
    }
  }

  freezeExecutor(key: string): void {
    for (const agent of this.agents.values()) {
      const executor = agent.executors.get(key)
      if (executor !== undefined) executor.isFrozen = true
    }
  }

  addAgent(name: string, description: AgentDescription): void {
    const agent: VirtualAgent = {
      name,
      description,
      state: createAgent(description),
      link: undefined,
      isAlive: false,
      isDeaf: false,
      executors: new Map(),
    }
    this.agents.set(name, agent)
    this.startAgent(name)
  }

  private agentNamed(name: string): VirtualAgent {
    const agent = this.agents.get(name)
    if (agent === undefined) throw new Error(`no agent ${name}`)
    return agent
  }

  /** Comes up with what it checkpointed, finds its executors again, and registers. */
  startAgent(name: string): void {
    const agent = this.agentNamed(name)
    agent.isAlive = true
    agent.isDeaf = false
    agent.link = `link-${++this.links}`
    this.toAgent(agent, { type: 'started' })
    for (const executor of agent.executors.values()) {
      if (executor.isAlive) this.later(10, () => this.connectExecutor(executor))
      else this.toAgent(agent, { type: 'executorEnded', key: executor.key, status: -1 })
    }
    this.toAgent(agent, { type: 'masterConnected' })
  }

  deafen(name: string): void {
    this.agentNamed(name).isDeaf = true
  }

  stopAgent(name: string): void {
    const agent = this.agentNamed(name)
    const { link } = agent
    agent.isAlive = false
    agent.link = undefined
    if (link !== undefined) this.toMaster({ type: 'agentLinkBroken', link })
  }

  /** Its checkpoint is lost; executors of its former self are nobody's. */
  forgetAgent(name: string): void {
    const agent = this.agentNamed(name)
    agent.state = createAgent(agent.description)
    agent.executors.clear()
  }
}
