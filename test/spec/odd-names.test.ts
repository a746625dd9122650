/** Names that every object of JavaScript answers to are names like others, or refused; never taken for something that is there. */
import { expect, test } from 'vitest'
import { safeParseSpec } from '../../src/spec/parse.js'

const task = { command: './run.sh', cpus: 1, memoryMb: 64 }
const spec = (ofTask: object, rest: object = {}, ofPod: object = {}) => ({
  name: 'store',
  pods: { db: { count: 1, tasks: { server: { ...task, ...ofTask } }, ...ofPod } },
  ...rest,
})
const pathsOf = (input: unknown): string[] => {
  const result = safeParseSpec(input)
  return result.ok ? [] : result.issues.map(({ path }) => path)
}
const parsed = (text: string): unknown => JSON.parse(text)

test.each([
  ['a value', spec({ env: { A: '{{values.toString}}' } }), 'pods.db.tasks.server.env.A'],
  ['a port', spec({ env: { A: '{{ports.constructor}}' } }), 'pods.db.tasks.server.env.A'],
  ['peers', spec({ env: { A: '{{peers.constructor.x}}' } }), 'pods.db.tasks.server.env.A'],
  [
    'a resource set',
    { ...spec({ resourceSet: 'toString', cpus: undefined, memoryMb: undefined }) },
    'pods.db.tasks.server.resourceSet',
  ],
  ['a pod of a rule', spec({}, {}, { placement: [{ type: 'near', pod: 'valueOf' }] }), 'pods.db.placement.0.pod'],
  ['a pod of a phase', spec({}, { deploy: { phases: [{ pod: 'db' }, { pod: 'constructor' }] } }), 'deploy.phases.1.pod'],
  [
    'a task of a step',
    spec({}, { deploy: { phases: [{ pod: 'db', steps: [{ instance: 'default', tasks: [['toString']] }] }] } }),
    'deploy.phases.0.steps.0.tasks.0.0',
  ],
  ['a generated value', spec({}, { values: { toString: { generate: 'uuid' } } }), 'values.toString'],
  ['a pod', { name: 'store', pods: { constructor: { count: 1, tasks: { server: task } } } }, 'pods.constructor'],
  ['a field', spec({ constructor: 1 }), 'pods.db.tasks.server.constructor'],
  ['a field without a name', spec({ '': 1 }), 'pods.db.tasks.server.""'],
])('%s', (_, input, path) => {
  expect(pathsOf(input)).toEqual([path])
})

test('an environment variable may be called so', () => {
  const env = { constructor: 'a', toString: 'b' }
  expect(safeParseSpec(spec({ env, ports: { a: { port: 0, envKey: 'valueOf' } } }))).toMatchObject({ ok: true })
})

test('nothing is called __proto__, and nothing of that name is left out without a word', () => {
  const text = JSON.stringify(spec({ env: { A: 'a' }, labels: { B: 'b' } }))
  expect(pathsOf(parsed(text.replace('"A"', '"__proto__"')))).toEqual(['pods.db.tasks.server.env.__proto__'])
  expect(pathsOf(parsed(text.replace('"B"', '"__proto__"')))).toEqual(['pods.db.tasks.server.labels.__proto__'])
  expect(pathsOf(parsed(text.replace('"cpus"', '"__proto__"')))).toContain('pods.db.tasks.server.__proto__')
})

test('an unknown key hides no other problem beside it', () => {
  expect(pathsOf(spec({ colour: 'blue', env: { A: '{{values.id}}' } }))).toEqual([
    'pods.db.tasks.server.colour',
    'pods.db.tasks.server.env.A',
  ])
})
