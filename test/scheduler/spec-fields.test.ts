/**
 * Nothing that a spec says is lost in silence: each field of the schema shows in what the master is sent, or is refused where a
 * scheduler is made, or is named here as one that by its nature no launch shows. A new field fails this test until it is one of
 * these. What is looked at is what the model of the master has read: a name that Mesos does not know would have vanished.
 */
import { describe, expect, test } from 'vitest'
import type { ExecutorInfo, FrameworkInfo, TaskInfo } from '../../src/mesos/messages.js'
import { defineService } from '../../src/spec/parse.js'
import { serviceSchema, type ServiceSpec, type ServiceSpecInput } from '../../src/spec/schema.js'
import { checkSupported, findUnsupported } from '../../src/spec/unsupported.js'
import { startService } from '../doctor/support/lived-service.js'
import { fieldsOf, valuesAt } from '../support/schema-fields.js'

type Pod = ServiceSpecInput['pods'][string]
type Task = Pod['tasks'][string]

interface Said {
  readonly service?: Partial<ServiceSpecInput>
  readonly pod?: Partial<Pod>
  readonly task?: Partial<Task>
}

const server: Task = { command: './serve', cpus: 1, memoryMb: 64 }

/** One pod of two instances with one task, and what is said of them. */
const specOf = ({ service, pod, task }: Said): ServiceSpec =>
  defineService({
    name: 'store',
    ...service,
    pods: { db: { count: 2, tasks: { server: { ...server, ...task } }, ...pod } },
  })

/** What the master has read of a first deployment; the launches are those of `db-1`. */
interface Sent {
  readonly framework: FrameworkInfo
  readonly tasks: readonly TaskInfo[]
  readonly executors: readonly ExecutorInfo[]
  /** The amounts that were reserved for `db-1`, by the part and name that the reservation tells. */
  readonly reserved: Readonly<Record<string, unknown>>
}

async function deploy(spec: ServiceSpec): Promise<Sent> {
  const { cluster, scheduler } = startService(spec, 2)
  await scheduler.start(spec)
  await cluster.run(() => scheduler.status()?.plans.every((plan) => plan.status === 'COMPLETE') === true, 600_000)
  const calls = cluster.log.flatMap((entry) => (entry.type === 'callTaken' ? [entry.call] : []))
  const operations = calls.flatMap((call) => (call.type === 'ACCEPT' ? (call.accept.operations ?? []) : []))
  const groups = operations.flatMap((operation) => (operation.type === 'LAUNCH_GROUP' ? [operation.launch_group] : []))
  const tasks = groups.flatMap((group) => group.task_group.tasks ?? []).filter(({ name }) => name.startsWith('db-1-'))
  const executors = groups.map(({ executor }) => executor).filter(({ executor_id: id }) => id.value.startsWith('db-1_'))
  const resources = operations.flatMap((operation) => (operation.type === 'RESERVE' ? (operation.reserve.resources ?? []) : []))
  const reserved = resources.flatMap(({ reservations, scalar, ranges }) => {
    const labels = reservations?.at(-1)?.labels?.labels ?? []
    const id = labels.find(({ key }) => key === 'stateward.resource')?.value ?? ''
    const [, part] = /^db-1\.\d+\.[0-9a-f]+\.(.*)$/.exec(id) ?? []
    return part === undefined ? [] : [[part, scalar?.value ?? ranges?.range] as const]
  })
  const subscribe = calls.find((call) => call.type === 'SUBSCRIBE')
  if (subscribe === undefined) throw new Error('the scheduler has not subscribed')
  return { framework: subscribe.subscribe.framework_info, tasks, executors, reserved: Object.fromEntries(reserved) }
}

interface Carried extends Said {
  /** Fields that this shows. */
  readonly fields: readonly string[]
  readonly framework?: object
  readonly executor?: object
  /** Of the task `server`, or of the only one. */
  readonly seen?: object
  readonly reserved?: object
  /** Variables of its environment. */
  readonly env?: object
}

const ofPod = (...names: readonly string[]): string[] => names.map((name) => `pods.*.${name}`)
const ofTask = (...names: readonly string[]): string[] => ofPod(...names.map((name) => `tasks.*.${name}`))
const reference = (name: string) => ({ type: 'REFERENCE', reference: { name } })

const secretFile = { mode: 'RO', container_path: 'tls/key', source: { type: 'SECRET', secret: reference('store/key') } }
const docker = {
  mode: 'RW',
  container_path: 'shared',
  source: {
    type: 'DOCKER_VOLUME',
    docker_volume: {
      driver: 'nfs',
      name: 'store_db_1',
      driver_options: { parameter: [{ key: 'size', value: '10' }] },
    },
  },
}

const carried: Readonly<Record<string, Carried>> = {
  'who it is': {
    fields: ['name', 'user', 'principal', 'role', 'webUrl'],
    service: { name: 'other', user: 'db', principal: 'me', role: 'team/db', webUrl: 'http://db.example' },
    framework: { name: 'other', user: 'db', principal: 'me', roles: ['team/db'], webui_url: 'http://db.example' },
    executor: {
      resources: [{ allocation_info: { role: 'team/db' }, reservations: [{ role: 'team/db', principal: 'me' }] }, {}, {}],
    },
  },
  'what is told to peers': {
    fields: ['advertise', 'values.*.generate', ...ofTask('env')],
    service: { advertise: 'hostname', values: { id: { generate: 'uuid' } } },
    task: { env: { AT: '{{agent.address}}', ID: '{{values.id}}' } },
    env: { AT: expect.stringMatching(/^agent-\d$/), ID: expect.stringMatching(/^[0-9a-f-]{36}$/) },
  },
  'what is reserved': {
    fields: [
      ...ofPod('executor.cpus', 'executor.memoryMb', 'executor.diskMb', 'volumes.*.path', 'volumes.*.sizeMb', 'volumes.*.type'),
      ...ofTask('cpus', 'memoryMb'),
    ],
    pod: {
      executor: { cpus: 0.2, memoryMb: 48, diskMb: 96 },
      volumes: { data: { type: 'ROOT', sizeMb: 128, path: 'here' } },
    },
    reserved: {
      'executor/cpus': 0.2,
      'executor/mem': 48,
      'executor/disk': 96,
      'task/server/cpus': 1,
      'task/server/mem': 64,
      'volume/data/disk': 128,
    },
    seen: { container: { volumes: [{ container_path: 'here', source: { sandbox_path: { type: 'PARENT', path: 'here' } } }] } },
  },
  'resources of a set': {
    fields: [
      ...ofTask('resourceSet'),
      ...ofPod('cpus', 'memoryMb', 'ports.*.port', 'ports.*.envKey', 'ports.*.advertise', 'limits.cpus', 'limits.memoryMb').map(
        (field) => field.replace('pods.*.', 'pods.*.resourceSets.*.'),
      ),
      'pods.*.resourceSets.*.ports.*.ranges[].begin',
      'pods.*.resourceSets.*.ports.*.ranges[].end',
      'pods.*.resourceSets.*.ports.*.vip.port',
      'pods.*.resourceSets.*.ports.*.vip.prefix',
    ],
    pod: {
      resourceSets: {
        large: {
          cpus: 2,
          memoryMb: 96,
          limits: { cpus: 3, memoryMb: 'unlimited' },
          ports: {
            client: {
              port: 0,
              envKey: 'PORT',
              advertise: true,
              ranges: [{ begin: 22_000, end: 22_010 }],
              vip: { port: 80, prefix: 'front' },
            },
          },
        },
      },
      tasks: { server: { command: './serve', resourceSet: 'large' } },
    },
    reserved: { 'task/server/cpus': 2, 'task/server/mem': 96, 'task/server/ports/client': [{ begin: 22_000, end: 22_000 }] },
    env: { PORT: '22000' },
    seen: {
      limits: { cpus: { value: 3 }, mem: { value: 'Infinity' } },
      discovery: {
        ports: { ports: [{ visibility: 'EXTERNAL', labels: { labels: [{ key: 'VIP_server-client', value: '/front:80' }] } }] },
      },
    },
  },
  ports: {
    fields: ofTask(
      'ports.*.port',
      'ports.*.envKey',
      'ports.*.advertise',
      'ports.*.ranges[].begin',
      'ports.*.ranges[].end',
      'ports.*.vip.port',
      'ports.*.vip.prefix',
    ),
    task: {
      ports: {
        shown: { port: 0, advertise: true },
        placed: { port: 0, envKey: 'PLACED', ranges: [{ begin: 25_000, end: 25_001 }] },
        shared: { port: 0, vip: { port: 443, prefix: 'front' } },
      },
    },
    env: { PLACED: '25000' },
    reserved: { 'task/server/ports/placed': [{ begin: 25_000, end: 25_000 }] },
    seen: {
      discovery: {
        visibility: 'CLUSTER',
        name: 'db-1-server',
        ports: {
          ports: [
            { name: 'shown', number: 21_000, protocol: 'tcp' },
            {
              name: 'shared',
              number: 21_001,
              protocol: 'tcp',
              visibility: 'CLUSTER',
              labels: { labels: [{ key: 'VIP_server-shared', value: '/front:443' }] },
            },
          ],
        },
      },
    },
  },
  'a task': {
    fields: ofTask('command', 'killGraceMs', 'labels', 'discovery.prefix', 'discovery.visibility'),
    task: {
      command: 'exec ./other',
      killGraceMs: 2_500,
      labels: { team: 'storage' },
      discovery: { prefix: 'node', visibility: 'EXTERNAL' },
    },
    seen: {
      command: { shell: true, value: 'exec ./other' },
      kill_policy: { grace_period: { nanoseconds: 2_500_000_000 } },
      labels: { labels: expect.arrayContaining([{ key: 'team', value: 'storage' }]) },
      discovery: { visibility: 'EXTERNAL', name: 'node-1' },
    },
  },
  goals: {
    fields: ofTask('goal'),
    pod: { tasks: { format: { goal: 'INIT', command: './format', cpus: 0.1, memoryMb: 32 }, server } },
    seen: { labels: { labels: expect.arrayContaining([{ key: 'stateward.finished.format', value: expect.any(String) }]) } },
  },
  checks: {
    fields: [
      ...ofTask('readinessCheck.command', 'readinessCheck.delayMs', 'readinessCheck.intervalMs', 'readinessCheck.timeoutMs'),
      ...ofTask('healthCheck.command', 'healthCheck.delayMs', 'healthCheck.intervalMs', 'healthCheck.timeoutMs'),
      ...ofTask('healthCheck.graceMs', 'healthCheck.maxFailures'),
    ],
    task: {
      readinessCheck: { command: './ready', delayMs: 1_000, intervalMs: 2_000, timeoutMs: 3_000 },
      healthCheck: { command: './well', delayMs: 1_500, intervalMs: 2_500, timeoutMs: 3_500, graceMs: 4_500, maxFailures: 5 },
    },
    seen: {
      check: {
        type: 'COMMAND',
        command: { command: { shell: true, value: './ready' } },
        delay_seconds: 1,
        interval_seconds: 2,
        timeout_seconds: 3,
      },
      health_check: {
        type: 'COMMAND',
        command: { shell: true, value: './well' },
        delay_seconds: 1.5,
        interval_seconds: 2.5,
        timeout_seconds: 3.5,
        grace_period_seconds: 4.5,
        consecutive_failures: 5,
      },
    },
  },
  limits: {
    fields: ofTask('limits.cpus', 'limits.memoryMb'),
    task: { limits: { cpus: 'unlimited', memoryMb: 256 } },
    executor: { container: { type: 'MESOS', linux_info: { share_cgroups: false } } },
    seen: {
      limits: { cpus: { value: 'Infinity' }, mem: { value: 256 } },
      container: { linux_info: { share_cgroups: false } },
    },
  },
  'what is fetched': {
    fields: [
      ...ofPod('uris', 'uris[].uri', 'uris[].extract', 'uris[].executable', 'uris[].cache', 'uris[].outputFile'),
      ...ofTask('uris', 'uris[].uri', 'uris[].extract', 'uris[].executable', 'uris[].cache', 'uris[].outputFile'),
    ],
    pod: { uris: [{ uri: 'http://host/pod.bin', extract: false, executable: true, outputFile: 'bin/pod' }] },
    task: { uris: ['http://host/task.tgz', { uri: 'file:///opt/x', cache: true, outputFile: 'y' }] },
    seen: {
      command: {
        uris: [
          { value: 'http://host/pod.bin', extract: false, executable: true, cache: false, output_file: 'bin/pod' },
          { value: 'http://host/task.tgz', extract: true, executable: false, cache: false },
          { value: 'file:///opt/x', extract: true, executable: false, cache: true, output_file: 'y' },
        ],
      },
    },
  },
  'an image and a user': {
    fields: ofPod('image', 'user'),
    pod: { image: 'redis:7', user: 'redis' },
    task: { readinessCheck: { command: './ready' } },
    seen: {
      command: { user: 'redis' },
      check: { command: { command: { user: 'redis' } } },
      container: {
        mesos: { image: { type: 'DOCKER', docker: { name: 'redis:7' } } },
        volumes: [
          { mode: 'RW', container_path: '/tmp', source: { type: 'SANDBOX_PATH', sandbox_path: { type: 'SELF', path: 'tmp' } } },
        ],
      },
    },
  },
  'volumes of others': {
    fields: ofPod(
      'hostVolumes.*.hostPath',
      'hostVolumes.*.path',
      'hostVolumes.*.mode',
      'externalVolumes.*.driver',
      'externalVolumes.*.name',
      'externalVolumes.*.options',
      'externalVolumes.*.mode',
      'externalVolumes.*.path',
      'externalVolumes.*.separator',
      'externalVolumes.*.shared',
    ),
    pod: {
      hostVolumes: { certs: { hostPath: '/etc/ssl', path: 'certs', mode: 'RO' } },
      externalVolumes: {
        own: { driver: 'nfs', options: { size: '10' }, mode: 'RW', path: 'shared' },
        all: { driver: 'nfs', name: 'everybody', shared: true, mode: 'RO', path: 'all' },
        block: { driver: 'pxd', name: 'block', separator: '-', mode: 'RW', path: 'block' },
      },
    },
    executor: {
      container: {
        volumes: [
          { mode: 'RO', container_path: 'certs', host_path: '/etc/ssl' },
          docker,
          { container_path: 'all' },
          { container_path: 'block' },
        ],
      },
    },
    seen: {
      container: {
        volumes: [
          { mode: 'RO', container_path: 'certs', host_path: '/etc/ssl' },
          docker,
          { mode: 'RO', source: { docker_volume: { driver: 'nfs', name: 'everybody' } } },
          { mode: 'RW', source: { docker_volume: { driver: 'pxd', name: 'block-1' } } },
        ],
      },
    },
  },
  secrets: {
    fields: ofPod('secrets.*.secret', 'secrets.*.envKey', 'secrets.*.file'),
    pod: {
      secrets: { password: { secret: 'store/password', envKey: 'PASSWORD' }, key: { secret: 'store/key', file: 'tls/key' } },
    },
    executor: { container: { volumes: [secretFile] } },
    seen: {
      command: { environment: { variables: [{ name: 'PASSWORD', type: 'SECRET', secret: reference('store/password') }] } },
      container: { volumes: [secretFile] },
    },
  },
  'namespaces and system calls': {
    fields: [...ofPod('sharePidNamespace', 'seccomp', 'seccomp.profile', 'ipcMode', 'shmMb'), ...ofTask('ipcMode', 'shmMb')],
    pod: { sharePidNamespace: true, seccomp: { profile: 'strict' }, ipcMode: 'PRIVATE', shmMb: 64 },
    task: { ipcMode: 'PRIVATE', shmMb: 32 },
    executor: { container: { linux_info: { ipc_mode: 'PRIVATE', shm_size: 64 } } },
    seen: {
      container: {
        linux_info: { share_pid_namespace: true, seccomp: { profile_name: 'strict' }, ipc_mode: 'PRIVATE', shm_size: 32 },
      },
    },
  },
  'limits of processes': {
    fields: ofPod('rlimits', 'rlimits.*.soft', 'rlimits.*.hard'),
    pod: { rlimits: { RLIMIT_NOFILE: { soft: 10, hard: 20 }, RLIMIT_MEMLOCK: 'unlimited' } },
    executor: {
      container: { rlimit_info: { rlimits: [{ type: 'RLMT_NOFILE', soft: 10, hard: 20 }, { type: 'RLMT_MEMLOCK' }] } },
    },
    seen: {
      container: { rlimit_info: { rlimits: [{ type: 'RLMT_NOFILE', soft: 10, hard: 20 }, { type: 'RLMT_MEMLOCK' }] } },
    },
  },
}

const image = { text: 'x', dest: 'x.conf' }
const phase = { pod: 'db' }

/** What this version refuses, with all that lies below it. */
const refused: Readonly<Record<string, Said>> = {
  region: { service: { region: 'north' } },
  plans: { service: { plans: { backup: { phases: [phase] } } } },
  'recovery.replace': { service: { recovery: { replace: { afterMs: 60_000 } } } },
  'deploy.strategy': { service: { deploy: { strategy: 'parallel' } } },
  'update.strategy': { service: { update: { strategy: 'parallel' } } },
  'update.phases': { service: { update: { phases: [phase] } } },
  'deploy.phases[].steps': {
    service: { deploy: { phases: [{ pod: 'db', steps: [{ instance: 'default', tasks: [['server']] }] }] } },
  },
  'deploy.phases[].oneWay': { service: { deploy: { phases: [{ pod: 'db', oneWay: true }] } } },
  'pods.*.allowDecommission': { pod: { allowDecommission: true } },
  'pods.*.networks': { pod: { networks: { dcos: {} } } },
  'pods.*.preReservedRole': { pod: { preReservedRole: 'disks' } },
  'pods.*.volumes.*.profiles': { pod: { volumes: { data: { type: 'MOUNT', sizeMb: 64, profiles: ['fast'] } } } },
  'pods.*.tasks.*.gpus': { task: { gpus: 1 } },
  'pods.*.tasks.*.volumes': { task: { volumes: { own: { sizeMb: 64 } } } },
  'pods.*.tasks.*.configs': { task: { configs: { main: image } } },
  'pods.*.tasks.*.transportEncryption': { task: { transportEncryption: [{ name: 'x', type: 'TLS' }] } },
  'pods.*.tasks.*.readinessCheck.deadline': {
    task: { readinessCheck: { command: 'x', deadline: { afterMs: 1_000, reaction: 'report' } } },
  },
  'pods.*.tasks.*.preStop': { task: { preStop: { command: 'x' } } },
  'pods.*.tasks.*.essential': { task: { essential: false } },
  'pods.*.resourceSets.*.gpus': {
    pod: { resourceSets: { one: { cpus: 1, memoryMb: 64, gpus: 1 } }, tasks: { server: { command: 'x', resourceSet: 'one' } } },
  },
  'pods.*.resourceSets.*.volumes': {
    pod: {
      resourceSets: { one: { cpus: 1, memoryMb: 64, volumes: { own: { sizeMb: 64 } } } },
      tasks: { server: { command: 'x', resourceSet: 'one' } },
    },
  },
}

/** Values of fields that otherwise are carried or decide; at which path they are refused. */
const refusedValues: readonly (readonly [string, Said])[] = [
  ['pods.db.placement.0', { pod: { placement: [{ type: 'unique', key: 'hostname' }] } }],
  ['pods.db.volumes.data.type', { pod: { volumes: { data: { type: 'PATH', sizeMb: 64 } } } }],
  ['pods.db.tasks', { task: { goal: 'ONCE' } }],
  ['pods.db.count', { pod: { count: 0 } }],
  ['deploy.phases.0.strategy', { service: { deploy: { phases: [{ pod: 'db', strategy: 'serial-canary' }] } } }],
  [
    'pods.db.resourceSets.one',
    {
      pod: {
        resourceSets: { one: { cpus: 1, memoryMb: 64 } },
        tasks: { a: { command: 'a', resourceSet: 'one' }, b: { command: 'b', resourceSet: 'one' } },
      },
    },
  ],
]

/** What no launch can show, with what it decides instead; `test/plan` and `test/scheduler` hold it to that. */
const decides: Readonly<Record<string, string>> = {
  'pods.*.count': 'how many instances there are',
  'pods.*.placement': 'which agents a new footprint may be on',
  'deploy.phases[].name': 'the name of a phase',
  'deploy.phases[].pod': 'what is deployed when',
  'deploy.phases[].strategy': 'what is deployed when',
  'deploy.phases[].afterEach': 'gates',
  'deploy.preFlight': 'gates',
  'deploy.afterEach': 'gates',
  'deploy.postFlight': 'gates',
  'update.order': 'what is rolled next',
  'update.preFlight': 'gates',
  'update.beforeEach': 'gates',
  'update.afterEach': 'gates',
  'update.postFlight': 'gates',
  'recovery.afterEach': 'gates',
  'recovery.backoff': 'when what has failed is launched again',
}

const all = fieldsOf(serviceSchema)
const isBelow = (field: string, root: string): boolean =>
  field === root || field.startsWith(`${root}.`) || field.startsWith(`${root}[`)

describe('every field of the schema', () => {
  const shown = Object.values(carried).flatMap(({ fields }) => fields)
  const roots = [...Object.keys(refused), ...Object.keys(decides)]

  test('reaches Mesos, is refused, or is known to decide something else, and only one of these', () => {
    const places = (field: string): number =>
      [...new Set(shown)].filter((each) => each === field).length + roots.filter((root) => isBelow(field, root)).length
    expect(all.length).toBeGreaterThan(150)
    expect(all.filter((field) => places(field) !== 1)).toEqual([])
  })

  test('is one: the tables name no other', () => {
    expect(shown.filter((field) => !all.includes(field))).toEqual([])
    expect(roots.filter((root) => !all.some((field) => isBelow(field, root)))).toEqual([])
  })
})

describe('what reaches Mesos', () => {
  test.each(Object.entries(carried))('%s', async (_what, { fields, framework, executor, seen, reserved, env, ...said }) => {
    const spec = specOf(said)
    expect(findUnsupported(spec)).toEqual([])
    // A literal among objects is shown by a test of its own.
    expect(fields.filter((field) => valuesAt(spec, field).length === 0)).toEqual([])
    const sent = await deploy(spec)
    const task = sent.tasks.find(({ name }) => name === 'db-1-server')
    const variables = Object.fromEntries((task?.command?.environment?.variables ?? []).map(({ name, value }) => [name, value]))
    expect(sent.framework).toMatchObject(framework ?? {})
    expect(task).toMatchObject(seen ?? {})
    expect(sent.executors.at(-1)).toMatchObject(executor ?? {})
    expect(sent.reserved).toMatchObject(reserved ?? {})
    expect(variables).toMatchObject(env ?? {})
  })

  test('nothing at all of a spec that asks for nothing of it', async () => {
    const { tasks, executors, framework } = await deploy(specOf({}))
    expect(Object.keys(tasks[0] ?? {}).sort()).toEqual(
      ['agent_id', 'command', 'kill_policy', 'labels', 'name', 'resources', 'task_id'].sort(),
    )
    expect(Object.keys(tasks[0]?.command ?? {}).sort()).toEqual(['environment', 'shell', 'uris', 'value'])
    expect(executors[0]).not.toHaveProperty('container')
    expect(framework).not.toHaveProperty('webui_url')
  })

  test('no system calls filtered', async () => {
    const { tasks } = await deploy(specOf({ pod: { seccomp: 'unconfined' } }))
    expect(tasks[0]?.container?.linux_info).toEqual({ seccomp: { unconfined: true } })
  })

  test('a size of /dev/shm only together with one of its own', async () => {
    const { tasks, executors } = await deploy(specOf({ pod: { shmMb: 64 }, task: { shmMb: 32 } }))
    expect(executors[0]?.container?.linux_info).toEqual({ ipc_mode: 'PRIVATE', shm_size: 64 })
    expect(tasks[0]?.container?.linux_info).toEqual({ ipc_mode: 'PRIVATE', shm_size: 32 })
  })
})

describe('what is refused', () => {
  test.each(Object.entries(refused))('%s', (field, said) => {
    const found = findUnsupported(specOf(said)).map(({ path }) => path.replace(/\.\d+(?=\.|$)/g, '[]'))
    // Profiles are refused with the type that has them.
    const path = field.replace('.profiles', '.type').split('.*').join('.')
    const pattern = new RegExp(`^${path.replaceAll('..', '\\.[^.]+\\.').replaceAll('[]', '\\[\\]')}(\\.|$)`)
    expect(found.filter((each) => pattern.test(each))).not.toEqual([])
  })

  test.each(refusedValues)('at %s', (path, said) => {
    expect(findUnsupported(specOf(said)).map((issue) => issue.path)).toContain(path)
  })

  test('is told with every place at once, before anything is started', () => {
    expect(() => checkSupported(specOf({ pod: { networks: { dcos: {} } }, task: { gpus: 1 } }))).toThrow(
      /service store asks for more than this version can run:\n {2}spec\.pods\.db\.networks: .*\n {2}spec\.pods\.db\.tasks\.server\.gpus: .*cannot be run by this version yet; remove it$/,
    )
  })
})

test('a spec that is refused leaves the framework as it is subscribed', async () => {
  const first = specOf({})
  const { cluster, scheduler } = startService(first, 2)
  await scheduler.start(first)
  const isDeployed = (): boolean => scheduler.status()?.plans.every((plan) => plan.status === 'COMPLETE') === true
  expect(await cluster.run(isDeployed, 600_000)).toBe(true)
  await scheduler.stop()
  await scheduler.start(specOf({ service: { role: 'another', webUrl: 'http://another' } }))
  await cluster.advance(30_000)
  expect(JSON.stringify(scheduler.status()?.rejected)).toContain('cannot change from store-role to another')
  const subscribed = cluster.log.flatMap((entry) =>
    entry.type === 'callTaken' && entry.call.type === 'SUBSCRIBE' ? [entry.call.subscribe.framework_info] : [],
  )
  expect(subscribed.map(({ roles }) => roles)).toEqual([['store-role'], ['store-role']])
  expect(subscribed.at(-1)).not.toHaveProperty('webui_url')
})
