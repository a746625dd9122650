import { expect, test } from 'vitest'
import { atMostOne } from '../../../src/testing/checkers/at-most-one.js'
import { accept, launch } from './support/calls.js'
import { volumeOfInstance, watch } from './support/story.js'

const first = { taskId: 'db-0-server__1' }
const second = { taskId: 'db-0-server__2' }

test('one process after the other is right', () => {
  const story = watch(atMostOne).starts(first).ends(first).starts(second)
  expect(story.problems).toEqual([])
})

test('a second process of a task is reported, on whatever machine it is', () => {
  const story = watch(atMostOne)
    .starts(first)
    .starts({ ...second, hostname: 'agent-7', volumes: [] })
  expect(story.problems).toEqual(['db-0-server__2 on agent-7 was started while db-0-server__1 on agent-0 was alive'])
})

test('tasks of one executor share its volume', () => {
  const story = watch(atMostOne).takes(accept(launch('db-0-server__1', 'db-0__e1'), launch('db-0-backup__1', 'db-0__e1')))
  expect(story.starts(first).starts({ taskId: 'db-0-backup__1' }).problems).toEqual([])
})

test('a volume used by two executors is reported', () => {
  const story = watch(atMostOne).takes(accept(launch('db-0-server__1', 'db-0__e1'), launch('db-0-backup__1', 'db-0__e2')))
  expect(story.starts(first).starts({ taskId: 'db-0-backup__1' }).problems).toEqual([
    `db-0-backup__1 on agent-0 was started on volume ${volumeOfInstance('db-0')} while db-0-server__1 on agent-0 of another executor was on it`,
  ])
})

test('a second process of the same launch is reported', () => {
  expect(watch(atMostOne).starts(first).starts(first).problems).toHaveLength(1)
})
