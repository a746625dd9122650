/**
 * Service files as teams have them: each loads, and what becomes of it is a golden file to be read. Together they use every field
 * there is. One file has a mistake of every kind.
 */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { compilePlans } from '../../../src/plan/compile.js'
import { renderOutline } from '../../../src/plan/render-outline.js'
import { serviceShape } from '../../../src/spec/compat/raw-schema.js'
import { fieldPaths, type Shape } from '../../../src/spec/compat/raw-shape.js'
import { readSource } from '../../../src/spec/compat/source-document.js'
import { parseTemplate, plainPrint } from '../../../src/spec/compat/template.js'
import { issueLines, loadServiceFile, problemsOf, readEnv, readServiceFile, serviceFiles } from '../../support/service-files.js'

const names = readdirSync(serviceFiles)
  .filter((name) => name.endsWith('.yml'))
  .map((name) => name.replace('.yml', ''))

test('there are ten of them', () => {
  expect(names).toHaveLength(10)
})

describe.each(names)('%s', (name) => {
  test('becomes the spec, with its plans and the notes, of the golden file', async () => {
    const result = loadServiceFile(name)
    expect(problemsOf(result)).toEqual([])
    if (!result.ok) return
    const parts = [
      'Plans',
      renderOutline(compilePlans(result.spec)),
      'Notes',
      ...issueLines(result.notes),
      'Settings',
      JSON.stringify(result.settings),
      'Spec',
      JSON.stringify(result.spec, undefined, 2),
    ]
    await expect(`${parts.join('\n')}\n`).toMatchFileSnapshot(join(serviceFiles, 'golden', `${name}.txt`))
  })

  test('loads leniently too, and comes to nothing else where no HTML is in its variables', () => {
    const [strict, lenient] = [loadServiceFile(name), loadServiceFile(name, { lenient: true })]
    expect(problemsOf(lenient)).toEqual([])
    const differs = ['log-broker', 'team-cache', 'block-store'].includes(name)
    if (strict.ok && lenient.ok && !differs) expect(lenient.spec).toEqual(strict.spec)
  })
})

test('together they use every field of the format', () => {
  const used = new Set(names.flatMap((name) => pathsUsed(name)))
  expect(fieldPaths(serviceShape).filter((path) => !used.has(path))).toEqual([])
})

/** Paths of the fields of a file, as the list of all fields has them. */
function pathsUsed(name: string): string[] {
  const parsed = parseTemplate(readServiceFile(`${name}.yml`), readEnv(`${name}.env`))
  const rendered = parsed.ok ? parsed.template.render(plainPrint) : undefined
  const source = rendered?.ok === true ? readSource(rendered) : undefined
  return source?.ok === true ? walk(serviceShape, source.document.value, []) : []
}

function walk(shape: Shape, value: unknown, path: readonly string[]): string[] {
  if (typeof value !== 'object' || value === null) return []
  if (shape.kind === 'map' || shape.kind === 'list')
    return Object.values(value).flatMap((inner) => walk(shape.of, inner, [...path, '*']))
  if (shape.kind !== 'object') return []
  return Object.entries(shape.fields).flatMap(([name, inner]) => {
    const found = (value as Readonly<Record<string, unknown>>)[name]
    return found === undefined ? [] : [[...path, name].join('.'), ...walk(inner, found, [...path, name])]
  })
}

test('every mistake of the faulty file is told at once, with its line', async () => {
  const problems = problemsOf(loadServiceFile('faulty/everything'))
  expect(problems.length).toBeGreaterThan(30)
  await expect(`${problems.join('\n')}\n`).toMatchFileSnapshot(join(serviceFiles, 'golden/everything.txt'))
})
