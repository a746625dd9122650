/** A pod type: tasks that live on one agent and share an executor, in so many instances. Pure. */
import { z } from 'zod'
import { absolutePath, cpus, diskMb, envName, field, label, memoryMb, sandboxPath, userName } from './fields.js'
import { placementRule } from './placement.js'
import { resourceSet, volumes } from './resources.js'
import { task, uri } from './task.js'

/** Names of Mesos' `RLimitInfo`. */
const rlimitNames = [
  'RLIMIT_AS',
  'RLIMIT_CORE',
  'RLIMIT_CPU',
  'RLIMIT_DATA',
  'RLIMIT_FSIZE',
  'RLIMIT_LOCKS',
  'RLIMIT_MEMLOCK',
  'RLIMIT_MSGQUEUE',
  'RLIMIT_NICE',
  'RLIMIT_NOFILE',
  'RLIMIT_NPROC',
  'RLIMIT_RSS',
  'RLIMIT_RTPRIO',
  'RLIMIT_RTTIME',
  'RLIMIT_SIGPENDING',
  'RLIMIT_STACK',
] as const

const limit = z.int().min(0).max(Number.MAX_SAFE_INTEGER)
const rlimit = z.union([
  z.literal('unlimited'),
  z
    .strictObject({ soft: field(limit, 'What a process starts with.'), hard: field(limit, 'How far it may raise it.') })
    .refine(({ soft, hard }) => soft <= hard, 'the soft limit must not exceed the hard one'),
])

const portMapping = z.strictObject({
  hostPort: field(z.int().min(0).max(65_535), 'On the agent.'),
  containerPort: field(z.int().min(1).max(65_535), 'In the network of the pod.'),
})

const network = z.strictObject({
  portMappings: field(z.array(portMapping).optional(), 'Only for networks that map ports, such as `mesos-bridge`.', {
    implied: [],
  }),
  labels: field(z.record(z.string().min(1), z.string()).optional(), 'Handed to the network plugin.', { implied: {} }),
})

const mode = z.enum(['RW', 'RO'])

const hostVolume = z.strictObject({
  hostPath: field(absolutePath, 'Path on the agent.'),
  path: field(sandboxPath, 'Path in the sandbox.'),
  mode: field(mode.optional(), 'RW: may be written. RO: only read.', { implied: 'RW' }),
})

const externalVolume = z.strictObject({
  driver: field(z.string().min(1).max(255), 'Docker volume driver on the agents.'),
  name: field(
    z.string().min(1).max(255).optional(),
    'Base of the name given to the driver; `<service>_<pod>` when left out. The index is added.',
  ),
  options: field(z.record(z.string().min(1), z.string()).optional(), 'Handed to the driver.', { implied: {} }),
  mode: field(mode, 'RW: may be written. RO: only read.'),
  path: field(sandboxPath, 'Path in the sandbox.'),
  separator: field(z.enum(['_', '-']).optional(), 'Stands between the name and the index.', { implied: '_' }),
  shared: field(z.boolean().optional(), 'One volume for all instances: no index in its name.', { implied: false }),
})

const secret = z
  .strictObject({
    secret: field(z.string().min(1).max(1_024), 'Path in the secret store.'),
    envKey: field(envName.optional(), 'Environment variable that gets it.'),
    file: field(sandboxPath.optional(), 'File that gets it, in the sandbox, only to be read.'),
  })
  .refine(({ envKey, file }) => envKey !== undefined || file !== undefined, 'give envKey, file or both: nobody would get it')

const executor = z.strictObject({
  cpus: field(cpus.default(0.1), 'Cores of the executor itself.', { unit: 'cores' }),
  memoryMb: field(memoryMb.default(32), 'Memory of the executor itself.', { unit: 'MiB' }),
  diskMb: field(diskMb.default(256), 'Sandbox of the whole pod: fetched files, logs.', { unit: 'MiB' }),
})

const seccomp = z.union([
  z.literal('unconfined'),
  z.strictObject({ profile: field(z.string().min(1).max(255), 'Name of a profile on the agents.') }),
])

export const pod = z.strictObject({
  count: field(z.int().min(0).max(10_000), 'Instances.'),
  allowDecommission: field(z.boolean().optional(), 'The count may shrink, and the pod may be removed; their data is destroyed.', {
    implied: false,
  }),
  placement: field(z.array(placementRule).default([]), 'Where instances may be placed; all rules must hold.'),
  volumes: field(volumes.default({}), 'Persistent volumes, seen by all tasks of the pod, by name.'),
  executor: field(executor.prefault({}), "What the pod's executor takes beside its tasks."),
  tasks: field(z.record(label('a task', 30), task), 'Tasks by name; their order is the order in steps.'),
  resourceSets: field(
    z.record(label('a resource set', 30), resourceSet).optional(),
    'Resources for tasks that never run at the same time, by name.',
    {
      implied: {},
    },
  ),
  user: field(
    userName.optional(),
    "User that the tasks run as; the service's when left out. Cannot change later where the pod keeps data.",
  ),
  image: field(z.string().min(1).max(1_024).optional(), 'Docker image, run by the Mesos containerizer.'),
  uris: field(z.array(uri).optional(), 'Files fetched into the sandbox of every task.', { implied: [] }),
  networks: field(
    z.record(z.string().min(1).max(255), network).optional(),
    'Virtual networks to join, by name; the network of the agent when left out.',
    {
      implied: {},
    },
  ),
  rlimits: field(z.partialRecord(z.enum(rlimitNames), rlimit).optional(), 'Limits of the processes, by their POSIX name.', {
    implied: {},
  }),
  hostVolumes: field(z.record(label('a host volume', 60), hostVolume).optional(), 'Directories of the agent, by name.', {
    implied: {},
  }),
  externalVolumes: field(
    z.record(label('an external volume', 60), externalVolume).optional(),
    'Volumes of a storage system outside, by name.',
    {
      implied: {},
    },
  ),
  secrets: field(z.record(label('a secret', 60), secret).optional(), 'Secrets that every task gets, by name.', { implied: {} }),
  preReservedRole: field(
    z
      .string()
      .regex(/^[A-Za-z0-9_][A-Za-z0-9_./-]*$/, 'must be the name of a role')
      .optional(),
    'Takes only resources that an operator has reserved to this role. Can never change later.',
  ),
  sharePidNamespace: field(z.boolean().optional(), 'Tasks of an instance see each other’s processes.', { implied: false }),
  seccomp: field(seccomp.optional(), "Profile of allowed system calls; the agents' own when left out."),
  ipcMode: field(z.literal('PRIVATE').optional(), 'Inter-process communication of the pod: of its own.'),
  shmMb: field(z.int().min(1).max(1_048_576).optional(), 'Size of `/dev/shm` of the pod.', { unit: 'MiB' }),
})
