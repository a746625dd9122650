/** docs/reference/dcos-commons.md has a line for every field of the format, and for no other. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { serviceShape } from '../../../src/spec/compat/raw-schema.js'
import { fieldPaths } from '../../../src/spec/compat/raw-shape.js'

const page = readFileSync(join(import.meta.dirname, '../../../docs/reference/dcos-commons.md'), 'utf8')

/** Headings name the places that their table is about: `## Pod `pods.*``. */
function listed(): string[] {
  return page.split(/^## /m).flatMap((section) => {
    const [heading = '', ...lines] = section.split('\n')
    if (!lines.some((line) => line.startsWith('| Field |'))) return []
    const places = heading.includes('`') ? inQuotes(heading).map((place) => `${place}.`) : ['']
    const fields = lines.flatMap((line) => /^\| `([^`]+)` \|/.exec(line)?.[1] ?? [])
    return places.flatMap((place) => fields.map((field) => place + field))
  })
}

const inQuotes = (text: string): string[] => [...text.matchAll(/`([^`]+)`/g)].map(([, inner]) => inner ?? '')

test('every field is listed once, and no other', () => {
  expect(listed().sort()).toEqual(fieldPaths(serviceShape).sort())
})
