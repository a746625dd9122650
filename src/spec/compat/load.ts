/**
 * A service file of dcos-commons as a spec: template, YAML, shape, conversion, and the rules of the spec itself. Whatever is wrong
 * is told at once, each at its place in the file as its author has it. Strictly, which is the default, nothing that the file says
 * is dropped or changed in silence; leniently it is read as dcos-commons read it, with notes. Pure, but for reading templates.
 * Source: docs/reference/dcos-commons.md.
 */
import { convertService, settingsOf, type CompatSettings } from './convert-service.js'
import { createFindings, createOrigins, type Collected, type Fields, type Origins } from './findings.js'
import { serviceShape } from './raw-schema.js'
import { readRaw } from './read-raw.js'
import { readSource, type Path, type SourceDocument } from './source-document.js'
import { translateIssue } from './spec-issues.js'
import { findChangedStructure } from './structure.js'
import { ancestorPrint, parseTemplate, plainPrint, type Rendered, type Use } from './template.js'
import { escapeHtml, printed } from './variables.js'
import { safeParseSpec } from '../parse.js'
import type { ServiceSpec } from '../schema.js'
import type { LocatedIssue } from '../yaml/document.js'

export type { CompatSettings } from './convert-service.js'

export interface CompatOptions {
  /** What templates and `TASKCFG_*` are filled with: the environment that the scheduler of dcos-commons had. */
  readonly env: Readonly<Record<string, string>>
  /** Text of a template of a configuration file, by its path as the file has it. @throws when there is none */
  readonly readTemplate: (path: string) => string
  /** Reads the file as dcos-commons did, with notes in the place of errors. @defaultValue false */
  readonly lenient?: boolean
}

export type CompatResult =
  | {
      readonly ok: true
      readonly spec: ServiceSpec
      /** What is other than the file reads, or than dcos-commons had it. */
      readonly notes: readonly LocatedIssue[]
      readonly settings: CompatSettings
    }
  | { readonly ok: false; readonly issues: readonly LocatedIssue[] }

/** More would not be read by anybody. */
const maxIssues = 200

/** Lines are those of the template. Paths are those of the file; `environment.NAME` is a variable and has no line. */
export function parseCompatSpec(text: string, options: CompatOptions): CompatResult {
  const { env, lenient = false } = options
  const parsed = parseTemplate(text, env)
  if (!parsed.ok) return refuse(parsed.issues)
  const print = lenient ? ancestorPrint : strictPrint
  const rendered = parsed.template.render(print)
  if (!rendered.ok) return refuse([rendered.issue])
  const missing = findMissing(rendered)
  const changed = lenient ? undefined : findChangedStructure(parsed.template, rendered, print)
  const source = readSource(changed?.rendered ?? rendered)
  const issues = [...(lenient ? [] : missing.issues), ...(changed?.issues ?? [])]
  // What comes of a value that is missing or broke the file is no further problem.
  const lines = new Set([...(lenient ? [] : missing.lines), ...(changed?.lines ?? [])])
  const isNew = ({ line }: LocatedIssue): boolean => line === undefined || !lines.has(line)
  if (!source.ok) return refuse([...issues, ...source.issues.filter(isNew)])
  const converted = convert(source.document, options)
  const all = [...issues, ...converted.issues.filter(isNew)]
  if (all.length > 0 || converted.spec === undefined) return refuse(all)
  const notes = [...(lenient ? missing.issues : []), ...findEscaped(rendered, lenient), ...converted.notes]
  return { ok: true, spec: converted.spec, notes: sort(notes), settings: converted.settings }
}

/** A word where a variable is missing: what is around it can be looked at all the same. */
const strictPrint = (use: Use): string => (use.value === undefined && use.isEscaped ? 'missing' : plainPrint(use))

function refuse(issues: readonly LocatedIssue[]): CompatResult {
  const sorted = sort(issues)
  const rest = sorted.length - maxIssues
  return {
    ok: false,
    issues: rest <= 0 ? sorted : [...sorted.slice(0, maxIssues), { path: '', message: `and ${rest} more problems` }],
  }
}

/** By place; what has none comes last. */
const sort = (issues: readonly LocatedIssue[]): LocatedIssue[] =>
  [...issues].sort((a, b) => (a.line ?? Infinity) - (b.line ?? Infinity) || (a.column ?? 0) - (b.column ?? 0) || 0)

/** Of one variable; whoever sees them all is no wiser. */
const maxLines = 20

/** Each missing variable once, with all lines that want it. */
function findMissing({ uses }: Rendered): { readonly issues: LocatedIssue[]; readonly lines: number[] } {
  const missing = new Map<string, LocatedIssue & { lines: number[] }>()
  for (const { name, value, position } of uses) {
    if (value !== undefined) continue
    const known = missing.get(name)
    if (known === undefined) missing.set(name, { path: '', message: '', ...position, lines: [position.line] })
    else if (known.lines.at(-1) !== position.line) known.lines.push(position.line)
  }
  const issues = [...missing].map(([name, { lines, ...issue }]): LocatedIssue => {
    const [, ...more] = lines
    const shown = `${more.slice(0, maxLines).join(', ')}${more.length > maxLines ? ' ...' : ''}`
    const others = more.length === 0 ? '' : `; it is also wanted on line${more.length === 1 ? '' : 's'} ${shown}`
    return { ...issue, message: `the environment has no variable ${name}${others}` }
  })
  return { issues, lines: [...missing.values()].flatMap(({ lines }) => lines) }
}

/** Where the ancestor's HTML makes a difference. */
function findEscaped({ uses }: Rendered, lenient: boolean): LocatedIssue[] {
  const seen = new Set<string>()
  return uses.flatMap(({ name, value = '', isEscaped, position }) => {
    const plain = printed(value)
    if (!isEscaped || seen.has(name) || escapeHtml(plain) === plain) return []
    seen.add(name)
    const message = lenient
      ? `{{${name}}} writes HTML entities for signs of its value, as dcos-commons did; {{{${name}}}} writes it as it is`
      : `the value of ${name} is written as it is; dcos-commons wrote HTML entities for some of its signs`
    return [{ path: '', message, ...position }]
  })
}

interface Converted {
  readonly issues: readonly LocatedIssue[]
  readonly notes: readonly LocatedIssue[]
  readonly spec: ServiceSpec | undefined
  readonly settings: CompatSettings
}

function convert(document: SourceDocument, { env, readTemplate, lenient = false }: CompatOptions): Converted {
  const findings = createFindings(document, lenient)
  const textOf = (path: Path): string | undefined => document.textOf(path)
  const raw = readRaw(serviceShape, document.value, findings, textOf)
  if (raw === undefined) return { issues: findings.errors, notes: [], spec: undefined, settings: {} }
  const origins = createOrigins()
  const fields = convertService(raw, { env, readTemplate }, findings, origins)
  const spec = checkSpec(fields, findings, origins)
  return { issues: findings.errors, notes: findings.notes, spec, settings: settingsOf(raw) }
}

/** Problems of the spec are said where the file says what they are about, unless that is known to be wrong already. */
function checkSpec(fields: Fields, findings: Collected, origins: Origins): ServiceSpec | undefined {
  const result = safeParseSpec(fields)
  if (result.ok) return result.spec
  const found: [from: Path, message: string][] = []
  for (const issue of result.issues) {
    const { from, message } = translateIssue(issue, origins)
    if (!findings.isKnown(from, message)) found.push([from, message])
  }
  for (const [from, message] of found) findings.error(from, message)
  return undefined
}
