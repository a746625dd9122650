/** One process of a pod. Pure. */
import { z } from 'zod'
import { command, cpus, durationMs, envName, field, label, memoryMb, sandboxName, sandboxPath, text } from './fields.js'
import { resourceFields } from './resources.js'

const checkCommand = z.string().min(1).max(16_384)

const readinessCheck = z.strictObject({
  command: field(
    checkCommand,
    "Run on the agent in the task's sandbox; exit code 0 is ready. The first success counts for the life of the task.",
  ),
  delayMs: field(durationMs(0).default(0), 'Before the first attempt.', { unit: 'ms' }),
  intervalMs: field(durationMs(100).default(5_000), 'Between two attempts.', { unit: 'ms' }),
  timeoutMs: field(durationMs(100).default(10_000), 'Time limit of one attempt.', { unit: 'ms' }),
  deadline: field(
    z
      .strictObject({
        afterMs: field(durationMs(1_000), 'After the launch.', { unit: 'ms' }),
        reaction: field(
          z.enum(['report', 'restart']),
          'report: the step says so. restart: the task is killed and counts as failed.',
        ),
      })
      .optional(),
    'What happens when it does not become ready in time; it is waited for when left out.',
  ),
})

const healthCheck = z.strictObject({
  command: field(checkCommand, "Run on the agent in the task's sandbox for all its life; exit code 0 is healthy."),
  delayMs: field(durationMs(0).default(15_000), 'Before the first attempt.', { unit: 'ms' }),
  intervalMs: field(durationMs(100).default(10_000), 'Between two attempts.', { unit: 'ms' }),
  timeoutMs: field(durationMs(100).default(20_000), 'Time limit of one attempt.', { unit: 'ms' }),
  graceMs: field(durationMs(0).default(10_000), 'Failures in this time after the launch do not count, until one has succeeded.', {
    unit: 'ms',
  }),
  maxFailures: field(z.int().min(1).default(3), 'Failures in a row after which Mesos kills the task.'),
})

const uriObject = z.strictObject({
  uri: field(
    z
      .string()
      .max(4_096)
      .regex(/^[A-Za-z][A-Za-z0-9+.-]*:\/\/\S+$|^\/\S+$/, 'must be a URI such as http://host/file or file:///path'),
    'Fetched into the sandbox before the task starts.',
  ),
  extract: field(z.boolean().default(true), 'Unpacks an archive.'),
  executable: field(z.boolean().default(false), 'Makes the file executable; it is not unpacked then.'),
  cache: field(z.boolean().default(false), 'Keeps a copy on the agent.'),
  outputFile: field(sandboxPath.optional(), 'Name in the sandbox; the last part of the URI when left out.'),
})

/** A URI alone takes the defaults. */
export const uri = z.union([z.string().transform((text, context) => parseInner(uriObject, { uri: text }, context)), uriObject])

function parseInner<Schema extends z.ZodType>(schema: Schema, value: unknown, context: z.core.$RefinementCtx): z.output<Schema> {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  for (const issue of parsed.error.issues) context.addIssue({ code: 'custom', message: issue.message, input: value })
  return z.NEVER
}

const config = z.strictObject({
  text: field(z.string().min(1).max(262_144), 'The template: Mustache, filled in with the environment of the task.'),
  dest: field(sandboxPath, 'Path in the sandbox.'),
})

const discovery = z.strictObject({
  prefix: field(
    label('the prefix of a discovery name', 56).optional(),
    "`<prefix>-<index>` becomes the task's name in discovery; its full name when left out.",
  ),
  visibility: field(z.enum(['FRAMEWORK', 'CLUSTER', 'EXTERNAL']).optional(), 'Who is to see it.', { implied: 'CLUSTER' }),
})

const artifact = z.strictObject({
  name: field(sandboxName, 'Beginning of the names of the files.'),
  type: field(
    z.enum(['TLS', 'KEYSTORE']),
    'TLS: `.crt`, `.key` and `.ca` in PEM. KEYSTORE: `.keystore` and `.truststore` for Java.',
  ),
})

const preStop = z.strictObject({
  command: field(checkCommand, 'Run beside the task before it is killed for an update or on request.'),
  timeoutMs: field(durationMs(100).default(60_000), 'After this the kill goes on all the same.', { unit: 'ms' }),
})

/** Labels that the scheduler sets itself. */
const isOwnLabel = (key: string): boolean => key.startsWith('stateward.')
const labels = z.record(
  z
    .string()
    .min(1)
    .max(255)
    .refine((key) => !isOwnLabel(key), 'labels that begin with stateward. are set by the scheduler; choose another'),
  z.string().max(4_096),
)

export const goal = z.enum(['RUNNING', 'FINISH', 'ONCE', 'INIT'])

export const task = z.strictObject({
  goal: field(
    goal.default('RUNNING'),
    'RUNNING is kept running. FINISH runs to success once per content of the task. ONCE runs to success once per pod instance. ' +
      'INIT runs to success once per footprint, before every other task of the pod; it may be repeated until it has succeeded.',
  ),
  command: field(command, 'Run by `/bin/sh -c` in the sandbox. Placeholders are not replaced here: use `env`.'),
  env: field(
    z.record(envName, text(65_536)).default({}),
    'Environment. Values may hold placeholders: `{{pod.index}}`, `{{agent.address}}`, `{{peers.POD.PORT}}`, `{{values.NAME}}` ...',
  ),
  cpus: field(cpus.optional(), 'Cores; needed unless `resourceSet` is given.', { unit: 'cores' }),
  memoryMb: field(memoryMb.optional(), 'Memory; needed unless `resourceSet` is given.', { unit: 'MiB' }),
  ...resourceFields,
  resourceSet: field(
    z.string().optional(),
    'Resource set of the pod that the task runs on; its own resources are left out then.',
  ),
  essential: field(z.boolean().optional(), 'When it fails, the other RUNNING tasks of the instance are restarted with it.', {
    implied: true,
  }),
  uris: field(z.array(uri).default([]), 'Files fetched into the sandbox before the task starts, beside those of the pod.'),
  configs: field(z.record(label('a config', 60), config).optional(), 'Configuration files made from templates, by name.', {
    implied: {},
  }),
  readinessCheck: field(readinessCheck.optional(), 'When the task counts as ready; as soon as it runs when left out.'),
  healthCheck: field(healthCheck.optional(), 'When the task counts as unhealthy and is killed.'),
  killGraceMs: field(durationMs(0).default(10_000), 'Time between SIGTERM and SIGKILL.', { unit: 'ms' }),
  preStop: field(preStop.optional(), 'What is done before the task is stopped on purpose.'),
  discovery: field(discovery.optional(), 'Its name in discovery, and who is to see it.'),
  labels: field(labels.optional(), 'Labels of the Mesos task.', { implied: {} }),
  transportEncryption: field(z.array(artifact).optional(), 'Certificates issued for the task and put into its sandbox.', {
    implied: [],
  }),
  ipcMode: field(z.enum(['PRIVATE', 'SHARE_PARENT']).optional(), 'Inter-process communication: of its own, or that of the pod.'),
  shmMb: field(z.int().min(1).max(1_048_576).optional(), 'Size of `/dev/shm`.', { unit: 'MiB' }),
})

export type TaskGoal = z.output<typeof goal>
