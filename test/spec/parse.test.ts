import { describe, expect, test } from 'vitest'
import { isSdkError } from '../../src/errors.js'
import { parseSpec, safeParseSpec } from '../../src/spec/parse.js'

const task = { command: './run.sh', cpus: 1, memoryMb: 64 }
const pod = { count: 1, tasks: { server: task } }
const spec = (db: object, rest: object = {}) => ({ name: 'store', pods: { db: { ...pod, ...db } }, ...rest })
const withTask = (changes: object, rest: object = {}) => spec({ tasks: { server: { ...task, ...changes } } }, rest)

const issuesOf = (input: unknown) => {
  const result = safeParseSpec(input)
  return result.ok ? [] : result.issues.map(({ path, message }) => `${path}: ${message}`)
}

/** What is wrong, where it is said to be, and what the message must hold. */
const faults: readonly (readonly [string, unknown, string, RegExp])[] = [
  ['nothing at all', undefined, '', /nothing/],
  ['no pods', { name: 'store', pods: {} }, 'pods', /at least one pod/],
  ['a name that is no label', { ...spec({}), name: 'Store_1' }, 'name', /lower-case.*"Store_1"/],
  ['an unknown key', withTask({ memory: 5 }), 'pods.db.tasks.server.memory', /unknown key/],
  ['two unknown keys', spec({ colour: 1, size: 2 }), 'pods.db.size', /unknown key/],
  ['too little memory', withTask({ memoryMb: 0 }), 'pods.db.tasks.server.memoryMb', /32.*\(got 0\)/],
  ['too many decimals', withTask({ cpus: 0.12345 }), 'pods.db.tasks.server.cpus', /three decimals.*0\.12345/],
  ['a word for a number', withTask({ cpus: 'many' }), 'pods.db.tasks.server.cpus', /"many"/],
  ['fewer than no instances', spec({ count: -1 }), 'pods.db.count', /0.*\(got -1\)/],
  ['no task', spec({ tasks: {} }), 'pods.db.tasks', /at least one task/],
  [
    'two volumes in one place',
    spec({ volumes: { a: { sizeMb: 1, path: 'x' }, b: { sizeMb: 1, path: 'x' } } }),
    'pods.db.volumes.b.path',
    /the path x is also taken by spec\.pods\.db\.volumes\.a\.path/,
  ],
  [
    'a path that climbs',
    spec({ volumes: { a: { sizeMb: 1, path: '../x' } } }),
    'pods.db.volumes.a.path',
    /one relative path component/,
  ],
  [
    'a name that gets too long',
    { name: 'store', pods: { ['p'.repeat(30)]: { count: 1_000, tasks: { ['t'.repeat(30)]: task } } } },
    `pods.${'p'.repeat(30)}.tasks.${'t'.repeat(30)}`,
    /65 characters, 63 is the limit/,
  ],
  [
    'a fixed port on shared hosts',
    { name: 'store', pods: { db: { count: 2, tasks: { server: { ...task, ports: { a: { port: 9_000 } } } } } } },
    'pods.db.tasks.server.ports.a',
    /maxPerHost\(1\)/,
  ],
  [
    'one port twice',
    withTask({ ports: { a: { port: 9_000 }, b: { port: 9_000 } } }),
    'pods.db.tasks.server.ports.b.port',
    /9000 is also taken by/,
  ],
  [
    'an envKey that env has',
    withTask({ env: { PORT: '1' }, ports: { a: { port: 0, envKey: 'PORT' } } }),
    'pods.db.tasks.server.ports.a.envKey',
    /also set in env/,
  ],
  [
    'an envKey twice',
    withTask({ ports: { a: { port: 0, envKey: 'P' }, b: { port: 0, envKey: 'P' } } }),
    'pods.db.tasks.server.ports.b.envKey',
    /also the envKey of port a/,
  ],
  [
    'a placeholder that means nothing',
    withTask({ env: { X: '{{pod.colour}}' } }),
    'pods.db.tasks.server.env.X',
    /\{\{pod\.colour\}\} is not a placeholder; known are/,
  ],
  ['an unknown value', withTask({ env: { X: '{{values.id}}' } }), 'pods.db.tasks.server.env.X', /it has: none/],
  ['an unknown port', withTask({ env: { X: '{{ports.a}}' } }), 'pods.db.tasks.server.env.X', /port that this task does not have/],
  ['unknown peers', withTask({ env: { X: '{{peers.web.a}}' } }), 'pods.db.tasks.server.env.X', /does not have \(it has: db\)/],
  [
    'an unknown port of peers',
    withTask({ env: { X: '{{peers.db.a}}' } }),
    'pods.db.tasks.server.env.X',
    /port that pod db does not have/,
  ],
  [
    'a port that several peers have',
    spec({
      tasks: {
        server: { ...task, ports: { a: { port: 0 } }, env: { X: '{{peers.db.a}}' } },
        other: { ...task, ports: { a: { port: 0 } } },
      },
    }),
    'pods.db.tasks.server.env.X',
    /could be the port of several tasks/,
  ],
  [
    'one volume outside twice',
    spec({ externalVolumes: { data: { driver: 'x', mode: 'RW', path: 'data' }, log: { driver: 'x', mode: 'RW', path: 'log' } } }),
    'pods.db.externalVolumes.log.name',
    /is the same volume as spec\.pods\.db\.externalVolumes\.data/,
  ],
  ['a text that ends too early', withTask({ env: { X: 'a\0b' } }), 'pods.db.tasks.server.env.X', /no NUL character/],
  ['an open brace', withTask({ env: { X: '{{pod.index' } }), 'pods.db.tasks.server.env.X', /without a matching \}\}/],
  [
    'a phase for no pod',
    spec({}, { deploy: { phases: [{ pod: 'db' }, { pod: 'web' }] } }),
    'deploy.phases.1.pod',
    /there is no pod "web" \(there are: db\)/,
  ],
  [
    'a pod in two phases',
    spec({}, { deploy: { phases: [{ pod: 'db' }, { pod: 'db' }] } }),
    'deploy.phases.1.pod',
    /has a phase already/,
  ],
  ['a pod in no phase', spec({}, { deploy: { phases: [] } }), 'deploy.phases', /pod db is in no phase/],
  ['a uri of no kind', withTask({ uris: ['ftp//x'] }), 'pods.db.tasks.server.uris.0', /must be a URI such as/],
  [
    'a volume where Mesos keeps its own',
    spec({ volumes: { data: { path: 'containers', sizeMb: 1 } } }),
    'pods.db.volumes.data.path',
    /used by Mesos itself/,
  ],
  [
    'a pod whose name reads as an instance',
    { name: 'store', pods: { 'db-1': { count: 1, tasks: { server: { command: 'x', cpus: 1, memoryMb: 64 } } } } },
    'pods.db-1',
    /no part that is all digits/,
  ],
  [
    'a hook that is no name',
    spec({}, { update: { preFlight: ['is it healthy?'] } }),
    'update.preFlight.0',
    /named like a function/,
  ],
]

describe('a spec that breaks a rule', () => {
  test.for(faults)('%s', ([, input, path, message]) => {
    const result = safeParseSpec(input)
    const found = result.ok ? [] : result.issues
    expect(found.map((issue) => issue.path)).toContain(path)
    expect(found.find((issue) => issue.path === path)?.message).toMatch(message)
  })

  test('is told all its faults of shape at once', () => {
    const issues = issuesOf({
      name: 'Store',
      pods: { db: { count: -1, tasks: { server: { command: '', cpus: 0, memoryMb: 1.5 } } } },
    })
    expect(issues.map((issue) => issue.slice(0, issue.indexOf(':'))).sort()).toEqual(
      [
        'name',
        'pods.db.count',
        'pods.db.tasks.server.command',
        'pods.db.tasks.server.cpus',
        'pods.db.tasks.server.memoryMb',
      ].sort(),
    )
  })

  test('is told all its faults across fields at once', () => {
    const input = withTask(
      { env: { X: '{{values.id}}', Y: '{{' }, ports: { a: { port: 0, envKey: 'X' } } },
      { deploy: { phases: [{ pod: 'web' }] } },
    )
    expect(issuesOf(input)).toHaveLength(5)
  })

  test('throws one error with every problem in the message and in the details', () => {
    const input = spec({ count: -1, placement: [{ type: 'maxPerHost', max: 0 }] })
    try {
      parseSpec(input)
      expect.unreachable()
    } catch (error) {
      expect(isSdkError(error, 'ERR_SPEC_INVALID')).toBe(true)
      const { message, details } = error as { message: string; details: { issues: unknown[] } }
      expect(details.issues).toHaveLength(2)
      expect(message).toContain('has 2 problems')
      expect(message).toMatch(/spec\.pods\.db\.count: .*\n.*spec\.pods\.db\.placement\.0\.max: /)
    }
  })
})

describe('a spec that is right', () => {
  test('gets every default, and is frozen', () => {
    const parsed = parseSpec(spec({}))
    expect(parsed).toMatchObject({ user: 'root', advertise: 'address', recovery: { backoff: { initialMs: 1_000, factor: 2 } } })
    expect(parsed.pods['db']).toMatchObject({ executor: { cpus: 0.1, memoryMb: 32, diskMb: 256 }, volumes: {}, placement: [] })
    expect(parsed.pods['db']?.tasks['server']).toMatchObject({
      goal: 'RUNNING',
      env: {},
      ports: {},
      uris: [],
      killGraceMs: 10_000,
    })
    expect(() => Object.assign(parsed.pods['db'] ?? {}, { count: 9 })).toThrow(TypeError)
  })

  test('reads what it has written', () => {
    const parsed = parseSpec(
      withTask({ env: { X: '{{pod.index}}' }, uris: ['http://host/a'] }, { update: { afterEach: ['healthy'] } }),
    )
    expect(parseSpec(JSON.parse(JSON.stringify(parsed)))).toEqual(parsed)
  })
})
