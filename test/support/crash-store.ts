/**
 * A store with one fault at a numbered commit, over the store of a simulation or over a real one. Commits count over all sessions
 * as they are sent, from 1 again whenever a fault is armed; up to the fault they land in the same order.
 */
import type { StoreSession, Write } from '../../src/ports/state-store.js'
import { batchDecisions } from '../../src/runtime/run-loop.js'
import type { Decision } from '../../src/scheduler/draft.js'
import type { CommitFault, SimulatedStore } from '../../src/testing/simulation/store.js'
import type { VirtualCluster } from '../../src/testing/virtual/cluster.js'
import type { ProcessStore, VirtualProcess } from '../../src/testing/virtual/scheduler.js'

export type StoreFaultPoint =
  /** The process dies when it is about to send the commit, or when that has landed; or what the store does with it. */
  | { readonly at: 'commit'; readonly number: number; readonly fault: 'stopBefore' | 'stopAfter' | CommitFault }
  /** The process dies, and of the decisions joined in that commit only the first have landed, as if they had not fitted into one. */
  | { readonly at: 'decision'; readonly number: number; readonly landed: readonly Decision[] }

/** Where the records are. */
export interface Backing extends Pick<
  SimulatedStore,
  'storeOf' | 'read' | 'dump' | 'failNext' | 'forgetFaults' | 'expireSession'
> {
  /** Removes what it has left on a disk. No session is open any more. */
  remove(): void
}

export interface CrashStore extends Pick<Backing, 'read' | 'dump' | 'remove'> {
  storeOf(process: VirtualProcess): ProcessStore
  /** From now on commits count from 1, and this fault is the only one. */
  arm(fault: StoreFaultPoint | undefined): void
  /** Ends the session of a process that is dead once all that it has sent has landed: long before the store would give it up. */
  forgetDead(): void
  /** Commits so far. */
  readonly sent: number
  /** The fault has happened. */
  readonly hasStruck: boolean
  /** Number of the commit that held these decisions; 0 if there was nothing to store. */
  numberOf(decisions: readonly Decision[]): number
}

export interface CrashStoreOptions {
  readonly cluster: VirtualCluster
  /** `afterCommit` is to be called when a commit has landed. */
  readonly backing: (afterCommit: () => void) => Backing
  /** The process dies. */
  readonly crash: () => void
}

/** Longer than a commit takes to the store. */
const landingMs = 5

export function createCrashStore({ cluster, backing, crash }: CrashStoreOptions): CrashStore {
  let fault: StoreFaultPoint | undefined
  let sent = 0
  let landed = 0
  let hasStruck = false
  /** The commit of each write that was handed to the store. */
  const numbers = new WeakMap<Write, number>()

  const strike = (): void => void (hasStruck = true)
  const die = (): void => {
    strike()
    crash()
  }
  const howCommit = (): 'stopBefore' | 'stopAfter' | CommitFault | undefined => (fault?.at === 'commit' ? fault.fault : undefined)
  /** Whatever arrives next at the store is the commit after those that have landed. */
  const prepare = (): void => {
    const how = howCommit()
    if (how === undefined || how === 'stopBefore' || how === 'stopAfter' || fault?.number !== landed + 1) return
    store.failNext(how, strike)
  }
  const store = backing(() => {
    landed += 1
    if (howCommit() === 'stopAfter' && fault?.number === landed) die()
    prepare()
  })

  const commit = (session: StoreSession, writes: readonly Write[]): Promise<void> => {
    sent += 1
    for (const write of writes) numbers.set(write, sent)
    const isDying = fault?.number === sent && (fault.at === 'decision' || fault.fault === 'stopBefore')
    if (!isDying) return session.commit(writes)
    if (fault?.at === 'decision') void session.commit(batchDecisions(fault.landed, session.limits)[0] ?? [])
    die()
    return new Promise(() => undefined)
  }

  return {
    read: store.read,
    dump: store.dump,
    remove: () => store.remove(),
    arm(next) {
      store.forgetFaults()
      fault = next
      sent = 0
      landed = 0
      hasStruck = false
      prepare()
    },
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
      return sent
    },
    get hasStruck() {
      return hasStruck
    },
    numberOf(decisions) {
      // A batch holds the very writes that were decided on.
      const write = decisions.at(-1)?.[0]
      return write === undefined ? 0 : (numbers.get(write) ?? 0)
    },
  }
}
