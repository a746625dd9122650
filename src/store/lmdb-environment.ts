/**
 * The records of one service in an lmdb environment, and the few transactions on them. Keys:
 *
 *     epoch                  { layout, epoch, holder }: counts leaders, never deleted
 *     lock                   { holder, socket }: the present leader, or the last one (lmdb-presence.ts tells which)
 *     records/<kind>/<name>  one record each
 *
 * Every write looks at `epoch` first, in its transaction. lmdb lets one transaction write at a time, over all processes, so a leader of
 * an earlier epoch cannot write a byte. Transactions run on this thread: a commit blocks it for as long as the disk takes.
 */
import { closeSync, fsyncSync, mkdirSync, openSync } from 'node:fs'
import path from 'node:path'
import type * as Lmdb from 'lmdb'
import type { RootDatabase, RootDatabaseOptionsWithPath } from 'lmdb'
import { SdkError } from '../errors.js'
import { type Batch, type RecordKey } from '../ports/state-store.js'
import { checkDataFile, freeBytes, roomBytes } from './lmdb-data-file.js'
import { layoutVersion, parseEpoch, printEpoch } from './epoch.js'

const recordPrefix = 'records/'
/** Sorts right behind every key that begins with the prefix. */
const recordsEnd = 'records0'
const socketPattern = /^lock-[0-9a-f]{8}\.sock$/

export interface LockRecord {
  readonly holder: string
  /** Name of the socket that shows whether the holder is there. */
  readonly socket: string
}

export interface LmdbEnvironment {
  readonly directory: string
  readLock(): LockRecord | undefined
  /** Takes the lock and the next epoch if the lock is still as it was found. Answers the epoch, or nothing. */
  claim(found: LockRecord | undefined, own: LockRecord): number | undefined
  readEpoch(): number | undefined
  readRecords(): Map<RecordKey, string>
  /** Writes all batches in one transaction if this epoch stands. Answers the epoch that does. */
  write(epoch: number, batches: readonly Batch[]): number | undefined
  /** Less than `roomBytes`: nothing may be written. */
  freeBytes(): number
  close(): Promise<void>
}

/** Makes the directory where it is missing. @throws SdkError `ERR_STORE_REFUSED`, and errors of the file system and of lmdb. */
export async function openEnvironment(directory: string): Promise<LmdbEnvironment> {
  const { open } = await importLmdb()
  checkProcess(directory)
  makeDirectory(directory)
  checkDataFile(directory)
  checkRoom(directory)
  const options: RootDatabaseOptionsWithPath & { readonly permissionsMode: number } = {
    path: directory,
    noSubdir: false,
    encoding: 'binary',
    permissionsMode: 0o600,
    // A transaction is on the disk before its commit returns: data first, then the page that makes it visible.
    overlappingSync: false,
    noSync: false,
    noMetaSync: false,
    useWritemap: false,
  }
  const database = open<Buffer, string>(options)
  try {
    // A new file is lost with its directory's entry.
    syncDirectory(directory)
    database.transactionSync(() => checkLayout(database, directory))
    return onDatabase(database, directory)
  } catch (error) {
    await database.close()
    throw error
  }
}

/**
 * Set for the rest of the process by a write that lmdb refused although there was room: its binding may have damaged the memory
 * then, and nothing more is entrusted to it.
 */
let failedWrite: Error | undefined

function checkProcess(directory: string): void {
  if (failedWrite === undefined) return
  throw new SdkError(
    'ERR_STORE_REFUSED',
    `cannot open the lmdb store in ${directory}: a write has failed in this process (${failedWrite.message}), after which lmdb ` +
      'cannot be trusted in it; check the disk, and start the program anew',
    { cause: failedWrite, details: { path: directory } },
  )
}

function checkRoom(directory: string): void {
  const free = freeBytes(directory)
  if (free >= roomBytes) return
  throw new SdkError(
    'ERR_STORE_UNREACHABLE',
    `cannot open the lmdb store in ${directory}: its disk has ${free} bytes left, and ${roomBytes} are needed; make room`,
    { retryable: true, details: { path: directory, bytes: free, limitBytes: roomBytes } },
  )
}

async function importLmdb(): Promise<typeof Lmdb> {
  try {
    return await import('lmdb')
  } catch (error) {
    throw new SdkError(
      'ERR_INVALID_OPTION',
      `cannot use an lmdb store: its library does not load on ${process.platform} ${process.arch} (${String(error)}); ` +
        'install the package with its optional dependencies, or use zk://',
      { cause: error },
    )
  }
}

function makeDirectory(directory: string): void {
  const made = mkdirSync(directory, { recursive: true, mode: 0o700 })
  if (made === undefined) return
  for (let parent = path.dirname(directory); parent.length >= path.dirname(made).length; parent = path.dirname(parent)) {
    syncDirectory(parent)
    if (parent === path.dirname(parent)) return
  }
}

function syncDirectory(directory: string): void {
  const descriptor = openSync(directory, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

function checkLayout(database: RootDatabase<Buffer, string>, directory: string): void {
  const text = database.get('epoch')?.toString()
  if (text === undefined) {
    const [foreign] = [...database.getKeys({ limit: 1 })]
    if (foreign === undefined) return
    throw new SdkError(
      'ERR_STORE_REFUSED',
      `cannot use the lmdb store in ${directory}: it holds something else than a service (its first key is ` +
        `${JSON.stringify(String(foreign).slice(0, 100))}); give a directory of its own`,
      { details: { path: directory } },
    )
  }
  if (parseEpoch(text) !== undefined) return
  throw new SdkError(
    'ERR_STORE_REFUSED',
    `cannot use the lmdb store in ${directory}: its epoch is ${JSON.stringify(text.slice(0, 200))}, which is not layout ` +
      `${layoutVersion}; use the version of stateward that wrote it, or another path`,
    { details: { path: directory } },
  )
}

function onDatabase(database: RootDatabase<Buffer, string>, directory: string): LmdbEnvironment {
  /**
   * Reading runs in write transactions too: read transactions need a place under the process's id, which two containers may
   * share. `use` must not answer a promise: lmdb would keep the transaction open for it.
   */
  const transact = <T extends number | LockRecord | Map<RecordKey, string> | undefined>(use: () => T): T => {
    if (failedWrite !== undefined) throw failedWrite
    return database.transactionSync(use)
  }
  const change = <T extends number | undefined>(use: () => T): T => {
    try {
      return transact(use)
    } catch (error) {
      failedWrite = error instanceof Error ? error : new Error(String(error))
      throw failedWrite
    }
  }
  const get = (key: string): string | undefined => database.get(key)?.toString()
  const put = (key: string, text: string): void => database.putSync(key, Buffer.from(text))
  const getEpoch = (): number | undefined => parseEpoch(get('epoch') ?? '')
  const getLock = (): LockRecord | undefined => parseLock(get('lock') ?? '')

  return {
    directory,
    readLock: () => transact(getLock),
    claim: (found, own) =>
      change(() => {
        if (getLock()?.socket !== found?.socket) return undefined
        const epoch = (getEpoch() ?? 0) + 1
        put('epoch', printEpoch(epoch, own.holder))
        put('lock', JSON.stringify(own))
        return epoch
      }),
    readEpoch: () => transact(getEpoch),
    readRecords: () =>
      transact(() => {
        const records = new Map<RecordKey, string>()
        for (const { key, value } of database.getRange({ start: recordPrefix, end: recordsEnd }))
          records.set(key.slice(recordPrefix.length), value.toString())
        return records
      }),
    write: (epoch, batches) =>
      change(() => {
        const present = getEpoch()
        if (present !== epoch) return present
        for (const { key, value } of batches.flat()) {
          if (value === null) database.removeSync(recordPrefix + key)
          else put(recordPrefix + key, value)
        }
        return present
      }),
    freeBytes: () => freeBytes(directory),
    close: () => database.close(),
  }
}

/** Undefined for a text that is none: such a lock is free, and the epoch fences whoever thinks that he holds it. */
function parseLock(text: string): LockRecord | undefined {
  try {
    const { holder, socket } = JSON.parse(text) as Partial<LockRecord>
    return typeof holder === 'string' && typeof socket === 'string' && socketPattern.test(socket) ? { holder, socket } : undefined
  } catch {
    return undefined
  }
}
