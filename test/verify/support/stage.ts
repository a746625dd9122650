/**
 * Where two real schedulers of one service meet: a ZooKeeper, a local cluster, the schedulers as processes, and for each of
 * them a wire to the store that can be cut and a wire to the master on which every call is noted.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { LocalCluster } from '../../../src/local-cluster/cluster-handle.js'
import { startLocalCluster } from '../../../src/local-cluster/start.js'
import { startZooKeeper } from '../../../src/local-cluster/zookeeper.js'
import { startScheduler, type SchedulerProgram } from '../../e2e/support/scheduler-program.js'
import type { ToySettings } from '../../e2e/support/toy-spec.js'
import { startHoldingProxy, type HoldingProxy } from '../../store/holding-proxy.js'
import { startMasterProxy, type MasterProxy } from './master-proxy.js'

const program = new URL('./service-program.ts', import.meta.url).pathname
/** Short, since every takeover waits for it; two busy cores must still be able to keep a session alive. */
const sessionTimeoutMs = 3_000
const timings = { allocationIntervalMs: 100, agentPingTimeoutMs: 500, maxAgentPingTimeouts: 3, updateRetryMs: 500 }

export interface Scheduler {
  readonly name: string
  /** Another one after `startAgain`. */
  program: SchedulerProgram
  readonly toMaster: MasterProxy
  readonly toStore: HoldingProxy
}

export interface Stage {
  readonly cluster: LocalCluster
  readonly schedulers: readonly [Scheduler, Scheduler]
  /** Of a scheduler whose process has ended. */
  startAgain(scheduler: Scheduler): void
  /** Ends all that was started, and removes its files. */
  end(): Promise<void>
}

/** Both schedulers run, `a` leads and `b` stands by; neither can reach the master before `open` of its wire. */
export async function startStage(): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), 'stateward-verify-'))
  const endings: (() => Promise<unknown>)[] = []
  const end = async (): Promise<void> => {
    for (const ending of endings) await Promise.allSettled([ending()])
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    const zookeeper = await startZooKeeper({ workDir: join(folder, 'zookeeper'), tickTimeMs: 500 })
    endings.unshift(() => zookeeper.kill())
    const cluster = await startLocalCluster({ workDir: join(folder, 'cluster'), timings, agents: 3 })
    endings.unshift(() => cluster.close())
    const settingsOf = ({ toMaster, toStore }: Pick<Scheduler, 'toMaster' | 'toStore'>): ToySettings => ({
      cluster: toMaster.url,
      store: `${toStore.connect}/stateward`,
      gateFile: '',
      sessionTimeoutMs,
    })
    const start = async (name: string): Promise<Scheduler> => {
      const toMaster = await startMasterProxy(cluster.masterUrl)
      const toStore = await startHoldingProxy(zookeeper.connect)
      const scheduler: Scheduler = {
        name,
        toMaster,
        toStore,
        program: startScheduler(settingsOf({ toMaster, toStore }), program),
      }
      endings.unshift(
        () => scheduler.program.end('SIGKILL'),
        () => toMaster.close(),
        () => toStore.close(),
      )
      return scheduler
    }
    const a = await start('a')
    await a.program.untilRole('leader')
    const b = await start('b')
    await b.program.untilRole('standby')
    return {
      cluster,
      schedulers: [a, b],
      startAgain: (scheduler) => {
        scheduler.program = startScheduler(settingsOf(scheduler), program)
      },
      end,
    }
  } catch (error) {
    await end()
    throw error
  }
}
