import { expect, test } from 'vitest'
import { answeredFirst } from '../../../src/testing/checkers/answered-first.js'
import { deployedService, task } from './support/records.js'
import { watch } from './support/story.js'

const id = 'db-0-server__1'
const kill = [task(id, { value: 'killing', killAtMs: 1 })]
const subscribed = () => watch(answeredFirst).commits(deployedService()).opens().subscribes()

test('an act after every task was told of is right', () => {
  expect(subscribed().tells(id, 'RUNNING').commits(kill).problems).toEqual([])
})

test('an act before the master has told is reported', () => {
  expect(subscribed().commits(kill).problems).toEqual([
    `db-0-server was to be killed before the master had told a1 of ${id} on its present stream`,
  ])
  expect(subscribed().commits([task('db-0-format__2', { value: 'launching' })]).problems).toEqual([
    `db-0-format was to be launched before the master had told a1 of ${id} on its present stream`,
  ])
})

test('what was told on an earlier stream, or to another scheduler, does not count', () => {
  const story = subscribed().tells(id, 'RUNNING').tells(id, 'RUNNING', {}, { scheduler: 'b1' })
  expect(story.subscribes({ streamId: 's2' }).commits(kill).problems).toHaveLength(1)
})

test('what was launched on this stream needs no answer', () => {
  const story = subscribed()
    .tells(id, 'KILLED')
    .commits([task('db-0-server__2', { value: 'launching' })])
  expect(story.commits([task('db-0-server__2', { value: 'killing', killAtMs: 1 })]).problems).toEqual([])
})

test('a decision on the stream before may land after the next has begun', () => {
  const story = subscribed().tells(id, 'RUNNING')
  const decidedAtMs = story.nowMs
  expect(story.pass(5).subscribes({ streamId: 's2' }).commits(kill, { decidedAtMs }).problems).toEqual([])
})

test('other instances wait for nobody', () => {
  expect(subscribed().tells('db-1-server__1', 'UNREACHABLE').tells(id, 'RUNNING').commits(kill).problems).toEqual([])
})
