/**
 * The state store in a directory of this machine, for a service whose scheduler always runs on the same one: nothing to install,
 * and nothing to survive the loss of that machine's disk. One scheduler leads at a time, over all processes and containers that
 * see the directory; the lock of a killed one is free at once. The directory must be on a local file system: lmdb and the lock
 * need one kernel (no NFS).
 *
 * What it promises: a commit that has resolved was written and synced to the disk, data before the page that makes it visible
 * (`fdatasync`, `O_DSYNC`), so it outlives a killed process and, on a disk that does not lie about its cache, a power loss. A
 * batch is there as a whole or not at all. Batches that are waiting share one transaction and so one sync.
 *
 * A disk with less than 64 MiB left counts as full: the store is away until there is room. A write that fails all the same ends
 * the session, and this process opens no lmdb store any more (lmdb-data-file.ts says why).
 */
import path from 'node:path'
import { SdkError } from '../errors.js'
import { type StateStore } from '../ports/state-store.js'
import { serviceSegment } from './paths.js'
import { type StoreLogger } from './store-logger.js'

export interface LmdbStoreOptions {
  /** An absolute directory; made if it is missing, then open to this user alone. */
  readonly path: string
  /** Keeps the records in a directory of this name below the path, so that services can share one path. @defaultValue none */
  readonly service?: string
  /** A pino logger fits. @defaultValue none */
  readonly logger?: StoreLogger
}

/** @throws SdkError `ERR_INVALID_OPTION`. Touches the disk, and loads the lmdb library, only when opened. */
export function createLmdbStore(options: LmdbStoreOptions): StateStore {
  // Relative to what, depends on where the program is started: from elsewhere it would find an empty store.
  if (!path.isAbsolute(options.path))
    throw new SdkError('ERR_INVALID_OPTION', `path of an lmdb store must be absolute (got ${JSON.stringify(options.path)})`)
  if (options.service === '')
    throw new SdkError('ERR_INVALID_OPTION', 'service must be a name (got an empty text); leave it out to use the path itself')
  const directory = path.join(options.path, options.service === undefined ? '' : serviceSegment(options.service))
  return {
    async open(open) {
      const { openLmdbSession } = await import('./lmdb-open.js')
      return openLmdbSession(directory, options.logger, open)
    },
  }
}

/** The directory of `lmdb:/path` or `lmdb:///path`. @throws SdkError `ERR_INVALID_OPTION` */
export function parseLmdbAddress(address: string): string {
  const found = /^lmdb:(?:\/\/)?(\/(?!\/).*)$/s.exec(address)
  if (found?.[1] !== undefined) return found[1]
  throw new SdkError(
    'ERR_INVALID_OPTION',
    `an lmdb store must be lmdb:/path with an absolute path on this machine (got ${JSON.stringify(address)})`,
  )
}
