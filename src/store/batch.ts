/**
 * What every store demands of a batch before it takes it: keys that name a record, and sizes that ZooKeeper takes in one
 * packet. The memory store refuses the same, so that a test finds an oversized record before production does. Pure.
 */
import { SdkError } from '../errors.js'
import { type Batch, type StoreLimits } from '../ports/state-store.js'

/**
 * ZooKeeper servers refuse packets above 1,048,575 bytes (`jute.maxbuffer`) by cutting the connection, for ever on every
 * repetition. The margin below it holds the commit node's own write and an installation's longer chroot.
 */
export const storeLimits: StoreLimits = { recordBytes: 900_000, batchBytes: 950_000, writeOverheadBytes: 200 }

/** lmdb takes 1,978 bytes of a key; ZooKeeper repeats a path in messages and logs. Names of pods and tasks are far shorter. */
const keyBytes = 1_024

const keyPattern = /^[A-Za-z0-9._-]+\/[A-Za-z0-9._-]+$/

/** Path segments that ZooKeeper, like every file system, reads as something else than a name. */
const isDots = (segment: string): boolean => segment === '.' || segment === '..'

/** True for `kind/name` with both parts out of `[A-Za-z0-9._-]` and neither `.` nor `..`. */
export const isRecordKey = (key: string): boolean => keyPattern.test(key) && !key.split('/').some(isDots)

/** Bytes that a batch counts against `StoreLimits.batchBytes`. */
export function batchBytes(batch: Batch): number {
  let bytes = 0
  for (const { key, value } of batch)
    bytes += key.length + storeLimits.writeOverheadBytes + (value === null ? 0 : Buffer.byteLength(value))
  return bytes
}

/** Why the store does not take this batch, or nothing. The error is `ERR_STORE_LIMIT`, or `ERR_INVARIANT` for a key that names no record. */
export function findBatchProblem(batch: Batch): SdkError | undefined {
  for (const { key, value } of batch) {
    if (!isRecordKey(key)) {
      return new SdkError(
        'ERR_INVARIANT',
        `cannot write a record under the key ${JSON.stringify(key)}: a key is kind/name, both [A-Za-z0-9._-]+`,
      )
    }
    if (key.length > keyBytes) {
      return new SdkError(
        'ERR_STORE_LIMIT',
        `cannot store record ${key.slice(0, 100)}...: its key has ${key.length} bytes, the store takes ${keyBytes}; use a shorter name`,
        { details: { key, bytes: key.length, limitBytes: keyBytes } },
      )
    }
    const bytes = value === null ? 0 : Buffer.byteLength(value)
    if (bytes > storeLimits.recordBytes) {
      return new SdkError(
        'ERR_STORE_LIMIT',
        `cannot store record ${key}: its text has ${bytes} bytes, the store takes ${storeLimits.recordBytes}; make the record smaller or split it`,
        { details: { key, bytes, limitBytes: storeLimits.recordBytes } },
      )
    }
  }
  const bytes = batchBytes(batch)
  const { batchBytes: limitBytes, writeOverheadBytes } = storeLimits
  if (bytes <= limitBytes) return undefined
  return new SdkError(
    'ERR_STORE_LIMIT',
    `cannot store a batch of ${batch.length} writes: it has ${bytes} bytes, ${writeOverheadBytes} of them for each write beside ` +
      `its key and text, and one transaction takes ${limitBytes}; commit fewer decisions at once`,
    { details: { writes: batch.length, bytes, limitBytes, writeOverheadBytes } },
  )
}
