/** A service spec from a file: YAML, a dcos-commons YAML file, JSON, or a module that exports one. */
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { InvalidArgumentError, type Command } from 'commander'
import { isSdkError, safeParseSpec, SdkError, type ServiceSpec, type SpecIssue } from '../index.js'
import type { CompatSettings, LocatedIssue } from '../yaml.js'

/** What a command with a spec file can be told about it. */
export interface SpecOptions {
  readonly param?: readonly string[]
  readonly params?: string
  readonly compat?: true
  readonly envFile?: readonly string[]
  readonly lenient?: true
}

export type LoadedSpec =
  | {
      readonly ok: true
      readonly spec: ServiceSpec
      readonly notes: readonly LocatedIssue[]
      /** What a file of dcos-commons says of its scheduler, which no spec holds. */
      readonly settings?: CompatSettings
    }
  | { readonly ok: false; readonly issues: readonly LocatedIssue[] }

export const specArgument = 'FILE.yml, FILE.json, or a module that exports the spec: FILE or FILE#NAME'

const gather = (text: string, before: readonly string[] = []): readonly string[] => [...before, text]

export const withSpecOptions = (command: Command): Command =>
  command
    .option('--param <name=value>', 'YAML: value of a parameter that the file declares; may be repeated', gather)
    .option('--params <file>', 'YAML: values of parameters, as a YAML or JSON map; --param wins')
    .option('--compat', 'read the file as a service file of dcos-commons')
    .option('--env-file <file>', 'with --compat: variables for its template, KEY=VALUE in each line; may be repeated', gather)
    .option('--lenient', 'with --compat: note what is wrong in the file but harmless, instead of refusing it')

/** Only a module has a name behind its last `#`; files may be called what they like. */
function splitPlace(place: string): [file: string, name?: string] {
  const at = place.lastIndexOf('#')
  return at < 0 || isYaml(place) || place.endsWith('.json') ? [place] : [place.slice(0, at), place.slice(at + 1)]
}

/**
 * The spec, or what is wrong with it.
 * @throws InvalidArgumentError when the file cannot be read or the options do not fit together.
 */
export async function readSpec(place: string, options: SpecOptions = {}): Promise<LoadedSpec> {
  const [file, name] = splitPlace(place)
  checkOptions(file, options)
  if (options.compat === true) return readCompat(file, options)
  if (isYaml(file)) return readYaml(file, options)
  return file.endsWith('.json') ? readJson(file) : readModule(file, name)
}

/**
 * `readSpec` for commands that need a sound one.
 * @throws SdkError `ERR_SPEC_INVALID` with every problem.
 */
export async function loadSpec(place: string, options: SpecOptions = {}): Promise<ServiceSpec> {
  const result = await readSpec(place, options)
  if (result.ok) return result.spec
  const { issues } = result
  throw new SdkError('ERR_SPEC_INVALID', `${place} holds no sound spec:\n${renderProblems(place, issues)}`, {
    details: { issues },
  })
}

/** One line for each problem: `FILE:LINE:COLUMN: path: message`, then how many there are. */
export function renderProblems(place: string, issues: readonly LocatedIssue[]): string {
  const count = issues.length === 1 ? 'one problem' : `${issues.length} problems`
  return [...issues.map((issue) => renderIssue(place, issue)), count].join('\n')
}

export function renderIssue(place: string, { line, column, path, message }: LocatedIssue): string {
  const where = line === undefined ? place : `${place}:${line}:${column ?? 1}`
  return `${where}: ${path === '' ? '' : `${path}: `}${message}`
}

function checkOptions(file: string, { compat, param, params, envFile, lenient }: SpecOptions): void {
  const refuse = (option: string, needed: string): never => {
    throw new InvalidArgumentError(`${option} goes with ${needed} only`)
  }
  if (compat !== true && envFile !== undefined) refuse('--env-file', '--compat')
  if (compat !== true && lenient === true) refuse('--lenient', '--compat')
  if (compat === true || !isYaml(file)) {
    if (param !== undefined) refuse('--param', 'a YAML file of parameters')
    if (params !== undefined) refuse('--params', 'a YAML file of parameters')
  }
}

const isYaml = (file: string): boolean => /\.ya?ml$/.test(file)

/** The YAML reader is loaded by those who have YAML. */
async function readYaml(file: string, options: SpecOptions): Promise<LoadedSpec> {
  const { parseYamlSpec } = await import('../yaml.js')
  return withoutNotes(parseYamlSpec(readText(file), { parameters: await readParameters(options) }))
}

/** Templates of configuration files lie where the service file says, from its own folder. */
async function readCompat(file: string, { envFile = [], lenient }: SpecOptions): Promise<LoadedSpec> {
  const { parseCompatSpec } = await import('../yaml.js')
  const env = Object.fromEntries(envFile.flatMap((each) => readEnvironment(each)))
  const folder = dirname(file)
  const readTemplate = (path: string): string => readFileSync(resolve(folder, path), 'utf8')
  return parseCompatSpec(readText(file), { env, readTemplate, lenient: lenient === true })
}

/**
 * `KEY=VALUE` in each line, the value as it is to the end of the line: no quotes, no escapes. Empty lines, and lines that begin
 * with `#`, are left out.
 */
function readEnvironment(file: string): (readonly [string, string])[] {
  const lines = readText(file).split(/\r?\n/)
  return lines.flatMap((line, index) =>
    line.trim() === '' || line.startsWith('#') ? [] : [splitPair(line, `line ${index + 1} of ${file}`)],
  )
}

async function readParameters({ param = [], params }: SpecOptions): Promise<Readonly<Record<string, string | number | boolean>>> {
  const given = param.map((text) => splitPair(text, '--param'))
  if (params === undefined) return Object.fromEntries(given)
  const { parseParameters } = await import('../yaml.js')
  const result = parseParameters(readText(params))
  if (!result.ok) throw new InvalidArgumentError(renderProblems(params, result.issues))
  return { ...result.parameters, ...Object.fromEntries(given) }
}

export function splitPair(text: string, option: string): readonly [string, string] {
  const at = text.indexOf('=')
  if (at > 0) return [text.slice(0, at), text.slice(at + 1)]
  throw new InvalidArgumentError(`${option} must be NAME=VALUE (got ${text})`)
}

const withoutNotes = <Result extends { readonly ok: boolean }>(result: Result): Result & { readonly notes: readonly [] } => ({
  ...result,
  notes: [],
})

function readJson(file: string): LoadedSpec {
  const text = readText(file)
  try {
    return withoutNotes(safeParseSpec(JSON.parse(text)))
  } catch (error) {
    // The message may quote all of the text, and does not always say where.
    const message = `is no JSON: ${messageOf(error).replaceAll(/\s+/g, ' ').slice(0, 200)}`
    const at = /at position (\d+)/.exec(message)?.[1]
    if (at === undefined) return { ok: false, issues: [{ path: '', message }] }
    const lines = text.slice(0, Number(at)).split('\n')
    return { ok: false, issues: [{ path: '', message, line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 }] }
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new InvalidArgumentError(`cannot read ${file}: ${messageOf(error)}`)
  }
}

async function readModule(file: string, name: string | undefined): Promise<LoadedSpec> {
  try {
    return findSpec((await import(pathToFileURL(resolve(file)).href)) as Exported, file, name)
  } catch (error) {
    // A module that states its service with defineService throws when it is loaded.
    if (isSdkError(error, 'ERR_SPEC_INVALID'))
      return { ok: false, issues: (error.details['issues'] ?? []) as readonly SpecIssue[] }
    if (error instanceof InvalidArgumentError) throw error
    const advice = /\.[cm]?ts$/.test(file)
      ? '; for TypeScript, run this command through tsx: npx tsx node_modules/.bin/stateward ...'
      : ''
    throw new InvalidArgumentError(`cannot read a spec from ${file}: ${messageOf(error)}${advice}`)
  }
}

type Exported = Readonly<Record<string, unknown>>

function findSpec(exported: Exported, file: string, name: string | undefined): LoadedSpec {
  const names = Object.keys(exported).join(', ') || 'nothing'
  if (name !== undefined) {
    if (exported[name] === undefined) throw new InvalidArgumentError(`${file} exports no ${name} (it exports: ${names})`)
    return withoutNotes(safeParseSpec(exported[name]))
  }
  const results = Object.entries(exported).map(([key, value]) => ({ key, value, result: safeParseSpec(value) }))
  const sound = results.filter(({ result }) => result.ok)
  if (sound.length > 1)
    throw new InvalidArgumentError(
      `${file} exports several service specs; name one: ${sound.map(({ key }) => `${file}#${key}`).join(', ')}`,
    )
  const meant = sound[0] ?? only(results.filter(({ value }) => looksLikeSpec(value)))
  if (meant === undefined) throw new InvalidArgumentError(`${file} exports no service spec (it exports: ${names})`)
  return withoutNotes(meant.result)
}

const only = <Item>(items: readonly Item[]): Item | undefined => (items.length === 1 ? items[0] : undefined)

/** Meant as one, whatever is wrong in it. */
const looksLikeSpec = (value: unknown): boolean => typeof value === 'object' && value !== null && 'pods' in value
