/** The guide lists every kind of finding, each once, and no other. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { findingCodes } from '../../src/doctor/findings.js'

test('docs/guides/doctor.md lists exactly the codes of the catalogue', () => {
  const page = readFileSync(new URL('../../docs/guides/doctor.md', import.meta.url), 'utf8')
  const listed = [...page.matchAll(/^\| `([A-Z_]+)` \|/gm)].map((match) => match[1])
  expect([...listed].sort()).toEqual([...findingCodes].sort())
})
