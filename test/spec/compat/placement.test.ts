import { expect, test } from 'vitest'
import { createFindings } from '../../../src/spec/compat/findings.js'
import { convertPlacement } from '../../../src/spec/compat/placement.js'

function convert(text: string) {
  const findings = createFindings({ locate: () => undefined }, false)
  const rules = convertPlacement(text, [], findings)
  return { rules, errors: findings.errors.map(({ message }) => message) }
}

test.each([
  ['', []],
  ['[]', []],
  ['["hostname", "UNIQUE"]', [{ type: 'maxPerHost', max: 1 }]],
  [
    '[["@hostname", "max_per", "2"], ["rack", "UNIQUE"]]',
    [
      { type: 'maxPerHost', max: 2 },
      { type: 'unique', key: 'rack' },
    ],
  ],
  ['[["rack", "MAX_PER", 1]]', [{ type: 'unique', key: 'rack' }]],
  ['rack:MAX_PER:3', [{ type: 'maxPer', key: 'rack', max: 3 }]],
  ['hostname:UNIQUE:ignored', [{ type: 'maxPerHost', max: 1 }]],
  [
    'disk:CLUSTER:ssd,os:IS:linux',
    [
      { type: 'is', key: 'disk', value: 'ssd' },
      { type: 'is', key: 'os', value: 'linux' },
    ],
  ],
  ['@region:IS_NOT:us', [{ type: 'isNot', key: '@region', value: 'us' }]],
  ['rack:LIKE:r[12]', [{ type: 'like', key: 'rack', pattern: 'r[12]' }]],
  ['rack:UNLIKE:r\\,\\:x', [{ type: 'unlike', key: 'rack', pattern: 'r,:x' }]],
  [
    '@zone:GROUP_BY, rack : group_by : 4',
    [
      { type: 'groupBy', key: '@zone' },
      { type: 'groupBy', key: 'rack', values: 4 },
    ],
  ],
])('%s', (text, rules) => {
  expect(convert(text)).toEqual({ rules, errors: [] })
})

test.each([
  ['hostname', /^hostname: a rule is/],
  ['a:IS:b:c', /^a:IS:b:c: a rule is/],
  [':UNIQUE', /a rule is/],
  ['hostname:NEAR', /"NEAR" is no operator; known are UNIQUE/],
  ['hostname:MAX_PER', /MAX_PER needs a whole number/],
  ['hostname:MAX_PER:0', /MAX_PER needs a whole number/],
  ['@zone:GROUP_BY:few', /whole number from 1/],
  ['rack:IS', /IS needs the value/],
  ['rack:LIKE', /LIKE needs a pattern/],
  ['rack:IS:a\\', /ends in a backslash/],
  ['[["hostname", "UNIQUE"]', /begins like a JSON list and is none; a rule is/],
  ['[[&quot;hostname&quot;]]', /HTML entities, so take \{\{\{X\}\}\}/],
  ['["hostname", ["UNIQUE"]]', /neither a list of texts nor/],
  ['[[true, "UNIQUE"]]', /neither a list of texts nor/],
])('%s is refused', (text, message) => {
  const { rules, errors } = convert(text)
  expect(rules).toEqual([])
  expect(errors).toEqual([expect.stringMatching(message)])
})

test('each rule that is wrong is told, and the others are taken', () => {
  expect(convert('a:IS:b,c:NEAR,d:LIKE')).toEqual({
    rules: [{ type: 'is', key: 'a', value: 'b' }],
    errors: [expect.stringContaining('c:NEAR'), expect.stringContaining('d:LIKE')],
  })
})
