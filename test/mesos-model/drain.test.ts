/**
 * Draining and deactivating agents, statements G5 and G6 of the Mesos v1 reference and its section 5.2. A master, one agent
 * and its executors, with every message delivered at once and in order.
 */
import { beforeEach, describe, expect, it, test } from 'vitest'
import { createAgent, nextAgentTickAtMs, stepAgent } from '../../src/mesos-model/agent.js'
import { DEFAULT_AGENT_TIMINGS, type AgentEffect, type AgentInput, type AgentState } from '../../src/mesos-model/agent-state.js'
import type { ExecutorEffect, ExecutorInput, ExecutorState } from '../../src/mesos-model/executor-state.js'
import { createExecutor, nextExecutorTickAtMs, stepExecutor } from '../../src/mesos-model/executor.js'
import type { MasterEffect, MasterInput, MasterRegistry, MasterState } from '../../src/mesos-model/master-state.js'
import { createMaster, DEFAULT_MASTER_TIMINGS, nextMasterTickAtMs, stepMaster } from '../../src/mesos-model/master.js'
import type { Event, TaskStatus } from '../../src/mesos/messages.js'
import { RECORDED_AGENTS } from '../transcripts/transcript.js'

const START_MS = 1_000_000
const UNREACHABLE_MS = DEFAULT_MASTER_TIMINGS.agentPingTimeoutMs * DEFAULT_MASTER_TIMINGS.maxAgentPingTimeouts

interface Answer {
  readonly status: number
  readonly body?: unknown
}

class Books {
  atMs = START_MS
  master: MasterState
  registry: MasterRegistry = { agents: [], unreachable: [], gone: [] }
  agent: AgentState
  /** The agent's process runs until it is told to stop. */
  isAgentUp = false
  readonly executors = new Map<string, ExecutorState>()
  /** Executors that take their time to subscribe. */
  readonly slowExecutors = new Set<string>()
  /** Tasks that take no notice of SIGTERM. */
  readonly stubborn = new Set<string>()
  readonly signals: string[] = []
  events: Event[] = []
  frameworkId = ''
  private streamId = ''
  private answer: Answer | undefined
  private link = 'link-0'
  private links = 0
  private uuids = 0
  private readonly queue: (() => void)[] = []

  constructor() {
    this.master = this.newMaster('m1')
    this.agent = createAgent(RECORDED_AGENTS[0] as (typeof RECORDED_AGENTS)[number])
    this.startAgent()
  }

  private newMaster(id: string): MasterState {
    return createMaster({ id, hostname: '127.0.0.1', version: '1.12.0' }, DEFAULT_MASTER_TIMINGS, this.registry, this.atMs)
  }

  private env = (): { atMs: number; uuid: () => string } => ({
    atMs: this.atMs,
    uuid: () => `${(++this.uuids).toString(16).padStart(8, '0')}-0000-4000-8000-000000000000`,
  })

  feedMaster(input: MasterInput): void {
    const step = stepMaster(this.master, input, this.env())
    this.master = step.state
    for (const effect of step.effects) this.applyMaster(effect)
    this.deliver()
  }

  private applyMaster(effect: MasterEffect): void {
    if (effect.type === 'respond') this.answer = effect.response
    if (effect.type === 'sendEvent' && effect.streamId === this.streamId) this.events.push(effect.event)
    if (effect.type === 'storeRegistry') this.registry = JSON.parse(JSON.stringify(effect.registry)) as MasterRegistry
    if (effect.type !== 'toAgent') return
    this.queue.push(() => {
      if (this.isAgentUp && effect.link === this.link) this.feedAgent({ type: 'fromMaster', message: effect.message })
    })
  }

  feedAgent(input: AgentInput): void {
    const step = stepAgent(this.agent, input, this.env(), DEFAULT_AGENT_TIMINGS)
    this.agent = JSON.parse(JSON.stringify(step.state)) as AgentState
    for (const effect of step.effects) this.applyAgent(effect)
    this.deliver()
  }

  private applyAgent(effect: AgentEffect): void {
    const { link } = this
    switch (effect.type) {
      case 'toMaster':
        return void this.queue.push(() => this.feedMaster({ type: 'agentMessage', link, message: effect.message }))
      case 'toExecutor':
        return void this.queue.push(() => this.feedExecutor(effect.key, { type: 'fromAgent', message: effect.message }))
      case 'startExecutor': {
        const { key, isCommand, framework } = effect.executor
        this.executors.set(key, createExecutor(isCommand, framework.hasTaskKilling, 'container'))
        if (!this.slowExecutors.has(key.split('/')[1] ?? '')) this.feedExecutor(key, { type: 'agentConnected' })
        return
      }
      case 'killExecutor':
        return this.endExecutor(effect.key, 9)
      case 'stop':
        this.isAgentUp = false
        return
      case 'createVolume':
      case 'destroyVolume':
        return
    }
  }

  private endExecutor(key: string, status: number): void {
    if (this.executors.delete(key)) this.queue.push(() => this.feedAgent({ type: 'executorEnded', key, status }))
  }

  private feedExecutor(key: string, input: ExecutorInput): void {
    const state = this.executors.get(key)
    if (state === undefined) return
    const step = stepExecutor(state, input, this.env())
    this.executors.set(key, step.state)
    for (const effect of step.effects) this.applyExecutor(key, effect)
  }

  private applyExecutor(key: string, effect: ExecutorEffect): void {
    const later = (input: ExecutorInput): void => void this.queue.push(() => this.feedExecutor(key, input))
    if (effect.type === 'startTask') later({ type: 'taskStarted', taskId: effect.taskId, pid: 1 })
    if (effect.type === 'toAgent') this.queue.push(() => this.feedAgent({ type: 'fromExecutor', key, message: effect.message }))
    if (effect.type === 'exit') this.endExecutor(key, 0)
    if (effect.type !== 'signalTask') return
    this.signals.push(`${effect.signal} ${effect.taskId} after ${(this.atMs - START_MS) / 1000} s`)
    if (effect.signal === 'SIGKILL' || !this.stubborn.has(effect.taskId))
      later({ type: 'taskEnded', taskId: effect.taskId, end: { signal: effect.signal } })
  }

  private deliver(): void {
    for (let run = this.queue.shift(); run !== undefined; run = this.queue.shift()) run()
  }

  advance(ms: number): void {
    const untilMs = this.atMs + ms
    for (;;) {
      const executorDue = [...this.executors].map(([key, state]): [number, string] => [nextExecutorTickAtMs(state), key])
      const [executorMs, key] = executorDue.sort(([a], [b]) => a - b)[0] ?? [Infinity, '']
      const agentMs = this.isAgentUp ? nextAgentTickAtMs(this.agent) : Infinity
      const nextMs = Math.min(executorMs, agentMs, nextMasterTickAtMs(this.master))
      if (nextMs > untilMs) break
      this.atMs = Math.max(this.atMs, nextMs)
      if (nextMs === executorMs) this.feedExecutor(key, { type: 'tick' })
      else if (nextMs === agentMs) this.feedAgent({ type: 'tick' })
      else this.feedMaster({ type: 'tick' })
      this.deliver()
    }
    this.atMs = untilMs
  }

  request(path: string, body: object): Answer {
    const headers = { 'content-type': 'application/json', ...(this.streamId === '' ? {} : { 'mesos-stream-id': this.streamId }) }
    const isSubscribe = (body as { type?: string }).type === 'SUBSCRIBE'
    if (isSubscribe) this.streamId = `stream-${++this.links}`
    this.feedMaster({
      type: 'request',
      request: {
        method: 'POST',
        path,
        headers: isSubscribe ? { 'content-type': 'application/json' } : headers,
        body: JSON.stringify(body),
        streamId: this.streamId,
      },
    })
    return this.answer ?? { status: 0 }
  }

  operate(type: string, payload: object = {}): Answer {
    const { status, body } = this.request('/api/v1', { type, [type.toLowerCase()]: payload })
    return { status, ...(body === undefined ? {} : { body }) }
  }

  call(type: string, payload: object = {}): Answer {
    const framework_id = { value: this.frameworkId }
    return this.request('/api/v1/scheduler', { type, framework_id, [type.toLowerCase()]: payload })
  }

  subscribe(capabilities: readonly string[]): void {
    const info = {
      user: 'root',
      name: 'x',
      roles: ['web'],
      principal: 'p',
      checkpoint: true,
      failover_timeout: 600,
      capabilities: ['MULTI_ROLE', 'RESERVATION_REFINEMENT', ...capabilities].map((type) => ({ type })),
      ...(this.frameworkId === '' ? {} : { id: { value: this.frameworkId } }),
    }
    const idField = this.frameworkId === '' ? {} : { framework_id: { value: this.frameworkId } }
    this.request('/api/v1/scheduler', { type: 'SUBSCRIBE', ...idField, subscribe: { framework_info: info } })
    const subscribed = this.events.find((event) => event.type === 'SUBSCRIBED')
    if (subscribed !== undefined) this.frameworkId = subscribed.subscribed.framework_id.value
  }

  startAgent(): void {
    this.isAgentUp = true
    this.link = `link-${++this.links}`
    this.feedAgent({ type: 'started' })
    this.feedAgent({ type: 'masterConnected' })
    for (const key of [...this.executors.keys()]) this.feedExecutor(key, { type: 'agentConnected' })
    this.deliver()
  }

  stopAgent(): void {
    this.isAgentUp = false
    this.feedMaster({ type: 'agentLinkBroken', link: this.link })
  }

  failOverMaster(): void {
    this.master = this.newMaster('m2')
    this.streamId = ''
    this.feedAgent({ type: 'masterDisconnected' })
  }

  reconnectAgent(): void {
    this.link = `link-${++this.links}`
    this.feedAgent({ type: 'masterConnected' })
  }

  get agentId(): string {
    return this.agent.id ?? ''
  }

  drain(options: object = {}): Answer {
    return this.operate('DRAIN_AGENT', { agent_id: { value: this.agentId }, ...options })
  }

  reactivate(): Answer {
    return this.operate('REACTIVATE_AGENT', { agent_id: { value: this.agentId } })
  }

  deactivate(): Answer {
    return this.operate('DEACTIVATE_AGENT', { agent_id: { value: this.agentId } })
  }

  /** What GET_AGENTS says of the one agent. */
  view(): Record<string, unknown> | undefined {
    const { body } = this.operate('GET_AGENTS')
    return (body as { get_agents: { agents?: Record<string, unknown>[] } }).get_agents.agents?.[0]
  }

  drainState(): unknown {
    return (this.view()?.['drain_info'] as { state?: string } | undefined)?.state
  }

  /** Ids of the offers that came since the last `forget`. */
  offers(): string[] {
    return this.events.flatMap((event) =>
      event.type === 'OFFERS' ? (event.offers.offers ?? []).map((offer) => offer.id.value) : [],
    )
  }

  rescinded(): string[] {
    return this.events.flatMap((event) => (event.type === 'RESCIND' ? [event.rescind.offer_id.value] : []))
  }

  statuses(taskId?: string): TaskStatus[] {
    const all = this.events.flatMap((event) => (event.type === 'UPDATE' ? [event.update.status] : []))
    return taskId === undefined ? all : all.filter((status) => status.task_id.value === taskId)
  }

  /** Acknowledges until nothing new comes. */
  acknowledgeAll(): void {
    for (const { uuid, task_id, agent_id } of this.statuses())
      if (uuid !== undefined) this.call('ACKNOWLEDGE', { uuid, task_id, agent_id })
  }

  acknowledgeRounds(): void {
    for (let round = 0; round < 4; round++) this.acknowledgeAll()
  }

  forget(): void {
    this.events = []
  }

  private nextOffer(): string {
    const open = (): string | undefined => this.offers().findLast((id) => this.master.offers.has(id))
    if (open() === undefined) this.advance(1_000)
    return open() ?? ''
  }

  private accept(operations: readonly object[]): Answer {
    return this.call('ACCEPT', {
      offer_ids: [{ value: this.nextOffer() }],
      operations,
      filters: { refuse_seconds: 0 },
    })
  }

  private task(taskId: string, killPolicyMs?: number): object {
    return {
      name: taskId,
      task_id: { value: taskId },
      agent_id: { value: this.agentId },
      command: { value: 'run' },
      resources: [scalar('cpus', 0.1), scalar('mem', 32)],
      ...(killPolicyMs === undefined ? {} : { kill_policy: { grace_period: { nanoseconds: killPolicyMs * 1e6 } } }),
    }
  }

  launch(taskId: string, killPolicyMs?: number): Answer {
    return this.accept([{ type: 'LAUNCH', launch: { task_infos: [this.task(taskId, killPolicyMs)] } }])
  }

  launchGroup(executorId: string, taskIds: readonly string[], killPolicyMs?: number): Answer {
    const executor = {
      type: 'DEFAULT',
      executor_id: { value: executorId },
      framework_id: { value: this.frameworkId },
      resources: [scalar('cpus', 0.1), scalar('mem', 32), scalar('disk', 1)],
    }
    const tasks = taskIds.map((taskId) => this.task(taskId, killPolicyMs))
    return this.accept([{ type: 'LAUNCH_GROUP', launch_group: { executor, task_group: { tasks } } }])
  }

  reserve(operationId: string): Answer {
    const reservations = [{ type: 'DYNAMIC', role: 'web', principal: 'p' }]
    return this.accept([
      { type: 'RESERVE', id: { value: operationId }, reserve: { resources: [{ ...scalar('cpus', 1), reservations }] } },
    ])
  }
}

const scalar = (name: string, value: number): object => ({ name, type: 'SCALAR', scalar: { value } })

const states = (list: readonly TaskStatus[]): string[] => list.map((status) => `${status.state} ${status.reason ?? ''}`.trim())

const CAPABILITIES = ['PARTITION_AWARE', 'TASK_KILLING_STATE']

let books: Books
beforeEach(() => {
  books = new Books()
  books.subscribe(CAPABILITIES)
})

/** A task that runs, with all that came before acknowledged and forgotten. */
function runGroup(taskIds: readonly string[] = ['t'], killPolicyMs?: number): void {
  books.launchGroup('x', taskIds, killPolicyMs)
  books.acknowledgeRounds()
  books.forget()
}

describe('a deactivated agent', () => {
  it('loses its offers, is offered no more, and keeps its tasks', () => {
    runGroup()
    books.advance(1_000)
    expect(books.offers()).toHaveLength(1)
    expect(books.deactivate()).toEqual({ status: 200 })
    expect(books.rescinded()).toEqual(books.offers())
    books.call('REVIVE')
    books.advance(10_000)
    expect(books.offers()).toHaveLength(1)
    expect(books.statuses()).toEqual([])
    expect(books.view()).toMatchObject({ deactivated: true, active: false })
    expect(books.view()).not.toHaveProperty('drain_info')
  })

  it('is offered again in the next cycle after it was reactivated', () => {
    books.deactivate()
    books.forget()
    expect(books.reactivate()).toEqual({ status: 200 })
    expect(books.offers()).toEqual([])
    books.advance(1_000)
    expect(books.offers()).toHaveLength(1)
    expect(books.view()).toMatchObject({ deactivated: false, active: true })
  })

  it('stays so over a restart, a failover of the master and a time out of reach', () => {
    books.deactivate()
    books.stopAgent()
    books.startAgent()
    expect(books.view()).toMatchObject({ deactivated: true })
    books.failOverMaster()
    books.reconnectAgent()
    expect(books.view()).toMatchObject({ deactivated: true })
    books.stopAgent()
    books.advance(UNREACHABLE_MS)
    expect(books.view()).toBeUndefined()
    books.startAgent()
    books.subscribe(CAPABILITIES)
    books.advance(5_000)
    expect(books.view()).toMatchObject({ deactivated: true })
    expect(books.offers()).toHaveLength(1)
  })

  it('that unregisters is forgotten', () => {
    books.deactivate()
    const link = books.master.agents.get(books.agentId)?.link ?? ''
    books.feedMaster({ type: 'agentMessage', link, message: { type: 'unregister' } })
    expect(books.master.deactivated.size).toBe(0)
    expect(books.registry.deactivated).toEqual([])
  })
})

describe('a drain', () => {
  it('kills all tasks, groups and command tasks alike, and says why', () => {
    books.launch('alone')
    runGroup(['one', 'two'])
    expect(books.drain()).toEqual({ status: 200 })
    books.acknowledgeRounds()
    for (const taskId of ['alone', 'one', 'two']) {
      expect(states(books.statuses(taskId))).toEqual(['TASK_KILLING REASON_AGENT_DRAINING', 'TASK_KILLED REASON_AGENT_DRAINING'])
      for (const status of books.statuses(taskId))
        expect(status).toMatchObject({ source: 'SOURCE_EXECUTOR', uuid: expect.any(String) })
    }
  })

  it.each([
    { what: 'without a policy, lowers the default', maxGrace: 2, own: undefined, expected: 2 },
    { what: 'with a longer policy, lowers it', maxGrace: 2, own: 9_000, expected: 2 },
    { what: 'with a shorter policy, leaves it', maxGrace: 2, own: 1_000, expected: 1 },
    { what: 'without a policy, takes the maximum though it is above the default', maxGrace: 5, own: undefined, expected: 5 },
    { what: 'without a maximum, leaves the policy', maxGrace: undefined, own: 9_000, expected: 9 },
    { what: 'without either, takes the default', maxGrace: undefined, own: undefined, expected: 3 },
  ])('of a group task $what', ({ maxGrace, own, expected }) => {
    books.stubborn.add('t')
    runGroup(['t'], own)
    books.drain(maxGrace === undefined ? {} : { max_grace_period: { seconds: maxGrace } })
    books.advance(20_000)
    expect(books.signals).toEqual(['SIGTERM t after 0 s', `SIGKILL t after ${expected} s`])
  })

  it('reads parts of a second, and shows them in nanoseconds', () => {
    books.stubborn.add('t')
    runGroup()
    books.drain({ max_grace_period: { seconds: 1, nanos: 500_000_000 } })
    books.advance(20_000)
    expect(books.signals.at(-1)).toBe('SIGKILL t after 1.5 s')
    expect(books.view()?.['drain_info']).toEqual({
      state: 'DRAINING',
      config: { max_grace_period: { nanoseconds: 1_500_000_000 }, mark_gone: false },
    })
  })

  it('does not hurry a command task', () => {
    books.stubborn.add('alone')
    books.launch('alone', 7_000)
    books.acknowledgeRounds()
    books.drain({ max_grace_period: { seconds: 2 } })
    books.advance(20_000)
    expect(books.signals.at(-1)).toBe('SIGKILL alone after 7 s')
  })

  it('ends launches on their way, whole groups at once, with a status of the agent', () => {
    books.slowExecutors.add('x')
    books.launchGroup('x', ['one', 'two'])
    books.forget()
    books.drain()
    books.acknowledgeRounds()
    expect(books.statuses()).toHaveLength(2)
    for (const status of books.statuses()) {
      expect(status).toMatchObject({
        state: 'TASK_KILLED',
        source: 'SOURCE_AGENT',
        reason: 'REASON_AGENT_DRAINING',
        message: 'Killed before delivery to the executor',
        executor_id: { value: 'x' },
      })
    }
    expect(books.drainState()).toBe('DRAINED')
  })

  it('refuses a launch that reaches the agent later', () => {
    books.stubborn.add('t')
    runGroup()
    books.drain()
    const framework = { id: books.frameworkId, checkpoint: true, hasTaskKilling: true, isPartitionAware: true, user: 'root' }
    const task = { name: 'late', task_id: { value: 'late' }, agent_id: { value: books.agentId }, resources: [] }
    books.feedAgent({ type: 'fromMaster', message: { type: 'launch', framework, tasks: [task] } })
    expect(books.statuses('late')).toMatchObject([
      { state: 'TASK_DROPPED', source: 'SOURCE_AGENT', reason: 'REASON_AGENT_DRAINING' },
    ])
  })

  it('answers an ACCEPT of a rescinded offer as always', () => {
    const [offerId] = books.offers()
    books.drain()
    const task = { name: 't', task_id: { value: 't' }, agent_id: { value: books.agentId }, command: { value: 'x' } }
    const operations = [{ type: 'LAUNCH', launch: { task_infos: [task] } }]
    expect(books.call('ACCEPT', { offer_ids: [{ value: offerId }], operations })).toMatchObject({ status: 202 })
    expect(books.statuses()).toMatchObject([{ state: 'TASK_DROPPED', source: 'SOURCE_MASTER', reason: 'REASON_INVALID_OFFERS' }])
  })

  it('is over only when the last end was acknowledged', () => {
    runGroup(['one', 'two'])
    books.drain()
    books.acknowledgeAll()
    expect(books.statuses().map((status) => status.state)).toEqual(['TASK_KILLING', 'TASK_KILLING', 'TASK_KILLED', 'TASK_KILLED'])
    expect(books.drainState()).toBe('DRAINING')
    expect(books.reactivate()).toEqual({ status: 400, body: 'Agent is still in the DRAINING state' })
    books.acknowledgeAll()
    expect(books.drainState()).toBe('DRAINED')
    expect(books.view()).toMatchObject({ deactivated: true })
    books.advance(10_000)
    expect(books.offers()).toEqual([])
    expect(books.reactivate()).toEqual({ status: 200 })
    books.advance(1_000)
    expect(books.offers()).toHaveLength(1)
    expect(books.view()).not.toHaveProperty('drain_info')
  })

  it('is over only when the last operation was acknowledged', () => {
    books.reserve('r')
    books.drain()
    expect(books.drainState()).toBe('DRAINING')
    const update = books.events.find((event) => event.type === 'UPDATE_OPERATION_STATUS')
    const { uuid, operation_id, agent_id } = update?.update_operation_status.status ?? {}
    books.call('ACKNOWLEDGE_OPERATION_STATUS', { uuid: uuid?.value, operation_id, agent_id })
    expect(books.drainState()).toBe('DRAINED')
  })

  it('is over at once where there is nothing to do, and can be asked for again', () => {
    books.drain()
    expect(books.drainState()).toBe('DRAINED')
    expect(books.agent.drain).toBeUndefined()
    expect(books.drain({ max_grace_period: { seconds: 600 } })).toEqual({ status: 200 })
    expect(books.drainState()).toBe('DRAINED')
    expect(books.reactivate()).toEqual({ status: 200 })
    books.launch('t')
    books.acknowledgeRounds()
    expect(states(books.statuses('t'))).toEqual(['TASK_STARTING', 'TASK_RUNNING'])
  })

  it('ends with the framework that did not acknowledge', () => {
    runGroup()
    books.reserve('r')
    books.drain()
    expect(books.drainState()).toBe('DRAINING')
    books.call('TEARDOWN')
    expect(books.drainState()).toBe('DRAINED')
  })

  it('goes on when the agent is deactivated too', () => {
    runGroup()
    books.drain()
    expect(books.deactivate()).toEqual({ status: 200 })
    expect(books.drainState()).toBe('DRAINING')
  })

  it('of an agent that is out of reach begins when it is back', () => {
    runGroup()
    books.stopAgent()
    books.advance(UNREACHABLE_MS)
    expect(books.drain()).toEqual({ status: 200 })
    expect(books.signals).toEqual([])
    books.forget()
    books.startAgent()
    books.acknowledgeRounds()
    expect(states(books.statuses('t'))).toEqual([
      'TASK_RUNNING REASON_AGENT_REREGISTERED',
      'TASK_KILLING REASON_AGENT_DRAINING',
      'TASK_KILLED REASON_AGENT_DRAINING',
    ])
    expect(books.drainState()).toBe('DRAINED')
    expect(books.offers()).toEqual([])
  })

  it('goes on after a restart of the agent, which may have missed it', () => {
    runGroup()
    books.isAgentUp = false
    books.drain()
    expect(books.signals).toEqual([])
    books.stopAgent()
    books.startAgent()
    expect(books.signals).toEqual(['SIGTERM t after 0 s'])
  })

  it('survives a failover of the master, done or not', () => {
    books.stubborn.add('t')
    runGroup()
    books.drain({ max_grace_period: { seconds: 2 } })
    books.failOverMaster()
    expect(books.reactivate()).toEqual({ status: 400, body: 'Agent is still in the DRAINING state' })
    books.reconnectAgent()
    books.subscribe(CAPABILITIES)
    expect(books.drainState()).toBe('DRAINING')
    books.advance(2_000)
    books.acknowledgeRounds()
    expect(books.drainState()).toBe('DRAINED')
    books.failOverMaster()
    books.reconnectAgent()
    expect(books.drainState()).toBe('DRAINED')
    expect(books.reactivate()).toEqual({ status: 200 })
  })
})

describe('a drain that marks the agent gone', () => {
  it('reports its tasks once, as gone by the operator, and ends the agent', () => {
    runGroup()
    books.drain({ mark_gone: true })
    expect(states(books.statuses())).toEqual(['TASK_GONE_BY_OPERATOR REASON_AGENT_DRAINING'])
    expect(books.statuses()).toMatchObject([{ source: 'SOURCE_EXECUTOR', uuid: expect.any(String) }])
    expect(books.view()?.['drain_info']).toEqual({ state: 'DRAINING', config: { mark_gone: true } })
    books.acknowledgeRounds()
    expect(states(books.statuses())).toEqual(['TASK_GONE_BY_OPERATOR REASON_AGENT_DRAINING'])
    expect(books.view()).toBeUndefined()
    expect(books.isAgentUp).toBe(false)
    expect(books.reactivate()).toEqual({ status: 400, body: 'Unknown agent' })
    books.startAgent()
    expect(books.isAgentUp).toBe(false)
  })

  it('reports plain kills to a framework that does not know partitions', () => {
    books = new Books()
    books.subscribe(['TASK_KILLING_STATE'])
    runGroup()
    books.drain({ mark_gone: true })
    books.acknowledgeRounds()
    expect(states(books.statuses('t'))).toEqual(['TASK_KILLING REASON_AGENT_DRAINING', 'TASK_KILLED REASON_AGENT_DRAINING'])
    expect(books.isAgentUp).toBe(false)
  })
})

describe('a refused call', () => {
  const unknown = { agent_id: { value: 'nosuch' } }

  test.each(['DRAIN_AGENT', 'DEACTIVATE_AGENT', 'REACTIVATE_AGENT'])('%s of an unknown agent', (type) => {
    expect(books.operate(type, unknown)).toEqual({ status: 400, body: 'Unknown agent' })
    expect(books.request('/api/v1', { type })).toMatchObject({
      status: 400,
      body: `Failed to validate master::Call: Expecting '${type.toLowerCase()}' to be present`,
    })
  })

  test('REACTIVATE_AGENT of an agent that is active', () => {
    expect(books.reactivate()).toEqual({ status: 400, body: 'Agent is not deactivated' })
  })

  test.each([
    ['2secs', 'string'],
    [2, 'number'],
  ])('DRAIN_AGENT with the grace period %j', (period, kind) => {
    expect(books.drain({ max_grace_period: period })).toEqual({
      status: 400,
      body: `Failed to convert JSON into Call protobuf: Not expecting a JSON ${kind} for field 'max_grace_period'`,
    })
    expect(books.rescinded()).toEqual([])
  })
})

describe('all offers', () => {
  it('can be taken back at once, and come again', () => {
    const before = books.offers()
    books.feedMaster({ type: 'rescindOffers' })
    expect(books.rescinded()).toEqual(before)
    books.forget()
    books.advance(1_000)
    expect(books.offers()).toHaveLength(1)
  })
})
