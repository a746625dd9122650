/**
 * The store of a simulation, with one fault at a numbered commit. Commits count from 1 over all sessions, as they are sent; up to
 * the fault they land in the same order.
 */
import type { StoreSession, Write } from '../../src/ports/state-store.js'
import { batchDecisions } from '../../src/runtime/run-loop.js'
import type { Decision } from '../../src/scheduler/draft.js'
import { createSimulatedStore, type CommitFault, type SimulatedStore } from '../../src/testing/simulation/store.js'
import type { VirtualCluster } from '../../src/testing/virtual/cluster.js'
import type { ProcessStore, VirtualProcess } from '../../src/testing/virtual/scheduler.js'

export type StoreFaultPoint =
  /** The process dies when it is about to send the commit, or when that has landed; or what the store does with it. */
  | { readonly at: 'commit'; readonly number: number; readonly fault: 'stopBefore' | 'stopAfter' | CommitFault }
  /** The process dies, and of the decisions joined in that commit only the first have landed, as if they had not fitted into one. */
  | { readonly at: 'decision'; readonly number: number; readonly landed: readonly Decision[] }

export interface CrashStore extends Pick<SimulatedStore, 'read' | 'dump'> {
  storeOf(process: VirtualProcess): ProcessStore
  /** Ends the session of a process that is dead once all that it has sent has landed: long before the store would give it up. */
  forgetDead(): void
  /** Commits so far. */
  readonly sent: number
  /** Number of the commit that held these decisions; 0 if there was nothing to store. */
  numberOf(decisions: readonly Decision[]): number
}

export interface CrashStoreOptions {
  readonly cluster: VirtualCluster
  readonly seed: number
  readonly fault: StoreFaultPoint | undefined
  /** The process dies. */
  readonly crash: () => void
}

/** Longer than a commit takes to the store. */
const landingMs = 5

export function createCrashStore({ cluster, seed, fault, crash }: CrashStoreOptions): CrashStore {
  /** What was handed to the store, by number less 1. */
  const sent: (readonly Write[])[] = []
  let landed = 0
  const how = fault?.at === 'commit' ? fault.fault : undefined

  /** Whatever arrives next at the store is the commit after those that have landed. */
  const prepare = (): void => {
    if (how !== undefined && how !== 'stopBefore' && how !== 'stopAfter' && fault?.number === landed + 1) store.failNext(how)
  }
  const store = createSimulatedStore({
    cluster,
    seed,
    beforeCommit: () => undefined,
    afterCommit() {
      landed += 1
      if (how === 'stopAfter' && fault?.number === landed) crash()
      prepare()
    },
  })
  prepare()

  const commit = (session: StoreSession, writes: readonly Write[]): Promise<void> => {
    sent.push(writes)
    const isDying = fault?.number === sent.length && (fault.at === 'decision' || fault.fault === 'stopBefore')
    if (!isDying) return session.commit(writes)
    if (fault.at === 'decision') void session.commit(batchDecisions(fault.landed, session.limits)[0] ?? [])
    crash()
    return new Promise(() => undefined)
  }

  return {
    read: store.read,
    dump: store.dump,
    storeOf(process) {
      const inner = store.storeOf(process)
      return {
        ...inner,
        async open(request) {
          const session = await inner.open(request)
          return { ...session, commit: (writes) => commit(session, writes) }
        },
      }
    },
    forgetDead: () => cluster.after(landingMs, () => store.expireSession(false)),
    get sent() {
      return sent.length
    },
    numberOf(decisions) {
      // A batch holds the very writes that were decided on.
      const write = decisions.at(-1)?.[0]
      return write === undefined ? 0 : sent.findIndex((writes) => writes.includes(write)) + 1
    },
  }
}
