import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeMultiRead, encodeMultiRead, type ReadResult } from '../../src/store/zookeeper-multi-read.js'

const int = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}
const part = (type: number, isLast = false): Buffer => Buffer.concat([int(type), Buffer.from([isLast ? 1 : 0]), int(-1)])
/** As a server writes it (MultiReadResponse of ZooKeeper 3.9). */
const replyOf = (results: readonly ReadResult[], error = 0): Buffer => {
  const body = Buffer.concat([
    int(7),
    Buffer.alloc(8),
    int(error),
    ...results.flatMap((result) => {
      if ('errorCode' in result) return [part(-1), int(result.errorCode)]
      const data = Buffer.from(result.data)
      return [part(4), int(data.length), data, Buffer.alloc(68)]
    }),
    part(-1, true),
  ])
  return Buffer.concat([int(body.length), body])
}
const results = fc.array(
  fc.oneof(fc.record({ data: fc.string({ unit: 'grapheme' }) }), fc.record({ errorCode: fc.integer({ min: -120, max: -1 }) })),
)

test('what a server answers is read, and a part of it is not', () => {
  fc.assert(
    fc.property(results, (expected) => {
      const reply = replyOf(expected)
      expect(decodeMultiRead(reply, expected.length)).toEqual(expected)
      expect(decodeMultiRead(reply, expected.length + 1)).toBeUndefined()
      if (expected.length > 0) expect(decodeMultiRead(reply.subarray(0, reply.length - 12), expected.length)).toBeUndefined()
    }),
  )
})

test('servers that do not know the request answer with an error, or with nothing', () => {
  expect(decodeMultiRead(replyOf([], -6), 1)).toBeUndefined()
  expect(decodeMultiRead(replyOf([]).subarray(0, 20), 1)).toBeUndefined()
  expect(decodeMultiRead(Buffer.alloc(0), 1)).toBeUndefined()
})

test('a node without data has the length -1', () => {
  const body = Buffer.concat([int(7), Buffer.alloc(8), int(0), part(4), int(-1), Buffer.alloc(68)])
  expect(decodeMultiRead(Buffer.concat([int(body.length), body]), 1)).toEqual([{ data: '' }])
})

test('a request is what ZooKeeper 3.9 was seen to take', () => {
  expect(encodeMultiRead(7, ['/a', '/ü']).toString('hex')).toBe(
    [
      '00000032 00000007 00000016',
      '00000004 00 ffffffff 00000002 2f61 00',
      '00000004 00 ffffffff 00000003 2fc3bc 00',
      'ffffffff 01 ffffffff',
    ]
      .join('')
      .replaceAll(' ', ''),
  )
})
