import { describe, expect, test } from 'vitest'
import { parseSpec } from '../../../src/spec/parse.js'
import type { GivenParameters } from '../../../src/spec/yaml/parameters.js'
import { parseParameters } from '../../../src/spec/yaml/parameters.js'
import { parseYamlSpec } from '../../../src/spec/yaml/load.js'

const issuesOf = (text: string, parameters: GivenParameters = {}): string[] => {
  const result = parseYamlSpec(text, { parameters })
  return result.ok ? [] : result.issues.map(({ line, column, path, message }) => `${line}:${column}: ${path}: ${message}`)
}
const specOf = (text: string, parameters: GivenParameters = {}) => {
  const result = parseYamlSpec(text, { parameters })
  if (!result.ok) expect.fail(JSON.stringify(result.issues))
  return result.spec
}

/** A service with one task, whose fields are given; its first line is the fourth after the parameters. */
const withTask = (fields: string, parameters = ''): string => `${parameters}name: store
pods:
  db:
    count: 1
    tasks:
      server:
        cpus: 1
        memoryMb: 64
${fields.replaceAll(/^/gm, '        ')}
`
const taskOf = (text: string, parameters: GivenParameters = {}) => specOf(text, parameters).pods['db']?.tasks['server']

describe('a spec', () => {
  test('is the one that TypeScript has', () => {
    const task = { command: './run.sh', cpus: 1, memoryMb: 64, env: { A: '{{pod.index}}' } }
    expect(specOf(withTask("command: ./run.sh\nenv: {A: '{{pod.index}}'}"))).toEqual(
      parseSpec({ name: 'store', pods: { db: { count: 1, tasks: { server: task } } } }),
    )
  })

  test('has all its problems told at once, in the order of the text', () => {
    const text = `name: Store
pods:
  db:
    count: x
    tasks:
      server:
        command: ./run.sh
        cpus: 1
        memoryMb: 1
        env: {A: 5, B: true, C: '{{values.id}}'}
        labels: {a.b: 1}
        colour: blue
      backup: {command: ./save.sh}
`
    expect(issuesOf(text)).toEqual([
      expect.stringMatching(/^1:7: name: the service must be lower-case/),
      expect.stringMatching(/^4:12: pods\.db\.count: .*got "x"/),
      expect.stringMatching(/^9:19: pods\.db\.tasks\.server\.memoryMb: .*32/),
      '10:18: pods.db.tasks.server.env.A: Invalid input: expected string, received number (got 5); put it in quotes',
      expect.stringMatching(/^10:24: .*put it in quotes$/),
      expect.stringMatching(/^10:33: .*names a value that spec\.values does not have/),
      expect.stringMatching(/^11:23: pods\.db\.tasks\.server\.labels\.a\.b: /),
      '12:9: pods.db.tasks.server.colour: unknown key; remove or correct it',
      expect.stringMatching(/^13:7: pods\.db\.tasks\.backup\.cpus: is missing/),
      expect.stringMatching(/^13:7: pods\.db\.tasks\.backup\.memoryMb: is missing/),
    ])
  })

  test.each(['a', '[1]', '~', '5'])('is a map, and not %s', (text) => {
    expect(issuesOf(text)).toEqual(['1:1: : a service file holds a map: name, pods ...'])
  })
})

describe('parameters', () => {
  const parameters = `parameters:
  count: {type: number, default: 3, min: 1, max: 9}
  greeting: {type: string, oneOf: [hi, hello]}
  essential: {type: boolean, default: true}
`
  const fields = `command: echo $\${HOME} \${greeting}x\${count} > $HOME/$\${a}
killGraceMs: \${count}
essential: \${essential}`

  test('keep their types, alone and in text', () => {
    expect(taskOf(withTask(fields, parameters), { greeting: 'hi', essential: false })).toMatchObject({
      command: `echo \${HOME} hix3 > $HOME/\${a}`,
      killGraceMs: 3,
      essential: false,
    })
  })

  test('may be given as text, as a command line has it', () => {
    const given = { greeting: 'hello', count: '7', essential: 'false' }
    expect(taskOf(withTask(fields, parameters), given)).toMatchObject({ killGraceMs: 7, essential: false })
  })

  test('never change the structure', () => {
    const text = withTask(`command: x\nenv:\n  A: \${a}\n  B: "[\${a}]"`, 'parameters: {a: {type: string}}\n')
    const value = `"\nC: 1\n\${a} {{`.replace(' {{', '')
    expect(taskOf(text, { a: value })?.env).toEqual({ A: value, B: `[${value}]` })
  })

  test.each<[string, string, GivenParameters, readonly RegExp[]]>([
    ['not given', fields, {}, [/^3:3: parameters\.greeting: no value was given, and there is no default/]],
    [
      'of another type',
      fields,
      { greeting: 'hi', count: 'many' },
      [/^2:3: parameters\.count: the value given must be a number \(got "many"\)/],
    ],
    ['out of range', fields, { greeting: 'hi', count: 10 }, [/must be from 1 to 9 \(got 10\)/]],
    ['none of those allowed', fields, { greeting: 'bye' }, [/must be one of hi, hello \(got "bye"\)/]],
    ['not a number', fields, { greeting: 'hi', count: NaN }, [/must be a number/]],
    ['given, and not declared', fields, { greeting: 'hi', toString: 1 }, [/^1:1: parameters: "toString" was given/]],
    ['never named', `command: \${greeting} \${essential}`, { greeting: 'hi' }, [/^2:3: parameters\.count: nothing refers to it/]],
    [
      'not declared',
      `${fields}\nenv: {A: "\${nope}", B: "\${toString}"}`,
      { greeting: 'hi' },
      [/^16:18: .*env\.A: there is no parameter nope/, /^16:32: .*no parameter toString/],
    ],
    [
      'half a reference',
      `${fields}\nenv: {A: "\${", B: "\${a:-b}"}`,
      { greeting: 'hi' },
      [/env\.A: \$\{ begins a parameter/, /env\.B: \$\{ begins a parameter/],
    ],
    ['in a key', `${fields}\nlabels: {"\${count}": a}`, { greeting: 'hi' }, [/a key cannot hold a parameter/]],
  ])('%s', (_, task, given, wanted) => {
    const found = issuesOf(withTask(task, parameters), given)
    expect(found).toHaveLength(wanted.length)
    found.forEach((issue, index) => expect(issue).toMatch(wanted[index] ?? ''))
  })

  test('have faults of their own, beside those of the spec', () => {
    const wrong = `parameters:
  a: {type: number, default: x}
  b: {type: colour}
  c d: {type: string}
  e: {type: number, default: 5, max: 3}
`
    const found = issuesOf(withTask(`command: \${a}\${b}\${e}\nkillGraceMs: x`, wrong))
    expect(found).toEqual([
      expect.stringMatching(/^2:30: parameters\.a\.default: /),
      expect.stringMatching(/^3:\d+: parameters\.b/),
      expect.stringMatching(/^4:\d+: parameters\.c d: a parameter must be named/),
      expect.stringMatching(/killGraceMs/),
    ])
    expect(issuesOf(withTask(`command: x\${e}`, 'parameters: {e: {type: number, default: 5, max: 3}}\n'))).toEqual([
      expect.stringMatching(/parameters\.e\.default: must be at most 3 \(got 5\)/),
    ])
  })
})

describe('a file of parameters', () => {
  test('is a map of texts, numbers and booleans', () => {
    expect(parseParameters('a: 1\nb: x\nc: true')).toEqual({ ok: true, parameters: { a: 1, b: 'x', c: true } })
    expect(parseParameters('{"a": 1}')).toEqual({ ok: true, parameters: { a: 1 } })
  })

  test.each([
    ['a: [1]', 1],
    ['a: 1\nb:\n', 2],
    ['x', 1],
    ['a: "', 1],
  ])('is not %j', (text, line) => {
    expect(parseParameters(text)).toMatchObject({ ok: false, issues: [{ line }] })
  })
})
