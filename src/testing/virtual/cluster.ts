/**
 * A cluster in memory: the books of `src/mesos-model` as master, agents and executors, virtual processes, a virtual clock and a
 * network whose delays follow from a seed. Schedulers come and go while it lives on; each talks to it through `newDriver`, in v1
 * JSON. It writes a log for checkers. Nothing moves but by `advance` and `run`.
 */
import { SdkError } from '../../errors.js'
import type { Event, MasterInfo, TaskInfo } from '../../mesos/messages.js'
import { DEFAULT_AGENT_TIMINGS, type AgentState } from '../../mesos-model/agent-state.js'
import { DEFAULT_MASTER_TIMINGS } from '../../mesos-model/master.js'
import type { MasterRequest, MasterResponse, MasterState, ModelEnv } from '../../mesos-model/master-state.js'
import { createVirtualAgent, type VirtualAgent } from './agent.js'
import { createVirtualClock, type VirtualClock } from './clock.js'
import { connectToMaster } from './connection.js'
import { createVirtualDriver, defaultDriverTimings, type DriverOptions, type VirtualDriver } from './driver.js'
import { defaultMachineTimings, type MachineTimings } from './executor.js'
import { agentRoute, createClusterFaults, schedulerRoute, type ClusterFaults } from './faults.js'
import type { LogEntry, News } from './log.js'
import { createVirtualMaster } from './master.js'
import { createRoute, defaultNetworkTimings, type Route } from './network.js'
import type { VirtualClusterOptions } from './options.js'
import type { TaskBehaviour } from './tasks.js'

export { buildForeignMachine, buildVirtualAgents, type VirtualClusterOptions } from './options.js'

/** Machines, a master, a network, and time; faults are methods of it. */
export interface VirtualCluster extends ClusterFaults {
  readonly clock: VirtualClock
  readonly nowMs: number
  readonly log: readonly LogEntry[]
  /** Others write to the same log. */
  write(news: News): void
  /** Something was given to a scheduler: `settle` runs before the next move. */
  readonly giveTurn: () => void
  /** Of the present master, or of the last one. */
  masterBooks(): MasterState
  /** Undefined for a machine that there is not. */
  agentBooks(agent: string): AgentState | undefined
  newDriver(options?: DriverOptions): VirtualDriver
  /** Moves the clock on and does everything that is due. */
  advance(ms: number): Promise<void>
  /** Goes on until the condition holds, at most for so long; answers whether it held. */
  run(until: () => boolean, limitMs: number): Promise<boolean>
  /** Calls back after so much virtual time. */
  after(ms: number, run: () => void): void
  /** Lets schedulers work off what they have been given. */
  settle(): Promise<void>
  /** For work of this machine, such as a disk's: until it is done no time passes. */
  standStill<Result>(work: Promise<Result>): Promise<Result>
  /** A request without a network before it; undefined while there is no master. Events of a stream that it opens go to `listener`. */
  request(request: MasterRequest, listener?: StreamListener): MasterResponse | undefined
  /** The other end of such a stream is gone. */
  closeStream(streamId: string): void
  /** For tests that begin in the middle. */
  changeMasterBooks(change: (books: MasterState) => MasterState): void
  /** From now on. */
  changeMachineTimings(changes: Partial<MachineTimings>): void
}

/** The other end of a stream that was opened without a network. */
export interface StreamListener {
  readonly onEvent: (event: Event) => void
  readonly onEnd: () => void
}

const defaultStartMs = 1_800_000_000_000
const defaultMasterInfo: MasterInfo = { id: '00000000-0000-4000-8000-0000000000ff', hostname: '127.0.0.1', version: '1.12.0' }
/** So many moves without any time passing mean that two books answer each other for ever. */
const maxMovesPerMoment = 100_000

export function createVirtualCluster(options: VirtualClusterOptions): VirtualCluster {
  const { timings = {}, keepLog = true } = options
  const log: LogEntry[] = []
  const routes = new Map<string, Route>()
  const agents = new Map<string, VirtualAgent>()
  const launches = new Map<string, number>()
  const clock = createVirtualClock(options.startMs ?? defaultStartMs, options.seed ?? 1)
  let uuids = 0
  let isTurnGiven = false
  let realWork = 0

  const env = (): ModelEnv => ({
    atMs: clock.nowMs,
    uuid: () => `${(++uuids).toString(16).padStart(8, '0')}-0000-4000-8000-00000000000a`,
  })
  const write = (news: News): void => {
    const entry = { atMs: clock.nowMs, ...news } as LogEntry
    if (keepLog) log.push(entry)
    options.onLog?.(entry)
  }
  const giveTurn = (): void => void (isTurnGiven = true)
  const behave = (task: TaskInfo): TaskBehaviour => {
    const launch = (launches.get(task.name) ?? 0) + 1
    launches.set(task.name, launch)
    return options.behave(task, launch)
  }

  const masterTimings = { ...DEFAULT_MASTER_TIMINGS, ...timings.master }
  const agentTimings = { ...DEFAULT_AGENT_TIMINGS, ...timings.agent }
  const driverTimings = { ...defaultDriverTimings, ...timings.driver }
  const master = createVirtualMaster({ clock, env, write, info: options.masterInfo ?? defaultMasterInfo, timings: masterTimings })
  const machineTimings: MachineTimings = { ...defaultMachineTimings, ...timings.machine }

  const routeTo = (name: string): Route => {
    const known = routes.get(name)
    if (known !== undefined) return known
    const network = { ...defaultNetworkTimings, ...timings.network }
    const route = createRoute({ clock, timings: network, name, isMasterUp: () => master.isUp })
    routes.set(name, route)
    return route
  }

  for (const machine of options.agents) {
    const route = routeTo(agentRoute(machine.hostname))
    const agent = createVirtualAgent(machine, {
      clock,
      route,
      master,
      env,
      write,
      behave,
      timings: { agent: agentTimings, machine: machineTimings, master: masterTimings },
    })
    agents.set(machine.hostname, agent)
    agent.start()
  }

  const newDriver = (given: DriverOptions = {}): VirtualDriver => {
    const scheduler = given.scheduler ?? 'a1'
    const inTurn = (run: () => void): void => {
      giveTurn()
      run()
    }
    const host = given.host ?? { deliver: inTurn, after: (ms, run) => clock.after(ms, () => inTurn(run)) }
    const route = routeTo(schedulerRoute(scheduler))
    return createVirtualDriver({
      clock,
      write,
      host,
      scheduler,
      timings: driverTimings,
      chance: clock.chanceOf(`${scheduler} driver`),
      faultOf: given.faultOf ?? (() => 'none'),
      onCrash: given.onCrash ?? (() => undefined),
      decidedAtMs: given.decidedAtMs ?? (() => clock.nowMs),
      open: (handlers) =>
        connectToMaster(handlers, {
          route,
          master,
          newStreamId: env().uuid,
          deliver: (run) => host.deliver(run),
          later: (ms, run) => void clock.after(ms, run),
        }),
    })
  }

  /** Whatever a scheduler does in memory settles in microtasks, and those are over when the loop turns. */
  const settle = async (): Promise<void> => {
    isTurnGiven = false
    await new Promise((resolve) => setImmediate(resolve))
  }

  const standStill = async <Result>(work: Promise<Result>): Promise<Result> => {
    realWork += 1
    try {
      return await work
    } finally {
      realWork -= 1
      giveTurn()
    }
  }

  const drain = async (untilMs: number, isEnough: () => boolean): Promise<boolean> => {
    let moves = 0
    let momentMs = clock.nowMs
    // Whoever asks may have begun something.
    giveTurn()
    for (;;) {
      while (isTurnGiven || realWork > 0) await settle()
      if (isEnough()) return true
      if (!clock.doNext(untilMs)) {
        clock.moveTo(untilMs)
        return isEnough()
      }
      moves = clock.nowMs === momentMs ? moves + 1 : 0
      momentMs = clock.nowMs
      if (moves > maxMovesPerMoment) throw new SdkError('ERR_INVARIANT', `the virtual cluster does not get past ${momentMs}`)
    }
  }

  const request = (message: MasterRequest, listener?: StreamListener): MasterResponse | undefined => {
    let answer: MasterResponse | undefined
    master.request(message, {
      answer: (response) => (answer = response),
      event: (event) => listener?.onEvent(event),
      end: () => listener?.onEnd(),
    })
    return answer
  }

  return {
    clock,
    get nowMs() {
      return clock.nowMs
    },
    log,
    write,
    giveTurn,
    masterBooks: () => master.books(),
    agentBooks: (agent) => agents.get(agent)?.books(),
    newDriver,
    async advance(ms) {
      await drain(clock.nowMs + ms, () => false)
    },
    run: (until, limitMs) => drain(clock.nowMs + limitMs, until),
    after(ms, run) {
      clock.after(ms, () => {
        giveTurn()
        run()
      })
    },
    settle,
    standStill,
    request,
    closeStream: (streamId) => master.streamClosed(streamId),
    changeMasterBooks: (change) => master.changeBooks(change),
    changeMachineTimings: (changes) => void Object.assign(machineTimings, changes),
    ...createClusterFaults({ master, agents, routes, routeTo }),
  }
}
