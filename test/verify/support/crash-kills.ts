/**
 * A real scheduler on a real store deploys and updates forty pods of a local cluster, and is killed by SIGKILL at random moments,
 * again and again, each time followed by another.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { LocalCluster } from '../../../src/local-cluster/cluster-handle.js'
import { startLocalCluster } from '../../../src/local-cluster/start.js'
import { startZooKeeper } from '../../../src/local-cluster/zookeeper.js'
import { renderPlans } from '../../../src/scheduler/render-plans.js'
import type { ServiceStatus } from '../../../src/scheduler/report.js'
import { specId } from '../../../src/spec/identity.js'
import { parseSpec } from '../../../src/spec/parse.js'
import { chanceOf, type Chance } from '../../../src/testing/virtual/chance.js'
import { startScheduler, type SchedulerProgram } from '../../e2e/support/scheduler-program.js'
import { isSettled } from '../../e2e/support/status.js'
import type { Row } from '../../support/crash-rows.js'
import { killedTasks, launchedTasks } from './evidence.js'
import { judgeCalls, judgeMoment, judgeRest, pods, runningTasks } from './steps-evidence.js'
import { stepsSpec } from './steps-spec.js'

const program = new URL('./steps-program.ts', import.meta.url).pathname
const timings = { allocationIntervalMs: 100, agentPingTimeoutMs: 2_000, maxAgentPingTimeouts: 5, updateRetryMs: 500 }
const agents = 4
/** Every restart waits for it on ZooKeeper; two busy cores must still be able to keep a session alive. */
const sessionTimeoutMs = 3_000
/** From its leadership, or from its start, until a scheduler is killed. */
const mostLedMs = 5_000
const mostStartingMs = 5_000
/** So many are killed wherever they are in their start. */
const killedStarting = 1 / 8
const lookMs = 250
/** Many restarts included. */
const planLimitMs = 300_000
const shown = 5

export interface KillsResult {
  readonly rows: readonly Row[]
  readonly violations: number
  readonly note: string
}

/** Where a deployment and the update behind it run. */
interface Stage {
  readonly cluster: LocalCluster
  readonly store: string
}

interface Tally {
  readonly chance: Chance
  readonly wanted: number
  kills: number
  lives: number
  launches: number
  killed: number
  readonly problems: string[]
}

export async function runKills(kind: 'zookeeper' | 'lmdb', wanted: number): Promise<KillsResult> {
  const begunMs = performance.now()
  const seed = Number(process.env['STATEWARD_CRASH_SEED'] ?? Date.now() % 1_000_000)
  console.log(`${kind}: ${wanted} kills at random moments, seed ${seed}`)
  const tally: Tally = { chance: chanceOf(seed, kind), wanted, kills: 0, lives: 0, launches: 0, killed: 0, problems: [] }
  const folder = mkdtempSync(join(tmpdir(), 'stateward-verify-'))
  const zookeeper = kind === 'lmdb' ? undefined : await startZooKeeper({ workDir: join(folder, 'zookeeper'), tickTimeMs: 500 })
  try {
    for (let round = 1; tally.kills < wanted && tally.problems.length === 0; round += 1) {
      const store = zookeeper === undefined ? `lmdb:${join(folder, `lmdb-${round}`)}` : `zk://${zookeeper.connect}/round-${round}`
      await runRound({ folder: join(folder, `cluster-${round}`), store }, tally)
      console.log(`${kind}: round ${round}: ${tally.kills} of ${wanted} kills, ${tally.problems.length} problems`)
    }
  } finally {
    await zookeeper?.kill()
    rmSync(folder, { recursive: true, force: true })
  }
  for (const problem of tally.problems.slice(0, shown)) console.log(`FAILED: ${kind}: ${problem}`)
  const row: Row = {
    store: kind,
    service: 'forty pods, real',
    fault: 'SIGKILL at a random moment',
    lives: tally.lives,
    crashes: tally.kills,
    launches: tally.launches,
    kills: tally.killed,
    violations: tally.problems.length,
    seconds: Math.round((performance.now() - begunMs) / 1_000),
  }
  return { rows: [row], violations: tally.problems.length, note: `${kind} seed ${seed}` }
}

/** A deployment and an update, on a cluster of their own. */
async function runRound({ folder, store }: { readonly folder: string; readonly store: string }, tally: Tally): Promise<void> {
  const cluster = await startLocalCluster({ workDir: folder, timings, agents })
  const stage: Stage = { cluster, store }
  try {
    const versions: string[] = []
    for (const plan of ['deploy', 'update'] as const) {
      versions.push(String(versions.length + 1))
      const from = (await cluster.acceptedCalls()).length
      const before = runningTasks(cluster)
      await runPlan(stage, plan, versions.at(-1) ?? '', tally)
      if (tally.problems.length > 0) return
      const calls = (await cluster.acceptedCalls()).slice(from)
      tally.lives += 1
      tally.launches += launchedTasks(calls).length
      tally.killed += new Set(killedTasks(calls)).size
      tally.problems.push(...judgeCalls(calls, plan, before), ...(await judgeRest(cluster, versions)))
      if (tally.problems.length > 0) return
    }
  } finally {
    await cluster.close()
  }
}

/** Until the plan is complete, or something is wrong; the last scheduler ends in good order. */
async function runPlan(stage: Stage, plan: 'deploy' | 'update', version: string, tally: Tally): Promise<void> {
  const untilMs = performance.now() + planLimitMs
  const settings = { cluster: stage.cluster.masterUrl, store: stage.store, gateFile: '', version, sessionTimeoutMs }
  while (tally.problems.length === 0) {
    const scheduler = startScheduler(settings, program)
    try {
      if (await watch(scheduler, stage, plan, version, tally, untilMs)) return
    } finally {
      await scheduler.end('SIGKILL')
    }
    tally.kills += 1
  }
}

/** Looks again and again, until the scheduler is to be killed or the plan is complete, which the answer says. */
async function watch(
  scheduler: SchedulerProgram,
  { cluster }: Stage,
  plan: 'deploy' | 'update',
  version: string,
  { chance, wanted, kills, problems }: Tally,
  untilMs: number,
): Promise<boolean> {
  const isKilledStarting = chance.happens(killedStarting)
  const leftMs = kills >= wanted ? Infinity : chance.between(0, isKilledStarting ? mostStartingMs : mostLedMs)
  let dueMs = isKilledStarting ? performance.now() + leftMs : undefined
  while (problems.length === 0) {
    if (dueMs === undefined && isLeading(scheduler)) dueMs = performance.now() + leftMs
    const status = dueMs === undefined ? undefined : await scheduler.status()
    if (performance.now() >= (dueMs ?? Infinity)) return false
    if (status !== undefined && isDone(status, version)) {
      await scheduler.end('SIGTERM')
      return true
    }
    if (performance.now() > untilMs)
      problems.push(
        `the ${plan} is not complete after ${planLimitMs / 1_000} s: ${status === undefined ? 'no status' : renderPlans(status)}`,
      )
    look(cluster, plan, problems)
    await pause(Math.min(lookMs, Math.max(0, (dueMs ?? Infinity) - performance.now())))
  }
  return true
}

const isLeading = (scheduler: SchedulerProgram): boolean =>
  scheduler.log().some(({ msg }) => msg.startsWith('leading this service'))

const isDone = (status: ServiceStatus, version: string): boolean =>
  isSettled(status) &&
  status.instances.length === pods.length &&
  status.targetId === specId(parseSpec(stepsSpec(version))) &&
  status.instances.every(({ targetId }) => targetId === status.targetId)

/** Files and processes are read one after the other: what is wrong counts when it still is at the second look. */
function look(cluster: LocalCluster, plan: 'deploy' | 'update', problems: string[]): void {
  const first = judgeMoment(runningTasks(cluster), plan)
  if (first.length === 0) return
  const second = judgeMoment(runningTasks(cluster), plan)
  for (const problem of second) if (first.includes(problem) && !problems.includes(problem)) problems.push(problem)
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
