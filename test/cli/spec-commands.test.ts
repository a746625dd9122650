/** `stateward validate`, `diff`, `render` and `schema`: what they print, where, and their exit codes. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const main = join(import.meta.dirname, '../../src/cli/main.ts')
const tsx = join(import.meta.dirname, '../../node_modules/tsx/dist/loader.mjs')

const yaml = `parameters:
  nodes: {type: number, default: 2, min: 1}
name: notes
region: north
pods:
  node:
    count: \${nodes}
    tasks:
      server: {command: ./serve.sh, cpus: 0.1, memoryMb: 32}
`
const compat = `name: {{NAME}}
pods:
  hello:
    count: 2
    tasks:
      server:
        goal: RUNNING
        cmd: sleep {{SECONDS}}
        cpus: 0.1
        memory: 64
        configs:
          main: {template: conf/main.mustache, dest: main.cfg}
`
const json = { name: 'notes', pods: { node: { count: 1, tasks: { server: { command: 'x', cpus: 0.1, memoryMb: 32 } } } } }
const files: Readonly<Record<string, string>> = {
  'service.yml': yaml,
  'wrong.yml': yaml.replace('cpus', 'cpu').replace('name: notes', 'name: Notes'),
  'broken.yml': 'name: [',
  'values.yml': 'nodes: 5\n',
  'service.json': JSON.stringify(json),
  'next.json': JSON.stringify(json).replace('"x"', '"y"'),
  'other.json': JSON.stringify({ ...json, name: 'others' }),
  'broken.json': '{\n  "name" "x"\n}',
  'svc.yml': compat,
  'conf/main.mustache': 'port={{PORT}}\n',
  'svc.env': '# of the scheduler\n\nNAME=hello\r\nSECONDS=1000\n',
  'service.mjs': `export const notes = ${JSON.stringify(json)}\nexport const wrong = { pods: {} }\n`,
  'wrong.mjs': `export const notes = ${JSON.stringify({ ...json, name: 'Notes' })}\n`,
}

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'spec-commands-'))
  mkdirSync(join(folder, 'conf'))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
})
afterAll(() => rmSync(folder, { recursive: true }))

interface Told {
  readonly status: number | null
  readonly out: string
  readonly err: string
}

function run(...args: readonly string[]): Told {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', tsx, main, ...args], {
    encoding: 'utf8',
    cwd: folder,
  })
  return { status, out: stdout, err: stderr }
}

describe('validate', () => {
  test('a sound file, with what this version cannot run', () => {
    expect(run('validate', 'service.yml')).toEqual({
      status: 0,
      out:
        'service.yml: note: region: a region cannot be run by this version yet; remove it\n' +
        'service.yml: sound: service notes, 1 pod type, 2 instances\n',
      err: '',
    })
  })

  test('all that is wrong, with lines and a count', () => {
    expect(run('validate', 'wrong.yml', '--param', 'nodes=0')).toEqual({
      status: 1,
      out: `wrong.yml:2:3: parameters.nodes: the value given must be at least 1 (got 0)
wrong.yml:3:7: name: the service must be lower-case letters, digits and inner dashes, beginning with a letter (got "Notes")
wrong.yml:9:7: pods.node.tasks.server.cpus: is missing; give it, or a resourceSet that has it
wrong.yml:9:37: pods.node.tasks.server.cpu: unknown key; remove or correct it
4 problems
`,
      err: '',
    })
  })

  test('as JSON', () => {
    const { status, out } = run('validate', 'broken.yml', '--json')
    expect(status).toBe(1)
    expect(JSON.parse(out)).toMatchObject({ ok: false, issues: [{ line: 1 }] })
  })

  test('JSON files, and modules', () => {
    expect(run('validate', 'service.json').out).toBe('service.json: sound: service notes, 1 pod type, 1 instance\n')
    expect(run('validate', 'broken.json')).toMatchObject({
      status: 1,
      out: expect.stringMatching(/^broken\.json:2:10: is no JSON: /),
    })
    expect(run('validate', 'service.mjs').status).toBe(0)
    expect(run('validate', 'service.mjs#wrong')).toMatchObject({
      status: 1,
      out: expect.stringContaining('service.mjs#wrong: name: '),
    })
    expect(run('validate', 'wrong.mjs')).toMatchObject({ status: 1, out: expect.stringContaining('wrong.mjs: name: ') })
  })

  test('a file of dcos-commons', () => {
    expect(run('validate', '--compat', '--env-file', 'svc.env', 'svc.yml')).toMatchObject({
      status: 0,
      out: expect.stringContaining('svc.yml: sound: service hello, 1 pod type, 2 instances\n'),
    })
    expect(run('validate', '--compat', 'svc.yml')).toMatchObject({
      status: 1,
      out: expect.stringMatching(/^svc\.yml:1:7: .*NAME[^]*svc\.yml:8:20: .*SECONDS/),
    })
  })

  test.each([
    [['validate']],
    [['validate', 'nowhere.yml']],
    [['validate', 'service.json', '--param', 'a=b']],
    [['validate', 'service.yml', '--param', 'a']],
    [['validate', 'service.yml', '--params', 'nowhere.yml']],
    [['validate', 'service.yml', '--env-file', 'svc.env']],
    [['validate', 'service.yml', '--lenient']],
    [['validate', 'service.mjs#nothing']],
  ])('wrong usage: %j', (args) => {
    const { status, out, err } = run(...args)
    expect({ status, out }).toEqual({ status: 2, out: '' })
    expect(err).toMatch(/^error: /)
  })
})

describe('render', () => {
  test('shows plans as phases and steps', () => {
    const { status, out } = run('render', 'service.yml', '--params', 'values.yml', '--param', 'nodes=3')
    expect(status).toBe(0)
    expect(out).toMatch(/^deploy[^]*node-0:\[server\][^]*node-2:\[server\][^]*update/)
    expect(out).not.toContain('node-3')
    expect(JSON.parse(run('render', 'service.yml', '--json').out)).toMatchObject([{ name: 'deploy' }, { name: 'update' }])
  })

  test('tells problems apart from what was asked for', () => {
    expect(run('render', 'wrong.yml')).toMatchObject({ status: 1, out: '', err: expect.stringMatching(/\n3 problems\n$/) })
  })
})

test('diff shows what a change would do; refused is 1', () => {
  expect(run('diff', 'service.json', 'next.json')).toMatchObject({
    status: 0,
    out: expect.stringMatching(/node: restart[^]*command/),
  })
  expect(run('diff', 'service.json', 'other.json').status).toBe(1)
  expect(run('diff', 'service.json', 'wrong.yml')).toMatchObject({ status: 1, out: '' })
})

test('schema prints the JSON Schema', () => {
  const { status, out } = run('schema')
  expect(status).toBe(0)
  expect(JSON.parse(out)).toMatchObject({ type: 'object', properties: { pods: {} } })
})

test('doctor takes YAML files, and says what is wrong with one', () => {
  const { status, err } = run('doctor', 'wrong.yml', '--cluster', 'http://127.0.0.1:1', '--store', 'zk://127.0.0.1:1/x')
  expect(status).toBe(1)
  expect(err).toMatch(/^ERR_SPEC_INVALID: wrong\.yml holds no sound spec:\nwrong\.yml:3:7: name: /)
})
