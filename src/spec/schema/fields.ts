/** What all parts of the schema are made of: fields with their documentation, names, amounts, durations. Pure. */
import { z } from 'zod'

/** What the reference and the JSON Schema say of a field beside its type. */
export interface FieldNotes {
  /** For example `ms`. */
  readonly unit?: string
  /** What leaving the field out means, where it is not filled in. Writing it out is the same as leaving it out. */
  readonly implied?: unknown
}

/** A field of the spec: its schema with what it is for. */
export function field<Schema extends z.ZodType>(schema: Schema, description: string, notes: FieldNotes = {}): Schema {
  return schema.meta({ description, ...notes })
}

/** Asked for by such a name, every object of JavaScript answers something. */
export const isInherited = (name: string): boolean => name in Object.prototype

/** Lower-case DNS label: it becomes part of host names, ids and labels. */
export const label = (what: string, max = 40) =>
  z
    .string()
    .max(max, `${what} must have at most ${max} characters`)
    .regex(/^[a-z]([a-z0-9-]*[a-z0-9])?$/, `${what} must be lower-case letters, digits and inner dashes, beginning with a letter`)
    .refine((name) => !isInherited(name), `${what} cannot have this name; choose another`)

export const envName = z
  .string()
  .max(255, 'an environment variable must have at most 255 characters')
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'an environment variable must be named with letters, digits and underscores')

export const hookName = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_]*$/, 'a hook must be named like a function: letters, digits, underscores')

export const userName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_.-]*$/, 'must be the name of a user on the agents')

/** Mesos keeps three decimals; more would be rounded away silently. */
const threeDecimals = (value: number) => Math.abs(value * 1000 - Math.round(value * 1000)) < 1e-6
export const cpus = z.number().min(0.01).max(1024).refine(threeDecimals, 'must have at most three decimals')
export const gpus = z.int().min(1).max(1024)
export const memoryMb = z.int().min(32).max(16_777_216)
export const diskMb = z.int().min(1).max(1_073_741_824)
export const durationMs = (min: number, max = 86_400_000) => z.int().min(min).max(max)
const noNul = (text: string): boolean => !text.includes('\0')
export const text = (max: number) =>
  z.string().max(max).refine(noNul, 'must have no NUL character: nothing after it would be seen')
export const command = text(65_536).min(1)

/** Names that Mesos uses in the sandbox of an executor or a task. */
const reservedPaths = new Set(['containers', 'stdout', 'stderr', 'stdout.logrotate.conf', 'stderr.logrotate.conf', 'tmp'])

const isReserved = (path: string): boolean => reservedPaths.has(path.split('/')[0] ?? '')

/** One component: Mesos silently skips the mount of a volume whose path has a slash. */
export const sandboxName = z
  .string()
  .max(255)
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'must be one relative path component')
  .refine((path) => !isReserved(path), 'is used by Mesos itself in the sandbox; choose another')

const isRelative = (path: string): boolean =>
  path !== '' && path.split('/').every((part) => /^[A-Za-z0-9._-]+$/.test(part) && part !== '.' && part !== '..')

export const sandboxPath = z
  .string()
  .max(1_024)
  .refine(isRelative, 'must be a relative path of letters, digits, dots, dashes and underscores, without . and ..')
  .refine((path) => !isReserved(path), 'is used by Mesos itself in the sandbox; choose another')

export const absolutePath = z
  .string()
  .max(1_024)
  .refine((path) => path.startsWith('/') && isRelative(path.slice(1)), 'must be an absolute path, and not / itself')
