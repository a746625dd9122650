import { expect, test } from 'vitest'
import { fuzzRecords } from '../support/fuzz-records.js'

const inputs = 3_000

test('a damaged record is refused with its name, or reads as exactly what was written', async () => {
  const { refused, unharmed, kinds, failures } = await fuzzRecords(inputs, 2)
  expect(failures).toEqual([])
  expect(refused + unharmed).toBe(inputs)
  expect(refused).toBeGreaterThan(0.9 * inputs)
  expect(Object.keys(kinds)).toHaveLength(6)
})
