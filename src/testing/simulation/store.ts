/**
 * The store of a simulation: the memory store at the far end of a virtual network. Commits and answers take time and keep their
 * order; a process that dies, stands still or is cut off keeps its lock until its session has expired; faults hit commits on their
 * way.
 */
import { SdkError } from '../../errors.js'
import type { Batch, OpenOptions, StoreSession } from '../../ports/state-store.js'
import { createMemoryStore, type MemorySession, type StoreFault } from '../../store/memory-store.js'
import { chanceOf } from '../virtual/chance.js'
import type { VirtualCluster } from '../virtual/cluster.js'
import type { ProcessStore, VirtualProcess } from '../virtual/scheduler.js'
import { createStoreLink, type StoreLink } from './store-link.js'

/** After so long without a sign of life the store forgets a session. */
const sessionTimeoutMs = 10_000
const minDelayMs = 1
const maxDelayMs = 4

export type CommitFault = Extract<StoreFault, `unknown${string}` | `lost${string}`>

/** Faults that do not apply at the moment answer false. */
export interface SimulatedStore {
  storeOf(process: VirtualProcess): ProcessStore
  read(key: string): string | undefined
  dump(): ReadonlyMap<string, string>
  /** Hits the next commit that arrives. */
  failNext(how: CommitFault, onHit?: () => void): void
  /** What has not hit a commit never will. */
  forgetFaults(): void
  /** Added to every way there and back. */
  setSlow(extraMs: number): void
  setAvailable(available: boolean): boolean
  expireSession(tell: boolean): boolean
  /** Nothing passes between one place and the store; a place stays cut for its next process. */
  cut(place: string): boolean
  heal(place: string): void
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

/** A session as its process knows it. */
interface Held {
  readonly session: MemorySession
  readonly place: string
  readonly tell: (available: boolean) => void
}

const asError = (thrown: unknown): Error =>
  thrown instanceof Error ? thrown : new SdkError('ERR_INVARIANT', 'the store failed', { cause: thrown })

export function createSimulatedStore(options: SimulatedStoreOptions): SimulatedStore {
  const { cluster, seed } = options
  const { clock } = cluster
  const sent = new Map<Batch, Sent>()
  const faults: { readonly how: CommitFault; readonly onHit: (() => void) | undefined }[] = []
  const links = new Map<string, StoreLink>()
  /** The session that holds the lock. */
  let holder: Held | undefined
  /** Sessions that ended while their process was cut off: with its connection it has lost the answers that were under way. */
  const unheard = new WeakSet<MemorySession>()
  let extraMs = 0
  let isAvailable = true

  const memory = createMemoryStore({
    fault({ attempt }) {
      const fault = attempt > 1 ? undefined : faults.shift()
      fault?.onHit?.()
      return fault?.how ?? 'none'
    },
    onLanded(writes, epoch) {
      const from = sent.get(writes)
      if (from === undefined) return
      cluster.write({ type: 'committed', scheduler: from.process.name, epoch, decidedAtMs: from.atMs, writes })
      options.afterCommit(from.process)
    },
  })

  const linkOf = (place: string): StoreLink => {
    const link = links.get(place) ?? createStoreLink()
    links.set(place, link)
    return link
  }

  /** One direction of a connection: in order, each message with a delay of its own. */
  const openWay = (name: string, link: StoreLink) => {
    const chance = chanceOf(seed, name)
    let lastMs = 0
    return (run: () => void): void => {
      lastMs = Math.max(lastMs, clock.nowMs + chance.between(minDelayMs, maxDelayMs) + extraMs)
      clock.after(lastMs - clock.nowMs, () => {
        cluster.giveTurn()
        link.pass(run)
      })
    }
  }

  const later = (run: () => void): void =>
    void clock.after(sessionTimeoutMs, () => {
      cluster.giveTurn()
      run()
    })

  /** One that was healed in between and cut again is given up a little early. */
  const watchSilence = ({ session, place }: Held): void =>
    later(() => {
      if (!linkOf(place).isCut) return
      unheard.add(session)
      session.expire()
    })

  const release = (session: MemorySession | undefined): void => {
    if (holder?.session === session) holder = undefined
  }

  const storeOf = (process: VirtualProcess): ProcessStore => {
    const { name, place, host } = process
    const link = linkOf(place)
    const toStore = openWay(`${name} to store`, link)
    const toProcess = openWay(`store to ${name}`, link)
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
      const listeners: ((available: boolean) => void)[] = []
      const tell = (available: boolean): void => listeners.forEach((listener) => host.deliver(() => listener(available)))
      const session = await reach(async () => {
        const opened = await memory.open({ ...request, signal })
        open = opened
        holder = { session: opened, place, tell }
        if (link.isCut) watchSilence(holder)
        cluster.write({ type: 'sessionOpened', scheduler: name, epoch: opened.epoch, records: opened.records })
        void opened.ended.then((end) => {
          release(opened)
          cluster.write({ type: 'sessionEnded', scheduler: name, epoch: opened.epoch, end })
        })
        opened.onAvailability((available) => {
          if (!link.isCut) tell(available)
        })
        return opened
      })
      const heard = (): void => {
        if (unheard.has(session))
          throw new SdkError('ERR_STORE_SESSION_LOST', `${name} has lost its session`, { retryable: true })
      }
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
          return reach(() => session.commit(batch))
            .then(heard)
            .finally(answered)
        },
        onAvailability: (listener) => void listeners.push(listener),
        ended: new Promise((resolve) => {
          void session.ended.then((end) => link.pass(() => host.deliver(() => resolve(end))))
        }),
        close: () => (host.isDead ? new Promise(() => undefined) : reach(() => session.close())),
      }
    }

    return {
      open: openSession,
      processDied() {
        died.abort(new SdkError('ERR_STORE_SESSION_LOST', `${name} is dead`))
        const left = open
        // What it sent lands; then the store waits for a sign of life.
        later(() => {
          left?.abandon()
          release(left)
        })
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
    failNext: (how, onHit) => void faults.push({ how, onHit }),
    forgetFaults: () => void (faults.length = 0),
    setSlow: (ms) => void (extraMs = ms),
    setAvailable(available) {
      if (available === isAvailable) return false
      isAvailable = available
      cluster.giveTurn()
      memory.setAvailable(available)
      return true
    },
    expireSession(tell) {
      if (holder === undefined) return false
      holder = undefined
      cluster.giveTurn()
      memory.expireSession({ tell })
      return true
    },
    cut(place) {
      const link = linkOf(place)
      if (link.isCut) return false
      link.cut()
      if (holder?.place !== place) return true
      holder.tell(false)
      watchSilence(holder)
      return true
    },
    heal(place) {
      linkOf(place).heal()
      if (holder?.place === place) holder.tell(isAvailable)
    },
    get commits() {
      return memory.commits
    },
  }
}
