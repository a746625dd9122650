/**
 * What the container of an executor or of a task asks for beside resources. That of an executor is stored with it, because an
 * executor is repeated as it was sent for as long as it lives. Pure.
 */
import { z } from 'zod'

const mode = z.enum(['RW', 'RO'])

/** `path` is relative to the sandbox, except where an image has a place of its own. */
const volumeSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('host'), hostPath: z.string(), path: z.string(), mode }),
  z.strictObject({
    type: z.literal('external'),
    driver: z.string(),
    name: z.string(),
    options: z.record(z.string(), z.string()),
    path: z.string(),
    mode,
  }),
  z.strictObject({ type: z.literal('secret'), secret: z.string(), path: z.string() }),
  /** A directory of the container's own sandbox, seen under another path. */
  z.strictObject({ type: z.literal('sandbox'), sandboxPath: z.string(), path: z.string() }),
])

/** Without numbers: unlimited. */
const rlimitSchema = z.strictObject({ name: z.string(), soft: z.int().optional(), hard: z.int().optional() })

const linuxSchema = z.strictObject({
  sharePidNamespace: z.literal(true).optional(),
  seccomp: z.union([z.literal('unconfined'), z.strictObject({ profile: z.string() })]).optional(),
  ipcMode: z.enum(['PRIVATE', 'SHARE_PARENT']).optional(),
  shmMb: z.int().optional(),
  /** Tasks of the executor are held to amounts of their own, instead of to the sum of all. */
  shareCgroups: z.literal(false).optional(),
})

export const containerSchema = z.strictObject({
  /** Docker image. */
  image: z.string().optional(),
  volumes: z.array(volumeSchema),
  rlimits: z.array(rlimitSchema),
  linux: linuxSchema.optional(),
})

export type Container = z.output<typeof containerSchema>
export type ContainerVolume = z.output<typeof volumeSchema>
export type LinuxSettings = z.output<typeof linuxSchema>
