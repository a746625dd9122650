/**
 * The store of a simulation: the memory store at the far end of a virtual network. Commits and answers take time and keep their
 * order, a process that dies or stands still keeps its lock until its session has expired, and faults hit commits on their way.
 */
import { SdkError } from '../../errors.js'
import type { Batch, OpenOptions, StoreSession } from '../../ports/state-store.js'
import { createMemoryStore, type MemorySession, type StoreFault } from '../../store/memory-store.js'
import { chanceOf } from '../virtual/chance.js'
import type { VirtualCluster } from '../virtual/cluster.js'
import type { ProcessStore, VirtualProcess } from '../virtual/scheduler.js'

/** After so long without a sign of life the store forgets a session. */
const sessionTimeoutMs = 10_000
const minDelayMs = 1
const maxDelayMs = 4

export type CommitFault = Extract<StoreFault, `unknown${string}` | `lost${string}`>

export interface SimulatedStore {
  storeOf(process: VirtualProcess): ProcessStore
  read(key: string): string | undefined
  dump(): ReadonlyMap<string, string>
  /** Hits the next commit that arrives. */
  failNext(how: CommitFault): void
  /** What has not hit a commit never will. */
  forgetFaults(): void
  /** Added to every way there and back. */
  setSlow(extraMs: number): void
  setAvailable(available: boolean): void
  expireSession(tell: boolean): void
  readonly commits: number
}

export interface SimulatedStoreOptions {
  readonly cluster: VirtualCluster
  readonly seed: number
  /** Told when a process is about to send a commit, and when one has landed: the moments at which it may die or freeze. */
  readonly beforeCommit: (process: VirtualProcess) => void
  readonly afterCommit: (process: VirtualProcess) => void
}

/** Who sent a batch, and when. */
interface Sent {
  readonly process: VirtualProcess
  readonly atMs: number
}

const asError = (thrown: unknown): Error =>
  thrown instanceof Error ? thrown : new SdkError('ERR_INVARIANT', 'the store failed', { cause: thrown })

export function createSimulatedStore(options: SimulatedStoreOptions): SimulatedStore {
  const { cluster, seed } = options
  const { clock } = cluster
  const sent = new Map<Batch, Sent>()
  const faults: CommitFault[] = []
  let extraMs = 0

  const memory = createMemoryStore({
    fault: ({ attempt }) => (attempt > 1 ? 'none' : (faults.shift() ?? 'none')),
    onLanded(writes, epoch) {
      const from = sent.get(writes)
      if (from === undefined) return
      cluster.write({ type: 'committed', scheduler: from.process.name, epoch, decidedAtMs: from.atMs, writes })
      options.afterCommit(from.process)
    },
  })

  /** One direction of a connection: in order, each message with a delay of its own. */
  const openWay = (name: string) => {
    const chance = chanceOf(seed, name)
    let lastMs = 0
    return (run: () => void): void => {
      lastMs = Math.max(lastMs, clock.nowMs + chance.between(minDelayMs, maxDelayMs) + extraMs)
      clock.after(lastMs - clock.nowMs, () => {
        cluster.giveTurn()
        run()
      })
    }
  }

  const later = (run: () => void): void =>
    void clock.after(sessionTimeoutMs, () => {
      cluster.giveTurn()
      run()
    })

  const storeOf = (process: VirtualProcess): ProcessStore => {
    const { name, host } = process
    const toStore = openWay(`${name} to store`)
    const toProcess = openWay(`store to ${name}`)
    const reach = <Result>(act: () => Promise<Result>): Promise<Result> =>
      new Promise((resolve, reject) => {
        const back = (run: () => void): void => toProcess(() => host.deliver(run))
        toStore(() => {
          act().then(
            (result) => back(() => resolve(result)),
            (error: unknown) => back(() => reject(asError(error))),
          )
        })
      })
    const died = new AbortController()
    let open: MemorySession | undefined
    let askedAtMs = 0
    let answeredAtMs = -1

    const openSession = async (request: OpenOptions): Promise<StoreSession> => {
      const signal = request.signal === undefined ? died.signal : AbortSignal.any([request.signal, died.signal])
      const session = await reach(async () => {
        const opened = await memory.open({ ...request, signal })
        open = opened
        cluster.write({ type: 'sessionOpened', scheduler: name, epoch: opened.epoch, records: opened.records })
        void opened.ended.then((end) => cluster.write({ type: 'sessionEnded', scheduler: name, epoch: opened.epoch, end }))
        return opened
      })
      return {
        ...session,
        commit(writes) {
          options.beforeCommit(process)
          if (host.isDead) return new Promise(() => undefined)
          const atMs = clock.nowMs
          // A batch of its own, so that two fenced writes are two.
          const batch = [...writes]
          sent.set(batch, { process, atMs })
          const answered = (): void => {
            sent.delete(batch)
            askedAtMs = atMs
            answeredAtMs = clock.nowMs
          }
          return reach(() => session.commit(batch)).finally(answered)
        },
        onAvailability: (listener) => session.onAvailability((available) => host.deliver(() => listener(available))),
        ended: new Promise((resolve) => void session.ended.then((end) => host.deliver(() => resolve(end)))),
        close: () => (host.isDead ? new Promise(() => undefined) : reach(() => session.close())),
      }
    }

    return {
      open: openSession,
      processDied() {
        died.abort(new SdkError('ERR_STORE_SESSION_LOST', `${name} is dead`))
        const left = open
        // What it sent lands; then the store waits for a sign of life.
        if (left !== undefined) later(() => left.abandon())
      },
      processFroze() {
        const silent = open
        // It sends no heartbeat; one that was thawed in between and froze again is given up a little early.
        later(() => {
          if (host.isFrozen && silent === open) silent?.expire()
        })
      },
      decidedAtMs: () => (answeredAtMs === clock.nowMs ? askedAtMs : clock.nowMs),
    }
  }

  return {
    storeOf,
    read: (key) => memory.read(key),
    dump: () => memory.dump(),
    failNext: (how) => void faults.push(how),
    forgetFaults: () => void (faults.length = 0),
    setSlow: (ms) => void (extraMs = ms),
    setAvailable(available) {
      cluster.giveTurn()
      memory.setAvailable(available)
    },
    expireSession(tell) {
      cluster.giveTurn()
      memory.expireSession({ tell })
    },
    get commits() {
      return memory.commits
    },
  }
}
