/**
 * Carries out the faults of a plan: each begins at its moment and ends after its time. What hits "the next" commit, call or
 * message waits for it until the faults are over.
 */
import { assertNever } from '../../errors.js'
import { podInstanceName } from '../../ids.js'
import type { RunRecord } from '../../plan/run-record.js'
import type { Ack, MesosCall } from '../../scheduler/output.js'
import type { VirtualCluster } from '../virtual/cluster.js'
import type { CallFault } from '../virtual/driver.js'
import type { VirtualProcess, VirtualScheduler } from '../virtual/scheduler.js'
import type { TaskBehaviour } from '../virtual/tasks.js'
import { describeFault } from './describe-fault.js'
import type { Application } from './application.js'
import type { Fault, FaultKind } from './plan.js'
import type { SimulatedStore } from './store.js'

export interface FaultParts {
  readonly cluster: VirtualCluster
  readonly store: () => SimulatedStore
  readonly application: Application
  readonly schedulerAt: (place: string) => VirtualScheduler | undefined
  /** The process in a place is gone, and another is to start there after so long. */
  readonly startLater: (place: string, afterMs: number) => void
}

export interface FaultControl {
  begin(fault: Fault): void
  /** Ends all that is under way, and forgets what has not hit anything. */
  endAll(): void
  /** What becomes of a call of a process in this place. */
  callFault(place: string, call: MesosCall | Ack): CallFault
  beforeCommit(process: VirtualProcess): void
  afterCommit(process: VirtualProcess): void
  /** How a task behaves that starts now. */
  changeBehaviour(task: string, usual: TaskBehaviour): TaskBehaviour
  /** Kinds that have happened, with their number. */
  readonly happened: ReadonlyMap<FaultKind, number>
}

const linkBreaksAfterMs = 5_000
/** Longer than a scheduler takes to answer an offer that it uses or does not want. */
const heldOfferMs = 100
const callFaults = { callLost: 'loseCall', answerLost: 'loseAnswer', callLate: 'late' } as const

/** Waits for something to come by; answers whether it was that. */
interface Trap {
  readonly fault: Fault
  readonly at: 'call' | 'beforeCommit' | 'afterCommit'
  readonly fits: (place: string, call?: MesosCall | Ack) => boolean
  readonly spring: () => CallFault
}

export function createFaultControl(parts: FaultParts): FaultControl {
  const { cluster, application } = parts
  const happened = new Map<FaultKind, number>()
  let traps: Trap[] = []
  let isOver = false
  const undos = new Map<Fault, () => void>()

  const note = (fault: Fault, ended = false): void => {
    if (!ended) happened.set(fault.kind, (happened.get(fault.kind) ?? 0) + 1)
    cluster.write({ type: 'fault', ended, text: describeFault(fault) })
  }

  const begin = (fault: Fault): void => {
    const undo = start(fault)
    if (undo === undefined) return
    undos.set(fault, undo)
    if ('forMs' in fault) cluster.after(fault.forMs, () => end(fault))
  }

  const end = (fault: Fault): void => {
    const undo = undos.get(fault)
    if (undo === undefined) return
    undos.delete(fault)
    note(fault, true)
    undo()
  }

  /** Does it if it can be done; the answer ends it, where it has an end. */
  const act = (fault: Fault, begin: () => boolean | void, undo?: () => void): (() => void) | undefined => {
    if (begin() === false) return undefined
    note(fault)
    return undo
  }
  const lay = (trap: Trap): undefined => {
    traps.push(trap)
    return undefined
  }

  const start = (fault: Fault): (() => void) | undefined => {
    switch (fault.kind) {
      case 'messageToAgentLost':
        return void cluster.loseToAgent(fault.agent, fault.message, () => breakLater(fault))
      case 'messageToMasterLost':
        return void cluster.loseToMaster(fault.agent, fault.message, () => breakLater(fault))
      case 'messageToMasterTwice':
        return act(fault, () => cluster.duplicateToMaster(fault.agent))
      case 'agentSlow':
        return act(
          fault,
          () => cluster.slowAgent(fault.agent, fault.delayMs),
          () => cluster.slowAgent(fault.agent, 0),
        )
      case 'agentCutOff':
        return act(
          fault,
          () => cluster.cutAgent(fault.agent),
          () => cluster.healAgent(fault.agent),
        )
      case 'agentStopped':
        return act(
          fault,
          () => cluster.stopAgent(fault.agent),
          () => cluster.startAgent(fault.agent),
        )
      case 'machineDown':
        return act(
          fault,
          () => cluster.machineDown(fault.agent, fault.silent),
          () => cluster.machineUp(fault.agent),
        )
      case 'agentDrained':
        return act(
          fault,
          () => cluster.drainAgent(fault.agent),
          () => reactivate(fault.agent),
        )
      case 'offersRescinded':
        return void rescindHeld(fault)
      case 'masterFailover':
        return act(
          fault,
          () => cluster.stopMaster(),
          () => cluster.startMaster(),
        )
      case 'identityLost':
        return act(
          fault,
          () =>
            (fault.machineDown ? cluster.machineDown(fault.agent, false) : cluster.stopAgent(fault.agent)) &&
            cluster.forgetIdentity(fault.agent),
          () => (fault.machineDown ? cluster.machineUp(fault.agent) : cluster.startAgent(fault.agent)),
        )
      case 'diskLost':
        return act(
          fault,
          () => cluster.machineDown(fault.agent, false) && cluster.wipeDisk(fault.agent),
          () => cluster.machineUp(fault.agent),
        )
      case 'agentMarkedGone':
        return act(fault, () => markGone(fault.agent))
      case 'callLost':
      case 'answerLost':
      case 'callLate':
        return lay({
          fault,
          at: 'call',
          fits: (_place, call) => fault.call === 'any' || call?.type === fault.call,
          spring: () => callFaults[fault.kind],
        })
      case 'callTwice':
        return lay({ fault, at: 'call', fits: (_place, call) => call?.type !== 'accept', spring: () => 'duplicate' })
      case 'streamBroken':
        return act(fault, () => cluster.breakStreams())
      case 'schedulerCutOff':
        return cutOffScheduler(fault)
      case 'schedulerSlow':
        return act(
          fault,
          () => cluster.slowScheduler(fault.delayMs),
          () => cluster.slowScheduler(0),
        )
      case 'commitFails':
        return act(fault, () => parts.store().failNext(fault.how))
      case 'storeAway':
        return act(
          fault,
          () => parts.store().setAvailable(false),
          () => parts.store().setAvailable(true),
        )
      case 'storeSlow':
        return act(
          fault,
          () => parts.store().setSlow(fault.delayMs),
          () => parts.store().setSlow(0),
        )
      case 'sessionExpired':
        return act(fault, () => parts.store().expireSession(fault.told))
      case 'schedulerCrash':
        return crashScheduler(fault)
      case 'schedulerStopped':
        return act(fault, () => {
          const scheduler = parts.schedulerAt(fault.place)
          if (scheduler?.isRunning !== true || scheduler.isFrozen) return false
          scheduler.beginStop()
          parts.startLater(fault.place, fault.forMs)
          return true
        })
      case 'schedulerFrozen':
        return freezeScheduler(fault)
      case 'taskFails':
        return act(fault, () => cluster.endTask(fault.task, { code: fault.exitCode }))
      case 'executorKilled':
        return act(fault, () => cluster.killExecutor(instanceOf(fault.task)))
      case 'taskFailsAtStart':
      case 'taskIgnoresTerm':
        return act(
          fault,
          () => true,
          () => undefined,
        )
      case 'taskNeverReady':
        return act(
          fault,
          () => true,
          () => cluster.setReady(fault.task, true),
        )
      case 'gatesShut':
        return troubleHooks(fault, 'shut')
      case 'hooksHang':
        return troubleHooks(fault, 'hang')
      case 'hooksThrow':
        return troubleHooks(fault, 'throw')
      case 'hooksAnswerNonsense':
        return troubleHooks(fault, 'nonsense')
      case 'podRestarted': {
        const [, pod = '', index = '0'] = /^(.*)-(\d+)$/.exec(fault.pod) ?? []
        const instance = podInstanceName(pod, Number(index))
        return act(fault, () => commandAll({ type: 'restartPod', instance }))
      }
      case 'planPaused':
        return act(
          fault,
          () => commandAll({ type: 'pausePlan', plan: fault.plan }),
          () => resume(fault.plan),
        )
      default:
        return assertNever(fault)
    }
  }

  /** Waits for offers that a scheduler has and has not answered: it holds them until more of the same machine come. */
  const rescindHeld = (fault: Fault): void => {
    if (isOver) return
    const isHeld = [...cluster.masterBooks().offers.values()].some(({ atMs }) => cluster.nowMs - atMs >= heldOfferMs)
    if (isHeld) act(fault, () => cluster.rescindOffers())
    else cluster.after(heldOfferMs, () => rescindHeld(fault))
  }

  /** A message is lost only with its connection, which is found to be broken a little later. */
  const breakLater = (fault: Fault & { readonly agent: string }): void => {
    note(fault)
    cluster.after(linkBreaksAfterMs, () => cluster.breakLink(fault.agent))
  }

  const markGone = (agent: string): boolean => {
    const agentId = cluster.agentBooks(agent)?.id
    if (agentId === undefined || !cluster.markGone(agent)) return false
    cluster.write({ type: 'agentGone', agentId })
    return true
  }

  const retryMs = 5_000
  /** Refused while the agent is still draining, or while no master is there. */
  const reactivate = (agent: string): void => {
    if (!cluster.reactivateAgent(agent)) cluster.after(retryMs, () => reactivate(agent))
  }

  const commandAll = (command: Parameters<VirtualScheduler['command']>[0]): boolean => {
    const taken = ['a', 'b'].map((place) => parts.schedulerAt(place)?.command(command) === true).includes(true)
    if (taken) cluster.write({ type: 'commandGiven', command })
    return taken
  }
  /** An operator who paused a plan comes back until it goes on. */
  const resume = (plan: string): void => {
    const run = parts.store().read(`plans/${plan}`)
    if (run === undefined || !(JSON.parse(run) as RunRecord).paused) return
    commandAll({ type: 'resumePlan', plan })
    cluster.after(retryMs, () => resume(plan))
  }

  const cutOffScheduler = (fault: Extract<Fault, { kind: 'schedulerCutOff' }>): (() => void) | undefined => {
    const name = parts.schedulerAt(fault.place)?.name
    if (name === undefined) return undefined
    return act(
      fault,
      () => cluster.cutScheduler(name),
      () => cluster.healScheduler(name),
    )
  }

  const troubleHooks = (fault: Fault, trouble: Parameters<Application['setTrouble']>[0]) =>
    act(
      fault,
      () => application.setTrouble(trouble, true),
      () => application.setTrouble(trouble, false),
    )

  const crashScheduler = (fault: Extract<Fault, { kind: 'schedulerCrash' }>): undefined => {
    const crash = (): boolean => {
      const scheduler = parts.schedulerAt(fault.place)
      if (scheduler?.isRunning !== true) return false
      scheduler.crash()
      parts.startLater(fault.place, fault.forMs)
      return true
    }
    if (fault.crashAt === 'once') return void act(fault, crash)
    const fits = (place: string): boolean => place === fault.place
    if (fault.crashAt === 'beforeCall') {
      const spring = (): CallFault => {
        parts.startLater(fault.place, fault.forMs)
        return 'crash'
      }
      return lay({ fault, at: 'call', fits, spring })
    }
    const spring = (): CallFault => {
      crash()
      return 'none'
    }
    return lay({ fault, at: fault.crashAt, fits, spring })
  }

  const freezeScheduler = (fault: Extract<Fault, { kind: 'schedulerFrozen' }>): (() => void) | undefined => {
    const freeze = (): boolean => {
      const scheduler = parts.schedulerAt(fault.place)
      if (scheduler?.isRunning !== true || scheduler.isFrozen) return false
      scheduler.freeze()
      const { name } = scheduler
      undos.set(fault, () => {
        const present = parts.schedulerAt(fault.place)
        if (present?.name === name) present.thaw()
      })
      cluster.after(fault.forMs, () => end(fault))
      return true
    }
    if (fault.freezeAt === 'once') return void act(fault, freeze)
    const spring = (): CallFault => {
      freeze()
      return 'none'
    }
    return lay({ fault, at: 'afterCommit', fits: (place) => place === fault.place, spring })
  }

  const springAt = (at: Trap['at'], place: string, call?: MesosCall | Ack): CallFault => {
    const trap = traps.find((each) => each.at === at && each.fits(place, call))
    if (trap === undefined) return 'none'
    traps = traps.filter((each) => each !== trap)
    note(trap.fault)
    return trap.spring()
  }

  const isUnder = (kind: FaultKind, task: string): boolean =>
    [...undos.keys()].some((fault) => fault.kind === kind && 'task' in fault && fault.task === task)

  return {
    begin,
    endAll() {
      isOver = true
      traps = []
      cluster.disarm()
      parts.store().forgetFaults()
      for (const fault of [...undos.keys()]) end(fault)
    },
    callFault: (place, call) => springAt('call', place, call),
    beforeCommit: (process) => void springAt('beforeCommit', placeOf(process)),
    afterCommit: (process) => void springAt('afterCommit', placeOf(process)),
    changeBehaviour(task, usual) {
      if (isUnder('taskFailsAtStart', task)) return { endsAfterMs: 400, exitCode: 1 }
      return {
        ...usual,
        ...(isUnder('taskNeverReady', task) ? { readyAfterMs: Infinity } : {}),
        ...(isUnder('taskIgnoresTerm', task) ? { ignoresTerm: true } : {}),
      }
    },
    happened,
  }
}

const placeOf = ({ name }: VirtualProcess): string => name.replace(/\d+$/, '')
/** `db-0-server` is of `db-0`. */
const instanceOf = (task: string): string => /^(.+?-\d+)-/.exec(task)?.[1] ?? task
