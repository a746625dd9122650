import { expect, test } from 'vitest'
import { operationId, resourceId } from '../../../src/ids.js'
import { acceptsAreCurrent } from '../../../src/testing/checkers/accepts-are-current.js'
import type { Operation } from '../../../src/mesos/messages.js'
import { accept, create, kill, launch, reserve } from './support/calls.js'
import { executor, footprint, instance, task } from './support/records.js'
import { watch } from './support/story.js'

const first = 'db-0-server__1'
const open = footprint('db-0', {
  operations: (['reserve', 'create'] as const).map((type) => ({
    id: operationId(`db-0__${type}`),
    type,
    resourceId: resourceId('db-0.1.volume/data/disk'),
    sentAtMs: 0,
  })),
})
const decided = () =>
  watch(acceptsAreCurrent).commits([instance('db-0', { footprint: open }), task(first, { value: 'launching' })])
const problemsOf = (story: ReturnType<typeof decided>, ...operations: readonly Operation[]) =>
  story.takes(accept(...operations)).problems

test('what is on record may be taken', () => {
  const operations = [reserve('db-0__reserve'), create('db-0__create'), launch(first, 'db-0__executor')]
  expect(problemsOf(decided(), ...operations)).toEqual([])
})

test('a launch that is over, replaced or unknown is reported', () => {
  const late = launch(first, 'db-0__executor')
  expect(problemsOf(decided().commits([task(first, { value: 'ended', outcome: 'neverRan' })]), late)).toEqual([
    'the master took a launch of db-0-server__1, which the store has as ended',
  ])
  expect(problemsOf(decided().commits([task('db-0-server__2', { value: 'launching' })]), late)).toEqual([
    'the master took a launch of db-0-server__1, and the store has db-0-server__2',
  ])
  expect(problemsOf(decided(), launch('db-0-format__1', 'db-0__executor'))).toEqual([
    'the master took a launch of db-0-format__1, and the store has none',
  ])
})

test('a launch of a task alone is judged alike', () => {
  const info = { name: 'db-0-server', task_id: { value: 'db-0-server__0' }, agent_id: { value: 'agent' }, resources: [] }
  expect(problemsOf(decided(), { type: 'LAUNCH', launch: { task_infos: [info] } })).toEqual([
    'the master took a launch of db-0-server__0, and the store has db-0-server__1',
  ])
})

test('a launch in another executor than that of its instance is reported', () => {
  const changed = decided().commits([instance('db-0', { footprint: open, executor: executor('db-0', 'db-0__other') })])
  expect(problemsOf(changed, launch(first, 'db-0__executor'))).toEqual([
    'the master took a launch with executor db-0__executor, and db-0 has db-0__other',
  ])
})

test('an operation that is no longer open is reported', () => {
  const settled = decided().commits([instance('db-0', { footprint: footprint('db-0') })])
  expect(problemsOf(settled, reserve('db-0__reserve'), create('db-0__create'))).toEqual([
    'the master took operation db-0__reserve (RESERVE), which the store does not have as open',
    'the master took operation db-0__create (CREATE), which the store does not have as open',
  ])
})

test('other calls and operations are for others to judge', () => {
  const story = decided().takes(kill('db-0-server__0'))
  expect(problemsOf(story, { type: 'UNRESERVE', unreserve: { resources: [] } }, { type: 'RESERVE', reserve: {} })).toEqual([])
})
