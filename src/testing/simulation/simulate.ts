/**
 * One run: the real core and the real shell over a virtual cluster and a virtual store, with faults, a rival, an application and
 * checkers. The same plan gives the same run, byte for byte.
 */
import { isSdkError } from '../../errors.js'
import type { TargetConfigId } from '../../ids.js'
import type { Clock } from '../../ports/clock.js'
import type { RecordKey } from '../../ports/state-store.js'
import { checkHooks } from '../../runtime/create-scheduler.js'
import type { Hooks } from '../../runtime/hooks.js'
import type { ServiceStatus } from '../../scheduler/report.js'
import { roleOf } from '../../spec/check-update.js'
import { specId } from '../../spec/identity.js'
import type { ServiceSpec } from '../../spec/schema.js'
import { checkSupported } from '../../spec/unsupported.js'
import { allCheckers } from '../checkers/all.js'
import type { CheckerDefinition } from '../checkers/checker.js'
import { createCountingIds } from '../seeded-ids.js'
import { buildForeignMachine, buildVirtualAgents, createVirtualCluster, type VirtualCluster } from '../virtual/cluster.js'
import type { LogEntry } from '../virtual/log.js'
import { createVirtualScheduler, type VirtualScheduler } from '../virtual/scheduler.js'
import { behaveAsSpecified, type Behave } from '../virtual/tasks.js'
import { createApplication } from './application.js'
import { createFaultControl, type FaultControl } from './apply-faults.js'
import { createCoverage, type Coverage } from './coverage.js'
import { checkWaits, createSurvey, describeOpen, isComplete, partOf, type Install } from './end-state.js'
import { logHooks } from './log-hooks.js'
import type { SimulationPlan } from './plan.js'
import { createSimulatedStore, type SimulatedStore } from './store.js'
import { createTargets } from './targets.js'
import { troubleHooks } from './trouble-hooks.js'

/** A promise that was broken. */
export interface Violation {
  /** Virtual milliseconds since the start of the run. */
  readonly atMs: number
  /** Name of the checker; `liveness`, `end-state`, `rest`, `scheduler` or `simulation` for what the run itself demands. */
  readonly checker: string
  readonly text: string
}

export interface SimulationResult {
  readonly plan: SimulationPlan
  /** Empty when every promise held. The run ends at the first. */
  readonly violations: readonly Violation[]
  /** Virtual time that has passed. */
  readonly virtualMs: number
  readonly coverage: Coverage
  /** What was running in the end. */
  readonly install: Install
  /** As an operator would have seen it in the end. */
  readonly status: ServiceStatus | undefined
  /** All that happened; empty unless asked for. */
  readonly log: readonly LogEntry[]
  /** Virtual time at which the run began, as the log counts it. */
  readonly startMs: number
}

export interface RunOptions {
  /** @defaultValue all */
  readonly checkers?: readonly CheckerDefinition[]
  /** Keeps everything that happened, for a diary. @defaultValue false */
  readonly keepLog?: boolean
  /** Told of everything that happens. */
  readonly onEntry?: (entry: LogEntry) => void
  /** How long tasks take to start, to get ready, to stop. @defaultValue seconds, as their goals say */
  readonly behave?: Behave
  /**
   * Hooks of your own, given the clock of their process and the spec that it is started with; those that the spec names, no more
   * and no fewer. @defaultValue a simulated quorum database
   */
  readonly hooks?: (clock: Clock, spec: ServiceSpec) => Hooks
}

/** A scheduler that has ended by an error of its own is started again, as by an init system. */
const restartMs = 5_000
/** What waits for a permit is quiet; longer than any back-off. */
const quietMs = 12 * 60_000
/** What an answer that was lost leads to shows only when its sender gives up on it. */
const steadyMs = 120_000
/** Longer than any doubt of the scheduler waits. */
const restMs = 65_000
const lookMs = 1_000
/** Between two looks at what the schedulers wait for, while faults happen. */
const waitLookMs = 5_000
const tickMs = 2_000
/** Errors by which a scheduler rightly ends itself: somebody else leads. */
const rightfulEnds: ReadonlySet<string> = new Set(['ERR_STORE_DEPOSED', 'ERR_FAILED_OVER'])

/** @throws SdkError `ERR_HOOK_UNBOUND` when hooks of your own are not those that a spec of the plan names. */
export async function runPlan(plan: SimulationPlan, options: RunOptions = {}): Promise<SimulationResult> {
  for (const { spec } of [plan, ...plan.updates]) {
    checkSupported(spec)
    if (options.hooks !== undefined) checkHooks(spec, options.hooks(noClock, spec))
  }
  const run = createRun(plan, options)
  await run.live()
  if (run.violations.length === 0) await run.settle()
  if (run.violations.length === 0) await run.rest()
  return run.result()
}

/** For hooks that are made only to see their names. */
const noClock: Clock = { now: () => 0, after: () => () => undefined }

interface Run {
  readonly violations: readonly Violation[]
  /** While faults happen. */
  live(): Promise<void>
  /** Faults are over. */
  settle(): Promise<void>
  rest(): Promise<void>
  result(): SimulationResult
}

function createRun(plan: SimulationPlan, options: RunOptions): Run {
  const violations: Violation[] = []
  const log: LogEntry[] = []
  const survey = createSurvey()
  const coverage = createCoverage()
  const specs: ServiceSpec[] = [plan.spec]
  const read = <Record>(key: RecordKey): Record | undefined => {
    const text = store.read(key)
    return text === undefined ? undefined : (JSON.parse(text) as Record)
  }
  const targets = createTargets(plan, read)
  const application = createApplication({ seed: plan.seed, target: () => targets.inForce() })
  const behave: Behave = options.behave ?? ((task, launch) => behaveAsSpecified(targets.ofLaunch(task))(task, launch))
  const slots = new Map<string, VirtualScheduler>()
  /** Of the last session of each process. */
  const epochs = new Map<string, number>()
  let calls = 0
  let jobs = 0

  const onEntry = (entry: LogEntry): void => {
    if (options.keepLog === true) log.push(entry)
    if (options.onEntry !== undefined) tell('onEntry', () => options.onEntry?.(entry))
    if (entry.type === 'sessionOpened') epochs.set(entry.scheduler, entry.epoch)
    survey.onEntry(entry)
    coverage.onEntry(entry)
    application.onEntry(entry)
    for (const { name, checker } of checkers) tell(name, () => checker.onEntry(entry))
    if (entry.type === 'jobStarted') jobs += 1
    if (entry.type === 'callSent' && !entry.call.type.startsWith('reconcile')) calls += 1
    if (entry.type === 'schedulerEnded' && entry.how === 'failed') onFailed(entry.scheduler, entry.error ?? '')
  }
  const cluster: VirtualCluster = createVirtualCluster({
    agents: [...buildVirtualAgents(plan.agents), buildForeignMachine('agent-of-others', roleOf(plan.spec))],
    behave: (task, launch) => faults.changeBehaviour(task.name, behave(task, launch)),
    seed: plan.seed,
    keepLog: false,
    onLog: onEntry,
  })
  const startMs = cluster.nowMs
  const report =
    (checker: string) =>
    (text: string): void =>
      void violations.push({ atMs: cluster.nowMs - startMs, checker, text })
  /** A checker that fails is broken, and must not look like a broken scheduler. */
  const tell = (name: string, run: () => void): void => {
    try {
      run()
    } catch (error) {
      report(name)(`it failed itself: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
    }
  }
  const checkers = (options.checkers ?? allCheckers).map((definition) => ({
    name: definition.name,
    checker: definition.create({
      read,
      keys: () => store.dump().keys(),
      specs: () => specs,
      nowMs: () => cluster.nowMs,
      report: report(definition.name),
    }),
  }))
  /** The process that is in the place now is dead, dying, or stopping, which may take a while. */
  const startLater = (place: string, afterMs: number): void => {
    const slot = slots.get(place)
    const name = slot?.name
    const start = (): void => {
      if (slot === undefined || slot.name !== name) return
      if (slot.isRunning) cluster.after(lookMs, start)
      else void slot.start(specs.at(-1) ?? plan.spec)
    }
    cluster.after(afterMs, start)
  }
  const faults: FaultControl = createFaultControl({
    cluster,
    store: () => store,
    schedulerAt: (place) => slots.get(place),
    startLater,
  })
  const store: SimulatedStore = createSimulatedStore({
    cluster,
    seed: plan.seed,
    beforeCommit: (process) => faults.beforeCommit(process),
    afterCommit: (process) => faults.afterCommit(process),
  })
  const ids = createCountingIds()
  for (const place of plan.rival ? ['a', 'b'] : ['a']) {
    slots.set(
      place,
      createVirtualScheduler({
        cluster,
        storeOf: (process) => store.storeOf(process),
        ids,
        place,
        hooksOf: (process, spec) => {
          const hooks = options.hooks?.(process.host, spec) ?? application.hooksOf(process, spec)
          return logHooks(
            process,
            troubleHooks(hooks, (fault) => faults.isUnder(fault)),
            (news) => cluster.write(news),
          )
        },
        faultOf: (call) => faults.callFault(place, call),
        tickMs,
      }),
    )
  }

  const onFailed = (scheduler: string, error: string): void => {
    const code = error.split(':')[0] ?? ''
    const isDeposed = [...epochs.values()].some((epoch) => epoch > (epochs.get(scheduler) ?? 0))
    if (!rightfulEnds.has(code) || !isDeposed) report('scheduler')(`${scheduler} has ended by itself: ${error}`)
    coverage.note(`scheduler ended by ${code}`)
    startLater(scheduler.replace(/\d+$/, ''), restartMs)
  }

  /** The program is replaced: each process is stopped, and another started with the new spec. */
  const update = (spec: ServiceSpec): void => {
    specs.push(spec)
    for (const [place, slot] of slots) {
      // One that stands still cannot stop in good order, and must not wake up with an old spec.
      if (slot.isFrozen) slot.crash()
      else slot.beginStop()
      startLater(place, lookMs)
    }
  }

  const isBroken = (): boolean => violations.length > 0
  const go = async (ms: number, until: () => boolean = () => false): Promise<boolean> => {
    try {
      return await cluster.run(() => isBroken() || until(), ms)
    } catch (error) {
      report('simulation')(isSdkError(error) ? error.message : `${String(error)} ${(error as Error).stack ?? ''}`)
      return false
    }
  }

  const statusOf = (): ServiceStatus | undefined => {
    for (const slot of slots.values()) {
      const status = slot.isRunning && !slot.isFrozen ? slot.status() : undefined
      if (status?.connected === true) return status
    }
    return undefined
  }

  let waitsLookedAtMs = startMs
  /** Nobody asks what a run without faults waits for, and looking would cost more than the run. */
  const lookAtWaits = (): boolean => {
    if (plan.faults.length === 0 || cluster.nowMs < waitsLookedAtMs + waitLookMs) return false
    waitsLookedAtMs = cluster.nowMs
    for (const slot of slots.values()) if (slot.isRunning) coverage.onStatus(slot.status())
    return false
  }

  return {
    violations,
    async live() {
      for (const slot of slots.values()) await slot.start(plan.spec)
      for (const { atMs, spec } of plan.updates) cluster.after(atMs, () => update(spec))
      for (const fault of plan.faults) cluster.after(fault.atMs, () => faults.begin(fault))
      await go(plan.untilMs, lookAtWaits)
      faults.endAll()
    },
    async settle() {
      let seenCommits = -1
      let changedAtMs = cluster.nowMs
      let lookAtMs = 0
      const wanted = specId(specs.at(-1) ?? plan.spec)
      const isDone = (): boolean => {
        const status = statusOf()
        coverage.onStatus(status)
        return status?.targetId === wanted && isComplete(status) && application.isUp()
      }
      const isSettled = (): boolean => {
        if (store.commits !== seenCommits) {
          seenCommits = store.commits
          changedAtMs = cluster.nowMs
        }
        const stillMs = cluster.nowMs - changedAtMs
        // To look at every move would cost more than the run.
        if (stillMs < steadyMs || cluster.nowMs < lookAtMs) return false
        lookAtMs = cluster.nowMs + lookMs
        // What has lost its agent never completes: it is done when nothing moves any more.
        return isDone() || (stillMs >= quietMs && survey.lostInstances(store.dump()).size > 0)
      }
      const isStill = await go(plan.settleWithinMs, isSettled)
      if (isBroken()) return
      const complete = isDone()
      const lost = survey.lostInstances(store.dump())
      const status = statusOf()
      if (status === undefined) report('liveness')(`no scheduler leads ${plan.settleWithinMs} ms after the last fault`)
      else if (lost.size > 0 && !complete) for (const problem of checkWaits(status, lost)) report('liveness')(problem)
      else if (complete && !isStill)
        report('rest')(`everything is done, and still something moves ${plan.settleWithinMs} ms after the faults`)
      else if (!complete)
        report('liveness')(`not complete ${plan.settleWithinMs} ms after the last fault: ${describeOpen(status)}`)
    },
    async rest() {
      const before = { commits: store.commits, calls, jobs }
      await go(restMs)
      if (isBroken()) return
      const lost = survey.lostInstances(store.dump())
      const isWaiting = lost.size > 0
      // A gate that stays shut is asked again, and its answers are kept.
      const isAsking = isWaiting && jobs !== before.jobs
      if (store.commits !== before.commits && !isAsking) report('rest')('at rest, time alone led to a write')
      if (calls !== before.calls && !isWaiting) report('rest')('at rest, time alone led to a call')
      for (const { name, checker } of checkers) tell(name, () => checker.atRest?.())
      await compareInstalls(lost)
    },
    result: () => ({
      plan,
      violations,
      virtualMs: cluster.nowMs - startMs,
      coverage: coverage.result(faults.happened),
      install: survey.install(store.dump()),
      status: statusOf(),
      log,
      startMs,
    }),
  }

  /**
   * With nothing lost, the end is that of an install without faults. What is lost holds up others: an update stands still while an
   * instance is down, and a serial phase behind it. So each of the others that was deployed is compared on the target that it is on.
   */
  async function compareInstalls(lost: ReadonlySet<string>): Promise<void> {
    if (plan.faults.length === 0 && plan.updates.length === 0) return
    if (lost.size === 0) return compareInstall(specs.at(-1) ?? plan.spec, (install) => install)
    for (const { name, deployed, targetId } of statusOf()?.instances ?? []) {
      const spec = targets.byId(targetId as TargetConfigId)
      if (spec === undefined) report('end-state')(`${name} is on target ${targetId}, which nobody has handed in`)
      else if (deployed && !lost.has(name)) await compareInstall(spec, (install) => partOf(install, name))
    }
  }

  async function compareInstall(spec: ServiceSpec, partOfIt: (install: Install) => unknown): Promise<void> {
    const reference = await referenceInstall(plan, spec, options)
    if ('failure' in reference) return report('end-state')(`an install without faults fails: ${reference.failure}`)
    const [expected, found] = [reference, survey.install(store.dump())].map((each) =>
      JSON.stringify(partOfIt(each), undefined, 1),
    )
    if (found !== expected) report('end-state')(`the end is not that of an install without faults: ${found}, and not ${expected}`)
  }
}

type Reference = Promise<Install | { readonly failure: string }>

const hourMs = 3_600_000
/** By the options that hold hooks or a behaviour of the user's own, which may be others in every run. */
const references = new WeakMap<RunOptions, Map<string, Reference>>()
const noOptions: RunOptions = {}

/** The same spec, installed without any fault, by tasks and hooks that behave alike. */
function referenceInstall(plan: SimulationPlan, spec: ServiceSpec, options: RunOptions): Reference {
  const { behave, hooks } = options
  const owner = behave === undefined && hooks === undefined ? noOptions : options
  const known = references.get(owner) ?? new Map<string, Reference>()
  references.set(owner, known)
  const key = `${specId(spec)} on ${plan.agents}`
  const present = known.get(key)
  if (present !== undefined) return present
  const settleWithinMs = Math.max(hourMs, plan.untilMs + plan.settleWithinMs)
  const quiet = { ...plan, seed: 0, spec, updates: [], faults: [], rival: false, untilMs: 0, settleWithinMs }
  const alike = { ...(behave === undefined ? {} : { behave }), ...(hooks === undefined ? {} : { hooks }) }
  const reference = runPlan(quiet, alike).then(({ violations: [violation], install }) =>
    violation === undefined ? install : { failure: violation.text },
  )
  known.set(key, reference)
  return reference
}
