/** The page on the service spec is made from the schema: `npx vitest run test/spec/reference -u` writes it anew. */
import { expect, test } from 'vitest'
import { serviceSchema } from '../../src/spec/schema.js'
import { specFields } from '../support/spec-arbitrary.js'
import { specReference } from '../support/spec-reference.js'

const page = specReference(serviceSchema)

test('the page shows the schema as it is', async () => {
  await expect(page).toMatchFileSnapshot('../../docs/reference/service-spec.md')
})

test('every field is there, with what is known of it', () => {
  const rows = page.split('\n').filter((line) => line.startsWith('| `'))
  const kinds = page.split('\n').filter((line) => line.startsWith('`type: '))
  for (const { path, notes } of specFields) {
    const key = path.slice(path.lastIndexOf('.') + 1)
    // The kinds of a rule and of a parameter are the headings of their tables.
    const own =
      key === 'type' && notes.description === undefined ? kinds : rows.filter((line) => line.startsWith(`| \`${key}\` |`))
    expect(own.length, path).toBeGreaterThan(0)
    if (notes.description !== undefined)
      expect(
        own.some((line) => line.includes(notes.description?.replaceAll('|', '\\|') ?? '')),
        path,
      ).toBe(true)
    if (notes.implied !== undefined)
      expect(
        own.some((line) => line.includes(`\`${JSON.stringify(notes.implied)}\``)),
        path,
      ).toBe(true)
    if (notes.unit !== undefined)
      expect(
        own.some((line) => line.includes(`, ${notes.unit} |`)),
        path,
      ).toBe(true)
  }
})

test('every link leads to a section', () => {
  const anchors = new Set([...page.matchAll(/^## (.+)$/gm)].map(([, name = '']) => `#${name.toLowerCase().replaceAll(' ', '-')}`))
  const links = [...page.matchAll(/\]\((#[^)]*)\)/g)].map(([, target]) => target)
  expect(links.length).toBeGreaterThan(30)
  for (const target of links) expect(anchors).toContain(target)
})
