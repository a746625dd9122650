/**
 * From any value to a checked spec: shape by zod, then the rules that span fields. All problems are reported at once, each
 * with its path, what was found and what to do. Pure.
 */
import { SdkError } from '../errors.js'
import { checkPlacement } from './check-placement.js'
import { checkPlans } from './check-plans.js'
import { checkPods } from './check-pods.js'
import { dropRepeated, withoutImplied } from './implied.js'
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
  const unusable = findPrototypeKeys(input)
  if (!parsed.success || unusable.length > 0) {
    const found = (parsed.error?.issues ?? []).flatMap((issue) => toSpecIssues(issue))
    const told = new Set(found.map(({ path }) => path))
    const issues = [...found, ...unusable.filter(({ path }) => !told.has(path))]
    return { ok: false, issues: [...issues, ...checkRest(input, issues)] }
  }
  const spec = withoutImplied(serviceSchema, parsed.data) as ServiceSpec
  dropRepeated(spec)
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

/** The schema leaves a key `__proto__` out of records without a word. */
function findPrototypeKeys(input: unknown): SpecIssue[] {
  const issues: SpecIssue[] = []
  const seen = new Set<unknown>()
  const open: { readonly value: unknown; readonly path: string }[] = [{ value: input, path: '' }]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { value, path } = next
    if (typeof value !== 'object' || value === null || seen.has(value)) continue
    seen.add(value)
    for (const [key, inner] of Object.entries(value)) {
      const at = path === '' ? key : `${path}.${key}`
      if (key === '__proto__') issues.push({ path: at, message: 'this name cannot be used; choose another' })
      else open.push({ value: inner, path: at })
    }
  }
  return issues
}

/** Problems across fields of what is sound, without those that only come from taking out what is not. */
function checkRest(input: unknown, known: readonly SpecIssue[]): SpecIssue[] {
  const repaired = repair(input)
  if (repaired === undefined) return []
  const isOfRepair = isAbout([...repaired.paths, ...known.map(({ path }) => path)])
  return checkAcrossFields(repaired.spec).filter((issue) => !isOfRepair(issue))
}

/** Whether a problem is at one of the places, around or inside of one, or names one. In time that does not grow with the places. */
function isAbout(places: readonly string[]): (issue: SpecIssue) => boolean {
  const at = new Set(places)
  const around = new Set(places.flatMap((place) => outerPaths(place)))
  const ends = places.map((place) => place.slice(place.lastIndexOf('.') + 1)).filter((name) => !/^\d*$/.test(name))
  const names = new Set(ends.map((name) => JSON.stringify(name)))
  return ({ path, message }) =>
    at.has('') ||
    at.has(path) ||
    around.has(path) ||
    outerPaths(path).some((outer) => at.has(outer)) ||
    (message.match(quoted) ?? []).some((name) => names.has(name))
}

/** A name in a message, as JSON. */
const quoted = /"(?:[^"\\]|\\.)*"/g

/** The paths around a path, without itself and the whole. */
function outerPaths(path: string): string[] {
  const outer: string[] = []
  for (let at = path.lastIndexOf('.'); at > 0 && outer.length < maxOuterPaths; at = path.lastIndexOf('.', at - 1))
    outer.push(path.slice(0, at))
  return outer
}

/** A path is deeper only by dots in its names. */
const maxOuterPaths = 100

function deepFreeze<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    Object.values(value).forEach(deepFreeze)
  }
  return value
}
