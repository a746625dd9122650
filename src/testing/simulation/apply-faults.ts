/**
 * Carries out the faults of a plan: each begins at its moment and ends after its time. What hits "the next" commit, call or
 * message waits for it until the faults are over. A fault has happened when it hit something: until then it is neither counted nor
 * told.
 */
import { assertNever } from '../../errors.js'
import type { Ack, MesosCall } from '../../scheduler/output.js'
import { instanceOfTask } from '../checkers/names.js'
import type { VirtualCluster } from '../virtual/cluster.js'
import type { CallFault } from '../virtual/driver.js'
import type { VirtualProcess, VirtualScheduler } from '../virtual/scheduler.js'
import type { TaskBehaviour } from '../virtual/tasks.js'
import { describeFault } from './describe-fault.js'
import { createOperators } from './operators.js'
import { endOf, type Fault, type FaultKind } from './plan.js'
import type { SimulatedStore } from './store.js'
import type { HookFault } from './trouble-hooks.js'

export interface FaultParts {
  readonly cluster: VirtualCluster
  readonly store: () => SimulatedStore
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
  /** Asked by a hook that such a fault would change. */
  isUnder(kind: HookFault): boolean
  /** Kinds that have happened, with their number. */
  readonly happened: ReadonlyMap<FaultKind, number>
}

const linkBreaksAfterMs = 5_000
/** Longer than a scheduler takes to answer an offer that it uses or does not want. */
const heldOfferMs = 100
const pauseRetryMs = 1_000
const callFaults = { callLost: 'loseCall', answerLost: 'loseAnswer', callLate: 'late' } as const
const places = ['a', 'b'] as const

type SlowFault = Extract<Fault, { readonly delayMs: number }>

/** Waits for something to come by, and hits it. */
interface Trap {
  readonly fault: Fault
  readonly at: 'call' | 'beforeCommit' | 'afterCommit'
  readonly fits: (place: string, call?: MesosCall | Ack) => boolean
  readonly spring: () => CallFault
}

export function createFaultControl(parts: FaultParts): FaultControl {
  const startMs = parts.cluster.nowMs
  const { cluster } = parts
  const operators = createOperators({
    cluster,
    read: (key) => parts.store().read(key),
    schedulers: () => places.flatMap((place) => parts.schedulerAt(place) ?? []),
  })
  const happened = new Map<FaultKind, number>()
  const hits = new Set<Fault>()
  let traps: Trap[] = []
  let isOver = false
  /** Faults under way, with what ends them. */
  const undos = new Map<Fault, () => void>()

  const tell = (fault: Fault, ended: boolean): void => cluster.write({ type: 'fault', ended, text: describeFault(fault) })

  /** The fault has an effect, maybe not its first. */
  const hit = (fault: Fault): void => {
    if (hits.has(fault)) return
    hits.add(fault)
    happened.set(fault.kind, (happened.get(fault.kind) ?? 0) + 1)
    tell(fault, false)
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
    if (hits.has(fault)) tell(fault, true)
    undo()
  }

  /** Does it if it can be done; the answer ends it, where it has an end. */
  const act = (fault: Fault, begin: () => boolean | void, undo?: () => void): (() => void) | undefined => {
    if (begin() === false) return undefined
    hit(fault)
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
        return void cluster.duplicateToMaster(fault.agent, undefined, () => hit(fault))
      case 'agentSlow':
        return slowDown(fault, (extraMs) => cluster.slowAgent(fault.agent, extraMs))
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
          () => operators.reactivate(fault.agent),
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
        return act(fault, () => operators.markGone(fault.agent))
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
        return act(
          fault,
          () => cluster.cutScheduler(fault.place),
          () => cluster.healScheduler(fault.place),
        )
      case 'schedulerSlow':
        return slowDown(fault, (extraMs) => places.forEach((place) => cluster.slowScheduler(extraMs, place)))
      case 'commitFails':
        return void parts.store().failNext(fault.how, () => hit(fault))
      case 'storeAway':
        return act(
          fault,
          () => parts.store().setAvailable(false),
          () => parts.store().setAvailable(true),
        )
      case 'storeSlow':
        return slowDown(fault, (extraMs) => parts.store().setSlow(extraMs))
      case 'sessionExpired':
        return act(fault, () => parts.store().expireSession(fault.told))
      case 'schedulerCutFromStore':
        return act(
          fault,
          () => parts.store().cut(fault.place),
          () => parts.store().heal(fault.place),
        )
      case 'schedulerCrash':
        return crashScheduler(fault)
      case 'schedulerStopped':
        return act(fault, () => {
          const scheduler = parts.schedulerAt(fault.place)
          if (scheduler?.isRunning !== true || scheduler.isFrozen) return false
          scheduler.beginStop()
          startAfter(fault)
          return true
        })
      case 'schedulerFrozen':
        return freezeScheduler(fault)
      case 'taskFails':
        return act(fault, () => cluster.endTask(fault.task, { code: fault.exitCode }))
      case 'executorKilled':
        return act(fault, () => cluster.killExecutor(instanceOfTask(fault.task)))
      case 'taskNeverReady':
        return () => {
          if (hits.has(fault)) cluster.setReady(fault.task, true)
        }
      // These wait for tasks that start and hooks that are asked.
      case 'taskFailsAtStart':
      case 'taskIgnoresTerm':
      case 'gatesShut':
      case 'hooksHang':
      case 'hooksThrow':
      case 'hooksAnswerNonsense':
        return () => undefined
      case 'podRestarted':
        return act(fault, () => operators.restartPod(fault.pod))
      case 'planPaused':
        cluster.after(0, () => pauseWhenItRuns(fault))
        return () => operators.resumePlan(fault.plan)
      default:
        return assertNever(fault)
    }
  }

  /** Where such faults overlap the slowest counts, and the end of one does not end the others. */
  const slowDown = (fault: SlowFault, set: (extraMs: number) => unknown): (() => void) | undefined => {
    const agentOf = (each: SlowFault): string | undefined => ('agent' in each ? each.agent : undefined)
    const others = (): number[] =>
      [...undos.keys()].flatMap((each) =>
        'delayMs' in each && each.kind === fault.kind && agentOf(each) === agentOf(fault) ? [each.delayMs] : [],
      )
    return act(
      fault,
      () => void set(Math.max(fault.delayMs, ...others())),
      () => void set(Math.max(0, ...others())),
    )
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
    hit(fault)
    cluster.after(linkBreaksAfterMs, () => cluster.breakLink(fault.agent))
  }

  const pauseWhenItRuns = (fault: Extract<Fault, { kind: 'planPaused' }>): void => {
    if (!undos.has(fault)) return
    if (operators.pausePlan(fault.plan)) hit(fault)
    else cluster.after(pauseRetryMs, () => pauseWhenItRuns(fault))
  }

  /** As long as the fault says, and never beyond its end: it may hit late. */
  const startAfter = (fault: Extract<Fault, { place: 'a' | 'b'; forMs: number }>): void =>
    parts.startLater(fault.place, Math.max(0, Math.min(fault.forMs, endOf(fault) - (cluster.nowMs - startMs))))

  const crashScheduler = (fault: Extract<Fault, { kind: 'schedulerCrash' }>): undefined => {
    const crash = (): boolean => {
      const scheduler = parts.schedulerAt(fault.place)
      if (scheduler?.isRunning !== true) return false
      scheduler.crash()
      startAfter(fault)
      return true
    }
    if (fault.crashAt === 'once') return void act(fault, crash)
    const fits = (place: string): boolean => place === fault.place && parts.schedulerAt(place)?.isRunning === true
    if (fault.crashAt === 'beforeCall') {
      const spring = (): CallFault => {
        startAfter(fault)
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
    const awake = (): VirtualScheduler | undefined => {
      const scheduler = parts.schedulerAt(fault.place)
      return scheduler?.isRunning === true && !scheduler.isFrozen ? scheduler : undefined
    }
    const freeze = (): boolean => {
      const scheduler = awake()
      if (scheduler === undefined) return false
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
    return lay({ fault, at: 'afterCommit', fits: (place) => place === fault.place && awake() !== undefined, spring })
  }

  const springAt = (at: Trap['at'], place: string, call?: MesosCall | Ack): CallFault => {
    const trap = traps.find((each) => each.at === at && each.fits(place, call))
    if (trap === undefined) return 'none'
    traps = traps.filter((each) => each !== trap)
    hit(trap.fault)
    return trap.spring()
  }
  /** Nobody dies or freezes by what a process before it has sent. */
  const springFor = (at: Trap['at'], { name, place }: VirtualProcess): void => {
    if (parts.schedulerAt(place)?.name === name) springAt(at, place)
  }

  /** Whether such a fault is under way, which hits whoever asks. */
  const isUnder = (kind: FaultKind, task?: string): boolean => {
    const met = [...undos.keys()].filter((fault) => fault.kind === kind && (!('task' in fault) || fault.task === task))
    met.forEach(hit)
    return met.length > 0
  }

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
    beforeCommit: (process) => springFor('beforeCommit', process),
    afterCommit: (process) => springFor('afterCommit', process),
    changeBehaviour(task, usual) {
      if (isUnder('taskFailsAtStart', task)) return { endsAfterMs: 400, exitCode: 1 }
      const runsOn = usual.endsAfterMs === undefined
      return {
        ...usual,
        ...(runsOn && isUnder('taskNeverReady', task) ? { readyAfterMs: Infinity } : {}),
        ...(isUnder('taskIgnoresTerm', task) ? { ignoresTerm: true } : {}),
      }
    },
    isUnder,
    happened,
  }
}
