/**
 * The service spec: pure data, one zod schema from which types, validation and defaults come. Units end the names: `Mb` is
 * 2^20 bytes, `Ms` milliseconds. Code is only named here (gates, order hooks) and bound when the scheduler is made. Unknown
 * keys are errors everywhere. Pure.
 */
import { z } from 'zod'

/** Lower-case DNS label: it becomes part of host names, ids and labels. */
const label = (what: string, max = 40) =>
  z
    .string()
    .max(max, `${what} must have at most ${max} characters`)
    .regex(/^[a-z]([a-z0-9-]*[a-z0-9])?$/, `${what} must be lower-case letters, digits and inner dashes, beginning with a letter`)

const hookName = z.string().regex(/^[A-Za-z][A-Za-z0-9_]*$/, 'a hook must be named like a function: letters, digits, underscores')
const valueName = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9]*$/, 'a value must be named with letters and digits, beginning with a letter')
const envName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'an environment variable must be named with letters, digits and underscores')

/** Mesos keeps three decimals; more would be rounded away silently. */
const threeDecimals = (value: number) => Math.abs(value * 1000 - Math.round(value * 1000)) < 1e-6
const cpus = z.number().min(0.01).max(1024).refine(threeDecimals, 'must have at most three decimals')
const memoryMb = z.int().min(32).max(16_777_216)
const durationMs = (min: number, max = 86_400_000) => z.int().min(min).max(max)

const gateObject = z.strictObject({
  /** Name of the hook; it answers whether the service is healthy enough to go on. */
  gate: hookName,
  /** Pause between two attempts in ms. @defaultValue 2000 */
  intervalMs: durationMs(100).default(2_000),
  /** Time limit of one attempt in ms. @defaultValue 30000 */
  timeoutMs: durationMs(100).default(30_000),
  /** How long a closed gate is normal; afterwards the plan says that it is held. @defaultValue 600000 */
  deadlineMs: durationMs(1_000).default(600_000),
})

/** A gate by name alone takes the defaults. */
const gate = z.preprocess((value) => (typeof value === 'string' ? { gate: value } : value), gateObject)

const port = z.strictObject({
  /** Port number on the agent; 0 takes any offered port and keeps it over relaunches. */
  port: z.int().min(0).max(65_535),
  /** Environment variable that gets the number. */
  envKey: envName.optional(),
  /** Makes the port known in the task's discovery info. @defaultValue false */
  advertise: z.boolean().default(false),
})

const readinessCheck = z.strictObject({
  /** Run on the agent in the task's sandbox; exit code 0 is ready. The first success counts for the life of the task. */
  command: z.string().min(1).max(16_384),
  /** @defaultValue 0 */
  delayMs: durationMs(0).default(0),
  /** @defaultValue 5000 */
  intervalMs: durationMs(100).default(5_000),
  /** @defaultValue 10000 */
  timeoutMs: durationMs(100).default(10_000),
})

const uri = z.preprocess(
  (value) => (typeof value === 'string' ? { uri: value } : value),
  z.strictObject({
    /** `http`, `https` or `file`; fetched into the sandbox before the task starts. */
    uri: z
      .string()
      .max(4_096)
      .regex(/^(https?:\/\/|file:\/\/\/)\S+$/, 'must begin with http://, https:// or file:///'),
    /** Unpack an archive. @defaultValue true */
    extract: z.boolean().default(true),
    /** @defaultValue false */
    executable: z.boolean().default(false),
    /** Keep a copy on the agent. @defaultValue false */
    cache: z.boolean().default(false),
  }),
)

/**
 * RUNNING is kept running. FINISH runs to success once per content of the task. ONCE runs to success once per pod instance.
 * INIT runs to success once per footprint, before every other task of the pod; it may be repeated until it has succeeded.
 */
const goal = z.enum(['RUNNING', 'FINISH', 'ONCE', 'INIT'])

const task = z.strictObject({
  /** @defaultValue 'RUNNING' */
  goal: goal.default('RUNNING'),
  /** Run by `/bin/sh -c` in the sandbox. Placeholders are not replaced here: use `env`. */
  command: z.string().min(1).max(65_536),
  /** Values may hold placeholders: `{{pod.index}}`, `{{agent.address}}`, `{{peers.POD.PORT}}`, `{{values.NAME}}` ... */
  env: z.record(envName, z.string().max(65_536)).default({}),
  cpus,
  memoryMb,
  ports: z.record(label('a port', 30), port).default({}),
  uris: z.array(uri).default([]),
  readinessCheck: readinessCheck.optional(),
  /** Time between SIGTERM and SIGKILL in ms. @defaultValue 10000 */
  killGraceMs: durationMs(0).default(10_000),
})

/** Names that Mesos uses in the sandbox of an executor or a task. */
const reservedPaths = new Set(['containers', 'stdout', 'stderr', 'stdout.logrotate.conf', 'stderr.logrotate.conf'])

const volume = z.strictObject({
  /** ROOT: a directory on the agent's own disk. */
  type: z.literal('ROOT').default('ROOT'),
  /** Path in the sandbox, one component. @defaultValue the volume's name */
  path: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'must be one relative path component')
    .refine((path) => !reservedPaths.has(path), 'is used by Mesos itself in the sandbox; choose another')
    .optional(),
  sizeMb: z.int().min(1).max(1_073_741_824),
})

const placementRule = z.strictObject({
  type: z.literal('maxPerHost'),
  /** Instances of this pod type on one host at most. */
  max: z.int().min(1),
})

const pod = z.strictObject({
  count: z.int().min(1).max(10_000),
  placement: z.array(placementRule).default([]),
  /** Persistent volumes, seen by all tasks of the pod. */
  volumes: z.record(label('a volume', 30), volume).default({}),
  /** What the pod's executor takes beside its tasks; `diskMb` is the sandbox of the whole pod: fetched files, logs. */
  executor: z
    .strictObject({ cpus: cpus.default(0.1), memoryMb: memoryMb.default(32), diskMb: z.int().min(1).default(256) })
    .prefault({}),
  tasks: z.record(label('a task', 30), task),
})

const phase = z.strictObject({
  /** @defaultValue the pod's name */
  name: label('a phase').optional(),
  pod: z.string(),
  /** @defaultValue 'serial' */
  strategy: z.enum(['serial', 'parallel']).default('serial'),
  /** Gates after each instance of this phase, before those of the plan. */
  afterEach: z.array(gate).default([]),
})

const gates = {
  /** Before the first block. */
  preFlight: z.array(gate).default([]),
  /** After each instance, before the next one starts. */
  afterEach: z.array(gate).default([]),
  /** After the last block. */
  postFlight: z.array(gate).default([]),
}

const deploy = z.strictObject({
  /** @defaultValue one serial phase per pod type in the order of the spec */
  phases: z.array(phase).optional(),
  ...gates,
})

const update = z.strictObject({
  /** Hook that puts the instances still to roll into the order wanted; asked before each block. */
  order: hookName.optional(),
  ...gates,
  /** Before each instance is taken down. */
  beforeEach: z.array(gate).default([]),
})

const recovery = z.strictObject({
  /** Gates after an instance came back. */
  afterEach: z.array(gate).default([]),
  backoff: z
    .strictObject({
      /** Pause after the first failure. @defaultValue 1000 */
      initialMs: durationMs(0).default(1_000),
      /** @defaultValue 2 */
      factor: z.number().min(1).max(10).default(2),
      /** @defaultValue 300000 */
      maxMs: durationMs(0).default(300_000),
      /** A task that was ready for this long has its failures forgotten. @defaultValue 600000 */
      resetAfterMs: durationMs(0).default(600_000),
    })
    .prefault({}),
})

const generatedValue = z.strictObject({
  /** `uuid`: text form with dashes. `uuidBase64Url`: the 16 bytes as 22 characters, as Kafka writes cluster ids. */
  generate: z.enum(['uuid', 'uuidBase64Url']),
})

export const serviceSchema = z.strictObject({
  name: label('the service'),
  /** User that tasks run as; can never change later. @defaultValue 'root' */
  user: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_.-]*$/, 'must be the name of a user on the agents')
    .default('root'),
  /** Mesos principal of the reservations; can never change later. @defaultValue '<name>-principal' */
  principal: z.string().regex(/^\S+$/, 'must have no blanks').max(255).optional(),
  /** What peers are told: the agent's address or its host name. @defaultValue 'address' */
  advertise: z.enum(['address', 'hostname']).default('address'),
  /** Values generated once for the service and kept. No secrets: they are stored and shown in the clear. */
  values: z.record(valueName, generatedValue).default({}),
  pods: z.record(label('a pod', 30), pod),
  deploy: deploy.prefault({}),
  update: update.prefault({}),
  recovery: recovery.prefault({}),
})

/** A spec as an author writes it: defaults may be left out. */
export type ServiceSpecInput = z.input<typeof serviceSchema>
/** A spec with every default filled in. */
export type ServiceSpec = z.output<typeof serviceSchema>
export type PodSpec = ServiceSpec['pods'][string]
export type TaskSpec = PodSpec['tasks'][string]
export type GateSpec = z.output<typeof gateObject>
export type TaskGoal = z.output<typeof goal>
