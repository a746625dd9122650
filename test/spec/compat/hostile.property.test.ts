/** Whatever the text and the variables are: a spec, or problems with places that exist; never an exception, never both. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseCompatSpec } from '../../../src/spec/compat/load.js'
import { loadText, problemsOf, readEnv, readServiceFile } from '../../support/service-files.js'

const names = ['block-store', 'edge-proxy', 'greeter', 'log-broker', 'nightly', 'portable-db', 'search', 'trainer', 'wide-column']
const files = names.map((name) => [readServiceFile(`${name}.yml`), readEnv(`${name}.env`)] as const)

const pieces = [
  '{{',
  '}}',
  '{{{',
  '{{#X}}',
  '{{/X}}',
  '{{^ON}}',
  ': ',
  '- ',
  '\n',
  '\n  ',
  '[',
  ']',
  '{',
  '}',
  '"',
  "'",
  '&a ',
  '*a',
  '|\n',
  '# ',
  'null',
  '-1',
  '0',
  '1e400',
  '__proto__',
  'constructor',
  '\u0000',
  '\ud800',
  '\t',
]

/** A place, as a share of the text, how much is cut out there, and what is put in. */
const change = fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(30), fc.constantFrom(...pieces))

function apply(text: string, changes: readonly (readonly [number, number, string])[]): string {
  return changes.reduce((before, [share, cut, piece]) => {
    const at = Math.floor(share * before.length)
    return before.slice(0, at) + piece + before.slice(at + cut)
  }, text)
}

test('files with parts cut out and put in', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...files),
      fc.array(change, { maxLength: 5 }),
      fc.dictionary(fc.constantFrom('X', 'ON', 'TASKCFG_ALL_X', 'TASKCFG_NODE_Y'), fc.string(), { maxKeys: 3 }),
      fc.boolean(),
      ([file, env], changes, more, lenient) => {
        const text = apply(file, changes)
        const lines = text.split('\n')
        const readTemplate = (path: string): string => {
          if (path === '') throw new Error('no')
          return path
        }
        const result = parseCompatSpec(text, { env: { ...env, ...more }, readTemplate, lenient })
        if (!result.ok) expect(result.issues.length).toBeGreaterThan(0)
        for (const { line, column, message } of result.ok ? result.notes : result.issues) {
          expect(message).not.toMatch(/unusable-name|TypeError|undefined|\[object/)
          if (line === undefined || column === undefined) continue
          expect(line).toBeLessThanOrEqual(lines.length)
          expect(column).toBeLessThanOrEqual((lines[line - 1]?.length ?? 0) + 1)
        }
      },
    ),
    { numRuns: 120 },
  )
})

test('a reader of templates that throws anything, or gives no text', () => {
  const file =
    'name: a\npods: {p: {count: 1, tasks: {t: {goal: RUNNING, cmd: x, cpus: 1, memory: 64, configs: {c: {template: t, dest: d}}}}}}'
  for (const readTemplate of [
    () => {
      throw 'text'
    },
    () => {
      throw undefined
    },
    () => undefined,
    () => '',
  ] as (() => never)[])
    expect(problemsOf(loadText(file, { readTemplate }))).toEqual([expect.stringContaining('the template t')])
})

test('many problems end in how many there are', () => {
  const fields = Array.from({ length: 500 }, (_, index) => `field${index}: x`).join('\n')
  const problems = problemsOf(loadText(fields))
  expect(problems).toHaveLength(201)
  expect(problems.at(-1)).toMatch(/^and \d+ more problems$/)
})

test('large files take time in proportion', () => {
  const tasks = Array.from(
    { length: 800 },
    (_, i) => `      t${i}: {goal: RUNNING, cmd: "x {{A}}", cpus: 1, memory: 64, env: {B: "{{B}}"}}`,
  )
  const text = `name: a\npods:\n  p:\n    count: 1\n    tasks:\n${tasks.join('\n')}`
  const begin = performance.now()
  expect(problemsOf(loadText(text, { env: { A: 'a # b', B: 'x: y' } }))).toEqual([])
  expect(performance.now() - begin).toBeLessThan(10_000)
})
