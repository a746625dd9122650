import { expect, test } from 'vitest'
import { operationId, resourceId } from '../../../src/ids.js'
import { intentBeforeEffect } from '../../../src/testing/checkers/intent-before-effect.js'
import { accept, acknowledge, acknowledgeOperation, create, kill, launch, reserve } from './support/calls.js'
import { executor, footprint, instance, task } from './support/records.js'
import { watch } from './support/story.js'

const id = 'db-0-server__1'
const executorOf = 'db-0__executor'
const operation = (of: string) => ({ id: operationId(of), type: 'reserve' as const, sentAtMs: 0, resourceId: resourceId('r') })
const withOperation = instance('db-0', { footprint: footprint('db-0', { operations: [operation('db-0__1')] }) })

test('a launch and its operations may be taken once they are stored, and a repetition changes nothing', () => {
  const call = accept(reserve('db-0__1'), launch(id, executorOf))
  const story = watch(intentBeforeEffect).commits([task(id, { value: 'launching' }), withOperation])
  expect(story.takes(call).takes(call).problems).toEqual([])
})

test('a launch that is taken after the record has moved on was stored all the same', () => {
  const story = watch(intentBeforeEffect)
    .commits([task(id, { value: 'launching' }), instance('db-0')])
    .commits([task('db-0-server__2', { value: 'launching' }), instance('db-0', { executor: executor('db-0', 'db-0__other') })])
  expect(story.takes(accept(launch(id, executorOf))).problems).toEqual([])
})

test('a launch, its executor and an operation that are not stored are reported', () => {
  const story = watch(intentBeforeEffect).takes(accept(reserve('db-0__1'), create('db-0__2'), launch(id, executorOf)))
  expect(story.problems).toEqual([
    'the master took operation db-0__1 (RESERVE) before it was stored',
    'the master took operation db-0__2 (CREATE) before it was stored',
    `the master took a launch of ${id} before it was stored`,
    `the master took a launch with executor ${executorOf} before it was stored`,
  ])
})

test('a RESERVE without an id is reported', () => {
  const story = watch(intentBeforeEffect).takes(accept({ type: 'RESERVE', reserve: {} }))
  expect(story.problems).toEqual(['the master took a RESERVE without an id, so that its outcome cannot be told'])
})

test('a KILL is taken after its decision is stored, also when it arrives late', () => {
  const story = watch(intentBeforeEffect)
    .commits([task(id)])
    .commits([task(id, { value: 'killing', killAtMs: 5 })])
  expect(
    story
      .takes(kill(id))
      .commits([task('db-0-server__2')])
      .takes(kill(id)).problems,
  ).toEqual([])
})

test('a launch that counts as ended is killed on sight', () => {
  const story = watch(intentBeforeEffect).commits([task(id, { value: 'ended', outcome: 'neverRan' })])
  expect(story.takes(kill(id)).problems).toEqual([])
})

test('a KILL that no record decides on is reported', () => {
  const story = watch(intentBeforeEffect).commits([task(id)])
  expect(story.takes(kill(id)).takes(kill('db-9-server__9')).problems).toEqual([
    `the master took a KILL of ${id}, and no record has decided to kill it`,
    'the master took a KILL of db-9-server__9, which the store has never known',
  ])
})

test('SHUTDOWN and TEARDOWN are reported', () => {
  const story = watch(intentBeforeEffect).takes({ type: 'TEARDOWN', framework_id: { value: 'f1' } })
  expect(story.problems).toEqual(['the master took a TEARDOWN, and nothing stored decides on one'])
})

test.each([
  ['the state told', task(id)],
  ['a later state', task(id, { value: 'killing', killAtMs: 1, ready: true, lastState: 'KILLING' })],
  ['its end', task(id, { value: 'ended', outcome: 'failed' })],
  ['a later launch', task('db-0-server__2')],
  ['that the task has gone out of reach since', task(id, { value: 'unreachable', lastState: 'UNREACHABLE', ready: true })],
  ['an older state told by a reconciliation since', task(id, { lastState: 'STARTING' })],
])('RUNNING is acknowledged when the store shows %s', (_what, stored) => {
  const story = watch(intentBeforeEffect)
    .commits([task(id, { value: 'launching' })])
    .emitsStatus(id, 'TASK_RUNNING', 'u1', 0)
  expect(story.commits([stored]).takes(acknowledge(id, 'u1')).problems).toEqual([])
})

test.each([
  ['TASK_RUNNING', task(id, { value: 'starting' })],
  ['TASK_STARTING', task(id, { value: 'launching' })],
  ['TASK_FINISHED', task(id)],
  ['TASK_DROPPED', task(id, { value: 'launching' })],
] as const)('an acknowledgement of %s that is not stored is reported', (state, stored) => {
  const story = watch(intentBeforeEffect).commits([stored]).emitsStatus(id, state, 'u1')
  expect(story.takes(acknowledge(id, 'u1')).problems).toEqual([`${state} of ${id} was acknowledged and is not stored`])
})

test('an acknowledged success of the readiness check is stored', () => {
  const story = watch(intentBeforeEffect)
    .commits([task(id, { ready: false })])
    .emitsStatus(id, 'TASK_RUNNING', 'u1', 0)
  expect(story.takes(acknowledge(id, 'u1')).problems).toEqual([`TASK_RUNNING of ${id} was acknowledged and is not stored`])
})

test('a status of a task that the store never knew is acknowledged without a record', () => {
  const story = watch(intentBeforeEffect).emitsStatus(id, 'TASK_RUNNING', 'u1')
  expect(story.takes(acknowledge(id, 'u1')).problems).toEqual([])
})

test('an acknowledgement of what was never sent is reported', () => {
  const story = watch(intentBeforeEffect).takes(acknowledge(id, 'u9'))
  expect(story.problems).toEqual([`a status of ${id} was acknowledged that was never sent`])
})

test('the end of an operation is acknowledged once the store has it closed', () => {
  const finished = (uuid: string) =>
    ({
      type: 'UPDATE_OPERATION_STATUS',
      update_operation_status: {
        status: { operation_id: { value: 'db-0__1' }, state: 'OPERATION_FINISHED', uuid: { value: uuid } },
      },
    }) as const
  const story = watch(intentBeforeEffect).commits([withOperation]).emits(finished('u1'))
  expect(story.takes(acknowledgeOperation('db-0__1', 'u1')).problems).toEqual([
    'OPERATION_FINISHED of operation db-0__1 was acknowledged, and the store still has it as open',
  ])
  const good = watch(intentBeforeEffect)
    .commits([withOperation])
    .emits(finished('u1'))
    .commits([instance('db-0')])
  expect(good.takes(acknowledgeOperation('db-0__1', 'u1')).problems).toEqual([])
})
