/** `stateward sim replay`: its exit code says whether a promise was broken, or the file was no plan at all. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makePlan } from '../../src/testing/simulation/make-plan.js'
import { databaseSpec } from '../support/specs.js'

const main = join(import.meta.dirname, '../../src/cli/main.ts')

let folder: string
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'replay-'))))
afterAll(() => rmSync(folder, { recursive: true }))

function replay(text: string | undefined): { status: number | null; told: string } {
  const file = join(folder, 'plan.json')
  rmSync(file, { force: true })
  if (text !== undefined) writeFileSync(file, text)
  const args = ['--import', 'tsx', main, 'sim', 'replay', '--quiet', file]
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  return { status, told: stdout + stderr }
}

const plan = makePlan(databaseSpec(), { seed: 1, faults: 'none' })

test('0 when every promise held', () => {
  expect(replay(JSON.stringify(plan))).toEqual({ status: 0, told: 'seed 1: every promise held\n' })
})

test('1 when one was broken', () => {
  const hasty = { ...plan, untilMs: 0, settleWithinMs: 1_000 }
  expect(replay(JSON.stringify(hasty))).toEqual({ status: 1, told: expect.stringMatching(/^liveness: /) as string })
})

test('2 when the file cannot be read, or is no plan', () => {
  expect(replay(undefined)).toEqual({ status: 2, told: expect.stringMatching(/cannot replay .*plan\.json: ENOENT/) as string })
  expect(replay('{')).toEqual({ status: 2, told: expect.stringContaining('plan.json is no JSON') as string })
})
