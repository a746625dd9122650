import { expect, test } from 'vitest'
import { runId } from '../../../src/ids.js'
import { blocks } from '../../../src/testing/checkers/blocks.js'
import { block, deleted, deployedService, idOf, instance, run, spec1, spec2, task } from './support/records.js'
import { watch } from './support/story.js'

const deployed = () => watch(blocks).commits(deployedService())
const updating = instance('db-0', { owner: 'update', block: block('update', 10) })
const begun = () => deployed().commits([run('update'), updating])
const down = task('db-0-server__1', { value: 'ended', outcome: 'killed', ready: false })

test('a block that starts and ends is right', () => {
  expect(begun().commits([instance('db-0', { block: block('update', 10, 20) })]).problems).toEqual([])
})

test('a newer run of the update takes a block over', () => {
  const taken = instance('db-0', { owner: 'update', block: block('update', 10, undefined, 'newer') })
  const story = begun().commits([run('update', { runId: runId('newer'), targetId: idOf(spec2) }), taken])
  expect(story.problems).toEqual([])
})

test('a block of another run is reported', () => {
  const other = instance('db-0', { owner: 'update', block: block('update', 10, undefined, 'other') })
  expect(begun().commits([other]).problems).toEqual([
    'db-0: the block update run of update from 10 was followed by update other from 10 of another run',
  ])
})

test('a block may end and another begin in one batch, if the instance is up', () => {
  const recovering = instance('db-0', { owner: 'recovery', block: block('recovery', 30) })
  expect(begun().commits([recovering]).problems).toEqual([])
  expect(begun().commits([down]).commits([recovering]).problems).toEqual([
    'db-0: the block update run of update from 10 was followed by recovery run of recovery from 30 while the instance was not ready, so that it cannot have ended',
  ])
})

test('an update to another target takes over what does not recover', () => {
  const recovering = instance('db-0', { owner: 'recovery', block: block('recovery', 10) })
  const story = () => deployed().commits([recovering, down])
  const cure = (targetId: string) => instance('db-0', { owner: 'update', block: block('update', 20), targetId })
  expect(story().commits([cure(idOf(spec2))]).problems).toEqual([])
  expect(story().commits([cure(idOf(spec1))]).problems).toHaveLength(1)
})

test('what is about to be killed again was up', () => {
  const again = [instance('db-0', { owner: 'recovery', block: block('recovery', 30) })]
  const killing = task('db-0-server__1', { value: 'killing', ready: true, killAtMs: 30 })
  expect(begun().commits([...again, killing]).problems).toEqual([])
})

test('an owner without a block, and a block without its owner, are reported', () => {
  expect(deployed().commits([instance('db-0', { owner: 'update', block: block('deploy', 0, 1) })]).problems).toEqual([
    'db-0 is owned by update and its block is deploy run of deploy from 0 to 1',
  ])
  expect(deployed().commits([instance('db-0', { block: block('update', 5) })]).problems).toEqual([
    'db-0 is owned by none and its block is update run of update from 5',
  ])
  expect(deployed().commits([instance('db-0', { owner: 'recovery', block: block('update', 5) })]).problems).toEqual([
    'db-0 is owned by recovery under a block of update',
  ])
})

test('a block that vanishes, goes back in time or opens again is reported', () => {
  expect(begun().commits([instance('db-0')]).problems).toHaveLength(1)
  expect(begun().commits([instance('db-0', { owner: 'update', block: block('update', 9) })]).problems).toHaveLength(1)
  const ended = begun().commits([instance('db-0', { block: block('update', 10, 20) })])
  expect(ended.commits([updating]).problems).toHaveLength(1)
})

test('two instances in the hands of the update are reported', () => {
  const second = instance('db-1', { owner: 'update', block: block('update', 11) })
  expect(begun().commits([second]).problems).toEqual(['the update holds db-0 and db-1 at once'])
})

test('a run that is complete stays complete, and there is one deployment', () => {
  expect(deployed().commits([run('deploy')]).problems).toEqual(['plans/deploy: run run of deploy was complete and is open again'])
  expect(deployed().commits([run('deploy', { runId: runId('2'), completedAtMs: 1 })]).problems).toHaveLength(1)
  expect(deployed().commits([deleted('plans/deploy')]).problems).toEqual(['the record plans/deploy was deleted'])
})

test('an update run gives way when it is complete, or for another target', () => {
  const next = run('update', { runId: runId('2') })
  expect(begun().commits([next]).problems).toEqual(['plans/update: run run of update gave way to 2 for the same target'])
  const complete = deployed().commits([run('update', { completedAtMs: 9 })])
  expect(complete.commits([next]).problems).toEqual([])
})
