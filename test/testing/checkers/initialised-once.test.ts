import { expect, test } from 'vitest'
import { initialisedOnce } from '../../../src/testing/checkers/initialised-once.js'
import { instance, task, wants } from './support/records.js'
import { volumeOfInstance, watch } from './support/story.js'

const format = (launch: number) => ({ taskId: `db-0-format__${launch}` })
const server = { taskId: 'db-0-server__1' }
const begun = () => watch(initialisedOnce).commits([...wants(), instance('db-0')])
const formatted = () =>
  begun()
    .commits([task('db-0-format__1', { value: 'launching' })])
    .starts(format(1))
    .ends(format(1), { code: 0 })
const stored = [task('db-0-format__1', { value: 'ended', outcome: 'finished' }), instance('db-0', { initialisedGeneration: 1 })]
const volume = volumeOfInstance('db-0')

test('initialisation, then the server, again and again, is right', () => {
  const story = formatted()
    .commits(stored)
    .commits([task('db-0-server__1')])
    .starts(server)
  expect(story.commits([task('db-0-server__2')]).starts({ taskId: 'db-0-server__2' }).problems).toEqual([])
})

test('initialisation is repeated while it fails, and while its success is not stored', () => {
  const story = begun()
    .commits([task('db-0-format__1')])
    .starts(format(1))
    .ends(format(1), { code: 1 })
    .commits([task('db-0-format__2')])
    .starts(format(2))
    .ends(format(2), { code: 0 })
  expect(story.commits([task('db-0-format__3')]).starts(format(3)).problems).toEqual([])
})

test('a new footprint is initialised anew', () => {
  const story = formatted()
    .commits(stored)
    .commits([task('db-0-format__2', { launch: { generation: 2 } })])
  expect(story.starts({ ...format(2), volumes: ['db-0-data-22222222'] }).problems).toEqual([])
})

test('a server on a footprint that was not initialised is reported', () => {
  const story = begun().starts(format(1)).ends(format(1), { code: 1 }).starts(server)
  expect(story.problems).toEqual([`db-0-server__1 was started on ${volume}, where format has not succeeded yet`])
})

test('a server beside initialisation under way is reported', () => {
  expect(begun().starts(format(1)).starts(server).problems).toHaveLength(1)
})

test('initialisation after its success was stored is reported, also where it is not on the record of the instance', () => {
  for (const known of stored) {
    const story = formatted().commits([known])
    expect(story.commits([task('db-0-format__2', { value: 'launching' })]).problems).toEqual([
      'db-0-format__2 was decided on, and initialisation of footprint 1 was stored as successful before',
    ])
  }
})

test('initialisation where the server has run is reported', () => {
  const story = formatted().starts(server).starts(format(2))
  expect(story.problems).toEqual([`db-0-format__2 was started on ${volume}, where db-0-server__1 has run before`])
})

test('footprints without volumes are told apart by their generation', () => {
  const story = formatted().commits([task('db-0-server__1', { launch: { generation: 2 } })])
  expect(story.starts({ ...server, volumes: [] }).problems).toEqual([
    'db-0-server__1 was started on db-0, generation 2, where format has not succeeded yet',
  ])
})
