import { expect, test } from 'vitest'
import { backOff } from '../../../src/testing/checkers/back-off.js'
import type { Story } from './support/story.js'
import { deployedService, task } from './support/records.js'
import { watch } from './support/story.js'

const id = (launch: number) => `db-0-server__${launch}`
const deployed = () => watch(backOff).commits(deployedService())
const ended = (launch: number, outcome: 'failed' | 'finished' | 'neverRan' = 'failed') =>
  task(id(launch), { value: 'ended', outcome })
/** The launch fails, and that is stored. */
const fails = (story: Story, launch: number): Story => story.tells(id(launch), 'FAILED').commits([ended(launch)])

test('a launch after the back-off is right', () => {
  expect(
    fails(deployed(), 1)
      .pass(1_000)
      .commits([task(id(2))]).problems,
  ).toEqual([])
})

test('a launch before the back-off is reported, whoever decides on it', () => {
  const story = fails(deployed(), 1).pass(900)
  const atMs = story.nowMs
  expect(story.commits([task(id(2))], { scheduler: 'b1', epoch: 2, decidedAtMs: atMs }).problems).toEqual([
    `${id(2)} was decided on 922 ms after failure 1 in a row was told; 1000 ms are due`,
  ])
})

test('the pause grows with each failure in a row, up to its limit', () => {
  const story = deployed()
  let launch = 1
  for (const pauseMs of [1_000, 2_000, 4_000]) {
    fails(story, launch).pass(pauseMs - 500)
    story.commits([task(id(launch + 1))])
    expect(story.problems.at(-1)).toMatch(new RegExp(`failure ${launch} in a row was told; ${pauseMs} ms`))
    launch += 1
  }
  for (; launch < 12; launch++) {
    fails(story, launch).pass(300_000)
    story.commits([task(id(launch + 1))])
  }
  expect(story.problems).toHaveLength(3)
})

test('failures are forgotten after being ready for long', () => {
  const story = fails(deployed(), 1)
    .pass(1_000)
    .commits([task(id(2))])
  story.tells(id(2), 'RUNNING', { checkExitCode: 0 }).pass(600_000)
  expect(
    fails(story, 2)
      .pass(1_000)
      .commits([task(id(3))]).problems,
  ).toEqual([])
})

test('success of what should keep running is a failure, that of work is none', () => {
  const story = deployed()
    .tells(id(1), 'FINISHED')
    .commits([ended(1, 'finished')])
  expect(story.commits([task(id(2))]).problems).toHaveLength(1)
  const work = deployed()
    .tells('db-0-format__1', 'FINISHED')
    .commits([task('db-0-format__1', { value: 'ended', outcome: 'finished' })])
  expect(work.commits([task('db-0-format__2')]).problems).toEqual([])
})

test('what was killed on demand and what never ran is no failure', () => {
  const killed = deployed()
    .commits([task(id(1), { value: 'killing', killAtMs: 1 })])
    .tells(id(1), 'FAILED')
  expect(killed.commits([ended(1)]).commits([task(id(2))]).problems).toEqual([])
  const neverRan = deployed()
    .commits([task(id(2), { value: 'launching' })])
    .tells(id(2), 'DROPPED')
  expect(neverRan.commits([ended(2, 'neverRan')]).commits([task(id(3))]).problems).toEqual([])
})

test('a failure told only to a scheduler that could not store it does not count', () => {
  const story = deployed().tells(id(1), 'FAILED', {}, { scheduler: 'a1' }).tells(id(1), 'GONE', {}, { scheduler: 'a2' })
  const by = { scheduler: 'a2', epoch: 2 }
  expect(story.commits([ended(1)], by).commits([task(id(2))], by).problems).toEqual([])
})
