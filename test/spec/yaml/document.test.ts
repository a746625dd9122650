import { describe, expect, test } from 'vitest'
import { parseYaml } from '../../../src/spec/yaml/document.js'

const valueOf = (text: string): unknown => {
  const result = parseYaml(text)
  if (!result.ok) expect.fail(JSON.stringify(result.issues))
  return result.document.value
}
const issuesOf = (text: string): string[] => {
  const result = parseYaml(text)
  return result.ok
    ? []
    : result.issues.map(({ line, column, path, message }) => `${line}:${column}: ${path === '' ? '' : `${path}: `}${message}`)
}

describe('values', () => {
  test.each([
    ['a map in its order', 'b: 1\na: 2', { b: 1, a: 2 }],
    ['a list', '- 1\n- x\n- [true, null, ~]', [1, 'x', [true, null, null]]],
    ['JSON', '{"a": [1.5, "x"], "b": {}}', { a: [1.5, 'x'], b: {} }],
    ['words that YAML 1.1 took for booleans', '[yes, no, on, off, y]', ['yes', 'no', 'on', 'off', 'y']],
    ['a date as text', 'a: 2024-01-01', { a: '2024-01-01' }],
    ['numbers', '[1, -2, 0x10, 0o17, 1e3, .5, 1_000]', [1, -2, 16, 15, 1000, 0.5, '1_000']],
    ['text of several lines', 'a: |\n  x\n  y\nb: >-\n  x\n  y', { a: 'x\ny\n', b: 'x y' }],
    ['an empty value', 'a:\nb: 1', { a: null, b: 1 }],
    ['keys that are quoted', '"1": a\n"<<": b', { '1': 'a', '<<': 'b' }],
    ['an alias', 'a: &x {k: [1]}\nb: *x', { a: { k: [1] }, b: { k: [1] } }],
    ['an anchor that is given twice', 'a: &x 1\nb: *x\nc: &x 2\nd: *x', { a: 1, b: 1, c: 2, d: 2 }],
    ['null alone', '~', null],
    ['the tags of the core schema', '[!!str 1, !!int 2, !!map {}]', ['1', 2, {}]],
    ['a directive that says what is so', '%YAML 1.2\n---\na: 1', { a: 1 }],
  ])('%s', (_, text, value) => {
    expect(valueOf(text)).toEqual(value)
    expect(JSON.stringify(valueOf(text))).toBe(JSON.stringify(value))
  })

  test('no two parts are one object', () => {
    const value = valueOf('a: &x {k: 1}\nb: *x') as Record<string, { k: number }>
    expect(value['a']).not.toBe(value['b'])
  })
})

describe('problems', () => {
  test.each<[string, string, readonly RegExp[]]>([
    ['nothing', '', [/^1:1: there is nothing in it/]],
    ['a comment alone', '# x\n', [/there is nothing in it/]],
    ['several faults of syntax', 'a: [1\nb: "x\n', [/^2:1: /, /^3:1: Missing closing "quote/]],
    ['a tab for indentation', 'a:\n\tb: 1', [/^2:1: Tabs are not allowed/]],
    [
      'a key twice',
      'a: 1\nb: {c: 1, c: 2}\na: 2',
      [/^2:11: b\.c: this key is there already/, /^3:1: a: this key is there already/],
    ],
    [
      'keys that are no text',
      '1: a\ntrue: b\nnull: c\n? [x]\n: d',
      [/^1:1: .*a number, 1; put it in quotes/, /^2:1: .*a boolean, true/, /^3:1: .*nothing/, /^4:3: a key must be plain text/],
    ],
    ['a merge key', 'a: &x {b: 1}\nc:\n  <<: *x', [/^3:3: c: merging with << is not part of YAML 1\.2/]],
    ['__proto__', 'a: {__proto__: {b: 1}}', [/^1:5: a: a key must not be called __proto__/]],
    ['an alias to nowhere', 'a: *x', [/^1:4: a: there is no anchor &x before this/]],
    ['an alias to what it is in', 'a: &x\n  b: *x', [/^2:6: a\.b: \*x is inside of what it repeats/]],
    ['a second document', 'a: 1\n---\nb: 2', [/^2:1: a second document begins here/]],
    ['another version', '%YAML 1.1\n---\na: yes', [/^1:1: directives other than %YAML 1\.2/]],
    ['an unknown tag', 'a: !thing 1', [/^1:4: Unresolved tag: !thing/]],
    ['a tag with the name of something else', '!<constructor> {a: 1}', [/^1:1: /]],
    ['a number that cannot be exact', 'a: 12345678901234567890', [/^1:4: a: 12345678901234567890 is too large/]],
    ['too deep in brackets', '['.repeat(200), [/^1:10\d: maps and lists are nested more than 100 deep/]],
    ['too deep in dashes', '- '.repeat(200), [/nested more than 100 deep/]],
    ['too long', 'x'.repeat(1_000_001), [/1000001 characters, 1000000 is the limit/]],
  ])('%s', (_, text, wanted) => {
    const found = issuesOf(text)
    expect(found).toHaveLength(wanted.length)
    found.forEach((issue, index) => expect(issue).toMatch(wanted[index] ?? ''))
    expect(Object.hasOwn(Object.prototype, 'b')).toBe(false)
  })

  test('aliases that repeat too much', () => {
    const lines = ['l0: &l0 [x, x, x, x, x, x, x, x, x, x]']
    for (let level = 1; level < 30; level += 1) lines.push(`l${level}: &l${level} [${`*l${level - 1}, `.repeat(10)}]`)
    expect(issuesOf(lines.join('\n'))[0]).toMatch(/aliases repeat too much/)
    expect(issuesOf(`a: &a "${'x'.repeat(10_000)}"\nb: [${'*a, '.repeat(200)}]`)[0]).toMatch(/aliases repeat too much/)
  })

  test('aliases that go too deep', () => {
    const lines = ['l0: &l0 [x]']
    for (let level = 1; level < 150; level += 1) lines.push(`l${level}: &l${level} [*l${level - 1}]`)
    expect(issuesOf(lines.join('\n'))[0]).toMatch(/nested more than 100 deep/)
  })

  test('no more than can be read', () => {
    const found = issuesOf('a: 1\n'.repeat(1_000))
    expect(found).toHaveLength(101)
    expect(found.at(-1)).toMatch(/more problems follow/)
  })
})

describe('places', () => {
  const text = 'name: x\npods:\n  db:\n    count: 3\n    list: [a, {b: 1}]\n  web: &w\n    k: 1\nother: *w\n'
  const result = parseYaml(text)
  const at = (path: readonly PropertyKey[], what?: 'key' | 'value') => {
    const place = result.ok ? result.document.locate(path, what) : undefined
    return place === undefined ? undefined : `${place.line}:${place.column}`
  }

  test.each<[readonly PropertyKey[], string, string]>([
    [[], '1:1', '1:1'],
    [['name'], '1:7', '1:1'],
    [['pods', 'db'], '4:5', '3:3'],
    [['pods', 'db', 'count'], '4:12', '4:5'],
    [['pods', 'db', 'list', 0], '5:12', '5:12'],
    [['pods', 'db', 'list', 1, 'b'], '5:19', '5:16'],
    // Through an alias: where it is used, and inside of it what it stands for.
    [['other'], '8:8', '8:1'],
    [['other', 'k'], '7:8', '7:5'],
    // What is not there: the key of the entry around it.
    [['pods', 'db', 'nothing', 'deeper'], '3:3', '3:3'],
    [['pods', 'db', 'list', 7], '5:5', '5:5'],
    [['nothing'], '1:1', '1:1'],
  ])('%j', (path, value, key) => {
    expect(at(path)).toBe(value)
    expect(at(path, 'key')).toBe(key)
  })

  test('with line ends of Windows', () => {
    expect(issuesOf('a: 1\r\nb: 2\r\na: 3\r\n')).toEqual(['3:1: a: this key is there already; remove one of the two'])
  })
})
