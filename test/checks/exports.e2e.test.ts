/**
 * Freezes the names each public entry exports, as built: a name that comes or goes shows up as a diff of exports.json
 * (`vitest run --project e2e test/checks/exports.e2e.test.ts -u`, and a line in CHANGELOG.md). Types are read from the
 * declarations, so a type that is dropped is seen too.
 */
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import ts from 'typescript'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '../..')
interface Manifest {
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>
}
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest
const entries = Object.entries(manifest.exports).flatMap(([name, target]) =>
  typeof target === 'string' ? [] : [{ name, ...target }],
)

function builtFile(path: string): string {
  const file = join(root, path)
  if (!existsSync(file)) throw new Error(`${path} is missing: run npm run build`)
  return file
}

/** Names a declaration file exports, values and types. */
function declaredNames(file: string): string[] {
  const program = ts.createProgram([file], { module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext })
  const checker = program.getTypeChecker()
  const source = program.getSourceFile(file)
  const symbol = source && checker.getSymbolAtLocation(source)
  if (symbol === undefined) return []
  return checker.getExportsOfModule(symbol).map((exported) => exported.name)
}

test('the entries export exactly the names in exports.json', async () => {
  const names: Record<string, Record<string, 'value' | 'type'>> = {}
  for (const entry of entries) {
    const loaded = (await import(pathToFileURL(builtFile(entry.default)).href)) as Record<string, unknown>
    const all = new Set([...Object.keys(loaded), ...declaredNames(builtFile(entry.types))])
    names[entry.name] = Object.fromEntries([...all].sort().map((name) => [name, name in loaded ? 'value' : 'type']))
  }
  await expect(`${JSON.stringify(names, null, 2)}\n`).toMatchFileSnapshot('./exports.json')
})

test('nothing but the entries can be imported', () => {
  const { resolve } = createRequire(import.meta.url)
  for (const inner of ['stateward/dist/index.js', 'stateward/src/index.ts', 'stateward/errors']) {
    expect(() => resolve(inner), inner).toThrow(expect.objectContaining({ code: 'ERR_PACKAGE_PATH_NOT_EXPORTED' }))
  }
})
