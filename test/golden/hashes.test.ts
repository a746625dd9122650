/**
 * A hash is stored, and compared by every later version: what it was for a spec, it stays. A form with another version number gets
 * a file of its own; what is in one is never changed.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { hashVersion } from '../../src/spec/identity.js'
import { parseSpec } from '../../src/spec/parse.js'
import { buildTarget } from '../../src/scheduler/target.js'
import type { Target } from '../../src/scheduler/state.js'

interface Known {
  readonly spec: unknown
  readonly id: Target['id']
  readonly pods: Target['pods']
}

const folder = join(import.meta.dirname, 'hashes')

test('there are hashes of every version of the form', () => {
  expect(readdirSync(folder).sort()).toEqual(Array.from({ length: hashVersion }, (_, at) => `version-${at + 1}.json`))
})

test('hashes of version 1 are what they were', () => {
  const known = JSON.parse(readFileSync(join(folder, 'version-1.json'), 'utf8')) as Known[]
  expect(known.length).toBeGreaterThanOrEqual(35)
  for (const { spec, id, pods } of known) {
    const target = buildTarget(parseSpec(spec))
    expect({ id: target.id, pods: target.pods }).toEqual({ id, pods })
  }
})
