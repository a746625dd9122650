/**
 * What must be known before lmdb is asked, because its binding (3.5.6) does not survive a no: a file that lmdb cannot open ends
 * the process, and a page that it cannot write is reported in a buffer that is too small, which damages the memory. So a file
 * that is none of lmdb's, and a disk without room, are found here.
 */
import { closeSync, fstatSync, openSync, readSync, statfsSync } from 'node:fs'
import path from 'node:path'
import { SdkError } from '../errors.js'

/** A page begins with a header of so many bytes, in the first two pages followed by what describes the data. */
const pageHeaderBytes = 24
const magic = 0xbeefc0de
const dataVersion = 2
const versionOffset = 4
const pageSizeOffset = 24
/** More than one transaction adds to the file, also when it touches every page of 10,000 records. */
export const roomBytes = 64 * 1024 * 1024

/** Bytes that this user can still write where the directory is. */
export function freeBytes(directory: string): number {
  const { bavail, bsize } = statfsSync(directory)
  return bavail * bsize
}

/** @throws SdkError `ERR_STORE_REFUSED` for a file that is not lmdb's; errors of the file system. */
export function checkDataFile(directory: string): void {
  const file = path.join(directory, 'data.mdb')
  const descriptor = openIfThere(file)
  if (descriptor === undefined) return
  try {
    const { size } = fstatSync(descriptor)
    if (size === 0) return
    const first = readDescription(descriptor, 0)
    const pageBytes = first.readUInt32LE(pageSizeOffset)
    const isWhole = isDescription(first) && size >= 2 * pageBytes && isDescription(readDescription(descriptor, pageBytes))
    if (!isWhole) throw refused(file, size, first)
  } finally {
    closeSync(descriptor)
  }
}

function openIfThere(file: string): number | undefined {
  try {
    return openSync(file, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** Zeros where the file ends before. */
function readDescription(descriptor: number, page: number): Buffer {
  const bytes = Buffer.alloc(pageSizeOffset + 4)
  readSync(descriptor, bytes, 0, bytes.length, page + pageHeaderBytes)
  return bytes
}

const isDescription = (bytes: Buffer): boolean =>
  bytes.readUInt32LE(0) === magic && bytes.readUInt32LE(versionOffset) === dataVersion

function refused(file: string, size: number, found: Buffer): SdkError {
  const version = found.readUInt32LE(0) === magic ? `data version ${found.readUInt32LE(versionOffset)}` : 'no lmdb header'
  return new SdkError(
    'ERR_STORE_REFUSED',
    `cannot open ${file}: it has ${size} bytes and ${version}, where a whole file of lmdb data version ${dataVersion} was ` +
      'expected; bring back a backup, or give another directory',
    { details: { path: file, bytes: size } },
  )
}
