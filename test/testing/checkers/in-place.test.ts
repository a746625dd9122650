import { expect, test } from 'vitest'
import { inPlace } from '../../../src/testing/checkers/in-place.js'
import { footprint, instance, task } from './support/records.js'
import { volumeOfInstance, watch } from './support/story.js'

const first = { taskId: 'db-0-server__1' }
const second = { taskId: 'db-0-server__2' }
const launched = () =>
  watch(inPlace)
    .happens({ type: 'volumeCreated', persistenceId: volumeOfInstance('db-0'), agentId: 'agent-0-id', hostname: 'agent-0' })
    .commits([instance('db-0'), task(first.taskId, { value: 'launching' })])
    .starts(first)

test('a relaunch in the same place is right', () => {
  expect(
    launched()
      .ends(first)
      .commits([task(second.taskId)])
      .starts(second).problems,
  ).toEqual([])
})

test('a footprint may move while nothing has run on it', () => {
  const moved = { footprint: footprint('db-0', { agentId: 'agent-5-id' }) }
  const story = watch(inPlace)
    .commits([instance('db-0'), task(first.taskId, { value: 'launching' })])
    .commits([instance('db-0', moved), task(second.taskId, { launch: { agentId: 'agent-5-id' } })])
  expect(story.starts({ ...second, agentId: 'agent-5-id', hostname: 'agent-5' }).problems).toEqual([])
})

test('a launch elsewhere is reported when it is decided and when it starts', () => {
  const story = launched()
    .ends(first)
    .commits([task(second.taskId, { launch: { agentId: 'agent-1-id' } })])
    .starts({ ...second, agentId: 'agent-1-id', hostname: 'agent-1', volumes: ['db-0-data-22222222'] })
  expect(story.problems).toEqual([
    'db-0-server__2 was to be launched on agent agent-1-id; db-0 belongs on agent-0-id',
    'db-0-server__2 was to be launched on agent agent-1-id; its footprint is on agent-0-id',
    'db-0-server__2 was started on volumes db-0-data-22222222; its instance has db-0-data-11111111',
    'db-0-server__2 was started on agent-1; its instance belongs on agent-0',
    'db-0-server__2 was started under agent agent-1-id; its instance belongs on agent-0-id',
  ])
})

test('a footprint that moves after it was used is reported', () => {
  const moved = instance('db-0', { footprint: footprint('db-0', { agentId: 'agent-1-id' }) })
  expect(launched().commits([moved]).commits([moved]).problems).toEqual([
    'the footprint of db-0 moved from agent agent-0-id to agent-1-id; it belongs on agent-0-id',
  ])
})

test('the volume under another agent id of the same machine is left alone', () => {
  const story = launched()
    .ends(first)
    .starts({ ...second, agentId: 'agent-0-again' })
  expect(story.problems).toEqual(['db-0-server__2 was started under agent agent-0-again; its instance belongs on agent-0-id'])
})

test('a volume of another instance, or on another machine, is reported', () => {
  const story = launched().starts({ taskId: 'db-1-server__1', volumes: [volumeOfInstance('db-0')], hostname: 'agent-1' })
  expect(story.problems).toEqual([
    'db-1-server__1 was started on volume db-0-data-11111111, which is of db-0',
    'db-1-server__1 was started on agent-1, and its volume db-0-data-11111111 is on agent-0',
  ])
})
