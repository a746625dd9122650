/**
 * Opening an lmdb store: the directory, then the lock and with it the next epoch, then all records. A file of its own, so that
 * whoever only could open one loads nothing of it.
 */
import { getSystemErrorName } from 'node:util'
import { SdkError } from '../errors.js'
import { type OpenOptions, type StoreSession } from '../ports/state-store.js'
import { openEnvironment, type LmdbEnvironment } from './lmdb-environment.js'
import { clearPresence, lookFor, showPresence, type Presence, type Sighting } from './lmdb-presence.js'
import { createLmdbSession } from './lmdb-session.js'
import { type StoreLogger } from './store-logger.js'

/** @throws SdkError as `StateStore.open`. */
export async function openLmdbSession(
  directory: string,
  logger: StoreLogger | undefined,
  open: OpenOptions,
): Promise<StoreSession> {
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
