import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createRecordDecoder } from '../../src/mesos/record-io.js'
import { frame } from './support/scripted-master.js'

const record = fc.oneof(
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }),
  fc.json({ maxDepth: 2 }),
  fc.constant('{"type":"HEARTBEAT"}'),
  fc.constant('12\n'),
)

/** Splits bytes at the given positions. */
function cutAt(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end))
}

function decodeAll(chunks: readonly Buffer[]): string[] {
  const decoder = createRecordDecoder()
  const records: string[] = []
  for (const chunk of chunks) decoder.push(chunk, (text) => records.push(text))
  expect(decoder.isInsideRecord).toBe(false)
  return records
}

test('however a stream is cut, the records are the same (B10)', () => {
  fc.assert(
    fc.property(fc.array(record, { maxLength: 8 }), fc.array(fc.nat(), { maxLength: 12 }), (records, cuts) => {
      const bytes = Buffer.concat(records.map(frame))
      expect(decodeAll(cutAt(bytes, cuts))).toEqual(records)
    }),
    { numRuns: 500 },
  )
})

test('one byte per read, and every cut in two', () => {
  fc.assert(
    fc.property(fc.array(record, { minLength: 1, maxLength: 3 }), (records) => {
      const bytes = Buffer.concat(records.map(frame))
      expect(decodeAll([...bytes].map((byte) => Buffer.from([byte])))).toEqual(records)
      for (let cut = 0; cut <= bytes.length; cut += 1) {
        expect(decodeAll([bytes.subarray(0, cut), bytes.subarray(cut)])).toEqual(records)
      }
    }),
    { numRuns: 30 },
  )
})

test('a fault at any place never delivers a record that was not sent', () => {
  fc.assert(
    fc.property(fc.array(record, { minLength: 1, maxLength: 5 }), fc.nat(), (records, place) => {
      const bytes = Buffer.concat(records.map(frame))
      const cut = bytes.subarray(0, place % bytes.length)
      const decoder = createRecordDecoder()
      const seen: string[] = []
      decoder.push(cut, (text) => seen.push(text))
      expect(seen).toEqual(records.slice(0, seen.length))
    }),
  )
})
