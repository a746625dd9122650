import { expect, test } from 'vitest'
import { fuzzSpecs } from '../../support/fuzz-spec.js'
import { measureGrowth } from '../../support/growth-spec.js'

// `npm run verify -- fuzz-spec` takes a hundred thousand, and all patterns with longer texts.
test('damaged specs are refused in words with a place, or read whole', { timeout: 300_000 }, () => {
  const { kinds, failures } = fuzzSpecs(2_000, 20)
  expect(failures).toEqual([])
  for (const [kind, { accepted, refused }] of Object.entries(kinds)) {
    expect(accepted, kind).toBeGreaterThan(10)
    expect(refused, kind).toBeGreaterThan(100)
  }
})

test('texts made to be slow take time by their length', { timeout: 300_000 }, () => {
  expect(measureGrowth(12_000, (index) => index % 4 === 0).failures).toEqual([])
})
