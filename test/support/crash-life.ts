/**
 * One life of a service in a simulated cluster: a deployment, then updates, with faults at numbered places on the way. Cluster,
 * store, log and checkers are those of a simulation; what differs is where the fault is, and that a scheduler that dies is followed
 * by another at once, while its calls are on their way. `crash-demands.ts` holds what is demanded of such a life beyond the checkers.
 */
import type { RecordKey } from '../../src/ports/state-store.js'
import type { RunRecord } from '../../src/plan/run-record.js'
import type { Hook, Hooks } from '../../src/runtime/hooks.js'
import type { Decision } from '../../src/scheduler/draft.js'
import type { Ack, MesosCall } from '../../src/scheduler/output.js'
import { hookNames } from '../../src/scheduler/questions.js'
import type { ServiceRecord } from '../../src/scheduler/records/service-record.js'
import { roleOf } from '../../src/spec/check-update.js'
import { specId } from '../../src/spec/identity.js'
import type { ServiceSpec } from '../../src/spec/schema.js'
import { allCheckers } from '../../src/testing/checkers/all.js'
import type { Checker, CheckerContext } from '../../src/testing/checkers/checker.js'
import { createCountingIds } from '../../src/testing/seeded-ids.js'
import { createSurvey, isComplete, type Install } from '../../src/testing/simulation/end-state.js'
import { logHooks } from '../../src/testing/simulation/log-hooks.js'
import { createSimulatedStore } from '../../src/testing/simulation/store.js'
import { buildForeignMachine, buildVirtualAgents, createVirtualCluster } from '../../src/testing/virtual/cluster.js'
import type { CallFault } from '../../src/testing/virtual/driver.js'
import type { LogEntry } from '../../src/testing/virtual/log.js'
import { createVirtualScheduler, type VirtualProcess } from '../../src/testing/virtual/scheduler.js'
import { behaveAsSpecified } from '../../src/testing/virtual/tasks.js'
import { createTally, crashDemands, type Tally } from './crash-demands.js'
import { createCrashStore, type StoreFaultPoint } from './crash-store.js'
import { createLmdbBacking } from './lmdb-backing.js'

/** Where the one fault of a chapter is. Commits, and calls with acknowledgements, count from 1 within it. */
export type FaultPoint = StoreFaultPoint | { readonly at: 'call'; readonly number: number; readonly fault: CallFault }

export interface LifeOptions {
  readonly first: ServiceSpec
  /** The same service updated. */
  readonly second: ServiceSpec
  readonly agents: number
  readonly seed?: number
  /** The records are in a real lmdb store, in a directory below this one. @defaultValue in the store of the simulation */
  readonly lmdbFolder?: string
}

/** What became of one chapter. */
export interface Chapter extends Tally {
  readonly problems: readonly string[]
  readonly commits: number
  readonly calls: readonly (MesosCall | Ack)['type'][]
  /** What each step decided, with the number of the commit that held it. */
  readonly decisions: readonly { readonly commit: number; readonly decisions: readonly Decision[] }[]
  readonly install: Install
  /** The fault has happened. */
  readonly hasStruck: boolean
  /** Processes that have died. */
  readonly crashes: number
}

export interface Life {
  /** Opens a chapter: from now on everything is counted anew, and this is its fault. */
  begin(fault: FaultPoint | undefined): void
  /** Goes on with whatever scheduler lives, and starts another when it has died, until the plan is complete for the spec. */
  follow(plan: RunRecord['plan'], spec: ServiceSpec): Promise<boolean>
  stop(): Promise<void>
  /** Everything is done, and time alone leads to nothing more. */
  rest(last: ServiceSpec): Promise<void>
  chapter(): Chapter
  /** What it has left on a disk is removed. */
  end(): Promise<void>
}

/** A process that dies over a commit is gone with its machine: the master sees it only after the next one has subscribed. */
const closingMs = 100
/** The author's code takes so long to answer. */
const answerMs = 200
const limitMs = 1_200_000
/** What an answer that was lost leads to shows only when its sender gives up on it. */
const steadyMs = 120_000
/** Longer than any doubt of the scheduler waits. */
const restMs = 65_000

/** What is counted in one chapter. */
interface Counts {
  readonly tally: ReturnType<typeof createTally>
  readonly problems: string[]
  readonly calls: (MesosCall | Ack)['type'][]
  readonly decisions: { readonly commit: number; readonly decisions: readonly Decision[] }[]
  /** Failures of schedulers before it. */
  readonly failuresFrom: number
  crashes: number
  hasStruck: boolean
}

export function createLife({ first, second, agents, seed = 1, lmdbFolder }: LifeOptions): Life {
  const specs: ServiceSpec[] = []
  const survey = createSurvey()
  let counts = newCounts(0)
  let fault: FaultPoint | undefined
  let landed = 0
  let landedAtMs = 0
  let written = 0

  const onEntry = (entry: LogEntry): void => {
    for (const observer of [counts.tally, survey, ...checkers]) observer.onEntry(entry)
    if (entry.type === 'callSent' && !entry.call.type.startsWith('reconcile')) written += 1
    if (entry.type === 'committed') {
      landed += 1
      landedAtMs = entry.atMs
    }
    if (entry.type === 'schedulerEnded' && entry.how === 'crashed') {
      counts.crashes += 1
      store.forgetDead()
    }
  }
  const cluster = createVirtualCluster({
    agents: [...buildVirtualAgents(agents), buildForeignMachine('agent-of-others', roleOf(first))],
    behave: behaveAsSpecified(second),
    seed,
    keepLog: false,
    onLog: onEntry,
  })
  const startMs = cluster.nowMs
  const reportAs =
    (name: string) =>
    (problem: string): void =>
      void counts.problems.push(`${name} at ${cluster.nowMs - startMs} ms: ${problem}`)
  const report = reportAs('run')
  const store = createCrashStore({
    cluster,
    backing: (afterCommit) =>
      lmdbFolder === undefined
        ? { ...createSimulatedStore({ cluster, seed, beforeCommit: () => undefined, afterCommit }), remove: () => undefined }
        : createLmdbBacking({ cluster, folder: lmdbFolder, afterCommit }),
    crash() {
      cluster.slowScheduler(closingMs)
      scheduler.crash()
      cluster.slowScheduler(0)
    },
  })
  const read = <Record>(key: RecordKey): Record | undefined => {
    const text = store.read(key)
    return text === undefined ? undefined : (JSON.parse(text) as Record)
  }
  const checkers = createCheckers(
    { read, keys: () => store.dump().keys(), specs: () => specs, nowMs: () => cluster.nowMs },
    reportAs,
  )
  const scheduler = createVirtualScheduler({
    cluster,
    storeOf: store.storeOf,
    ids: createCountingIds(),
    hooksOf: (process) => logHooks(process, openHooks(process, [first, second]), (news) => cluster.write(news)),
    faultOf(call) {
      const number = counts.calls.push(call.type)
      if (fault?.at !== 'call' || fault.number !== number) return 'none'
      counts.hasStruck = true
      return fault.fault
    },
    onStep: (_before, step) => void counts.decisions.push({ commit: store.numberOf(step.decisions), decisions: step.decisions }),
  })

  const stop = async (): Promise<void> => {
    scheduler.beginStop()
    await cluster.run(() => !scheduler.isRunning, limitMs)
  }

  return {
    begin(next) {
      counts = newCounts(scheduler.failures.length)
      fault = next
      store.arm(next?.at === 'call' ? undefined : next)
    },
    async follow(plan, spec) {
      if (specs.at(-1) !== spec) specs.push(spec)
      const targetId = specId(spec)
      let seen = -1
      let isPlanComplete = false
      const isDone = (): boolean => {
        if (landed !== seen) {
          seen = landed
          const run = read<RunRecord>(`plans/${plan}`)
          isPlanComplete = run?.completedAtMs !== undefined && run.targetId === targetId
        }
        return isPlanComplete && cluster.nowMs - landedAtMs >= steadyMs
      }
      const untilMs = cluster.nowMs + limitMs
      while (scheduler.failures.length === 0) {
        if (!scheduler.isRunning) await scheduler.start(spec)
        const isOver = await cluster.run(() => !scheduler.isRunning || isDone(), untilMs - cluster.nowMs)
        if (scheduler.isRunning && isOver) return true
        if (scheduler.isRunning) break
      }
      report(`the plan ${plan} does not come to its end: ${JSON.stringify(scheduler.status()?.plans)}`)
      return false
    },
    stop,
    async rest(last) {
      const status = scheduler.status()
      if (status === undefined || !isComplete(status)) report(`not everything is complete: ${JSON.stringify(status)}`)
      if (read<ServiceRecord>('service/service')?.targetId !== specId(last)) report('the target is another')
      const before = { landed, written }
      await cluster.advance(restMs)
      if (landed !== before.landed) report('at rest, time alone led to a write')
      if (written !== before.written) report('at rest, time alone led to a call')
      for (const checker of checkers) checker.atRest?.()
    },
    chapter: () => ({
      ...counts.tally.result(),
      problems: [...counts.problems, ...scheduler.failures.slice(counts.failuresFrom).map(String)],
      commits: store.sent,
      calls: counts.calls,
      decisions: counts.decisions,
      install: survey.install(store.dump()),
      hasStruck: counts.hasStruck || store.hasStruck,
      crashes: counts.crashes,
    }),
    async end() {
      await stop()
      store.remove()
    },
  }
}

const newCounts = (failuresFrom: number): Counts => ({
  tally: createTally(),
  problems: [],
  calls: [],
  decisions: [],
  failuresFrom,
  crashes: 0,
  hasStruck: false,
})

/** Every gate is open, and an order hook leaves the order as it is. */
function openHooks({ host }: VirtualProcess, specs: readonly ServiceSpec[]): Hooks {
  const hook: Hook = ({ candidates }) =>
    new Promise((resolve) => host.after(answerMs, () => resolve(candidates ?? { open: true, reason: 'open' })))
  return Object.fromEntries(specs.flatMap((spec) => [...hookNames(spec)]).map((name) => [name, hook]))
}

const createCheckers = (
  context: Omit<CheckerContext, 'report'>,
  reportAs: (name: string) => CheckerContext['report'],
): readonly Checker[] => [...allCheckers, crashDemands].map(({ name, create }) => create({ ...context, report: reportAs(name) }))
