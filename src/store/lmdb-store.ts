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
import { getSystemErrorName } from 'node:util'
import { SdkError } from '../errors.js'
import { type OpenOptions, type StateStore, type StoreSession } from '../ports/state-store.js'
import { openEnvironment, type LmdbEnvironment } from './lmdb-environment.js'
import { clearPresence, lookFor, showPresence, type Presence, type Sighting } from './lmdb-presence.js'
import { createLmdbSession } from './lmdb-session.js'
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
  return { open: (open) => openSession(directory, options.logger, open) }
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

async function openSession(directory: string, logger: StoreLogger | undefined, open: OpenOptions): Promise<StoreSession> {
  open.signal?.throwIfAborted()
  let environment: LmdbEnvironment | undefined
  let held: { readonly presence: Presence; readonly epoch: number } | undefined
  try {
    environment = await openEnvironment(directory)
    held = await takeLock(environment, logger, open)
    const records = environment.readRecords()
    open.signal?.throwIfAborted()
    return createLmdbSession({ environment, logger, holder: open.holder, records, ...held })
  } catch (error) {
    await held?.presence.close()
    await environment?.close()
    open.signal?.throwIfAborted()
    throw openError(directory, error)
  }
}

/** Waits for whoever holds the lock; then takes it, in one transaction, with the epoch that shuts every earlier leader out. */
async function takeLock(
  environment: LmdbEnvironment,
  logger: StoreLogger | undefined,
  open: OpenOptions,
): Promise<{ readonly presence: Presence; readonly epoch: number }> {
  const { directory } = environment
  const deadlineMs = performance.now() + open.lockWaitMs
  let told: string | undefined
  for (;;) {
    open.signal?.throwIfAborted()
    const found = environment.readLock()
    const sighting = found && (await lookFor(directory, found.socket))
    if (found !== undefined && sighting !== undefined) {
      try {
        if (performance.now() >= deadlineMs) throw lockHeld(directory, open, found.holder)
        if (told !== found.holder) {
          told = found.holder
          logger?.info({ store: directory, holder: told }, 'waiting for the lock')
          open.onWaiting?.(told)
        }
        await untilGone(sighting, deadlineMs, open.signal)
      } finally {
        sighting.leave()
      }
      continue
    }
    // Shown before the lock is claimed: nobody may find the new lock and think that its holder has gone.
    const presence = await showPresence(directory)
    let epoch: number | undefined
    try {
      epoch = environment.claim(found, { holder: open.holder, socket: presence.name })
    } finally {
      if (epoch === undefined) await presence.close()
    }
    if (epoch === undefined) continue
    if (found !== undefined) await clearPresence(directory, found.socket)
    return { presence, epoch }
  }
}

async function untilGone({ gone }: Sighting, deadlineMs: number, signal: AbortSignal | undefined): Promise<void> {
  let stop: () => void = () => undefined
  const stopped = new Promise<void>((resolve) => (stop = resolve))
  const leftMs = deadlineMs - performance.now()
  // A timer takes 2^31 milliseconds at most, and a standby waits for ever.
  const timer = leftMs < 2 ** 31 ? setTimeout(stop, Math.max(0, leftMs)) : undefined
  signal?.addEventListener('abort', stop)
  if (signal?.aborted === true) stop()
  await Promise.race([gone, stopped])
  clearTimeout(timer)
  signal?.removeEventListener('abort', stop)
}

function lockHeld(directory: string, open: OpenOptions, holder: string): SdkError {
  return new SdkError(
    'ERR_LOCK_HELD',
    `cannot lead as ${open.holder}: the lock of the lmdb store in ${directory} was held by ${holder} for all of the ` +
      `${open.lockWaitMs} ms waited; stop that scheduler`,
    { details: { holder, path: directory, waitedMs: open.lockWaitMs } },
  )
}

/** Faults that go when somebody makes room or closes files; all others stay until somebody changes something here. */
const passingFaults = ['ENOSPC', 'EDQUOT', 'EFBIG', 'EIO', 'EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN', 'EBUSY', 'EINTR']

function openError(directory: string, error: unknown): unknown {
  if (error instanceof SdkError) return error
  const { code, message } = error as { readonly code?: unknown; readonly message: string }
  // The file system names its errors, lmdb numbers them.
  const name = typeof code === 'number' && code > 0 ? getSystemErrorName(-code) : String(code)
  const options = { cause: error, details: { path: directory, code: name } }
  if (passingFaults.includes(name)) {
    const text = `cannot open the lmdb store in ${directory}: ${message}; check the disk and the limits of this process`
    return new SdkError('ERR_STORE_UNREACHABLE', text, { ...options, retryable: true })
  }
  const text =
    `cannot open the lmdb store in ${directory}: ${message}; it must be a directory on a local file system that this user ` +
    'may write, with nothing else in it'
  return new SdkError('ERR_STORE_REFUSED', text, options)
}
