import { expect, test } from 'vitest'
import { podInstanceName } from '../../../src/ids.js'
import { defineService } from '../../../src/spec/parse.js'
import { killsAreDue } from '../../../src/testing/checkers/kills-are-due.js'
import { deployedService, spec1, spec2, task, wants } from './support/records.js'
import { watch } from './support/story.js'

const id = 'db-0-server__1'
const decision = [task(id, { value: 'killing', killAtMs: 1 })]
const deployed = () => watch(killsAreDue).commits(deployedService())
const restart = { type: 'restartPod', instance: podInstanceName('db', 0) } as const
const isNotDue = [`${id} is to be killed, and the wanted spec has the content it was launched from`]

test('what differs from the wanted spec may be killed, in the batch that takes it too', () => {
  expect(deployed().commits(wants(spec2)).commits(decision).problems).toEqual([])
  expect(
    deployed()
      .commits([...wants(spec2), ...decision])
      .commits(decision).problems,
  ).toEqual([])
})

test('a kill under the same spec is reported', () => {
  expect(deployed().commits(decision).problems).toEqual(isNotDue)
})

test('a kill is due even if the old spec is wanted again later', () => {
  expect(deployed().commits(wants(spec2)).commits(decision).commits(wants(spec1)).commits(decision).problems).toEqual([])
})

test('a kill is not due any more when the old spec is wanted again before it', () => {
  expect(deployed().commits(wants(spec2)).commits(wants(spec1)).commits(decision).problems).toEqual(isNotDue)
})

test('other counts, placement, back-off and other tasks restart nothing', () => {
  const db = spec1.pods['db']
  const format = { ...db?.tasks['format'], command: './other.sh' }
  const other = defineService({
    ...spec1,
    recovery: { backoff: { initialMs: 7 } },
    pods: { db: { ...db, count: 5, placement: [], tasks: { ...db?.tasks, format } } },
  })
  expect(deployed().commits(wants(other)).commits(decision).problems).toEqual(isNotDue)
})

test('other volumes or another executor restart every task of the pod', () => {
  const db = spec1.pods['db']
  const other = defineService({ ...spec1, pods: { db: { ...db, executor: { cpus: 0.7 } } } } as never)
  expect(deployed().commits(wants(other)).commits(decision).problems).toEqual([])
})

test('a restart that was asked for makes a kill due, once', () => {
  const story = deployed().commands(restart).commits(decision)
  expect(story.problems).toEqual([])
  const again = story.commits([task('db-0-server__2')]).commits([task('db-0-server__2', { value: 'killing', killAtMs: 2 })])
  expect(again.problems).toHaveLength(1)
})

test('a restart of another instance makes no kill due', () => {
  expect(
    deployed()
      .commands({ ...restart, instance: podInstanceName('db', 1) })
      .commits(decision).problems,
  ).toEqual(isNotDue)
})
