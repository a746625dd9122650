import { expect, test } from 'vitest'
import { agentId, taskId } from '../../../src/ids.js'
import { ghosts } from '../../../src/testing/checkers/ghosts.js'
import { task } from './support/records.js'
import { watch } from './support/story.js'

const id = 'db-0-server__1'
const kill = { type: 'kill', taskId: taskId(id), agentId: agentId('agent') } as const
const alive = { agentId: agentId('agent') }
const presumedEnded = () => watch(ghosts).commits([task(id, { value: 'ended', outcome: 'neverRan' })])
const returned = () => presumedEnded().tells(id, 'RUNNING', alive)

test('a ghost that is killed, or ends by itself, is right', () => {
  expect(returned().sends(kill).pass(60_000).rests().problems).toEqual([])
  expect(returned().ends({ taskId: id }).pass(60_000).rests().problems).toEqual([])
  expect(returned().tells(id, 'FAILED').pass(60_000).rests().problems).toEqual([])
})

test('a ghost that is let live is reported, also when it was replaced', () => {
  const problems = [`${id} counts as ended, was reported alive 60010 ms ago and was never killed`]
  expect(returned().pass(60_000).rests().problems).toEqual(problems)
  const replaced = presumedEnded().commits([task('db-0-server__2')])
  expect(replaced.tells(id, 'RUNNING', alive).pass(60_000).rests().problems).toEqual(problems)
})

test('what has just returned, what was never presumed ended and what shows no life is let be', () => {
  expect(returned().rests().problems).toEqual([])
  expect(presumedEnded().tells(id, 'UNREACHABLE', alive).pass(60_000).rests().problems).toEqual([])
  const failed = watch(ghosts).commits([task(id, { value: 'ended', outcome: 'failed' })])
  expect(failed.tells(id, 'RUNNING', alive).pass(60_000).rests().problems).toEqual([])
})
