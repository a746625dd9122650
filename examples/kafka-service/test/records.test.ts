/** Records of known content. */
import { expect, test } from 'vitest'
import { keyText, RecordCheck, recordProblem, valueOf } from '../src/demo/records.js'

const key = (number: number, partition = 0) => ({ topic: 't', partition, number })
const found = (offset: number, number = offset, partition = 0) => ({
  topic: 't',
  partition,
  offset: String(offset),
  key: keyText(key(number, partition)),
  value: valueOf(key(number, partition), 100),
})

test('a value has the length asked for and differs for each record', () => {
  expect(valueOf(key(1), 1_000)).toHaveLength(1_000)
  expect(valueOf(key(1), 1_000)).toBe(valueOf(key(1), 1_000))
  expect(valueOf(key(1), 1_000)).not.toBe(valueOf(key(2), 1_000))
})

test.each([
  ['a changed byte', { ...found(3), value: `x${valueOf(key(3), 100).slice(1)}` }, /content/],
  ['no content', { ...found(3), value: null }, /content/],
  ['a foreign key', { ...found(3), key: 'abc' }, /not one of ours/],
  ['a record of another partition', { ...found(3, 3, 1), partition: 0 }, /partition 1/],
])('%s is found', (_, record, reason) => {
  expect(recordProblem(record)).toMatch(reason)
})

test('a complete reading has no problem', () => {
  const check = new RecordCheck()
  for (let offset = 0; offset < 5; offset++) check.add(found(offset))
  expect({ count: check.count, problems: check.problems, repeated: check.repeated }).toEqual({
    count: 5,
    problems: [],
    repeated: 0,
  })
  expect([check.has(key(4)), check.has(key(5))]).toEqual([true, false])
})

test('gaps and repetitions are found', () => {
  const check = new RecordCheck()
  check.add(found(0))
  check.add(found(2))
  check.add(found(3, 2))
  expect(check.problems).toEqual(['t-0: offset 1 expected, 2 found'])
  expect(check.repeated).toBe(1)
})
