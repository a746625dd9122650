/**
 * From any value to a checked spec: shape by zod, then the rules that span fields. All problems are reported at once, each
 * with its path, what was found and what to do. Pure.
 */
import { SdkError } from '../errors.js'
import { checkPlacement } from './check-placement.js'
import { checkPlans } from './check-plans.js'
import { checkPods } from './check-pods.js'
import { withoutImplied } from './implied.js'
import { repair } from './repair.js'
import { toSpecIssues, type Add, type SpecIssue } from './issues.js'
import { serviceSchema, type ServiceSpec, type ServiceSpecInput } from './schema.js'

export type SpecResult =
  { readonly ok: true; readonly spec: ServiceSpec } | { readonly ok: false; readonly issues: readonly SpecIssue[] }

/**
 * States a service once, as data.
 * @throws SdkError `ERR_SPEC_INVALID` with every problem in the message and in `details.issues`.
 */
export function defineService(input: ServiceSpecInput): ServiceSpec {
  return parseSpec(input)
}

/** Like `defineService`, for a value of unknown shape. */
export function parseSpec(input: unknown): ServiceSpec {
  const result = safeParseSpec(input)
  if (result.ok) return result.spec
  throw specInvalid(result.issues)
}

/** Every problem in the message and in `details.issues`. */
export function specInvalid(issues: readonly SpecIssue[]): SdkError {
  const lines = issues.map((issue) => `  ${issue.path === '' ? 'spec' : `spec.${issue.path}`}: ${issue.message}`)
  const count = lines.length === 1 ? 'one problem' : `${lines.length} problems`
  return new SdkError('ERR_SPEC_INVALID', `the service spec has ${count}:\n${lines.join('\n')}`, { details: { issues } })
}

/** Like `parseSpec`, with the problems as a value. */
export function safeParseSpec(input: unknown): SpecResult {
  const parsed = serviceSchema.safeParse(input, { reportInput: true })
  if (!parsed.success) {
    const issues = parsed.error.issues.flatMap((issue) => toSpecIssues(issue))
    return { ok: false, issues: [...issues, ...checkRest(input, issues)] }
  }
  const spec = withoutImplied(serviceSchema, parsed.data) as ServiceSpec
  const issues = checkAcrossFields(spec)
  return issues.length === 0 ? { ok: true, spec: deepFreeze(spec) } : { ok: false, issues }
}

function checkAcrossFields(spec: ServiceSpec): SpecIssue[] {
  const issues: SpecIssue[] = []
  const add: Add = (path, message) => void issues.push({ path, message })
  checkPods(spec, add)
  checkPlacement(spec, add)
  checkPlans(spec, add)
  return issues
}

/** Problems across fields of what is sound, without those that only come from taking out what is not. */
function checkRest(input: unknown, known: readonly SpecIssue[]): SpecIssue[] {
  const repaired = repair(input)
  if (repaired === undefined) return []
  const places = [...repaired.paths, ...known.map(({ path }) => path)]
  const names = places.map((path) => path.slice(path.lastIndexOf('.') + 1)).filter((name) => name !== '' && !/^\d+$/.test(name))
  const isOfRepair = ({ path, message }: SpecIssue): boolean =>
    places.some((place) => isWithin(path, place) || isWithin(place, path)) ||
    names.some((name) => message.includes(JSON.stringify(name)))
  return checkAcrossFields(repaired.spec).filter((issue) => !isOfRepair(issue))
}

const isWithin = (path: string, place: string): boolean => place === '' || path === place || path.startsWith(`${place}.`)

function deepFreeze<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    Object.values(value).forEach(deepFreeze)
  }
  return value
}
