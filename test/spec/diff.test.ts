/** What a changed spec would do. Pairs of specs with what is said of them: `npx vitest run test/spec/diff -u` writes it anew. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { buildTarget } from '../../src/scheduler/target.js'
import { diffServices, type PodDiff } from '../../src/spec/diff.js'
import { defineService } from '../../src/spec/parse.js'
import { renderDiff } from '../../src/spec/render-diff.js'
import type { ServiceSpec, ServiceSpecInput } from '../../src/spec/schema.js'
import { parseYamlSpec } from '../../src/spec/yaml/load.js'
import { specs } from '../support/spec-arbitrary.js'

const folder = join(import.meta.dirname, '../fixtures/service-diffs')

function load(name: string, file: string): ServiceSpec {
  const result = parseYamlSpec(readFileSync(join(folder, name, file), 'utf8'))
  if (result.ok) return result.spec
  throw new Error(JSON.stringify(result.issues))
}

test.each(readdirSync(folder))('%s', async (name) => {
  const text = renderDiff(diffServices(load(name, 'before.yaml'), load(name, 'after.yaml')))
  await expect(`${text}\n`).toMatchFileSnapshot(join(folder, name, 'diff.txt'))
})

const task = { command: './run.sh', cpus: 1, memoryMb: 64 }
const build = (db: object = {}, rest: Partial<ServiceSpecInput> = {}) =>
  defineService({ name: 'store', pods: { db: { count: 1, tasks: { server: task }, ...db } }, ...rest })
const diffOf = (before: object, after: object): PodDiff | undefined => diffServices(build(before), build(after)).pods[0]

describe('a difference', () => {
  test.for<[string, object, object, readonly string[]]>([
    ['what only counts when a task is stopped', {}, { tasks: { server: { ...task, preStop: { command: 'x' } } } }, []],
    [
      'a key with dots',
      { tasks: { server: { ...task, labels: { 'a.b': '1', a: '1' } } } },
      { tasks: { server: { ...task, labels: { 'a.b': '2', 'a.c': '1' } } } },
      ['server RUNNING restart'],
    ],
    ['a list that grows', { uris: ['file:///a'] }, { uris: ['file:///a', 'file:///b'] }, ['server RUNNING restart']],
    ['a list that shrinks', { uris: ['file:///a', 'file:///b'] }, { uris: ['file:///b'] }, ['server RUNNING restart']],
    [
      'a ONCE task',
      { tasks: { server: task, once: { ...task, goal: 'ONCE' } } },
      { tasks: { server: task, once: { ...task, goal: 'ONCE', command: 'other' } } },
      ['once ONCE nothing'],
    ],
    [
      'what all tasks share, beside a FINISH task',
      { tasks: { server: task, backup: { ...task, goal: 'FINISH' } } },
      { tasks: { server: task, backup: { ...task, goal: 'FINISH' } }, image: 'a:1' },
      ['server RUNNING restart'],
    ],
    [
      'a task more and one less',
      { tasks: { server: task, one: task } },
      { tasks: { server: task, other: task } },
      ['other RUNNING added', 'one RUNNING removed'],
    ],
  ])('of %s', ([, before, after, expected]) => {
    expect(diffOf(before, after)?.tasks.map(({ task: name, goal, outcome }) => `${name} ${goal} ${outcome}`)).toEqual(expected)
  })

  test('names the field that restarts each task, and shows no password of an address', () => {
    const pod = diffOf(
      { tasks: { server: { ...task, uris: ['http://me:secret@host/a'] }, other: task } },
      { tasks: { server: { ...task, uris: ['http://me:hidden@host/b'] }, other: task }, image: 'a:1' },
    )
    expect(pod?.fields).toEqual([
      { path: 'pods.db.image', after: 'a:1', restarts: ['server', 'other'] },
      {
        path: 'pods.db.tasks.server.uris.0.uri',
        before: 'http://me:***@host/a',
        after: 'http://me:***@host/b',
        restarts: ['server'],
      },
    ])
  })

  test('says of each two specs what the hashes do', () => {
    fc.assert(
      fc.property(specs, specs, (before, after) => {
        const [one, other] = [buildTarget(before), buildTarget(after)]
        const diff = diffServices(before, after)
        expect(diffServices(before, before)).toMatchObject({ service: [], plans: [], refusals: [], notYet: [] })
        for (const { pod, outcomes, tasks, fields } of diff.pods) {
          const [was, is] = [one.pods[pod], other.pods[pod]]
          if (was === undefined || is === undefined) continue
          const running = Object.entries(is.tasks).filter(([name]) => after.pods[pod]?.tasks[name]?.goal === 'RUNNING')
          const restarted = running.filter(
            ([name, hash]) => was.tasks[name] !== undefined && (was.pod !== is.pod || was.tasks[name] !== hash),
          )
          const told = tasks.filter(({ outcome }) => outcome === 'restart').map((each) => each.task)
          expect(told.sort()).toEqual(restarted.map(([name]) => name).sort())
          expect(outcomes.includes('restart')).toBe(told.length > 0)
          expect(new Set(fields.flatMap(({ restarts }) => restarts)).size).toBeGreaterThanOrEqual(Math.min(1, told.length))
        }
        expect(renderDiff(diff)).not.toContain('undefined')
      }),
      { numRuns: 20 },
    )
  })
})
