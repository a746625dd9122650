import { expect, test } from 'vitest'
import { noDataLoss } from '../../../src/testing/checkers/no-data-loss.js'
import { accept, reserved } from './support/calls.js'
import { deleted, instance } from './support/records.js'
import { volumeOfInstance, watch } from './support/story.js'

const volume = volumeOfInstance('db-0')
const other = 'db-0-data-22222222'
const created = (persistenceId: string, hostname = 'agent-0') =>
  ({ type: 'volumeCreated', persistenceId, agentId: `${hostname}-id`, hostname }) as const
const used = () =>
  watch(noDataLoss)
    .commits([instance('db-0')])
    .happens(created(volume))
    .starts({ taskId: 'db-0-format__1' })

test('a volume that is made and used is right', () => {
  expect(used().commits([instance('db-0', { joined: false })]).problems).toEqual([])
})

test('DESTROY, SHRINK_VOLUME and UNRESERVE of a volume are reported; releasing cpus is not', () => {
  const resource = reserved({ volume })
  const story = used().takes(
    accept(
      { type: 'DESTROY', destroy: { volumes: [resource] } },
      { type: 'SHRINK_VOLUME', shrink_volume: { volume: resource, subtract: { value: 1 } } },
      { type: 'UNRESERVE', unreserve: { resources: [resource, reserved()] } },
    ),
  )
  expect(story.problems).toEqual([
    `the master took a DESTROY of volume ${volume}`,
    `the master took a SHRINK_VOLUME of volume ${volume}`,
    `the master took an UNRESERVE of volume ${volume}`,
  ])
})

test('a volume that goes is reported', () => {
  const story = used().happens({ ...created(volume), type: 'volumeDestroyed' })
  expect(story.problems).toEqual([`volume ${volume} was destroyed on agent-0`])
})

test('a second volume beside a used one is reported', () => {
  expect(used().happens(created(other, 'agent-1')).problems).toEqual([
    `volume ${other} was created on agent-1 while ${volume} exists on agent-0 and has been used`,
  ])
})

test('a second volume may be made when the first was never used, or its disk is lost', () => {
  const unused = watch(noDataLoss).happens(created(volume)).happens(created(other))
  expect(unused.problems).toEqual([])
  expect(used().happens({ type: 'diskLost', hostname: 'agent-0' }).happens(created(other)).problems).toEqual([])
})

test('volumes of other names and instances are no second ones', () => {
  expect(used().happens(created('db-1-data-22222222')).happens(created('db-0-log-22222222')).problems).toEqual([])
})

test('a footprint that is forgotten after it was used is reported', () => {
  const story = used().commits([deleted('instances/db-0')])
  expect(story.problems).toEqual([`the record of db-0 no longer holds volume ${volume}, which has been used`])
})

test('a footprint that was never used may be given up', () => {
  const story = watch(noDataLoss)
    .commits([instance('db-0')])
    .commits([deleted('instances/db-0')])
  expect(story.problems).toEqual([])
})
