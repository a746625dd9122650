/** Service files of dcos-commons under test/fixtures/service-files, and short ones made by tests. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseCompatSpec, type CompatOptions, type CompatResult } from '../../src/spec/compat/load.js'
import type { ServiceSpec } from '../../src/spec/schema.js'
import type { LocatedIssue } from '../../src/spec/yaml/document.js'

export const serviceFiles = join(import.meta.dirname, '../fixtures/service-files')

export const readServiceFile = (name: string): string => readFileSync(join(serviceFiles, name), 'utf8')

/** `KEY=VALUE` in each line. */
export const readEnv = (name: string): Record<string, string> =>
  Object.fromEntries(
    readServiceFile(name)
      .split('\n')
      .filter((line) => line.includes('='))
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  )

/** A template of the fixtures; what a missing one says is the same on every machine. */
function readTemplate(path: string): string {
  try {
    return readServiceFile(path)
  } catch {
    throw new Error('there is no such file')
  }
}

export const loadServiceFile = (name: string, options: Partial<CompatOptions> = {}): CompatResult =>
  parseCompatSpec(readServiceFile(`${name}.yml`), { env: readEnv(`${name}.env`), readTemplate, ...options })

export const loadText = (text: string, options: Partial<CompatOptions> = {}): CompatResult =>
  parseCompatSpec(text, { env: {}, readTemplate, ...options })

/** With every problem in the error when there is one. */
export function specOf(result: CompatResult): ServiceSpec {
  if (result.ok) return result.spec
  throw new Error(issueLines(result.issues).join('\n'))
}

/** As `line:column path: message`. */
export const issueLines = (issues: readonly LocatedIssue[]): string[] =>
  issues.map(({ line, column, path, message }) =>
    [line === undefined ? [] : `${line}:${column}`, path === '' ? [] : path, message].flat().join(' '),
  )

export const problemsOf = (result: CompatResult): string[] => (result.ok ? [] : issueLines(result.issues))

export const notesOf = (result: CompatResult): string[] => {
  if (!result.ok) throw new Error(problemsOf(result).join('\n'))
  return issueLines(result.notes)
}

/** A sound file with more fields for the service, its pod `db` and the task `server`, each in YAML of its own depth. */
export function serviceFile({ service = '', pod = '', task = '', resources = 'cpus: 1, memory: 64' } = {}): string {
  const own = resources === '' ? '' : `${resources.replaceAll(', ', '\n')}\n`
  return `name: store
pods:
  db:
    count: 1
${indent(4, pod)}    tasks:
      server:
        goal: RUNNING
        cmd: ./run
${indent(8, own)}${indent(8, task)}${indent(0, service)}`
}

const indent = (by: number, text: string): string =>
  text === ''
    ? ''
    : text
        .replace(/\n$/, '')
        .split('\n')
        .map((line) => `${' '.repeat(by)}${line}\n`)
        .join('')
