/** What a task is given of an agent: cpus, memory, ports, volumes. Pure. */
import { z } from 'zod'
import { cpus, diskMb, envName, field, gpus, label, memoryMb, sandboxName } from './fields.js'

const portNumber = (min: number) => z.int().min(min).max(65_535)

const portRange = z
  .strictObject({
    begin: field(portNumber(1).default(1), 'Lowest number allowed.'),
    end: field(portNumber(1).default(65_535), 'Highest number allowed.'),
  })
  .refine(({ begin, end }) => begin <= end, 'must not end before it begins')

const vip = z.strictObject({
  port: field(portNumber(1), 'Port of the virtual address.'),
  prefix: field(
    label('the prefix of a virtual address', 63).optional(),
    "First label of the virtual host name; the port's name when left out.",
  ),
})

const port = z.strictObject({
  port: field(portNumber(0), 'Number on the agent; 0 takes any offered port and keeps it over relaunches.'),
  envKey: field(envName.optional(), 'Environment variable that gets the number.'),
  advertise: field(z.boolean().default(false), "Makes the port known in the task's discovery info."),
  ranges: field(z.array(portRange).min(1).optional(), 'Numbers that a port 0 may take; any of the ranges.'),
  vip: field(vip.optional(), 'Virtual address, told to the cluster as a label of the port.'),
})

const profile = z
  .string()
  .regex(/^[A-Za-z0-9_.-]{1,128}$/, 'a profile must have 1 to 128 letters, digits, dots, dashes and underscores')

const volume = z
  .strictObject({
    type: field(
      z.enum(['ROOT', 'PATH', 'MOUNT']).default('ROOT'),
      "ROOT: a share of the agent's own disk. PATH: a share of another disk. MOUNT: a whole disk of at least this size.",
    ),
    path: field(sandboxName.optional(), "Path in the sandbox, one component; the volume's name when left out."),
    sizeMb: field(diskMb, 'Size; for MOUNT the least.', { unit: 'MiB' }),
    profiles: field(
      z
        .array(profile)
        .min(1)
        .refine((names) => new Set(names).size === names.length, 'must not name a profile twice')
        .optional(),
      'Storage profiles of which the disk must have one.',
    ),
  })
  .refine(({ type, profiles }) => type === 'MOUNT' || profiles === undefined, {
    path: ['profiles'],
    error: 'only a volume of type MOUNT can ask for profiles; remove them, or take type: MOUNT',
  })

export const volumes = z.record(label('a volume', 30), volume)

const limits = z.strictObject({
  cpus: field(z.union([cpus, z.literal('unlimited')]).optional(), 'More than reserved may be used, up to this.', {
    unit: 'cores',
  }),
  memoryMb: field(z.union([memoryMb, z.literal('unlimited')]).optional(), 'More than reserved may be used, up to this.', {
    unit: 'MiB',
  }),
})

/** Of a task, or of several that never run at the same time. */
export const resourceFields = {
  gpus: field(gpus.optional(), 'Whole graphics processors.', { unit: 'devices' }),
  ports: field(z.record(label('a port', 30), port).default({}), 'Ports on the agent, by name.'),
  volumes: field(volumes.optional(), 'Persistent volumes that these tasks alone see, by name.', { implied: {} }),
  limits: field(limits.optional(), 'What may be used beyond what is reserved; Mesos enforces it.', { implied: {} }),
}

export const resourceSet = z.strictObject({
  cpus: field(cpus, 'Cores.', { unit: 'cores' }),
  memoryMb: field(memoryMb, 'Memory.', { unit: 'MiB' }),
  ...resourceFields,
})
