/** docs/errors.md lists every code of src/errors.ts, each exactly once, and no other. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { errorCodes } from '../../src/errors.js'

const page = readFileSync(join(import.meta.dirname, '../../docs/errors.md'), 'utf8')
/** A code is documented where it stands as a heading; prose may mention it as often as it likes. */
const headings = [...page.matchAll(/^### `(ERR_[A-Z_]+)`$/gm)].map((match) => match[1])
const mentioned = new Set([...page.matchAll(/\bERR_[A-Z_]+\b/g)].map((match) => match[0]))
const codes = Object.keys(errorCodes)

test('every code has a heading in docs/errors.md', () => {
  expect(codes.filter((code) => !headings.includes(code))).toEqual([])
})

test('docs/errors.md explains no code twice and none that does not exist', () => {
  expect(headings.filter((code, index) => headings.indexOf(code) !== index)).toEqual([])
  expect([...mentioned].filter((code) => !codes.includes(code))).toEqual([])
})

test('every code is followed by what it means and what to do', () => {
  for (const section of page.split(/^### /m).slice(1)) {
    const [heading = '', ...body] = section.split('\n')
    expect(body.join(' ').trim().length, heading).toBeGreaterThan(60)
  }
})
