import { expect, test } from 'vitest'
import { ownership } from '../../../src/testing/checkers/ownership.js'
import { accept, create, createFor, launch, reserve, reserved } from './support/calls.js'
import { volumeOfInstance, watch } from './support/story.js'

const volume = volumeOfInstance('db-0')
const id = 'db-0-server__1'
const executor = 'db-0__executor'
const free = { name: 'cpus', type: 'SCALAR', scalar: { value: 1 } } as const

test('what is reserved, created and used for its own instance is right', () => {
  const story = watch(ownership)
    .takes(accept(reserve('db-0__1', reserved()), createFor('db-0'), launch(id, executor, [reserved({ volume })])))
    .takes(accept(launch('db-0-server__2', executor, [reserved({ volume })])))
  expect(story.problems).toEqual([])
})

test('what is reserved out of what others have is reported', () => {
  const foreign = { type: 'DYNAMIC', role: 'other' } as const
  const refined = { ...free, reservations: [foreign, ...(reserved().reservations ?? [])] }
  const story = watch(ownership).takes(
    accept({
      type: 'RESERVE',
      id: { value: 'db-0__1' },
      reserve: { resources: [refined], source: [{ ...free, reservations: [foreign] }] },
    }),
  )
  expect(story.problems).toEqual([
    'RESERVE of cpus that is already reserved',
    'RESERVE of cpus out of what is reserved for other',
    'RESERVE db-0__1 with cpus reserved for role other (DYNAMIC)',
  ])
})

test.each([
  ['that is not reserved', free],
  ['reserved for role other (DYNAMIC)', reserved({ role: 'other' })],
  ['reserved for service queue', reserved({ service: 'queue' })],
  ['reserved for db-1 instead of db-0', reserved({ instance: 'db-1' })],
  ['of volume db-0-data-9, which was made for nobody of this service', reserved({ volume: 'db-0-data-9' })],
])('a launch with a resource %s is reported', (problem, resource) => {
  const story = watch(ownership).takes(accept(launch(id, executor, [resource], [])))
  expect(story.problems).toEqual([`launch of ${id} with ${resource.name} ${problem}`])
})

test('the volume of another instance is reported, in a launch and in a CREATE', () => {
  const story = watch(ownership)
    .takes(accept(createFor('db-1')))
    .takes(accept(launch(id, executor, [], [reserved({ volume: volumeOfInstance('db-1') })])))
    .takes(accept(create('db-0__2', reserved({ volume: volumeOfInstance('db-1') }))))
  expect(story.problems).toEqual([
    `launch of executor ${executor} with disk of volume db-1-data-11111111, which was made for db-1`,
    'CREATE of volume db-1-data-11111111 for db-0, which was made for db-1',
    'CREATE db-0__2 with disk of volume db-1-data-11111111, which was made for db-1',
  ])
})

test('releasing what others have is reported', () => {
  const story = watch(ownership).takes(accept({ type: 'UNRESERVE', unreserve: { resources: [reserved({ service: 'queue' })] } }))
  expect(story.problems).toEqual(['UNRESERVE with cpus reserved for service queue'])
})
