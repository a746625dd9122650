import { expect, test } from 'vitest'
import { stateEqualsStore } from '../../../src/testing/checkers/state-equals-store.js'
import { deleted, deployedService, executor, idOf, instance, run, spec1, spec2, task, wants } from './support/records.js'
import { watch } from './support/story.js'

const deployed = () => watch(stateEqualsStore).commits(deployedService())

test('canonical records, loaded as they were stored, are right', () => {
  expect(deployed().opens({ scheduler: 'b1', epoch: 2 }).rests().problems).toEqual([])
})

test('text that is no JSON, or not canonical, is reported', () => {
  const story = watch(stateEqualsStore).commits([
    { key: 'tasks/a', value: 'none' },
    { key: 'tasks/b', value: '{"b":1,"a":2}' },
    { key: 'tasks/c', value: '{ "a": 1 }' },
    { key: 'tasks/d', value: '{"list":[{"b":1,"a":2}]}' },
    { key: 'tasks/e', value: '{"1":1,"2":1,"10":1}' },
  ])
  expect(story.problems).toEqual([
    'tasks/a was stored as "none", which is no JSON',
    'tasks/b was stored in another form than the canonical one',
    'tasks/c was stored in another form than the canonical one',
    'tasks/d was stored in another form than the canonical one',
  ])
})

test('a session that loads something else is reported', () => {
  const one = { key: 'tasks/a', value: '1' }
  const story = watch(stateEqualsStore).commits([one, { key: 'tasks/b', value: '2' }])
  const records = new Map([
    ['tasks/a', '9'],
    ['tasks/c', '3'],
  ])
  expect(story.opens({ records }).problems).toEqual([
    'a1 loaded another text under tasks/a than was stored: 9 instead of 1',
    'a1 loaded nothing under tasks/b, which was stored',
    'a1 loaded tasks/c, which nobody has stored',
  ])
})

test('a record whose target is not stored is reported', () => {
  const key = `targets/${idOf(spec1).replace(':', '-')}`
  const story = watch(stateEqualsStore).commits([...wants(), instance('db-0'), task('db-0-server__1')])
  expect(story.commits([instance('db-0', { spec: spec2 })]).problems).toHaveLength(1)
  expect(
    watch(stateEqualsStore)
      .commits([...wants(), run('deploy')])
      .commits([deleted(key)]).problems,
  ).toEqual([`service/service names ${key}, which is not stored`, `plans/deploy names ${key}, which is not stored`])
})

test('a complete run needs its target no more', () => {
  const old = { targetId: idOf(spec2), completedAtMs: 1 }
  expect(watch(stateEqualsStore).commits([...wants(), run('deploy', old)]).problems).toEqual([])
})

test('a launch without the executor that it is made in is reported', () => {
  const other = instance('db-0', { executor: executor('db-0', 'db-0__2') })
  const launch = task('db-0-server__2', { value: 'launching', launch: { executorId: 'db-0__2' } })
  expect(deployed().commits([launch, other]).problems).toEqual([])
  expect(deployed().commits([launch]).commits([other]).problems).toEqual([
    'db-0-server__2 was stored with executor db-0__2, and db-0 with db-0__executor',
  ])
})
