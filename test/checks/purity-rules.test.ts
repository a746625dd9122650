/**
 * The purity bans of `eslint.config.js` bite in the core folders and only there. Rules that need types are off here: the
 * snippets are no files of the project.
 */
import { join } from 'node:path'
import { ESLint } from 'eslint'
import tseslint from 'typescript-eslint'
import { beforeAll, describe, expect, test } from 'vitest'

const root = join(import.meta.dirname, '../..')

const impure: readonly (readonly [what: string, code: string])[] = [
  ['the clock', 'export const now = () => Date.now()'],
  ['a date', 'export const today = () => new Date()'],
  ['performance', 'export const now = () => performance.now()'],
  ['Math.random', 'export const roll = () => Math.random()'],
  ['Math.random, destructured', 'const { random } = Math\nexport const roll = () => random()'],
  ['crypto', 'export const id = () => crypto.randomUUID()'],
  ['a timer', 'export const later = (f: () => void) => setTimeout(f, 1)'],
  ['a microtask', 'export const later = (f: () => void) => queueMicrotask(f)'],
  ['process', 'export const home = () => process.env.HOME'],
  ['globalThis', 'export const now = () => globalThis.Date.now()'],
  ['console', "export const say = () => console.log('x')"],
  ['fetch', "export const get = () => fetch('x')"],
  ['a builtin', "import fs from 'node:fs'\nexport const x = fs"],
  ['a builtin without prefix', "import fs from 'fs'\nexport const x = fs"],
  ['a dynamic import', "export const x = () => import('./x.js')"],
  ['an async function', 'export async function wait() {}'],
  ['localeCompare', 'export const sort = (a: string, b: string) => a.localeCompare(b)'],
  ['Intl', 'export const x = new Intl.Collator()'],
]

const coreFiles = [
  ...['spec', 'plan', 'state-machine', 'offer-evaluator', 'recovery', 'scheduler', 'doctor', 'mesos-model'].map(
    (folder) => `src/${folder}/x.ts`,
  ),
  'src/ids.ts',
  'src/units.ts',
  'src/errors.ts',
]

let eslint: ESLint

beforeAll(() => {
  eslint = new ESLint({
    cwd: root,
    overrideConfig: [tseslint.configs.disableTypeChecked, { languageOptions: { parserOptions: { projectService: false } } }],
  })
})

async function lint(code: string, file: string): Promise<string[]> {
  const [result] = await eslint.lintText(`${code}\n`, { filePath: join(root, file) })
  return result?.messages.map((message) => message.ruleId ?? message.message) ?? ['no answer']
}

describe('purity of the core', () => {
  test.each(impure)('refuses %s', async (_what, code) => {
    const found = await lint(code, 'src/plan/x.ts')
    expect(found.some((rule) => rule.startsWith('no-restricted-'))).toBe(true)
  })

  test.each(coreFiles)('holds in %s', async (file) => {
    expect(await lint('export const now = () => Date.now()', file)).toEqual(['no-restricted-globals'])
  })

  test.each(['src/runtime/x.ts', 'src/mesos/x.ts', 'src/store/x.ts', 'test/x.test.ts'])('does not hold in %s', async (file) => {
    expect(await lint("import fs from 'node:fs'\nexport const now = () => [Date.now(), fs]", file)).toEqual([])
  })

  test('no actor of xstate runs', async () => {
    const code = "import { createActor } from 'xstate'\nexport const x = createActor"
    expect(await lint(code, 'src/state-machine/x.ts')).toEqual(['no-restricted-imports'])
  })
})
