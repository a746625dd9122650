import { describe, expect, test } from 'vitest'
import { createRecordDecoder } from '../../src/mesos/record-io.js'
import { isSdkError } from '../../src/errors.js'
import { frame } from './support/scripted-master.js'

const decode = (chunks: readonly (string | Buffer)[], limit?: number) => {
  const decoder = createRecordDecoder(limit)
  const records: string[] = []
  for (const chunk of chunks) decoder.push(Buffer.from(chunk as string), (record) => records.push(record))
  return { decoder, records }
}

describe('the record decoder', () => {
  test('reads the example of the reference: two records without anything between them', () => {
    expect(decode(['20\n{"type":"HEARTBEAT"}20\n{"type":"HEARTBEAT"}']).records).toEqual([
      '{"type":"HEARTBEAT"}',
      '{"type":"HEARTBEAT"}',
    ])
  })

  test('joins a length that is cut anywhere: 12 and 8 are 128', () => {
    const payload = 'x'.repeat(128)
    expect(decode(['12', `8\n${payload}`]).records).toEqual([payload])
  })

  test('gives two records now and the third after the rest of it (B12)', () => {
    const decoder = createRecordDecoder()
    const records: string[] = []
    const bytes = Buffer.concat([frame('one'), frame('two'), frame('three')])
    decoder.push(bytes.subarray(0, -2), (record) => records.push(record))
    expect(records).toEqual(['one', 'two'])
    expect(decoder.isInsideRecord).toBe(true)
    decoder.push(bytes.subarray(-2), (record) => records.push(record))
    expect(records).toEqual(['one', 'two', 'three'])
    expect(decoder.isInsideRecord).toBe(false)
  })

  test('counts bytes and not characters, and decodes one that a read cuts in two (B11)', () => {
    const bytes = frame('{"hostname":"größe-🚀"}')
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      expect(decode([bytes.subarray(0, cut), bytes.subarray(cut)]).records).toEqual(['{"hostname":"größe-🚀"}'])
    }
  })

  test('takes a payload with line feeds as one record (B14)', () => {
    expect(decode([frame('{\n"a":\n1}')]).records).toEqual(['{\n"a":\n1}'])
  })

  test('skips an empty record', () => {
    expect(decode(['0\n3\nabc0\n']).records).toEqual(['abc'])
  })

  test.each([['-1\n'], ['+1\n'], [' 1\n'], ['1\r\n'], ['1.0\n'], ['\n'], ['{"type":"HEARTBEAT"}'], ['0x10\n']])(
    'refuses the length %j for ever, but delivers what came before (B13)',
    (bad) => {
      const decoder = createRecordDecoder()
      const records: string[] = []
      const push = (text: string) => decoder.push(Buffer.from(text), (record) => records.push(record))
      expect(() => push(`3\nabc${bad}`)).toThrow(expect.objectContaining({ code: 'ERR_PROTOCOL' }))
      expect(records).toEqual(['abc'])
      expect(() => push('3\nabc')).toThrow(expect.objectContaining({ code: 'ERR_PROTOCOL' }))
      expect(records).toEqual(['abc'])
    },
  )

  test('refuses a length above its limit before the payload arrives', () => {
    expect(decode(['10\n0123456789'], 10).records).toEqual(['0123456789'])
    const over = () => decode(['11\n'], 10)
    expect(over).toThrow('longer than the limit of 10 bytes')
    expect(() => decode(['999999999999999999999999\n'])).toThrow(expect.objectContaining({ code: 'ERR_PROTOCOL' }))
    expect(() => decode(['0'.repeat(30)])).toThrow(expect.objectContaining({ code: 'ERR_PROTOCOL' }))
  })

  test('reads a record of many small pieces in linear time', () => {
    const payload = 'y'.repeat(4_000_000)
    const bytes = frame(payload)
    const chunks: Buffer[] = []
    for (let index = 0; index < bytes.length; index += 100) chunks.push(bytes.subarray(index, index + 100))
    const decoder = createRecordDecoder()
    let seen = ''
    for (const chunk of chunks) decoder.push(chunk, (record) => (seen = record))
    expect(seen.length).toBe(payload.length)
  })

  test('its error is known as one of the library and may pass', () => {
    try {
      decode(['x'])
      expect.unreachable()
    } catch (error) {
      expect(isSdkError(error, 'ERR_PROTOCOL') && error.retryable).toBe(true)
    }
  })
})
