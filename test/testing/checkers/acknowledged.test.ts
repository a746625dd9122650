import { expect, test } from 'vitest'
import { acknowledged } from '../../../src/testing/checkers/acknowledged.js'
import { acknowledge, acknowledgeOperation } from './support/calls.js'
import { watch } from './support/story.js'

const id = 'db-0-server__1'
const told = () => watch(acknowledged).subscribes().emitsStatus(id, 'TASK_RUNNING', 'u1').tells(id, 'RUNNING', { uuid: 'u1' })

test('what is acknowledged in the end is right', () => {
  expect(told().takes(acknowledge(id, 'u1')).pass(10_000).rests().problems).toEqual([])
})

test('what is not acknowledged is reported', () => {
  expect(told().pass(10_000).rests().problems).toEqual([`TASK_RUNNING of ${id} was told 10020 ms ago and never acknowledged`])
})

test('what was sent again is acknowledged again', () => {
  const story = told().takes(acknowledge(id, 'u1')).emitsStatus(id, 'TASK_RUNNING', 'u1').tells(id, 'RUNNING', { uuid: 'u1' })
  expect(story.pass(10_000).rests().problems).toHaveLength(1)
})

test('what has just come, was not heard, or came on a stream that is over is let be', () => {
  expect(told().rests().problems).toEqual([])
  expect(watch(acknowledged).subscribes().emitsStatus(id, 'TASK_LOST', 'u1').pass(10_000).rests().problems).toEqual([])
  expect(told().delivers({ type: 'disconnected', reason: '' }).pass(10_000).rests().problems).toEqual([])
  expect(told().subscribes({ streamId: 's2' }).pass(10_000).rests().problems).toEqual([])
})

test('statuses of operations are acknowledged too', () => {
  const status = { operation_id: { value: 'db-0__1' }, state: 'OPERATION_FINISHED', uuid: { value: 'u2' } } as const
  const story = watch(acknowledged)
    .subscribes()
    .emits({ type: 'UPDATE_OPERATION_STATUS', update_operation_status: { status } })
    .delivers({ type: 'operationStatusReceived', status: { operationId: 'db-0__1', state: 'FINISHED', uuid: 'u2' } } as never)
    .pass(10_000)
  expect(story.rests().problems).toEqual(['OPERATION_FINISHED of operation db-0__1 was told 10020 ms ago and never acknowledged'])
  expect(story.takes(acknowledgeOperation('db-0__1', 'u2')).rests().problems).toHaveLength(1)
})
