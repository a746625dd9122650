/**
 * The import rules of `.dependency-cruiser.cjs` bite: a tree of small files, each of which breaks one rule, is cruised with
 * the real configuration. A rule without a file here fails, so a rule that can never fire is found.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const root = join(import.meta.dirname, '../..')
const { forbidden } = createRequire(import.meta.url)('../../.dependency-cruiser.cjs') as { forbidden: { name: string }[] }

/** What the offending files may point at. */
const targets = [
  'ids.ts',
  'errors.ts',
  'spec/schema.ts',
  'spec/yaml/document.ts',
  'plan/model.ts',
  'recovery/classify.ts',
  'scheduler/step.ts',
  'state-machine/record.ts',
  'state-machine/task-machine.ts',
  'offer-evaluator/evaluate.ts',
  'ports/state-store.ts',
  'runtime/run-loop.ts',
  'mesos/driver.ts',
  'mesos/messages.ts',
  'store/memory-store.ts',
  'store/zookeeper-store.ts',
  'http/server.ts',
  'mesos-model/master.ts',
  'local-cluster/start.ts',
  'cli/main.ts',
  'index.ts',
  'yaml.ts',
].map((path) => `src/${path}`)

/** Rule, file that breaks it, what the file imports; `type` in front makes it a type-only import. */
const offences: readonly (readonly [rule: string, file: string, specifier: string])[] = [
  ['core-without-node', 'src/plan/bad-node.ts', 'node:fs'],
  ['core-without-node', 'src/mesos-model/bad-node.ts', 'type node:net'],
  ['core-npm-packages', 'src/scheduler/bad-npm.ts', 'eventemitter3'],
  ['base-imports-base', 'src/units.ts', './spec/schema.js'],
  ['spec-imports-base', 'src/spec/bad.ts', '../plan/model.js'],
  ['state-machine-imports-spec', 'src/state-machine/bad.ts', '../plan/model.js'],
  ['offer-evaluator-imports-spec', 'src/offer-evaluator/bad.ts', 'type ../plan/model.js'],
  ['plan-imports-spec-and-records', 'src/plan/bad.ts', '../recovery/classify.js'],
  ['plan-imports-spec-and-records', 'src/plan/bad-machine.ts', 'type ../state-machine/task-machine.js'],
  ['recovery-imports-plan-and-records', 'src/recovery/bad.ts', '../offer-evaluator/evaluate.js'],
  ['records-are-read-as-types', 'src/recovery/bad-record.ts', '../state-machine/record.js'],
  ['scheduler-imports-core', 'src/scheduler/bad.ts', '../ports/state-store.js'],
  ['doctor-imports-core', 'src/doctor/bad.ts', '../ports/state-store.js'],
  ['ports-import-core', 'src/ports/bad.ts', 'type ../mesos/driver.js'],
  ['ports-are-types', 'src/ports/bad-value.ts', '../scheduler/step.js'],
  ['ports-without-packages', 'src/ports/bad-package.ts', 'type undici'],
  ['runtime-imports-ports', 'src/runtime/bad.ts', '../mesos/driver.js'],
  ['composition-root', 'src/runtime/create-scheduler.ts', '../local-cluster/start.js'],
  ['mesos-imports-ports', 'src/mesos/bad.ts', '../store/memory-store.js'],
  ['store-imports-ports', 'src/store/bad.ts', '../http/server.js'],
  ['http-imports-ports', 'src/http/bad.ts', '../runtime/run-loop.js'],
  ['mesos-model-imports-base', 'src/mesos-model/bad.ts', '../scheduler/step.js'],
  ['mesos-model-reads-types', 'src/mesos-model/bad-value.ts', '../mesos/messages.js'],
  ['local-cluster-imports-model', 'src/local-cluster/bad.ts', '../mesos/driver.js'],
  ['testing-imports', 'src/testing/bad.ts', '../store/zookeeper-store.js'],
  ['cli-imports-entries', 'src/cli/bad.ts', '../runtime/run-loop.js'],
  ['index-exports', 'src/index.ts', './mesos/driver.js'],
  ['testing-exports', 'src/testing.ts', './runtime/run-loop.js'],
  ['local-cluster-exports', 'src/local-cluster.ts', './mesos-model/master.js'],
  ['yaml-exports', 'src/yaml.ts', './plan/model.js'],
  ['texts-for-yaml-alone', 'src/spec/bad-texts.ts', './yaml/document.js'],
  ['entries-are-not-imported', 'src/runtime/bad-entry.ts', '../index.js'],
  ['src-stands-alone', 'src/http/bad-test.ts', '../../test/support/builders.js'],
  ['examples-are-strangers', 'examples/one/src/bad.ts', '../../../src/ids.js'],
  ['examples-are-strangers', 'examples/one/src/bad-npm.ts', 'undici'],
  ['examples-share-nothing', 'examples/one/src/bad-neighbour.ts', '../../two/src/service.js'],
  ['xstate-in-state-machine', 'src/recovery/bad-xstate.ts', 'xstate'],
  ['zookeeper-in-store', 'src/mesos/bad-zookeeper.ts', 'node-zookeeper-client'],
  ['zod-at-the-boundary', 'src/plan/bad-zod.ts', 'zod'],
  ['zod-at-the-boundary', 'src/mesos-model/bad-zod.ts', 'type zod'],
  ['hashes-in-spec', 'src/plan/bad-hash.ts', '@noble/hashes/sha2.js'],
  ['templates-in-spec', 'src/runtime/bad-yaml.ts', 'yaml'],
  ['no-cycle', 'src/plan/cycle-a.ts', './cycle-b.js'],
  ['published-dependencies', 'src/runtime/bad-dev.ts', 'fast-check'],
  ['resolvable', 'src/http/bad-missing.ts', './nowhere.js'],
]

/** What must stay allowed; a rule that refuses too much fails here. */
const allowed: readonly (readonly [file: string, specifier: string])[] = [
  ['src/spec/good.ts', 'zod'],
  ['src/spec/good-hash.ts', '@noble/hashes/sha2.js'],
  ['src/plan/good-record.ts', 'zod'],
  ['src/plan/good.ts', 'type ../state-machine/record.js'],
  ['src/recovery/good.ts', '../plan/model.js'],
  ['src/state-machine/good.ts', 'xstate'],
  ['src/scheduler/good.ts', '../offer-evaluator/evaluate.js'],
  ['src/ports/good.ts', 'type ../scheduler/step.js'],
  ['src/runtime/good.ts', '../ports/state-store.js'],
  ['src/store/good.ts', 'node-zookeeper-client'],
  ['src/mesos/good.ts', 'node:net'],
  ['src/mesos/leader.ts', 'node-zookeeper-client'],
  ['src/mesos-model/good.ts', 'type ../mesos/messages.js'],
  ['src/local-cluster/good.ts', '../mesos/messages.js'],
  ['src/local-cluster/good-model.ts', '../mesos-model/master.js'],
  ['src/testing/good.ts', '../store/memory-store.js'],
  ['src/spec/yaml/good.ts', 'yaml'],
  ['src/spec/compat/good.ts', '../yaml/document.js'],
  ['src/cli/good-yaml.ts', '../yaml.js'],
  ['src/cli/good.ts', '../index.js'],
  ['src/cli/good-cluster.ts', '../local-cluster/start.js'],
  ['examples/one/src/good.ts', 'stateward'],
  ['examples/one/src/good-testing.ts', 'stateward/testing'],
  ['examples/one/src/good-node.ts', 'node:fs'],
  ['examples/one/src/good-client.ts', 'kafkajs'],
]

interface Violation {
  readonly rule: { readonly name: string }
  readonly from: string
}

let violations: Violation[] = []
let tree = ''

function put(file: string, text: string): void {
  const path = join(tree, file)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}

const importing = (specifier: string): string => {
  const isType = specifier.startsWith('type ')
  const from = isType ? specifier.slice('type '.length) : specifier
  return `import ${isType ? 'type ' : ''}{ x } from '${from}'\nexport const y = x\n`
}

beforeAll(() => {
  mkdirSync(join(root, 'out'), { recursive: true })
  tree = mkdtempSync(join(root, 'out/import-rules-'))
  for (const file of ['package.json', 'tsconfig.json']) cpSync(join(root, file), join(tree, file))
  for (const file of [...targets, 'test/support/builders.ts', 'examples/two/src/service.ts']) put(file, 'export const x = 1\n')
  put('src/plan/cycle-b.ts', importing('type ./cycle-a.js'))
  for (const [file, specifier] of allowed) put(file, importing(specifier))
  for (const [, file, specifier] of offences) put(file, importing(specifier))
  const cruiser = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs')
  const config = join(root, '.dependency-cruiser.cjs')
  const args = [cruiser, '--config', config, '--output-type', 'json', 'src', 'examples']
  const result = JSON.parse(runToEnd(args)) as { summary: { violations: Violation[] } }
  violations = result.summary.violations
}, 30_000)

afterAll(() => {
  rmSync(tree, { recursive: true, force: true })
})

/** The exit code counts the violations, so a non-zero one is what we hope for. */
function runToEnd(args: readonly string[]): string {
  try {
    return execFileSync(process.execPath, args, {
      cwd: tree,
      encoding: 'utf8',
      maxBuffer: 1 << 26,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string }
    if (stdout === '') throw new Error(`dependency-cruiser did not run: ${stderr}`, { cause: error })
    return stdout
  }
}

const rulesBrokenBy = (file: string): string[] =>
  violations.filter((found) => found.from === file).map((found) => found.rule.name)

describe('import rules', () => {
  test.each(offences)('%s refuses %s importing %s', (rule, file) => {
    expect(rulesBrokenBy(file)).toContain(rule)
  })

  test.each(allowed)('%s may import %s', (file) => {
    expect(rulesBrokenBy(file)).toEqual([])
  })

  test('every rule is proved by a file that breaks it', () => {
    const proved = new Set(offences.map(([rule]) => rule))
    expect(forbidden.map((rule) => rule.name).filter((name) => !proved.has(name))).toEqual([])
  })
})
