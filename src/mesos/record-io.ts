/**
 * RecordIO: bytes in, records out. `<length in decimal> LF <that many bytes>`, nothing between records. How the bytes were
 * cut on their way (HTTP chunks, TCP segments, proxies) never matters; lengths count bytes, so text is made of complete
 * payloads only. Incremental and without I/O. Source: Mesos v1 scheduler HTTP API, "RecordIO response format".
 */
import { SdkError } from '../errors.js'

/** Big `OFFERS` take tens of MiB; what is larger comes from a broken peer and would only exhaust the memory. */
const defaultMaxRecordBytes = 128 * 1024 * 1024
/** An unsigned 64-bit length has no more digits than this. */
const maxLengthDigits = 20

const lineFeed = 0x0a
const digitZero = 0x30
const digitNine = 0x39

export interface RecordDecoder {
  /**
   * Takes the next bytes and hands over each record that is complete now, in order. Records before a fault are delivered.
   *
   * @throws SdkError `ERR_PROTOCOL` for a length that is none or is too large. Then, and for ever after: where the next
   * record begins cannot be known any more.
   */
  push(chunk: Uint8Array, deliver: (record: string) => void): void
  /** Whether the bytes so far end in the middle of a record. */
  readonly isInsideRecord: boolean
}

/** A decoder for one stream. */
export function createRecordDecoder(maxRecordBytes: number = defaultMaxRecordBytes): RecordDecoder {
  let fault: SdkError | undefined
  let length = 0
  let digits = 0
  /** Bytes of the payload that are missing; undefined while the length is being read. */
  let missing: number | undefined
  // Pieces are joined once, when the record is complete: joining at every read would cost the square of its size.
  let pieces: Uint8Array[] = []

  const fail = (message: string): never => {
    fault = new SdkError('ERR_PROTOCOL', `cannot read the record stream of the master: ${message}`, { retryable: true })
    throw fault
  }

  /** Reads digits from `start`; gives the index after the last byte used. */
  const readLength = (chunk: Uint8Array, start: number): number => {
    for (let index = start; index < chunk.length; index += 1) {
      const byte = chunk[index] as number
      if (byte === lineFeed) {
        if (digits === 0) fail('found a line feed where a record length must begin')
        missing = length
        return index + 1
      }
      if (byte < digitZero || byte > digitNine) fail(`found byte ${byte} in a record length, which has digits only`)
      digits += 1
      length = length * 10 + (byte - digitZero)
      if (digits > maxLengthDigits || length > maxRecordBytes)
        fail(`a record is longer than the limit of ${maxRecordBytes} bytes`)
    }
    return chunk.length
  }

  const finishRecord = (deliver: (record: string) => void): void => {
    const payload = pieces.length === 1 ? asBuffer(pieces[0] as Uint8Array) : Buffer.concat(pieces)
    const isEmpty = length === 0
    pieces = []
    missing = undefined
    length = 0
    digits = 0
    // The grammar allows an empty record; it says nothing.
    if (!isEmpty) deliver(payload.toString('utf8'))
  }

  return {
    push(chunk, deliver) {
      if (fault !== undefined) throw fault
      let index = 0
      while (index < chunk.length) {
        if (missing === undefined) index = readLength(chunk, index)
        if (missing === undefined) return
        const end = Math.min(chunk.length, index + missing)
        if (end > index) pieces.push(chunk.subarray(index, end))
        missing -= end - index
        index = end
        if (missing === 0) finishRecord(deliver)
      }
    },
    get isInsideRecord() {
      return digits > 0
    },
  }
}

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
