/** A service spec from a file: JSON, or a module that exports one. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseSpec, safeParseSpec, SdkError, type ServiceSpec } from '../index.js'

/**
 * `FILE`, or `FILE#NAME` for one of several exports of a module.
 * @throws SdkError `ERR_SPEC_INVALID`, `ERR_INVALID_OPTION` when the file cannot be read or holds no single spec.
 */
export async function loadSpec(place: string): Promise<ServiceSpec> {
  const [file = '', name] = place.split('#')
  return file.endsWith('.json') ? parseSpec(readJson(file)) : findSpec(await importModule(file), file, name)
}

const invalid = (text: string, cause?: unknown): SdkError => new SdkError('ERR_INVALID_OPTION', text, { cause })

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as unknown
  } catch (cause) {
    throw invalid(`cannot read a spec from ${file}: ${messageOf(cause)}`, cause)
  }
}

async function importModule(file: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return (await import(pathToFileURL(resolve(file)).href)) as Readonly<Record<string, unknown>>
  } catch (cause) {
    const advice = /\.[cm]?ts$/.test(file)
      ? '; for TypeScript, run this command through tsx: npx tsx node_modules/.bin/stateward ...'
      : ''
    throw invalid(`cannot read a spec from ${file}: ${messageOf(cause)}${advice}`, cause)
  }
}

function findSpec(exported: Readonly<Record<string, unknown>>, file: string, name: string | undefined): ServiceSpec {
  if (name !== undefined) {
    if (exported[name] === undefined)
      throw invalid(`${file} exports no ${name} (it exports: ${Object.keys(exported).join(', ')})`)
    return parseSpec(exported[name])
  }
  const specs = Object.entries(exported).flatMap(([key, value]) => {
    const result = safeParseSpec(value)
    return result.ok ? [{ key, spec: result.spec }] : []
  })
  const [only] = specs
  if (only !== undefined && specs.length === 1) return only.spec
  if (only === undefined)
    throw invalid(`${file} exports no service spec (it exports: ${Object.keys(exported).join(', ') || 'nothing'})`)
  throw invalid(`${file} exports several service specs; name one: ${specs.map(({ key }) => `${file}#${key}`).join(', ')}`)
}
