/**
 * Parameters of a service file: declared with their types at its top, given from outside, and put in place of `${name}` in the
 * document after it was read. A value therefore never changes the structure of the file: it stays one text, one number or one
 * boolean. Pure.
 */
import { z } from 'zod'
import { list, toSpecIssues, type SpecIssue } from '../issues.js'
import { valueProblem, type ParameterValue } from '../parameter-value.js'
import { parameter } from '../schema/plans.js'
import { parseYaml, type LocatedIssue } from './document.js'

type Parameter = z.output<typeof parameter>

/** Letters, digits and underscores: what `${name}` may hold. */
const parameterName = z
  .string()
  .max(64)
  .regex(/^[A-Za-z][A-Za-z0-9_]*$/, 'a parameter must be named with letters, digits and underscores, beginning with a letter')

const declarations = z.record(parameterName, parameter)

/** Values from outside. Text is read as a number or a boolean for a parameter of that type. */
export type GivenParameters = Readonly<Record<string, ParameterValue>>

export type ParametersResult =
  { readonly ok: true; readonly parameters: GivenParameters } | { readonly ok: false; readonly issues: readonly LocatedIssue[] }

/** Values of parameters from a file of their own: a YAML (or JSON) map from names to texts, numbers and booleans. Never throws. */
export function parseParameters(text: string): ParametersResult {
  const read = parseYaml(text)
  if (!read.ok) return read
  const { document } = read
  const parsed = z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
    .safeParse(document.value, { reportInput: true })
  if (parsed.success) return { ok: true, parameters: parsed.data }
  const issues = parsed.error.issues.flatMap((issue) =>
    toSpecIssues(issue).map((each): LocatedIssue => ({ ...each, ...document.locate(issue.path) })),
  )
  return { ok: false, issues }
}

export interface Substituted {
  readonly value: unknown
  /** Problems, with the paths in the file. */
  readonly issues: readonly SpecIssue[]
  /** Where no value could be put in: nothing is there, and what is said about that is said of the parameter already. */
  readonly holes: readonly (readonly PropertyKey[])[]
}

/** The document without its parameters, and with their values in it. */
export function substituteParameters(document: Readonly<Record<string, unknown>>, given: GivenParameters): Substituted {
  const { parameters, ...rest } = document
  const issues: SpecIssue[] = []
  const declared = readDeclarations(parameters, issues)
  const values = chooseValues(declared, given, issues)
  const used = new Set<string>()
  const holes: (readonly PropertyKey[])[] = []
  const value = substitute(rest, [], { values, declared, used, issues, holes })
  for (const name of declared.keys()) {
    if (!used.has(name))
      issues.push({
        path: `parameters.${name}`,
        message: `nothing refers to it; remove it, or write \${${name}} where it belongs`,
      })
  }
  return { value, issues, holes }
}

/** Those that are sound, and `undefined` for those that are not. */
function readDeclarations(input: unknown, issues: SpecIssue[]): Map<string, Parameter | undefined> {
  if (input === undefined) return new Map()
  const parsed = declarations.safeParse(input, { reportInput: true })
  if (!parsed.success) {
    issues.push(...parsed.error.issues.flatMap((issue) => toSpecIssues(issue, ['parameters'])))
    const names = typeof input === 'object' && input !== null ? Object.entries(input) : []
    const named = names.filter(([name]) => parameterName.safeParse(name).success)
    return new Map(named.map(([name, declaration]) => [name, parameter.safeParse(declaration).data]))
  }
  for (const [name, declaration] of Object.entries(parsed.data)) {
    const problem = declaration.default === undefined ? undefined : valueProblem(declaration, declaration.default)
    if (problem !== undefined) issues.push({ path: `parameters.${name}.default`, message: problem })
  }
  return new Map(Object.entries(parsed.data))
}

function chooseValues(
  declared: ReadonlyMap<string, Parameter | undefined>,
  given: GivenParameters,
  issues: SpecIssue[],
): Map<string, ParameterValue> {
  const values = new Map<string, ParameterValue>()
  for (const name of Object.keys(given)) {
    if (!declared.has(name))
      issues.push({
        path: 'parameters',
        message: `${JSON.stringify(name)} was given, and the file declares no such parameter (it declares: ${list([...declared.keys()])})`,
      })
  }
  for (const [name, declaration] of declared) {
    if (declaration === undefined) continue
    const path = `parameters.${name}`
    if (!Object.hasOwn(given, name)) {
      if (declaration.default === undefined)
        issues.push({ path, message: `no value was given, and there is no default; give ${name}, or a default` })
      else values.set(name, declaration.default)
      continue
    }
    const value = toType(given[name], declaration.type)
    const problem = valueProblem(declaration, value)
    if (problem !== undefined) issues.push({ path, message: `the value given ${problem}` })
    else values.set(name, value as ParameterValue)
  }
  return values
}

/** What comes from a command line or the environment is text. */
function toType(value: unknown, type: Parameter['type']): unknown {
  if (typeof value !== 'string' || type === 'string') return value
  if (type === 'boolean') return value === 'true' ? true : value === 'false' ? false : value
  return /^-?\d{1,30}(\.\d{1,30})?([eE][+-]?\d{1,3})?$/.test(value) ? Number(value) : value
}

interface Substitution {
  readonly values: ReadonlyMap<string, ParameterValue>
  readonly declared: ReadonlyMap<string, unknown>
  readonly used: Set<string>
  readonly issues: SpecIssue[]
  readonly holes: (readonly PropertyKey[])[]
}

type Path = readonly PropertyKey[]

/** The document is at most as deep as one that was read from text. */
function substitute(value: unknown, path: Path, run: Substitution): unknown {
  if (typeof value === 'string') return value.includes('${') ? substituteText(value, path, run) : value
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((inner, index) => substitute(inner, [...path, index], run))
  const entries = Object.entries(value).map(([key, inner]) => {
    if (key.includes('${')) say(run, [...path, key], 'a key cannot hold a parameter; write it out')
    return [key, substitute(inner, [...path, key], run)] as const
  })
  return Object.fromEntries(entries)
}

/** An escape, a reference, or the beginning of something that is neither. */
const mark = /\$\$\{|\$\{(?:([A-Za-z][A-Za-z0-9_]*)\})?/g

function substituteText(text: string, path: Path, run: Substitution): unknown {
  const before = run.holes.length
  const lookUp = (name: string): ParameterValue | undefined => {
    run.used.add(name)
    const value = run.values.get(name)
    if (value !== undefined) return value
    if (!run.declared.has(name))
      say(run, path, `there is no parameter ${name}; declare it in parameters, or write $\${ where the text itself has \${`)
    run.holes.push(path)
    return undefined
  }
  const whole = /^\$\{([A-Za-z][A-Za-z0-9_]*)\}$/.exec(text)?.[1]
  if (whole !== undefined) return lookUp(whole)
  const result = text.replace(mark, (found, name: string | undefined) => {
    if (found === '$${') return '${'
    if (name !== undefined) return String(lookUp(name) ?? '')
    say(run, path, `\${ begins a parameter and has to go on like \${name}; write $\${ where the text itself has \${`)
    return found
  })
  return run.holes.length > before ? undefined : result
}

const say = ({ issues }: Substitution, path: Path, message: string): void =>
  void issues.push({ path: path.map(String).join('.'), message })
