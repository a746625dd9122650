/**
 * Schedulers of a virtual cluster: the real process (`src/runtime`) on a memory store, one after the other. A process can be
 * stopped in good order, or die at any moment: then its driver vanishes, its session with the store is abandoned, and nothing
 * of it runs on.
 */
import type { IdSource } from '../ids.js'
import type { Logger } from '../ports/logger.js'
import type { StateStore } from '../ports/state-store.js'
import { createSchedulerProcess, type SchedulerProcess } from '../runtime/scheduler-process.js'
import type { Hooks } from '../runtime/hooks.js'
import type { StepResult } from '../scheduler/draft.js'
import type { Ack, MesosCall } from '../scheduler/output.js'
import type { ServiceStatus } from '../scheduler/report.js'
import type { State } from '../scheduler/state.js'
import type { ServiceSpec } from '../spec/schema.js'
import type { MemorySession, MemoryStore } from '../store/memory-store.js'
import type { VirtualCluster } from './virtual-cluster.js'
import type { CallFault, VirtualDriver } from './virtual-driver.js'

export interface VirtualSchedulerOptions {
  readonly cluster: VirtualCluster
  readonly store: Pick<MemoryStore, 'open'>
  readonly ids: IdSource
  readonly hooks?: Hooks
  readonly logger?: Logger
  /** What becomes of a call; `count` counts those of all processes from 1. @defaultValue all arrive */
  readonly faultOf?: (call: MesosCall | Ack, count: number) => CallFault
  /** Told of every step that was made durable. */
  readonly onStep?: (before: State, result: StepResult) => void
}

export interface VirtualScheduler {
  start(spec: ServiceSpec): Promise<void>
  /** Dies at once. Without effect on one that has died already. */
  crash(): void
  /** Ends in good order: what is decided is stored and sent. */
  stop(): Promise<void>
  readonly isRunning: boolean
  /** Calls and acknowledgements handed to a connection so far. */
  readonly sent: number
  status(): ServiceStatus | undefined
  /** Why processes ended that nobody stopped. */
  readonly failures: readonly unknown[]
  /** What the drivers complained of. */
  readonly troubles: readonly string[]
}

const tickMs = 2_000
/** Real time; it must never fire, since time passes only on the virtual clock. */
const neverMs = 2_147_483_647
const day = 86_400_000

interface Incarnation {
  readonly process: SchedulerProcess
  readonly ended: Promise<void>
  driver?: VirtualDriver
  session?: MemorySession
  isDead: boolean
}

export function createVirtualScheduler(options: VirtualSchedulerOptions): VirtualScheduler {
  const { cluster, store } = options
  const failures: unknown[] = []
  const troubles: string[] = []
  let current: Incarnation | undefined
  let sent = 0

  const note: Logger['warn'] = (_fields, message) => void troubles.push(message)
  const logger: Logger = options.logger ?? { debug() {}, info() {}, warn: note, error: note }

  const faultOf = (call: MesosCall | Ack): CallFault => options.faultOf?.(call, ++sent) ?? 'none'

  const start = async (spec: ServiceSpec): Promise<void> => {
    const watchedStore: StateStore = {
      async open(request) {
        const session = await store.open(request)
        incarnation.session = session
        if (incarnation.isDead) session.abandon()
        return session
      },
    }
    const process = createSchedulerProcess({
      spec,
      hooks: options.hooks ?? {},
      store: watchedStore,
      newDriver: () => (incarnation.driver = cluster.newDriver({ faultOf, onCrash: () => die(incarnation) })),
      env: { ids: options.ids },
      now: () => cluster.nowMs,
      logger,
      holder: 'virtual',
      lockWaitMs: 0,
      tickMs: neverMs,
      failoverTimeoutMs: day,
      webUiUrl: () => undefined,
      onStep: options.onStep ?? (() => undefined),
    })
    const incarnation: Incarnation = { process, ended: process.run(), isDead: false }
    current = incarnation
    incarnation.ended.catch((error: unknown) => {
      if (incarnation.isDead) return
      failures.push(error)
      incarnation.isDead = true
    })
    tick(incarnation)
    await cluster.settle()
  }

  const tick = (incarnation: Incarnation): void =>
    cluster.after(tickMs, () => {
      if (incarnation.isDead) return
      incarnation.driver?.tick()
      tick(incarnation)
    })

  const die = (incarnation: Incarnation): void => {
    if (incarnation.isDead) return
    incarnation.isDead = true
    incarnation.driver?.vanish()
    incarnation.session?.abandon()
    // Clears the timers of the shell; whatever else it does reaches neither store nor cluster.
    incarnation.process.stop()
  }

  return {
    start,
    crash() {
      if (current !== undefined) die(current)
    },
    async stop() {
      const stopping = current
      if (stopping === undefined || stopping.isDead) return
      stopping.process.stop()
      await stopping.ended
      stopping.isDead = true
    },
    get isRunning() {
      return current !== undefined && !current.isDead
    },
    get sent() {
      return sent
    },
    status: () => current?.process.status(),
    failures,
    troubles,
  }
}
