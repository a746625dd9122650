/**
 * What can go wrong in a virtual cluster, each with its end where it has one. All may be asked for at any time: what does not
 * apply at the moment does nothing. Each answers whether it did something.
 */
import type { ProcessEnd } from '../../mesos-model/executor-state.js'
import type { AgentToMaster, MasterToAgent } from '../../mesos-model/protocol.js'
import type { VirtualAgent } from './agent.js'
import type { VirtualMaster } from './master.js'
import type { Route } from './network.js'
import type { VirtualExecutor } from './executor.js'
import { askMaster, drainCall, type DrainOptions } from './operator.js'
import type { TaskProcess } from './process.js'

/** `agent` is the host name of a machine throughout. */
export interface ClusterFaults {
  /** Nothing passes between the agent and the master. Back in time, nothing is lost; after that the connection breaks. */
  cutAgent(agent: string): boolean
  healAgent(agent: string): boolean
  /** The same between a scheduler and the master; by place (`a`) or process (`a1`), all if absent. A place stays cut for its next process. */
  cutScheduler(scheduler?: string): boolean
  healScheduler(scheduler?: string): boolean
  /** Each message takes that much longer; 0 ends it. */
  slowAgent(agent: string, extraMs: number): boolean
  slowScheduler(extraMs: number, scheduler?: string): boolean
  /** The next message of the type (any, if absent) is lost, and the connection goes on as if nothing had been. */
  loseToAgent(agent: string, type?: MasterToAgent['type'], onHit?: () => void): boolean
  loseToMaster(agent: string, type?: AgentToMaster['type'], onHit?: () => void): boolean
  /** The next one arrives twice. */
  duplicateToMaster(agent: string, type?: AgentToMaster['type'], onHit?: () => void): boolean
  /** Messages that were to be lost or doubled and have not come by are left alone. */
  disarm(): boolean
  /** The connection between agent and master breaks at both ends; the agent connects anew. */
  breakLink(agent: string): boolean

  /** The agent process ends; its executors, their tasks and what it has checkpointed live on. */
  stopAgent(agent: string): boolean
  startAgent(agent: string): boolean
  /** The machine loses its power. `silent`: the master hears no more of it, instead of seeing the connection break. */
  machineDown(agent: string, silent?: boolean): boolean
  /** The machine, and its agent, are back. */
  machineUp(agent: string): boolean
  /** Only of an agent that is stopped or down: its id, its books of tasks and executors are lost; reservations and volumes stay. */
  forgetIdentity(agent: string): boolean
  /** The same, and reservations and volumes are lost too. */
  wipeDisk(agent: string): boolean

  /** The master process ends. What it had stored in its registry is all that the next one knows. */
  stopMaster(): boolean
  startMaster(): boolean

  /** By an operator's request, answered with 200. */
  markGone(agent: string): boolean
  drainAgent(agent: string, options?: DrainOptions): boolean
  reactivateAgent(agent: string): boolean
  rescindOffers(): boolean
  /** All connections of a scheduler break, at both ends; of all schedulers if absent. */
  breakStreams(scheduler?: string): boolean

  /** Ends the process of the newest live task of that name, or with that id. */
  endTask(name: string, end: ProcessEnd): boolean
  /** From now on its check answers so. */
  setReady(name: string, isReady: boolean): boolean
  /** Kills executors whose id begins so, with all their tasks. */
  killExecutor(podInstance: string): boolean
  /** The same executors do nothing and hear nothing any more. */
  freezeExecutor(podInstance: string): boolean
  /** The agent process hangs and takes no message any more, until it is stopped and started. */
  deafenAgent(agent: string): boolean
}

export interface ClusterFaultParts {
  readonly master: VirtualMaster
  readonly agents: ReadonlyMap<string, VirtualAgent>
  readonly routes: ReadonlyMap<string, Route>
  /** Made when it is asked for the first time. */
  readonly routeTo: (name: string) => Route
}

export function createClusterFaults({ master, agents, routes, routeTo }: ClusterFaultParts): ClusterFaults {
  const on = (agent: string, act: (agent: VirtualAgent) => boolean): boolean => {
    const found = agents.get(agent)
    return found !== undefined && act(found)
  }
  const onRoute = (agent: string, act: (route: Route) => boolean): boolean => on(agent, () => act(routeTo(agentRoute(agent))))
  const onSchedulers = (scheduler: string | undefined, act: (route: Route) => boolean): boolean => {
    if (scheduler !== undefined) return act(routeTo(schedulerRoute(scheduler)))
    const meant = [...routes].filter(([name]) => name.startsWith(schedulerPrefix))
    return meant.map(([, route]) => act(route)).includes(true)
  }
  const operate = (agent: string, toCall: (agentId: string) => object): boolean =>
    on(agent, ({ id }) => id !== undefined && askMaster(master, toCall(id))?.status === 200)

  /** The newest one, if there are several. */
  const findProcess = (name: string): TaskProcess | undefined => {
    const live = [...agents.values()]
      .flatMap((agent) => agent.processes())
      .filter(({ logged }) => logged.name === name || logged.taskId === name)
    return live.reduce<TaskProcess | undefined>(
      (newest, process) => (newest === undefined || process.startedAtMs >= newest.startedAtMs ? process : newest),
      undefined,
    )
  }
  const onProcess = (name: string, act: (process: TaskProcess) => void): boolean => {
    const process = findProcess(name)
    if (process !== undefined) act(process)
    return process !== undefined
  }
  const onExecutors = (podInstance: string, act: (executor: VirtualExecutor) => void): boolean => {
    const live = [...agents.values()].flatMap((agent) => agent.executors())
    const meant = live.filter(({ executorId }) => executorId === podInstance || executorId.startsWith(`${podInstance}__`))
    meant.forEach(act)
    return meant.length > 0
  }

  return {
    cutAgent: (agent) => onRoute(agent, (route) => route.cut()),
    healAgent: (agent) =>
      onRoute(agent, (route) => {
        if (!route.heal()) return false
        agents.get(agent)?.connectSoon()
        return true
      }),
    cutScheduler: (scheduler) => onSchedulers(scheduler, (route) => route.cut()),
    healScheduler: (scheduler) => onSchedulers(scheduler, (route) => route.heal()),
    slowAgent: (agent, extraMs) => onRoute(agent, (route) => route.slow(extraMs)),
    slowScheduler: (extraMs, scheduler) => onSchedulers(scheduler, (route) => route.slow(extraMs)),
    loseToAgent: (agent, type, onHit) => on(agent, ({ faults }) => faults.toAgent.push({ type, copies: 0, onHit }) > 0),
    loseToMaster: (agent, type, onHit) => on(agent, ({ faults }) => faults.toMaster.push({ type, copies: 0, onHit }) > 0),
    duplicateToMaster: (agent, type, onHit) => on(agent, ({ faults }) => faults.toMaster.push({ type, copies: 2, onHit }) > 0),
    disarm() {
      const waiting = [...agents.values()]
        .flatMap(({ faults }) => [faults.toAgent, faults.toMaster])
        .filter(({ length }) => length > 0)
      for (const traps of waiting) traps.length = 0
      return waiting.length > 0
    },
    breakLink: (agent) => on(agent, (found) => found.breakLink()),

    stopAgent: (agent) => on(agent, (found) => found.stop()),
    startAgent: (agent) => on(agent, (found) => found.start()),
    machineDown: (agent, silent = false) => on(agent, (found) => found.powerOff(silent)),
    machineUp: (agent) => on(agent, (found) => found.powerOn()),
    forgetIdentity: (agent) => on(agent, (found) => found.forgetIdentity()),
    wipeDisk: (agent) => on(agent, (found) => found.wipeDisk()),

    stopMaster() {
      if (!master.stop()) return false
      for (const route of routes.values()) route.closeAllFar()
      return true
    },
    startMaster() {
      if (!master.start()) return false
      for (const agent of agents.values()) agent.connectSoon()
      return true
    },

    markGone: (agent) =>
      on(agent, ({ id }) => {
        const isGone = id !== undefined && master.books().gone.has(id)
        return !isGone && operate(agent, (value) => ({ type: 'MARK_AGENT_GONE', mark_agent_gone: { agent_id: { value } } }))
      }),
    drainAgent: (agent, options = {}) => operate(agent, (id) => drainCall(id, options)),
    reactivateAgent: (agent) =>
      operate(agent, (value) => ({ type: 'REACTIVATE_AGENT', reactivate_agent: { agent_id: { value } } })),
    rescindOffers: () => master.rescindOffers(),
    breakStreams: (scheduler) => onSchedulers(scheduler, (route) => route.breakAll()),

    endTask: (name, end) => onProcess(name, (process) => process.end(end, 'test')),
    setReady: (name, isReady) => onProcess(name, (process) => process.setReady(isReady)),
    killExecutor: (podInstance) => onExecutors(podInstance, (executor) => executor.kill(9)),
    freezeExecutor: (podInstance) => onExecutors(podInstance, (executor) => executor.freeze()),
    deafenAgent: (agent) => on(agent, (found) => found.deafen()),
  }
}

const schedulerPrefix = 'scheduler '
/** Names of routes. */
export const agentRoute = (hostname: string): string => `agent ${hostname}`
/** Processes of one place share their way to the master: `a1`, and `a2` after it. */
export const schedulerRoute = (scheduler: string): string => `${schedulerPrefix}${scheduler.replace(/\d+$/, '')}`
