/**
 * One life of a service on a virtual cluster: a deployment, then a rolling update, with one fault somewhere on the way, watched
 * by checkers. A scheduler that dies is followed by another on the same store.
 */
import type { Hooks } from '../../src/runtime/hooks.js'
import { hookNames } from '../../src/scheduler/questions.js'
import type { RecordKey, Write } from '../../src/ports/state-store.js'
import type { Decision } from '../../src/scheduler/draft.js'
import type { RunRecord } from '../../src/plan/run-record.js'
import type { InstanceRecord } from '../../src/scheduler/records/instance-record.js'
import type { ServiceRecord } from '../../src/scheduler/records/service-record.js'
import { specId } from '../../src/spec/identity.js'
import type { ServiceSpec } from '../../src/spec/schema.js'
import type { TaskRecord } from '../../src/state-machine/task-record.js'
import { createMemoryStore, type MemoryStore, type StoreFault } from '../../src/store/memory-store.js'
import { createCountingIds } from '../../src/testing/seeded-ids.js'
import { buildVirtualAgents, createVirtualCluster } from '../../src/testing/virtual/cluster.js'
import type { CallFault } from '../../src/testing/virtual/driver.js'
import { createVirtualScheduler, directStore } from '../../src/testing/virtual/scheduler.js'
import { behaveAsSpecified } from '../../src/testing/virtual/tasks.js'
import {
  checkAcknowledgedIsStored,
  checkAtMostOne,
  checkBlocks,
  checkFootprints,
  checkIntentStored,
  checkKills,
  type Checker,
  type ReadRecord,
} from './cluster-checkers.js'

/** Where the one fault of a run is. Commits, and calls with acknowledgements, count from 1 over the whole run. */
export type FaultPoint =
  | { readonly at: 'commit'; readonly number: number; readonly fault: StoreFault }
  | { readonly at: 'call'; readonly number: number; readonly fault: CallFault }
  /** The scheduler stops, and of the decisions joined in that commit only the first have landed, as if they had not fitted into one. */
  | { readonly at: 'decision'; readonly number: number; readonly landed: readonly Decision[] }

export interface RunOptions {
  readonly first: ServiceSpec
  readonly second: ServiceSpec
  readonly agents: number
  readonly seed?: number
  readonly fault?: FaultPoint
  /** Names of the tasks that the update restarts, in order, once they are known. */
  readonly kills?: readonly string[]
  /** Leaves the update out: enough for a fault in the deployment. @defaultValue false */
  readonly onlyDeploy?: boolean
}

export interface RunResult {
  readonly problems: readonly string[]
  readonly commits: number
  readonly calls: number
  /** What each step decided, with the number of the commit that held it. */
  readonly decisions: readonly { readonly commit: number; readonly decisions: readonly Decision[] }[]
  /** The same when the deployment was complete. */
  readonly deployed: { readonly commits: number; readonly calls: number }
  /** Numbers of the calls that were ACCEPTs. */
  readonly accepts: readonly number[]
  /** Processes started, by task name. */
  readonly launches: Readonly<Record<string, number>>
  /** Names of signalled tasks in order. */
  readonly kills: readonly string[]
  readonly blocks: Readonly<Record<string, number>>
  readonly restarts: number
  readonly virtualMs: number
}

const limitMs = 600_000
const restMs = 5_000

export async function runWithFault({
  first,
  second,
  agents,
  seed = 1,
  fault,
  kills,
  onlyDeploy = false,
}: RunOptions): Promise<RunResult> {
  const problems: string[] = []
  const report = (problem: string): void => void problems.push(problem)
  const blocks = new Map<string, Set<string>>()
  const accepts: number[] = []
  let isRolling = false
  let restarts = 0

  let isUsed = false
  const openStore = (records: ReadonlyMap<RecordKey, string>): MemoryStore =>
    createMemoryStore({
      records,
      fault: ({ commit, batch }) => {
        const isHere = !isUsed && fault !== undefined && fault.at !== 'call' && fault.number === commit
        isUsed ||= isHere
        if (!isHere) return land(batch, 'none')
        if (fault.at === 'commit') return land(batch, fault.fault)
        const left = new Map(store.dump())
        for (const { key, value } of fault.landed.flat())
          if (value === null) left.delete(key)
          else left.set(key, value)
        store = openStore(left)
        land(fault.landed.flat(), 'none')
        return land([], 'stopBefore')
      },
    })
  const land = (writes: readonly Write[], chosen: StoreFault): StoreFault => {
    if (!chosen.endsWith('Before')) for (const checker of checkers) checker.onWrites?.(writes)
    if (chosen.startsWith('stop')) scheduler.crash()
    return chosen
  }
  let store = openStore(new Map())
  const decisions: { commit: number; decisions: readonly Decision[] }[] = []
  const read: ReadRecord = (key) => {
    const text = store.dump().get(key)
    return text === undefined ? undefined : JSON.parse(text)
  }
  const isInitialisation = (task: string): boolean =>
    Object.entries(first.pods).some(([pod, { tasks }]) =>
      Object.entries(tasks).some(([name, { goal }]) => goal === 'INIT' && new RegExp(`^${pod}-\\d+-${name}$`).test(task)),
    )
  const checkers: Checker[] = [
    checkAtMostOne(report),
    checkIntentStored(read, report),
    checkAcknowledgedIsStored(read, report),
    checkFootprints(isInitialisation, report),
    checkBlocks(report, blocks),
    ...(kills === undefined ? [] : [checkKills(() => (isRolling ? kills : []), report)]),
  ]
  const cluster = createVirtualCluster({
    agents: buildVirtualAgents(agents),
    behave: behaveAsSpecified(first),
    seed,
    onLog: (entry) => {
      for (const checker of checkers) checker.onLog?.(entry)
    },
  })
  const scheduler = createVirtualScheduler({
    cluster,
    storeOf: directStore({ open: (request) => store.open(request) }, () => cluster.nowMs),
    onStep: (_before, result) => void decisions.push({ commit: store.commits, decisions: result.decisions }),
    ids: createCountingIds(),
    hooksOf: () => openHooks(first, second),
    faultOf: (call, count) => {
      if (call.type === 'accept') accepts.push(count)
      return fault?.at === 'call' && fault.number === count ? fault.fault : 'none'
    },
  })

  /** Goes on with whatever scheduler lives, and starts another when it has died, until the plan is complete for the spec. */
  const complete = async (plan: RunRecord['plan'], spec: ServiceSpec): Promise<boolean> => {
    await scheduler.start(spec)
    const targetId = specId(spec)
    const untilMs = cluster.nowMs + limitMs
    let seenCommits = -1
    let isComplete = false
    const isOver = (): boolean => {
      if (!scheduler.isRunning) return true
      if (store.commits !== seenCommits) {
        seenCommits = store.commits
        const run = read<RunRecord>(`plans/${plan}`)
        isComplete = run?.completedAtMs !== undefined && run.targetId === targetId
      }
      return isComplete
    }
    while (scheduler.failures.length === 0) {
      await cluster.run(isOver, untilMs - cluster.nowMs)
      if (scheduler.isRunning) break
      restarts += 1
      await scheduler.start(spec)
      seenCommits = -1
    }
    const status = scheduler.status()?.plans.find((each) => each.name === plan)?.status
    if (!isComplete || status !== 'COMPLETE') report(`plan ${plan} is ${status}: ${JSON.stringify(scheduler.status()?.plans)}`)
    return isComplete
  }

  const startMs = cluster.nowMs
  const isDeployed = await complete('deploy', first)
  const deployed = { commits: store.commits, calls: scheduler.sent }
  if (isDeployed && !onlyDeploy) {
    await scheduler.stop()
    isRolling = true
    await complete('update', second)
  }
  const virtualMs = cluster.nowMs - startMs
  await checkRest()

  async function checkRest(): Promise<void> {
    await cluster.advance(restMs)
    if (read<ServiceRecord>('service/service')?.targetId !== specId(onlyDeploy ? first : second)) report('the target is another')
    for (const instance of scheduler.status()?.instances ?? []) if (!instance.ready) report(`${instance.name} is not ready`)
    const volumes = new Map(
      cluster.log.flatMap((entry) => (entry.type === 'volumeCreated' ? [[entry.persistenceId, entry.agentId]] : [])),
    )
    for (const [key, text] of store.dump()) {
      if (key.startsWith('tasks/') && (JSON.parse(text) as TaskRecord).backoff.failures > 0) report(`${key} counts a failure`)
      if (!key.startsWith('instances/')) continue
      const { footprint } = JSON.parse(text) as InstanceRecord
      for (const entry of footprint?.entries ?? []) {
        if (entry.volume !== undefined && volumes.get(entry.volume.persistenceId) !== footprint?.agentId)
          report(`${key}: volume ${entry.volume.persistenceId} is not on agent ${footprint?.agentId}`)
      }
    }
    for (const entry of cluster.log) {
      if (entry.type !== 'requestRefused' || /stream id|not subscribed/i.test(entry.text)) continue
      report(`the master refused ${entry.body.slice(0, 100)}: ${entry.text}`)
    }
    problems.push(...scheduler.failures.map(String))
    const [commits, calls] = [store.commits, scheduler.sent]
    await cluster.advance(2_000)
    if (store.commits !== commits) report('at rest, a tick led to a write')
    if (scheduler.sent !== calls) report('at rest, a tick led to a call')
  }

  const [commits, calls] = [store.commits, scheduler.sent]
  await scheduler.stop()
  const launches: Record<string, number> = {}
  const signalled: string[] = []
  for (const entry of cluster.log) {
    if (entry.type === 'processStarted') launches[entry.process.name] = (launches[entry.process.name] ?? 0) + 1
    if (entry.type === 'processSignalled') signalled.push(entry.process.name)
  }
  const blockCounts = Object.fromEntries([...blocks].map(([name, starts]) => [name, starts.size]))
  return {
    problems,
    commits,
    calls,
    decisions,
    deployed,
    accepts,
    launches,
    kills: signalled,
    blocks: blockCounts,
    restarts,
    virtualMs,
  }
}

/** Every gate of the two specs is open; an order hook leaves the order as it is. */
function openHooks(...specs: readonly ServiceSpec[]): Hooks {
  const names = specs.flatMap((spec) => [...hookNames(spec)])
  return Object.fromEntries(
    names.map((name) => [name, (context) => Promise.resolve(context.candidates ?? { open: true, reason: 'open' })]),
  )
}
