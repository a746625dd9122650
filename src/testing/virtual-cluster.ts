/**
 * A cluster in memory: the books of `src/mesos-model` as master, agents and executors, virtual processes, a virtual clock and a
 * seeded order of messages. Schedulers come and go while it lives on; each talks to it through `newDriver`, in v1 JSON over
 * connections that can lose calls and answers. It keeps a log for checkers. Nothing moves but by `advance` and `run`.
 */
import { SdkError } from '../errors.js'
import type { MasterInfo } from '../mesos/messages.js'
import { createMaster, DEFAULT_MASTER_TIMINGS, nextMasterTickAtMs, stepMaster } from '../mesos-model/master.js'
import type { MasterEffect, MasterInput, ModelEnv } from '../mesos-model/master-state.js'
import type { AgentDescription, AgentToMaster } from '../mesos-model/protocol.js'
import { startVirtualAgent, type VirtualAgent } from './virtual-agent.js'
import { createVirtualClock, openChannel, type Channel, type Deadline } from './virtual-clock.js'
import { connectToMaster, type MasterSide } from './virtual-connection.js'
import { createVirtualDriver, type VirtualDriver, type VirtualDriverParts } from './virtual-driver.js'
import type { LogEntry, News } from './virtual-log.js'
import type { Behave, TaskBehaviour } from './virtual-tasks.js'

export interface VirtualClusterOptions {
  readonly agents: readonly AgentDescription[]
  readonly behave: Behave
  /** Orders and delays follow from it. @defaultValue 1 */
  readonly seed?: number
  /** Told of each entry at the moment it happens. */
  readonly onLog?: (entry: LogEntry) => void
}

export interface VirtualCluster {
  readonly nowMs: number
  readonly log: readonly LogEntry[]
  newDriver(options?: Partial<Pick<VirtualDriverParts, 'faultOf' | 'onCrash'>>): VirtualDriver
  /** Moves the clock on and does everything that is due. */
  advance(ms: number): Promise<void>
  /** Goes on until the condition holds, at most for so long; answers whether it held. */
  run(until: () => boolean, limitMs: number): Promise<boolean>
  /** Calls back after so much virtual time. */
  after(ms: number, run: () => void): void
  /** Lets schedulers work off what they have been given. */
  settle(): Promise<void>
  /** Ends the newest live process of a task by its name. @throws SdkError when there is none */
  endTask(name: string, end: { readonly code?: number; readonly signal?: string }): void
}

const startMs = 1_800_000_000_000
/** So many moves without any time passing mean that two books answer each other for ever. */
const maxMovesPerMoment = 10_000

export function createVirtualCluster(options: VirtualClusterOptions): VirtualCluster {
  const log: LogEntry[] = []
  const streams = new Map<string, MasterSide>()
  const agents = new Map<string, { readonly agent: VirtualAgent; readonly channel: Channel }>()
  const launches = new Map<string, number>()
  let uuids = 0
  let isDelivered = false

  const clock = createVirtualClock(startMs, options.seed ?? 1, deadlines)
  const info: MasterInfo = { id: '00000000-0000-4000-8000-0000000000ff', hostname: '127.0.0.1', version: '1.12.0' }
  let master = createMaster(info, DEFAULT_MASTER_TIMINGS, { agents: [], unreachable: [], gone: [] }, startMs)

  function* deadlines(): Iterable<Deadline> {
    const dueMs = nextMasterTickAtMs(master)
    if (dueMs !== Infinity) yield { dueMs, run: () => feed({ type: 'tick' }) }
    for (const { agent } of agents.values()) yield* agent.deadlines()
  }
  const env = (): ModelEnv => ({
    atMs: clock.nowMs,
    uuid: () => `${(++uuids).toString(16).padStart(8, '0')}-0000-4000-8000-00000000000a`,
  })
  const write = (news: News): void => {
    const entry = { atMs: clock.nowMs, ...news } as LogEntry
    log.push(entry)
    options.onLog?.(entry)
  }
  const behave: (task: Parameters<Behave>[0]) => TaskBehaviour = (task) => {
    const launch = (launches.get(task.name) ?? 0) + 1
    launches.set(task.name, launch)
    return options.behave(task, launch)
  }

  /** `asker` takes the answer to a request, and the records of a stream that it opens. */
  const feed = (input: MasterInput, asker?: MasterSide): void => {
    const step = stepMaster(master, input, env())
    master = step.state
    for (const effect of step.effects) apply(effect, input, asker)
  }

  const apply = (effect: MasterEffect, input: MasterInput, asker: MasterSide | undefined): void => {
    switch (effect.type) {
      case 'respond': {
        const { response } = effect
        if (response.streamId !== undefined && asker !== undefined) streams.set(response.streamId, asker)
        if (response.status >= 400 && input.type === 'request') {
          write({ type: 'requestRefused', status: response.status, text: String(response.body), body: input.request.body })
        }
        return asker?.answer(response)
      }
      case 'accepted':
        return write({ type: 'callTaken', streamId: effect.streamId, call: effect.call })
      case 'sendEvent':
        write({ type: 'eventSent', streamId: effect.streamId, event: effect.event })
        return streams.get(effect.streamId)?.record(JSON.stringify(effect.event))
      case 'closeStream':
        streams.get(effect.streamId)?.end()
        return void streams.delete(effect.streamId)
      case 'toAgent': {
        const { link, message } = effect
        return agents.get(link)?.channel(() => agents.get(link)?.agent.receive(message))
      }
      case 'closeLink':
      case 'storeRegistry':
        return
    }
  }

  const streamClosed = (streamId: string): void => {
    if (streams.delete(streamId)) feed({ type: 'streamClosed', streamId })
  }

  options.agents.forEach((description, index) => {
    const link = `link-${index + 1}`
    const channel = openChannel(clock)
    const toMaster = (message: AgentToMaster): void => feed({ type: 'agentMessage', link, message })
    agents.set(link, { agent: startVirtualAgent(description, { clock, env, write, behave, toMaster }), channel })
  })

  /** Whatever a scheduler does in memory settles in microtasks, and those are over when the loop turns. */
  const settle = async (): Promise<void> => {
    isDelivered = false
    await new Promise((resolve) => setImmediate(resolve))
  }

  const drain = async (untilMs: number, isEnough: () => boolean): Promise<boolean> => {
    let moves = 0
    let momentMs = clock.nowMs
    while (!isEnough()) {
      if (!clock.doNext(untilMs)) {
        clock.moveTo(untilMs)
        return isEnough()
      }
      if (isDelivered) await settle()
      moves = clock.nowMs === momentMs ? moves + 1 : 0
      momentMs = clock.nowMs
      if (moves > maxMovesPerMoment) throw new SdkError('ERR_INVARIANT', `the virtual cluster does not get past ${momentMs}`)
    }
    return true
  }

  return {
    get nowMs() {
      return clock.nowMs
    },
    log,
    newDriver: ({ faultOf = () => 'none' as const, onCrash = () => undefined } = {}) =>
      createVirtualDriver({
        clock,
        faultOf,
        onCrash,
        open: (handlers) =>
          connectToMaster(handlers, {
            clock,
            newStreamId: env().uuid,
            request: (request, side) => feed({ type: 'request', request }, side),
            streamClosed,
            onDelivery: () => void (isDelivered = true),
          }),
      }),
    async advance(ms) {
      await drain(clock.nowMs + ms, () => false)
    },
    run: (until, limitMs) => drain(clock.nowMs + limitMs, until),
    after(ms, run) {
      clock.after(ms, () => {
        isDelivered = true
        run()
      })
    },
    settle,
    endTask(name, end) {
      const started = log.findLast((entry) => entry.type === 'processStarted' && entry.process.name === name)
      const taskId = started?.type === 'processStarted' ? started.process.taskId : ''
      if (![...agents.values()].some(({ agent }) => agent.endTask(taskId, end)))
        throw new SdkError('ERR_INVALID_OPTION', `there is no live process of task ${name}`)
    },
  }
}

/** Agents `agent-1` ... on 10.0.0.1 ..., each in a zone of its own, large enough for any test. */
export const buildVirtualAgents = (count: number): AgentDescription[] =>
  Array.from({ length: count }, (_, index) => ({
    hostname: `agent-${index + 1}`,
    ip: `10.0.0.${index + 1}`,
    port: 5051,
    attributes: [],
    domain: { fault_domain: { region: { name: 'region-1' }, zone: { name: `zone-${index + 1}` } } },
    resources: [
      { name: 'cpus', type: 'SCALAR', scalar: { value: 16 } },
      { name: 'mem', type: 'SCALAR', scalar: { value: 32_768 } },
      { name: 'disk', type: 'SCALAR', scalar: { value: 102_400 } },
      { name: 'ports', type: 'RANGES', ranges: { range: [{ begin: 21_000, end: 29_999 }] } },
    ],
  }))
