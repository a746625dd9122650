/**
 * One life of a service in a simulated cluster: a deployment, then a rolling update, with one fault at a numbered place on the
 * way. Cluster, store, log and checkers are those of a simulation; what differs is where the fault is, and that a scheduler that
 * dies is followed by another at once, while its calls are on their way. `crash-demands.ts` holds what is demanded of such a life
 * beyond the checkers.
 */
import type { RecordKey } from '../../src/ports/state-store.js'
import type { RunRecord } from '../../src/plan/run-record.js'
import type { Hook, Hooks } from '../../src/runtime/hooks.js'
import type { Decision } from '../../src/scheduler/draft.js'
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
import { buildForeignMachine, buildVirtualAgents, createVirtualCluster } from '../../src/testing/virtual/cluster.js'
import type { CallFault } from '../../src/testing/virtual/driver.js'
import type { LogEntry } from '../../src/testing/virtual/log.js'
import { createVirtualScheduler, type VirtualProcess } from '../../src/testing/virtual/scheduler.js'
import { behaveAsSpecified } from '../../src/testing/virtual/tasks.js'
import { createTally, crashDemands, type Tally } from './crash-demands.js'
import { createCrashStore, type StoreFaultPoint } from './crash-store.js'

/** Where the one fault of a run is. Commits, and calls with acknowledgements, count from 1 over the whole run. */
export type FaultPoint = StoreFaultPoint | { readonly at: 'call'; readonly number: number; readonly fault: CallFault }

export interface RunOptions {
  readonly first: ServiceSpec
  readonly second: ServiceSpec
  readonly agents: number
  readonly seed?: number
  readonly fault?: FaultPoint
  /** Leaves the update out: enough for a fault in the deployment. @defaultValue false */
  readonly onlyDeploy?: boolean
}

export interface RunResult extends Tally {
  readonly problems: readonly string[]
  readonly commits: number
  readonly calls: number
  /** What each step decided, with the number of the commit that held it. */
  readonly decisions: readonly { readonly commit: number; readonly decisions: readonly Decision[] }[]
  /** Commits and calls when the deployment was complete. */
  readonly deployed: { readonly commits: number; readonly calls: number }
  /** Numbers of the calls that were ACCEPTs. */
  readonly accepts: readonly number[]
  readonly install: Install
  /** Processes that have died. */
  readonly crashes: number
}

/** A process that dies over a commit is gone with its machine: the master sees it only after the next one has subscribed. */
const closingMs = 100
/** The author's code takes so long to answer. */
const answerMs = 200
const limitMs = 600_000
/** What an answer that was lost leads to shows only when its sender gives up on it. */
const steadyMs = 120_000
/** Longer than any doubt of the scheduler waits. */
const restMs = 65_000

export async function runWithFault(options: RunOptions): Promise<RunResult> {
  const { first, second, onlyDeploy = false } = options
  const life = createLife(options)
  const isDeployed = await life.follow('deploy', first, () => true)
  const deployed = life.counts()
  const last = onlyDeploy || !isDeployed ? first : second
  if (last === second) await life.stop()
  const isDone = isDeployed && (await life.follow(last === first ? 'deploy' : 'update', last, (stillMs) => stillMs >= steadyMs))
  const counts = life.counts()
  if (isDone) await life.rest(last)
  return { ...life.result(), ...counts, deployed }
}

interface Life {
  /** Goes on with whatever scheduler lives, and starts another when it has died, until the plan is complete for the spec. */
  follow(plan: RunRecord['plan'], spec: ServiceSpec, isEnough: (stillMs: number) => boolean): Promise<boolean>
  stop(): Promise<void>
  rest(last: ServiceSpec): Promise<void>
  counts(): { readonly commits: number; readonly calls: number }
  result(): Omit<RunResult, 'commits' | 'calls' | 'deployed'>
}

function createLife({ first, second, agents, seed = 1, fault }: RunOptions): Life {
  const problems: string[] = []
  const specs: ServiceSpec[] = []
  const tally = createTally()
  const survey = createSurvey()
  const accepts: number[] = []
  let crashes = 0
  let calls = 0
  let landed = 0
  let landedAtMs = 0

  const onEntry = (entry: LogEntry): void => {
    for (const observer of [tally, survey, ...checkers]) observer.onEntry(entry)
    if (entry.type === 'callSent' && !entry.call.type.startsWith('reconcile')) calls += 1
    if (entry.type === 'committed') {
      landed += 1
      landedAtMs = entry.atMs
    }
    if (entry.type === 'schedulerEnded' && entry.how === 'crashed') {
      crashes += 1
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
      void problems.push(`${name} at ${cluster.nowMs - startMs} ms: ${problem}`)
  const report = reportAs('run')
  const store = createCrashStore({
    cluster,
    seed,
    fault: fault?.at === 'call' ? undefined : fault,
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
  const decisions: { commit: number; decisions: readonly Decision[] }[] = []
  const scheduler = createVirtualScheduler({
    cluster,
    storeOf: store.storeOf,
    ids: createCountingIds(),
    hooksOf: (process) => logHooks(process, openHooks(process, [first, second]), (news) => cluster.write(news)),
    faultOf(call, count) {
      if (call.type === 'accept') accepts.push(count)
      return fault?.at === 'call' && fault.number === count ? fault.fault : 'none'
    },
    onStep: (_before, step) => void decisions.push({ commit: store.numberOf(step.decisions), decisions: step.decisions }),
  })

  return {
    async follow(plan, spec, isEnough) {
      if (specs.at(-1) !== spec) specs.push(spec)
      const targetId = specId(spec)
      let seen = -1
      let isComplete = false
      const isDone = (): boolean => {
        if (landed !== seen) {
          seen = landed
          const run = read<RunRecord>(`plans/${plan}`)
          isComplete = run?.completedAtMs !== undefined && run.targetId === targetId
        }
        return isComplete && isEnough(cluster.nowMs - landedAtMs)
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
    async stop() {
      scheduler.beginStop()
      await cluster.run(() => !scheduler.isRunning, limitMs)
    },
    async rest(last) {
      const status = scheduler.status()
      if (status === undefined || !isComplete(status)) report(`not everything is complete: ${JSON.stringify(status)}`)
      if (read<ServiceRecord>('service/service')?.targetId !== specId(last)) report('the target is another')
      const before = { landed, calls }
      await cluster.advance(restMs)
      if (landed !== before.landed) report('at rest, time alone led to a write')
      if (calls !== before.calls) report('at rest, time alone led to a call')
      for (const checker of checkers) checker.atRest?.()
    },
    counts: () => ({ commits: store.sent, calls: scheduler.sent }),
    result: () => ({
      ...tally.result(),
      problems: [...problems, ...scheduler.failures.map(String)],
      decisions,
      accepts,
      install: survey.install(store.dump()),
      crashes,
    }),
  }
}

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
