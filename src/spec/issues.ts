/** Problems of a spec: where, what was found, what to do. Pure. */
import type { z } from 'zod'

/** One problem of a spec. */
export interface SpecIssue {
  /** For example `pods.broker.tasks.server.memoryMb`. */
  readonly path: string
  /** What is wrong, what was found, what to do. */
  readonly message: string
}

/** Takes a problem down. */
export type Add = (path: string, message: string) => void

const longestShown = 80

export const list = (names: readonly string[]): string => (names.length === 0 ? 'none' : names.join(', '))

/** What the schema found, in words that an author can act on. */
export function toSpecIssues(issue: z.core.$ZodIssue, at: readonly PropertyKey[] = []): SpecIssue[] {
  const path = [...at, ...issue.path]
  const where = toText(path)
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({ path: toText([...path, key]), message: 'unknown key; remove or correct it' }))
  if (issue.code === 'invalid_union') {
    const meant = meantAlternative(issue)
    if (meant !== undefined) return meant.flatMap((inner) => toSpecIssues(inner, path))
    return [{ path: where, message: `${unionProblem(issue)}${found(issue.input)}` }]
  }
  if (issue.code === 'invalid_key')
    return issue.issues.map((inner) => ({ path: where, message: `${inner.message}${found(String(path.at(-1)))}` }))
  return [{ path: where, message: `${issue.message}${found(issue.input)}` }]
}

/** A name of no letters is shown all the same. */
const toText = (path: readonly PropertyKey[]): string => path.map((key) => (key === '' ? '""' : String(key))).join('.')

/** The alternative whose kind of value was given: its problems say more than that none of them fits. */
function meantAlternative({ errors }: z.core.$ZodIssueInvalidUnion): readonly z.core.$ZodIssue[] | undefined {
  const sameKind = errors.filter((inner) => !inner.some((each) => each.path.length === 0 && isOtherKind(each)))
  return sameKind.length === 1 ? sameKind[0] : undefined
}

const isOtherKind = ({ code }: z.core.$ZodIssue): boolean => code === 'invalid_type' || code === 'invalid_value'

/** Without the alternatives themselves when the schema knows no better. */
function unionProblem({ errors, discriminator, message, options }: z.core.$ZodIssueInvalidUnion & { options?: unknown }): string {
  if (discriminator !== undefined)
    return `${discriminator} must be one of ${Array.isArray(options) ? options.map(String).join(', ') : 'those known'}`
  const messages = [...new Set(errors.flatMap((inner) => inner.map((each) => each.message)))]
  return messages.length === 0 ? message : messages.join(', or ')
}

function found(input: unknown): string {
  if (input === undefined) return ' (got nothing)'
  if (typeof input === 'object' && input !== null) return ''
  const text = typeof input === 'bigint' || typeof input === 'symbol' ? String(input) : (JSON.stringify(input) ?? typeof input)
  return ` (got ${text.length > longestShown ? `${text.slice(0, longestShown - 3)}...` : text})`
}
