import { expect, test } from 'vitest'
import { limits } from '../../../src/testing/checkers/limits.js'
import { acceptSent, launchSent, reserveSent } from './support/calls.js'
import { watch } from './support/story.js'

const record = (bytes: number, key = 'tasks/db-0-server') => ({ key, value: JSON.stringify('x'.repeat(bytes - 2)) })

test('records and batches within the limits are right', () => {
  expect(watch(limits).commits([record(900_000), { key: 'tasks/gone', value: null }]).problems).toEqual([])
})

test('a record that is too large is reported, in bytes and not in characters', () => {
  expect(watch(limits).commits([record(900_001)]).problems).toEqual([
    'record tasks/db-0-server has 900001 bytes, 900000 is the limit',
  ])
  expect(watch(limits).commits([{ key: 'tasks/t', value: 'é'.repeat(450_001) }]).problems).toHaveLength(1)
})

test('a batch that is too large is reported', () => {
  expect(watch(limits).commits([record(500_000), record(500_000, 'tasks/other')]).problems).toEqual([
    'a batch of 2 records has 1000428 bytes, 950000 is the limit',
  ])
})

test('a key that no store takes, and one written twice, are reported', () => {
  const story = watch(limits).commits([record(5, 'targets/1:2'), record(5), record(5)])
  expect(story.problems).toEqual([
    'a record was written under the key "targets/1:2", which no store takes',
    'record tasks/db-0-server was written twice in one batch',
  ])
})

test('new ids each time are right, and an executor may be sent again as it was', () => {
  const story = watch(limits)
    .sends(acceptSent(['o1'], reserveSent('db-0__1'), launchSent('db-0-server__1', 'db-0__e')))
    .sends(acceptSent(['o2'], launchSent('db-0-server__2', 'db-0__e')))
  expect(story.problems).toEqual([])
})

test('an ACCEPT that is sent twice is reported', () => {
  const call = acceptSent(['o1'], reserveSent('db-0__1'), launchSent('db-0-server__1', 'db-0__e'))
  expect(watch(limits).sends(call).sends(call).problems).toEqual([
    'an ACCEPT was sent with operation id db-0__1, which has been sent before',
    'an ACCEPT was sent with task id db-0-server__1, which has been sent before',
  ])
})

test('an executor that is sent again with other content is reported', () => {
  const story = watch(limits)
    .sends(acceptSent(['o1'], launchSent('db-0-server__1', 'db-0__e')))
    .sends(acceptSent(['o2'], launchSent('db-0-server__2', 'db-0__e', 'other')))
  expect(story.problems).toEqual(['executor db-0__e was sent again with other content'])
})
