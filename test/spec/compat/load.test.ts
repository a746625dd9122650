import { describe, expect, test } from 'vitest'
import { loadText, notesOf, problemsOf, serviceFile, specOf } from '../../support/service-files.js'

const podOf = (text: string, lenient = false) => specOf(loadText(text, { lenient })).pods['db']
const taskOf = (text: string, lenient = false) => podOf(text, lenient)?.tasks['server']

type Parts = Parameters<typeof serviceFile>[0]

describe('what becomes of the fields', () => {
  test.each<[string, Parts, object]>([
    ['an image', { pod: 'image: debian:12' }, { image: 'debian:12' }],
    ['a role set aside', { pod: 'pre-reserved-role: dedicated' }, { preReservedRole: 'dedicated' }],
    ['no seccomp', { pod: 'seccomp-unconfined: true' }, { seccomp: 'unconfined' }],
    ['a seccomp profile', { pod: 'seccomp-profile-name: strict.json' }, { seccomp: { profile: 'strict.json' } }],
    ['shared memory', { pod: 'ipc-mode: PRIVATE\nshm-size: 64' }, { ipcMode: 'PRIVATE', shmMb: 64 }],
    [
      'rlimits',
      { pod: 'rlimits:\n  RLIMIT_AS: {}\n  RLIMIT_CORE: {soft: -1, hard: -1}\n  RLIMIT_CPU: {soft: 1, hard: 2}' },
      { rlimits: { RLIMIT_AS: 'unlimited', RLIMIT_CORE: 'unlimited', RLIMIT_CPU: { soft: 1, hard: 2 } } },
    ],
    [
      'a volume of the pod',
      { pod: 'volume: {path: Data_1, type: ROOT, size: 5}' },
      {
        volumes: { 'data-1': { type: 'ROOT', path: 'Data_1', sizeMb: 5 } },
      },
    ],
    [
      'volume and volumes of a pod together',
      { pod: 'volume: {path: a, type: ROOT, size: 5}\nvolumes:\n  x: {path: b, type: MOUNT, size: "6", profiles: [fast]}' },
      { volumes: { a: { type: 'ROOT', sizeMb: 5 }, b: { type: 'MOUNT', sizeMb: 6, profiles: ['fast'] } } },
    ],
    [
      'volumes whose names become alike',
      { pod: 'volumes:\n  x: {path: a_b, type: ROOT, size: 5}\n  y: {path: A_b, type: ROOT, size: 5}' },
      { volumes: { 'a-b': { path: 'a_b', type: 'ROOT', sizeMb: 5 }, 'a-b-2': { path: 'A_b', type: 'ROOT', sizeMb: 5 } } },
    ],
    [
      'host volumes',
      { pod: 'host-volumes:\n  "My logs": {host-path: /var/log, container-path: log, mode: ""}' },
      { hostVolumes: { 'my-logs': { hostPath: '/var/log', path: 'log' } } },
    ],
    [
      'secrets',
      { pod: 'secrets:\n  A: {secret: store/a}\n  B: {secret: store/b, env-key: B}\n  1: {secret: c, file: etc/c}' },
      {
        secrets: {
          a: { secret: 'store/a', file: 'store/a' },
          b: { secret: 'store/b', envKey: 'B' },
          'secret-1': { secret: 'c', file: 'etc/c' },
        },
      },
    ],
    [
      'an external volume',
      {
        pod: 'external-volumes:\n  d: {type: DOCKER, driver-name: rexray, driver-options: a=1;b=2, volume-mode: RO, container-path: d}',
      },
      { externalVolumes: { d: { driver: 'rexray', options: { a: '1', b: '2' }, mode: 'RO', path: 'd' } } },
    ],
    [
      'a volume of Portworx for all instances',
      {
        pod: 'external-volumes:\n  d: {type: DOCKER, driver-name: pxd, driver-options: shared=true, volume-mode: RW, container-path: d}',
      },
      {
        externalVolumes: {
          d: {
            driver: 'pxd',
            name: 'store-db',
            options: { shared: 'true', nodes: 'LocalNode' },
            mode: 'RW',
            path: 'd',
            shared: true,
          },
        },
      },
    ],
    ['a network without more', { pod: 'networks:\n  dcos:' }, { networks: { dcos: {} } }],
    [
      'the bridge, where the ports that are not mapped are mapped to themselves',
      {
        pod: 'networks:\n  mesos-bridge: {host-ports: [80], container-ports: [8080], labels: "a:b:c,d:"}',
        task: 'ports:\n  a: {port: 80}\n  b: {port: 9000}',
      },
      {
        networks: {
          'mesos-bridge': {
            portMappings: [
              { hostPort: 80, containerPort: 8080 },
              { hostPort: 9000, containerPort: 9000 },
            ],
            labels: { a: 'b:c', d: '' },
          },
        },
      },
    ],
  ])('%s', (_, parts, expected) => {
    expect(podOf(serviceFile(parts))).toMatchObject(expected)
  })

  test.each<[string, Parts, object]>([
    ['seconds', { task: 'kill-grace-period: 3' }, { killGraceMs: 3_000 }],
    ['no grace, which is none', {}, { killGraceMs: 0 }],
    ['a goal in small letters', { task: 'essential: false' }, { essential: false, goal: 'RUNNING' }],
    [
      'text that looks like a number',
      { task: 'env: {A: 0.10, B: 1e3, C: True, D: , E: 007}' },
      {
        env: { A: '0.10', B: '1e3', C: 'True', D: '', E: '007' },
      },
    ],
    ['numbers in quotes', { resources: 'cpus: "0.5", memory: "64"' }, { cpus: 0.5, memoryMb: 64 }],
    [
      'what dcos-commons set itself',
      {},
      {
        env: { FRAMEWORK_NAME: 'store', POD_INSTANCE_INDEX: '{{pod.index}}', TASK_NAME: '{{task.name}}' },
      },
    ],
    ['labels', { task: 'labels: "a:1,b:x:y, c : "' }, { labels: { a: '1', b: 'x:y', c: '' } }],
    ['limits', { task: 'resource-limits: {cpus: unlimited, memory: 128}' }, { limits: { cpus: 'unlimited', memoryMb: 128 } }],
    ['blank limits', { task: 'resource-limits: {cpus: " "}' }, { cpus: 1 }],
    [
      'ports',
      {
        task: 'ports:\n  a: {port: 0, env-key: A, advertise: true, ranges: [{end: 9}, {begin: 20}]}\n  b_c: {port: 80, vip: {port: 8}}',
      },
      {
        ports: {
          a: {
            port: 0,
            envKey: 'A',
            advertise: true,
            ranges: [
              { begin: 1, end: 9 },
              { begin: 20, end: 65_535 },
            ],
          },
          'b-c': { port: 80, advertise: false, vip: { port: 8 } },
        },
      },
    ],
    [
      'checks',
      {
        task: 'health-check: {cmd: h, interval: 1, timeout: 2, delay: 3, grace-period: 4, max-consecutive-failures: 5}\nreadiness-check: {cmd: r, interval: 6, timeout: 7}',
      },
      {
        healthCheck: { command: 'h', intervalMs: 1_000, timeoutMs: 2_000, delayMs: 3_000, graceMs: 4_000, maxFailures: 5 },
        readinessCheck: { command: 'r', intervalMs: 6_000, timeoutMs: 7_000, delayMs: 0 },
      },
    ],
    [
      'discovery',
      { task: 'discovery: {prefix: Main, visibility: EXTERNAL}' },
      {
        discovery: { prefix: 'main', visibility: 'EXTERNAL' },
      },
    ],
    [
      'certificates',
      { task: 'transport-encryption: [{name: a, type: TLS}]' },
      { transportEncryption: [{ name: 'a', type: 'TLS' }] },
    ],
    [
      'a template',
      { task: 'configs: {Jvm.Options: {template: templates/jvm.options.mustache, dest: conf/jvm}}' },
      {
        configs: { 'jvm-options': { text: '-Xms{{RING_HEAP_MB}}m\n-Xmx{{RING_HEAP_MB}}m\n', dest: 'conf/jvm' } },
      },
    ],
  ])('%s of a task', (_, parts, expected) => {
    expect(taskOf(serviceFile(parts))).toMatchObject(expected)
  })

  test('FINISH in small letters, and a resource set by its old name', () => {
    const text = serviceFile({
      pod: 'resource-sets:\n  Set_1: {cpus: 1, memory: 64}',
      task: 'resource-set: Set_1',
      resources: '',
    }).replace('goal: RUNNING', 'goal: finish')
    expect(podOf(text)).toMatchObject({
      resourceSets: { 'set-1': { cpus: 1 } },
      tasks: { server: { goal: 'FINISH', resourceSet: 'set-1' } },
    })
  })

  test('plans: steps by index and by default, and a canary by its short name', () => {
    const spec = specOf(
      loadText(
        serviceFile({
          service: `plans:
  deploy: {phases: {All: {pod: db, strategy: canary, steps: [0: [[server]]]}}}
  update: {strategy: parallel, phases: {db: {pod: db}}}
  Nightly_Run: {phases: {run: {pod: db, strategy: parallel, steps: [default: [[server], [server]]]}}}`,
        }),
      ),
    )
    expect(spec.deploy.phases).toMatchObject([
      { name: 'all', pod: 'db', strategy: 'serial-canary', steps: [{ instance: 0, tasks: [['server']] }] },
    ])
    expect(spec.update).toMatchObject({ strategy: 'parallel', phases: [{ pod: 'db', strategy: 'serial' }] })
    expect(spec.plans).toMatchObject({
      'nightly-run': { phases: [{ strategy: 'parallel', steps: [{ instance: 'default', tasks: [['server'], ['server']] }] }] },
    })
  })
})

describe('the name of the service', () => {
  const named = (name: string, rest = '') => loadText(`${serviceFile().replace('name: store', `name: ${name}`)}${rest}`)

  test('a plain one says role and principal by itself', () => {
    expect(specOf(named('store'))).not.toHaveProperty('role')
    expect(specOf(named('store'))).not.toHaveProperty('principal')
  })

  test.each([
    ['/a/b', { name: 'a-b', role: 'a__b-role', principal: '/a/b-principal' }],
    ['/store', { name: 'store', principal: '/store-principal' }],
    ['team/store', { name: 'team-store', role: 'team__store-role', principal: 'team/store-principal' }],
    ['My.Store', { name: 'my-store', role: 'My.Store-role', principal: 'My.Store-principal' }],
  ])('%s', (name, expected) => {
    const result = named(name)
    expect(specOf(result)).toMatchObject(expected)
    expect(notesOf(result)[0]).toMatch(/^1:7 name /)
  })

  test.each([
    [{ MESOS_ALLOCATION_ROLE: 'team', MARATHON_APP_ENFORCE_GROUP_ROLE: 'true' }, 'team'],
    [{ MESOS_ALLOCATION_ROLE: '/a/b', MARATHON_APP_ENFORCE_GROUP_ROLE: 'TRUE' }, 'a__b'],
    [{ MESOS_ALLOCATION_ROLE: 'team', MARATHON_APP_ENFORCE_GROUP_ROLE: 'false' }, undefined],
    [{ MESOS_ALLOCATION_ROLE: 'team' }, undefined],
    [{ MESOS_ALLOCATION_ROLE: 'slave_public', MARATHON_APP_ENFORCE_GROUP_ROLE: 'true' }, undefined],
  ])('the role of a folder, with %o', (env, role) => {
    expect(specOf(loadText(serviceFile(), { env })).role).toBe(role)
  })

  test('63 characters are taken, as DNS takes them', () => {
    expect(specOf(named('s'.repeat(63))).name).toHaveLength(63)
    expect(problemsOf(named('s'.repeat(64)))).toEqual([expect.stringMatching(/at most 63 characters \(it has 64\)/)])
  })

  test.each(['a__b', '/a//b', '"a b"', '""', '1a'])('%s is refused', (name) => {
    expect(problemsOf(named(name))).toEqual([expect.stringMatching(/^1:7 name /)])
  })

  test('principal, user and ZooKeeper', () => {
    const result = named('store', 'scheduler: {principal: p, user: u, zookeeper: "zk:2181"}\nweb-url: https://example.org/x')
    expect(specOf(result)).toMatchObject({ principal: 'p', user: 'u', webUrl: 'https://example.org/x' })
    expect(result).toMatchObject({ settings: { zookeeper: 'zk:2181' } })
  })
})

describe('what is refused, at its place', () => {
  test.each<[string, Parts, RegExp]>([
    ['an unknown field of the service', { service: 'region: x' }, /region unknown field/],
    ['a misspelt field', { task: 'kill_grace_period: 1' }, /^11:9 .*did you mean kill-grace-period\?/],
    ['uris of a task', { task: 'uris: [http://a/b]' }, /move them to its pod/],
    ['mem among limits', { task: 'resource-limits: {mem: 5}' }, /resource-limits\.mem unknown field; the field is called memory/],
    ['a list for text', { task: 'labels: [a]' }, /labels must be text, and is a list/],
    ['a map for a number', { task: 'kill-grace-period: {}' }, /must be a number, and is a map/],
    ['a fraction', { task: 'kill-grace-period: 1.5' }, /must be a whole number \(got 1\.5\)/],
    ['a number with a zero before it', { task: 'kill-grace-period: 010' }, /begins with a zero/],
    ['text for yes or no', { task: 'essential: yes' }, /must be true or false, and is "yes"/],
    ['an empty pod', { service: 'plans:\n  deploy:' }, /plans\.deploy is empty/],
    ['an empty image', { pod: 'image: ""' }, /image .*\(got ""\)/],
    ['two seccomp settings', { pod: 'seccomp-unconfined: true\nseccomp-profile-name: x' }, /exclude each other/],
    ['a wrong ipc mode', { pod: 'ipc-mode: SHARE_PARENT' }, /ipc-mode .*PRIVATE/],
    [
      'shared memory of the pod with a size',
      { task: 'ipc-mode: SHARE_PARENT\nshm-size: 5' },
      /shm-size has no meaning with ipc-?mode/i,
    ],
    ['half an rlimit', { pod: 'rlimits: {RLIMIT_AS: {soft: 1}}' }, /given together/],
    ['a negative rlimit', { pod: 'rlimits: {RLIMIT_AS: {soft: -2, hard: 5}}' }, /0 or more, or -1/],
    ['an rlimit upside down', { pod: 'rlimits: {RLIMIT_AS: {soft: 6, hard: 5}}' }, /must not exceed the hard one/],
    ['ports that are no pairs', { pod: 'networks: {mesos-bridge: {host-ports: [1]}}' }, /there are 1 and 0/],
    [
      'ports of a network that maps none',
      { pod: 'networks: {dcos: {host-ports: [1], container-ports: [1]}}' },
      /only the network mesos-bridge/,
    ],
    ['labels without a colon', { pod: 'networks: {dcos: {labels: "a"}}' }, /"a" is no key:value; write key:value,key2:value2/],
    ['a label twice', { task: 'labels: "a:1,a:2"' }, /a is there twice/],
    [
      'a volume with a slash',
      { pod: 'volume: {path: a/b, type: ROOT, size: 1}' },
      /volume\.path must be one relative path component/,
    ],
    ['a volume of no size', { pod: 'volume: {path: a, type: ROOT}' }, /volume\.size is missing/],
    ['a volume of a wrong type', { pod: 'volume: {path: a, type: root, size: 1}' }, /must be ROOT or MOUNT \(got "root"\)/],
    [
      'both volume forms',
      { task: 'volume: {path: a, type: ROOT, size: 1}\nvolumes: {b: {path: b, type: ROOT, size: 1}}' },
      /both given/,
    ],
    [
      'two volumes of one path',
      {
        task: 'volumes: {a: {path: a, type: ROOT, size: 1}, b: {path: a, type: ROOT, size: 1}}',
      },
      /the path a is also taken by pods\.db\.tasks\.server\.volumes\.a/,
    ],
    [
      'profiles on a root volume',
      { task: 'volume: {path: a, type: ROOT, size: 1, profiles: [x]}' },
      /only a volume of type MOUNT/,
    ],
    [
      'the root as host path',
      { pod: 'host-volumes: {a: {host-path: /, container-path: a}}' },
      /host-path must be an absolute path/,
    ],
    [
      'options that are no pairs',
      {
        pod: 'external-volumes: {a: {type: DOCKER, driver-name: d, driver-options: a=b=c, volume-mode: RW, container-path: a}}',
      },
      /"a=b=c" is no key=value; write key=value;key2=value2/,
    ],
    [
      'a name among the options',
      {
        pod: 'external-volumes: {a: {type: DOCKER, driver-name: d, driver-options: name=c, volume-mode: RW, container-path: a}}',
      },
      /write volume-name/,
    ],
    [
      'an external volume without a mode',
      {
        pod: 'external-volumes: {a: {type: OTHER, driver-name: d, container-path: a}}',
      },
      /volume-mode is missing/,
    ],
    ['the goal FINISHED', { task: 'env: {}' }, /^/],
    ['a task without memory', { resources: 'cpus: 1' }, /memory is missing; give it, or a resource-set/],
    ['half a gpu', { resources: 'cpus: 1, memory: 64, gpus: 0.5' }, /gpus .*0\.5/],
    [
      'a limit below the request',
      { task: 'resource-limits: {memory: "32"}' },
      /resource-limits\.memory must be at least what is reserved, 64/,
    ],
    ['a limit that is no number', { task: 'resource-limits: {cpus: Unlimited}' }, /number or unlimited \(got "Unlimited"\)/],
    ['a port beyond all', { task: 'ports: {a: {port: 70000}}' }, /ports\.a\.port .*70000/],
    ['a vip of another port', { task: 'ports: {a: {port: 0, vip: {port: 1, prefix: b}}, b: {port: 0}}' }, /name of another port/],
    ['a range upside down', { task: 'ports: {a: {port: 0, ranges: [{begin: 9, end: 5}]}}' }, /must not end before it begins/],
    [
      'a health check that lacks something',
      { task: 'health-check: {cmd: x, interval: 1, timeout: 1, delay: 0, grace-period: 0}' },
      /max-consecutive-failures is missing/,
    ],
    ['a check without a pause', { task: 'readiness-check: {cmd: x, interval: 0, timeout: 1}' }, /at least 1 second/],
    [
      'a check with a huge pause',
      { task: 'readiness-check: {cmd: x, interval: 90000, timeout: 1}' },
      /interval .*got 90000000\), counted in milliseconds/,
    ],
    [
      'a template that is not there',
      { task: 'configs: {a: {template: no, dest: a}}' },
      /template no cannot be read: there is no such file/,
    ],
    ['braces in env', { task: 'env: {A: "{{&B}}"}' }, /env\.A holds \{\{, which a spec takes for a placeholder/],
    ['a variable that is no name', { task: 'env: {A-B: x}' }, /env\.A-B .*letters, digits and underscores/],
    [
      'a plan of the scheduler',
      { service: 'plans: {recovery: {phases: {}}}' },
      /plans\.recovery recovery is a plan of the scheduler/,
    ],
    [
      'an unknown pod of a plan',
      { service: 'plans: {deploy: {phases: {a: {pod: bd}}}}' },
      /there is no pod "bd" \(there are: db\)/,
    ],
    [
      'an unknown task of a plan',
      { service: 'plans: {deploy: {phases: {a: {pod: db, steps: [0: [[x]]]}}}}' },
      /steps\.0\.0\.0\.0 there is no task "x" \(there are: server\)/,
    ],
    [
      'a step that is no index',
      { service: 'plans: {deploy: {phases: {a: {pod: db, steps: [first: [[server]]]}}}}' },
      /index of an instance or default \(got "first"\)/,
    ],
    [
      'two keys in a step',
      { service: 'plans: {deploy: {phases: {a: {pod: db, steps: [{0: [[server]], default: []}]}}}}' },
      /has one key.*this has 2/,
    ],
    [
      'an instance twice',
      { service: 'plans: {deploy: {phases: {a: {pod: db, steps: [0: [[server]], 0: []]}}}}' },
      /instance 0 is named twice/,
    ],
    ['a step of nothing', { service: 'plans: {deploy: {phases: {a: {pod: db, steps: [0: [[]]]}}}}' }, /step without a task/],
    ['a plan without phases', { service: 'plans: {deploy: {strategy: serial}}' }, /plans\.deploy\.phases is missing/],
    [
      'a strategy for a plan that only phases have',
      { service: 'plans: {deploy: {strategy: canary, phases: {a: {pod: db}}}}' },
      /deploy\.strategy .*"serial".*"parallel"/,
    ],
    [
      'a pod that no phase deploys',
      { service: 'plans: {deploy: {phases: {}}}' },
      /pod db is in no phase.*add a phase with pod: db/,
    ],
    ['a key twice', { task: 'env: {}\nenv: {}' }, /this key is there already/],
  ])('%s', (name, parts, message) => {
    const text = name === 'the goal FINISHED' ? serviceFile().replace('RUNNING', 'FINISHED') : serviceFile(parts)
    const env = { B: '{{x}}' }
    const problems = problemsOf(loadText(text, { env }))
    expect(problems).toContainEqual(expect.stringMatching(message))
    for (const problem of problems) expect(problem).toMatch(/^\d+:\d+ /)
  })

  test('names that become alike, and names that cannot be converted', () => {
    const ports = (entries: string) => problemsOf(loadText(serviceFile({ task: `ports: {${entries}}` })))
    expect(ports('a_b: {port: 0}, a.b: {port: 0}')).toEqual([
      '11:33 pods.db.tasks.server.ports.a.b the port a.b would be called a-b, and a_b is already; rename one of them',
    ])
    expect(ports('"a b": {port: 0}')).toEqual([
      '11:17 pods.db.tasks.server.ports.a b the port must be named with letters, digits and inner dashes, beginning with a letter, at most 30 characters (got "a b"); rename it',
    ])
  })

  test('what comes of a mistake is no further one', () => {
    expect(problemsOf(loadText('name: store\npods:\n  db: 5\nplans: {deploy: {phases: {a: {pod: db}}}}'))).toEqual([
      '3:7 pods.db must have fields of its own, and is 5',
    ])
    expect(problemsOf(loadText(serviceFile().replace('count: 1', 'count: many')))).toEqual([
      '4:12 pods.db.count must be a number, and is "many"',
    ])
  })

  test.each(['', '# nothing', 'null', '5', '[]', '"x"', 'a', '- a', ': :', 'name: [', '\u0000', '{{', '%YAML 1.1\n---\na: b'])(
    'the text %j',
    (text) => {
      const result = loadText(text)
      expect(result.ok).toBe(false)
      expect(problemsOf(result)).not.toEqual([])
    },
  )
})

describe('what dcos-commons passed over without a word is refused, and leniently done alike with a note', () => {
  test.each<[string, Parts, RegExp, object]>([
    ['an unknown field of a pod', { pod: 'placment: x' }, /did you mean placement\?/, { count: 1 }],
    ['a user of a pod', { pod: 'user: nobody' }, /set scheduler\.user/, { count: 1 }],
    [
      'profiles of a root volume of the pod',
      { pod: 'volume: {path: a, type: ROOT, size: 1, profiles: [x]}' },
      /profiles/,
      {
        volumes: { a: { type: 'ROOT', sizeMb: 1 } },
      },
    ],
    [
      'PATH for MOUNT',
      { pod: 'volume: {path: a, type: PATH, size: 1}' },
      /took it for MOUNT/,
      {
        volumes: { a: { type: 'MOUNT' } },
      },
    ],
    [
      'ranges beside a vip',
      { task: 'ports: {a: {port: 0, vip: {port: 1}, ranges: [{begin: 5}]}}' },
      /ranges beside a vip/,
      {
        tasks: { server: { ports: { a: { port: 0, advertise: false, vip: { port: 1 } } } } },
      },
    ],
    [
      'ranges of a fixed port',
      { task: 'ports: {a: {port: 5, ranges: [{begin: 5}]}}' },
      /fixed port 5/,
      {
        tasks: { server: { ports: { a: { port: 5 } } } },
      },
    ],
    [
      'fields beside a resource set',
      {
        pod: 'resource-sets: {s: {cpus: 1, memory: 64}}',
        task: 'resource-set: s\nvolume: {path: a, type: ROOT, size: 1}',
        resources: '',
      },
      /has no effect beside resource-set.*move it to the resource set s|left out/,
      { tasks: { server: { resourceSet: 's' } } },
    ],
    [
      'a resource set of no task',
      { pod: 'resource-sets: {s: {cpus: 1, memory: 64}}' },
      /no task has the resource set s/,
      { count: 1 },
    ],
    [
      'a dynamic port on the bridge',
      { pod: 'networks: {mesos-bridge: }', task: 'ports: {a: {port: 0}}' },
      /dynamic port \(0\) cannot be mapped/,
      {
        networks: { 'mesos-bridge': {} },
      },
    ],
    [
      'an instance that is not there',
      { service: 'plans: {deploy: {phases: {a: {pod: db, steps: [0: [[server]], 7: [[server]]]}}}}' },
      /there is no instance 7: the pod has 1/,
      { count: 1 },
    ],
    [
      'a variable that is always set',
      { task: 'env: {TASK_NAME: x}' },
      /TASK_NAME is set for every task/,
      {
        tasks: { server: { env: { TASK_NAME: '{{task.name}}' } } },
      },
    ],
  ])('%s', (_, parts, message, expected) => {
    const text = serviceFile(parts)
    expect(problemsOf(loadText(text))).toEqual([expect.stringMatching(message)])
    expect(podOf(text, true)).toMatchObject(expected)
    expect(notesOf(loadText(text, { lenient: true }))).toEqual([
      expect.stringMatching(
        message.source.startsWith('did you') || message.source.startsWith('set ') ? /unknown field; it is left out/ : message,
      ),
    ])
  })

  test('a fraction of a whole number is cut off', () => {
    expect(taskOf(serviceFile({ resources: 'cpus: 1, memory: 64.9' }), true)).toMatchObject({ memoryMb: 64 })
  })

  test('a fixed port kept instances apart by itself', () => {
    const text = serviceFile({ task: 'ports: {a: {port: 80}}' }).replace('count: 1', 'count: 2')
    expect(problemsOf(loadText(text))).toEqual([
      '11:20 pods.db.tasks.server.ports.a fixed port 80 allows one instance per host; add placement: "hostname:UNIQUE" or take a dynamic port (0)',
    ])
    expect(podOf(text, true)?.placement).toEqual([{ type: 'maxPerHost', max: 1 }])
    expect(notesOf(loadText(text, { lenient: true }))).toEqual([expect.stringMatching(/^3:3 pods\.db the fixed port 80/)])
  })
})

describe('variables', () => {
  const text = serviceFile({
    task: 'env:\n  A: {{A}}\n  B: {{B}}{{A}}\n{{#ON}}\n  C: {{C}}\n{{/ON}}\n{{#OFF}}\n  D: {{D}}\n{{/OFF}}',
  })

  test('all that are missing in what is rendered are told, with their lines, and nothing that comes of it', () => {
    expect(problemsOf(loadText(text, { env: { ON: 'x' } }))).toEqual([
      '12:14 the environment has no variable A; it is also wanted on line 13',
      '13:14 the environment has no variable B',
      '15:14 the environment has no variable C',
    ])
  })

  test('leniently a missing one is empty, with a note', () => {
    const result = loadText(text, { env: { B: 'b' }, lenient: true })
    expect(notesOf(result)).toEqual(['12:14 the environment has no variable A; it is also wanted on line 13'])
    expect(specOf(result).pods['db']?.tasks['server']?.env).toMatchObject({ A: '', B: 'b' })
  })

  test('problems after sections and values of several lines are told with the lines of the template', () => {
    const file = `{{#OFF}}\nx\n{{/OFF}}\n${serviceFile({ task: 'labels: "{{{LABELS}}}"\nessential: 5' })}`
    expect(problemsOf(loadText(file, { env: { LABELS: 'a:b,\n\n          c:d' } }))).toEqual([
      '15:20 pods.db.tasks.server.essential must be true or false, and is 5',
    ])
  })

  test('signs of HTML stay as they are, with a note where the ancestor would have changed them; leniently they change', () => {
    const file = serviceFile({ task: "env: {A: '{{A}}', B: '{{{A}}}'}" })
    const env = { A: 'x > "y" & z' }
    const strict = loadText(file, { env })
    expect(specOf(strict).pods['db']?.tasks['server']?.env).toMatchObject({ A: env.A, B: env.A })
    expect(notesOf(strict)).toEqual([expect.stringMatching(/^11:19 the value of A is written as it is/)])
    const lenient = loadText(file, { env, lenient: true })
    expect(specOf(lenient).pods['db']?.tasks['server']?.env).toMatchObject({ A: 'x &gt; &quot;y&quot; &amp; z', B: env.A })
    expect(notesOf(lenient)).toEqual([expect.stringMatching(/^11:19 \{\{A\}\} writes HTML entities/)])
  })

  test.each([
    ['a line break that makes a field', 'A: {{V}}', 'x\n        essential: false'],
    ['a colon that makes a map', 'A: {{V}}', 'x: y'],
    ['a number sign that cuts off the rest', 'A: {{V}} end', 'x # y'],
    ['a quote that ends the text', "A: '{{V}}'", "x' # '"],
    ['a bracket that makes a list', 'A: {{V}}', '[x, y]'],
    ['an alias', 'A: {{V}}', '*x'],
  ])('%s is refused', (_, line, value) => {
    const problems = problemsOf(loadText(serviceFile({ task: `env:\n  ${line}\n  B: {{W}}` }), { env: { V: value, W: 'a b-c' } }))
    expect(problems).toEqual([expect.stringMatching(/^12:\d+ the value of V does not stay one text here/)])
  })

  test.each(['x y', 'host:2181,host2:2181', 'http://a.b/c?d=e&f', "it's", 'a, b', 'true', '5', '', '-1', 'a:b'])(
    'the value %j stays one text',
    (value) => {
      const file = serviceFile({ task: 'env:\n  A: {{V}}\n  B: "{{V}}"' })
      expect(specOf(loadText(file, { env: { V: value } })).pods['db']?.tasks['server']?.env).toMatchObject({ A: value, B: value })
    },
  )

  test('what is put in with three braces may be YAML', () => {
    const file = serviceFile({ task: 'env: {{{ENV}}}' })
    expect(specOf(loadText(file, { env: { ENV: '{A: x, B: y}' } })).pods['db']?.tasks['server']?.env).toMatchObject({
      A: 'x',
      B: 'y',
    })
  })

  test('TASKCFG beats the file, and what cannot be a variable is told', () => {
    const file = serviceFile({ task: 'env: {A: file}' })
    expect(specOf(loadText(file, { env: { TASKCFG_DB_A: 'env' } })).pods['db']?.tasks['server']?.env).toMatchObject({ A: 'env' })
    expect(problemsOf(loadText(file, { env: { 'TASKCFG_ALL_A-B': 'x', TASKCFG_DB_C: '{{x}}' } }))).toEqual([
      expect.stringMatching(/^environment\.TASKCFG_DB_C holds \{\{/),
      expect.stringMatching(/^environment\.TASKCFG_ALL_A-B /),
    ])
  })
})

test('a variable that is always set may be set to the same, and not to something else from outside', () => {
  const text = serviceFile({ task: 'env: {FRAMEWORK_NAME: store}' })
  expect(notesOf(loadText(text, { env: { TASKCFG_ALL_FRAMEWORK_NAME: 'store' } }))).toEqual([])
  expect(problemsOf(loadText(text, { env: { TASKCFG_ALL_FRAMEWORK_NAME: 'other' } }))).toEqual([
    expect.stringMatching(/^environment\.TASKCFG_ALL_FRAMEWORK_NAME FRAMEWORK_NAME is set for every task/),
  ])
})

test('a region in the environment is noted', () => {
  expect(notesOf(loadText(serviceFile(), { env: { SERVICE_REGION: 'eu' } }))).toEqual([
    expect.stringMatching(/^environment\.SERVICE_REGION .*region eu/),
  ])
})

test('line ends of Windows, and a mark at the beginning', () => {
  const text = `\uFEFF${serviceFile({ task: 'env: {A: {{A}}}\nessential: 5' }).replaceAll('\n', '\r\n')}`
  expect(problemsOf(loadText(text, { env: { A: 'x' } }))).toEqual([
    '12:20 pods.db.tasks.server.essential must be true or false, and is 5',
  ])
})

test('anchors and aliases of numbers keep their text', () => {
  const text = serviceFile({ task: 'env: {A: &a 0.10, B: *a}\nkill-grace-period: &k 5' })
  expect(taskOf(text)).toMatchObject({ env: { A: '0.10' }, killGraceMs: 5_000 })
})

test('variables that dcos-commons alone sets are noted where they are used', () => {
  const file = serviceFile({ task: 'env: {FRAMEWORK_VIP_HOST: x}' }).replace(
    './run',
    'echo $FRAMEWORK_HOST $FRAMEWORK_VIP_HOST $CONFIG_TEMPLATE_A $FRAMEWORK_HOST',
  )
  expect(notesOf(loadText(file))).toEqual([
    '8:14 pods.db.tasks.server.cmd FRAMEWORK_HOST was set by dcos-commons and is not here; set it in env if it is needed',
    '8:14 pods.db.tasks.server.cmd CONFIG_TEMPLATE_A was set by dcos-commons and is not here; set it in env if it is needed',
  ])
})

test('plans without a deployment get the default one, with a note', () => {
  const result = loadText(serviceFile({ service: 'plans: {backup: {phases: {a: {pod: db}}}}' }))
  expect(specOf(result).deploy.phases).toBeUndefined()
  expect(notesOf(result)).toEqual([expect.stringMatching(/^11:1 plans there is no plan deploy/)])
})
