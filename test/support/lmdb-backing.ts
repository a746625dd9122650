/**
 * The real lmdb store in a virtual cluster: its directory is on this machine's disk, and virtual time stands still while it works.
 * A process that dies leaves nothing of its session behind, as when it is killed: its lock is free at once.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { SdkError } from '../../src/errors.js'
import type { RecordKey, StoreSession } from '../../src/ports/state-store.js'
import { createLmdbStore } from '../../src/store/lmdb-store.js'
import type { VirtualCluster } from '../../src/testing/virtual/cluster.js'
import type { ProcessStore, VirtualProcess } from '../../src/testing/virtual/scheduler.js'
import type { Backing } from './crash-store.js'

export interface LmdbBackingOptions {
  readonly cluster: VirtualCluster
  /** A directory is made in it. */
  readonly folder: string
  readonly afterCommit: () => void
}

/** Real milliseconds: nobody but a process that is dead can hold the lock. */
const lockWaitMs = 10_000

/** Virtual milliseconds that a commit takes, so that what arrives meanwhile is decided together. */
const commitMs = 3

const never = <Result>(): Promise<Result> => new Promise(() => undefined)

export function createLmdbBacking({ cluster, folder, afterCommit }: LmdbBackingOptions): Backing {
  const path = mkdtempSync(join(folder, 'lmdb-'))
  const store = createLmdbStore({ path })
  /** What the last session has loaded, and what has landed since. */
  let records = new Map<RecordKey, string>()

  const storeOf = ({ name, host }: VirtualProcess): ProcessStore => {
    const died = new AbortController()
    let open: StoreSession | undefined

    const close = (session: StoreSession): Promise<void> => cluster.standStill(session.close())
    return {
      async open(request) {
        const signal = request.signal === undefined ? died.signal : AbortSignal.any([request.signal, died.signal])
        const session = await cluster.standStill(store.open({ ...request, signal, lockWaitMs }))
        if (host.isDead) {
          void close(session)
          return never()
        }
        open = session
        records = new Map(session.records)
        cluster.write({ type: 'sessionOpened', scheduler: name, epoch: session.epoch, records: session.records })
        void session.ended.then((end) => cluster.write({ type: 'sessionEnded', scheduler: name, epoch: session.epoch, end }))
        return {
          ...session,
          async commit(writes) {
            if (host.isDead) return never()
            const atMs = cluster.nowMs
            await new Promise<void>((resolve) => cluster.after(commitMs, resolve))
            if (host.isDead) return never()
            await cluster.standStill(session.commit(writes))
            for (const { key, value } of writes) {
              if (value === null) records.delete(key)
              else records.set(key, value)
            }
            cluster.write({ type: 'committed', scheduler: name, epoch: session.epoch, decidedAtMs: atMs, writes })
            afterCommit()
            if (host.isDead) return never()
          },
          close: () => (host.isDead ? never() : close(session)),
        }
      },
      processDied() {
        died.abort(new SdkError('ERR_STORE_SESSION_LOST', `${name} is dead`))
        if (open !== undefined) void close(open)
      },
      processFroze: () => undefined,
      decidedAtMs: () => cluster.nowMs,
    }
  }

  return {
    storeOf,
    read: (key) => records.get(key),
    dump: () => new Map([...records].sort(([a], [b]) => (a < b ? -1 : 1))),
    failNext: (how) => {
      throw new SdkError('ERR_INVARIANT', `an lmdb store has no connection to break (${how})`)
    },
    forgetFaults: () => undefined,
    expireSession: () => false,
    remove: () => rmSync(path, { recursive: true, force: true }),
  }
}
