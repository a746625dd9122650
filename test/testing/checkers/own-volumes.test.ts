import { expect, test } from 'vitest'
import { ownVolumes } from '../../../src/testing/checkers/own-volumes.js'
import { defineService } from '../../../src/spec/parse.js'
import { instance, task, wants } from './support/records.js'
import { volumeOfInstance, watch } from './support/story.js'

const server = { taskId: 'db-0-server__1' }
const launched = () => watch(ownVolumes).commits([...wants(), instance('db-0'), task(server.taskId, { value: 'launching' })])

test('a process on the one volume of its pod is right', () => {
  expect(launched().starts(server).problems).toEqual([])
})

test('a process without its volume is reported', () => {
  expect(launched().starts({ ...server, volumes: [] }).problems).toEqual([
    'db-0-server__1 was started on no volume; its pod has data of db-0',
  ])
})

test('a volume of another instance, of another name, or a second one is reported', () => {
  const own = volumeOfInstance('db-0')
  const problemsOn = (...volumes: readonly string[]) => launched().starts({ ...server, volumes }).problems
  expect(problemsOn(volumeOfInstance('db-1'))).toEqual(['db-0-server__1 was started on data of db-1; its pod has data of db-0'])
  expect(problemsOn('db-0-log-11111111')).toEqual(['db-0-server__1 was started on log of db-0; its pod has data of db-0'])
  expect(problemsOn(own, 'db-0-data-22222222')).toEqual([
    'db-0-server__1 was started on data of db-0, data of db-0; its pod has data of db-0',
  ])
})

test('what counts is the spec of the launch, not what is wanted since', () => {
  const other = defineService({
    name: 'store',
    pods: { db: { count: 3, tasks: { server: { command: './serve.sh', cpus: 1, memoryMb: 512 } } } },
  })
  const story = launched().commits([...wants(other), instance('db-0', { spec: other })])
  expect(story.starts(server).problems).toEqual([])
  expect(story.starts({ taskId: 'db-0-server__2' }).problems).toEqual([
    'db-0-server__2 was started on data of db-0; its pod has no volume',
  ])
})

test('a process that the store knows nothing of is for others to judge', () => {
  expect(launched().starts({ taskId: 'stranger' }).starts({ taskId: 'cache-0-server__1' }).problems).toEqual([])
})
