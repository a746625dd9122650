/**
 * The place of a scheduler in a virtual cluster: the real process (`src/runtime`), one incarnation after the other. A process
 * can be stopped in good order, stand still for a while, or die at any moment: then its connections close, its session with
 * the store is left to the store, and nothing of it runs on.
 */
import { isSdkError } from '../../errors.js'
import type { IdSource } from '../../ids.js'
import type { Logger } from '../../ports/logger.js'
import type { StateStore } from '../../ports/state-store.js'
import type { Hooks } from '../../runtime/hooks.js'
import { createSchedulerProcess, type SchedulerProcess } from '../../runtime/scheduler-process.js'
import type { StepResult } from '../../scheduler/draft.js'
import type { OperatorCommand } from '../../scheduler/events.js'
import type { Ack, MesosCall } from '../../scheduler/output.js'
import type { ServiceStatus } from '../../scheduler/report.js'
import type { State } from '../../scheduler/state.js'
import type { ServiceSpec } from '../../spec/schema.js'
import type { MemorySession, MemoryStore } from '../../store/memory-store.js'
import type { VirtualCluster } from './cluster.js'
import type { CallFault, VirtualDriver } from './driver.js'
import { createHost, type Host } from './host.js'
import { createVirtualOperatorApi } from './operator.js'

/** The store as one process sees it. */
export interface ProcessStore extends StateStore {
  /** The process is dead; what it left behind is the store's matter. */
  processDied(): void
  /** The process stands still. */
  processFroze(): void
  /** When the step behind what is sent now began, or earlier. */
  readonly decidedAtMs: () => number
}

export interface VirtualProcess {
  /** `a1`, then `a2`. */
  readonly name: string
  /** `a`. */
  readonly place: string
  readonly host: Host
}

export interface VirtualSchedulerOptions {
  readonly cluster: VirtualCluster
  readonly storeOf: (process: VirtualProcess) => ProcessStore
  readonly ids: IdSource
  /** Given the process, whose host is its only clock, and the spec that it is started with. */
  readonly hooksOf?: (process: VirtualProcess, spec: ServiceSpec) => Hooks
  readonly logger?: Logger
  /** @defaultValue 'a' */
  readonly place?: string
  /** What becomes of a call; `count` counts those of all processes from 1. @defaultValue all arrive */
  readonly faultOf?: (call: MesosCall | Ack, count: number) => CallFault
  /** Told of every step that was made durable. */
  readonly onStep?: (before: State, result: StepResult) => void
  /** @defaultValue 2000 */
  readonly tickMs?: number
}

export interface VirtualScheduler {
  start(spec: ServiceSpec): Promise<void>
  /** Dies at once. Without effect on one that has died already. */
  crash(): void
  /** Ends in good order, which takes what the store takes. */
  beginStop(): void
  /** The same, with a store that takes no time. */
  stop(): Promise<void>
  freeze(): void
  thaw(): void
  /** An operator's command; false if no scheduler leads in this place. */
  command(command: OperatorCommand): boolean
  readonly isRunning: boolean
  readonly isFrozen: boolean
  /** Name of the process in this place, or of the last one. */
  readonly name: string
  /** Calls and acknowledgements handed to a connection so far. */
  readonly sent: number
  status(): ServiceStatus | undefined
  /** Why processes ended that nobody stopped. */
  readonly failures: readonly unknown[]
  /** What processes complained of. */
  readonly troubles: readonly string[]
}

const defaultTickMs = 2_000
const day = 86_400_000
/** The simulated lock is waited for as long as it takes. */
const lockWaitMs = day

interface Incarnation extends VirtualProcess {
  readonly process: SchedulerProcess
  readonly store: ProcessStore
  readonly ended: Promise<void>
  driver?: VirtualDriver
  isOver: boolean
}

export function createVirtualScheduler(options: VirtualSchedulerOptions): VirtualScheduler {
  const { cluster, place = 'a' } = options
  const failures: unknown[] = []
  const troubles: string[] = []
  let current: Incarnation | undefined
  let incarnations = 0
  let sent = 0

  const note: Logger['warn'] = (_fields, message) => void troubles.push(message)
  const logger: Logger = options.logger ?? { debug() {}, info() {}, warn: note, error: note }

  const faultOf = (call: MesosCall | Ack): CallFault => options.faultOf?.(call, ++sent) ?? 'none'

  const start = async (spec: ServiceSpec): Promise<void> => {
    const name = `${place}${++incarnations}`
    const host = createHost(cluster.clock, cluster.giveTurn)
    const store = options.storeOf({ name, place, host })
    const process = createSchedulerProcess({
      spec,
      hooks: options.hooksOf?.({ name, place, host }, spec) ?? {},
      store,
      newDriver: () =>
        (incarnation.driver = cluster.newDriver({
          scheduler: name,
          host,
          faultOf,
          onCrash: () => die(incarnation),
          decidedAtMs: store.decidedAtMs,
        })),
      operatorApi: createVirtualOperatorApi((request) => cluster.request(request)),
      env: { ids: options.ids },
      clock: host,
      logger,
      holder: name,
      lockWaitMs,
      tickMs: options.tickMs ?? defaultTickMs,
      failoverTimeoutMs: day,
      webUiUrl: () => undefined,
      onStep: options.onStep ?? (() => undefined),
    })
    cluster.write({ type: 'schedulerStarted', scheduler: name, spec })
    const incarnation: Incarnation = { name, place, host, process, store, ended: process.run(), isOver: false }
    current = incarnation
    incarnation.ended.then(
      () => over(incarnation, 'stopped'),
      (error: unknown) => {
        if (!incarnation.isOver) failures.push(error)
        over(incarnation, 'failed', error)
      },
    )
    cluster.giveTurn()
    await cluster.settle()
  }

  const over = (incarnation: Incarnation, how: 'stopped' | 'crashed' | 'failed', error?: unknown): void => {
    if (incarnation.isOver) return
    incarnation.isOver = true
    const text = isSdkError(error) ? `${error.code}: ${error.message}` : String(error)
    cluster.write({ type: 'schedulerEnded', scheduler: incarnation.name, how, ...(error === undefined ? {} : { error: text }) })
    incarnation.host.die()
    incarnation.driver?.vanish()
    incarnation.store.processDied()
  }

  const die = (incarnation: Incarnation): void => {
    over(incarnation, 'crashed')
    // Ends the waits of the shell; whatever else it does reaches neither store nor cluster.
    incarnation.process.stop()
  }

  return {
    start,
    crash() {
      if (current !== undefined) die(current)
    },
    beginStop: () => current?.host.deliver(() => current?.process.stop()),
    async stop() {
      if (current === undefined || current.isOver) return
      current.process.stop()
      await current.ended
    },
    freeze() {
      if (current === undefined || current.isOver || current.host.isFrozen) return
      current.host.freeze()
      current.store.processFroze()
    },
    thaw: () => current?.host.thaw(),
    command(command) {
      const asked = current
      if (asked === undefined || asked.isOver || asked.host.isFrozen || asked.process.status() === undefined) return false
      asked.host.deliver(() => {
        // Whether it is taken is for the checkers; a scheduler that stops first says so to the operator, not to us.
        asked.process.command(command).catch(() => undefined)
      })
      return true
    },
    get isRunning() {
      return current !== undefined && !current.isOver
    },
    get isFrozen() {
      return current?.host.isFrozen === true
    },
    get name() {
      return current?.name ?? `${place}0`
    },
    get sent() {
      return sent
    },
    status: () => current?.process.status(),
    failures,
    troubles,
  }
}

/** A store that takes no time, as it is; a process that dies gives its lock back at once. */
export const directStore =
  (store: Pick<MemoryStore, 'open'>, nowMs: () => number) =>
  ({ host }: VirtualProcess): ProcessStore => {
    let session: MemorySession | undefined
    return {
      async open(request) {
        session = await store.open({ ...request, lockWaitMs: 0 })
        if (host.isDead) session.abandon()
        return session
      },
      processDied: () => session?.abandon(),
      processFroze: () => undefined,
      decidedAtMs: nowMs,
    }
  }
