import { expect, test } from 'vitest'
import { relaunchNeedsEnd } from '../../../src/testing/checkers/relaunch-needs-end.js'
import { deleted, task } from './support/records.js'
import { watch } from './support/story.js'

const first = 'db-0-server__1'
const second = 'db-0-server__2'
const launched = () => watch(relaunchNeedsEnd).commits([task(first, { value: 'launching' })])
const relaunch = [task(second, { value: 'launching' })]

test.each(['FINISHED', 'FAILED', 'KILLED', 'GONE', 'ERROR', 'DROPPED'] as const)('%s allows another launch', (state) => {
  expect(launched().tells(first, state).commits(relaunch).problems).toEqual([])
})

test.each(['STAGING', 'RUNNING', 'KILLING', 'LOST', 'UNKNOWN', 'UNREACHABLE', 'GONE_BY_OPERATOR'] as const)(
  '%s ends nothing',
  (state) => {
    expect(launched().tells(first, state).commits(relaunch).problems).toEqual([
      `${second} was decided on while ${first} was not told ended: the last it was told was ${state}`,
    ])
  },
)

test('a launch that was stored and perhaps never sent needs an end too', () => {
  expect(launched().commits(relaunch).problems).toEqual([
    `${second} was decided on while ${first} was not told ended: nothing was told of it`,
  ])
})

test('DROPPED is no end of what was told running', () => {
  expect(launched().tells(first, 'RUNNING').tells(first, 'DROPPED').commits(relaunch).problems).toHaveLength(1)
})

test('what was told running only to a scheduler that died without storing it is not known to the next', () => {
  const story = launched().tells(first, 'RUNNING', {}, { scheduler: 'a1' })
  expect(story.tells(first, 'DROPPED', {}, { scheduler: 'a2' }).commits(relaunch, { scheduler: 'a2' }).problems).toEqual([])
})

test('what was stored as running is known to every scheduler', () => {
  const story = launched()
    .commits([task(first)])
    .tells(first, 'DROPPED', {}, { scheduler: 'a2' })
  expect(story.commits(relaunch, { scheduler: 'a2' }).problems).toHaveLength(1)
})

test('an end that was told after the decision could not be known', () => {
  const story = launched()
  const decidedAtMs = story.nowMs
  expect(story.pass(5).tells(first, 'KILLED').commits(relaunch, { decidedAtMs }).problems).toHaveLength(1)
})

test('an end that one scheduler was told is one for all', () => {
  const story = launched().tells(first, 'FAILED', {}, { scheduler: 'a1' })
  expect(story.commits(relaunch, { scheduler: 'b1', epoch: 2 }).problems).toEqual([])
})

test('what counts as ended was told so', () => {
  const ended = [task(first, { value: 'ended', outcome: 'failed' })]
  expect(launched().tells(first, 'FAILED').commits(ended).commits(ended).problems).toEqual([])
  expect(launched().tells(first, 'UNREACHABLE').commits(ended).commits(ended).problems).toEqual([
    `${first} was stored as ended and was not told so: the last it was told was UNREACHABLE`,
  ])
})

test('deleting the record forgets nothing', () => {
  const story = launched().commits([deleted('tasks/db-0-server')])
  expect(story.commits(relaunch).problems).toHaveLength(1)
})
