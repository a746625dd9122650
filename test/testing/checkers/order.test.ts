import { expect, test } from 'vitest'
import { order } from '../../../src/testing/checkers/order.js'
import { tieredSpec } from '../../support/specs.js'
import { block, instance, run, task, wants } from './support/records.js'
import type { Story } from './support/story.js'
import { watch } from './support/story.js'

const spec = tieredSpec('1')
const names = ['coordinator-0', 'coordinator-1', 'coordinator-2', 'store-0', 'store-1', 'store-2']
const fresh = (name: string) => instance(name, { spec, deployed: false, launched: false })
const inHand = (name: string) => instance(name, { spec, deployed: false, owner: 'deploy', block: block('deploy', 5) })
const done = (name: string) => instance(name, { spec, block: block('deploy', 5, 6) })
const begun = () => watch(order, [spec]).commits([...wants(spec), run('deploy'), ...names.map(fresh)])
/** Its tasks are told done, and that is stored. */
const deploys = (story: Story, name: string): Story =>
  story
    .tells(`${name}-format__1`, 'FINISHED')
    .tells(`${name}-server__1`, 'RUNNING', { checkExitCode: 0 })
    .commits([done(name)])
const coordinatorsDone = () => ['coordinator-0', 'coordinator-1', 'coordinator-2'].reduce(deploys, begun())

test('a parallel phase at once, then a serial one by one, is right', () => {
  const story = begun().commits(['coordinator-0', 'coordinator-1', 'coordinator-2'].map(inHand))
  for (const name of ['coordinator-2', 'coordinator-0', 'coordinator-1']) deploys(story, name)
  for (const name of ['store-0', 'store-1', 'store-2']) deploys(story.commits([inHand(name)]), name)
  expect(story.problems).toEqual([])
})

test('a later phase before the earlier one is done is reported', () => {
  const story = ['coordinator-0', 'coordinator-1'].reduce(deploys, begun()).commits([inHand('store-0')])
  expect(story.problems).toEqual(['store-0 was taken in hand by the deployment before coordinator-2 was deployed'])
})

test('a serial phase out of order is reported', () => {
  const story = coordinatorsDone().commits([inHand('store-1')])
  expect(story.problems).toEqual(['store-1 was taken in hand by the deployment before store-0 was deployed'])
})

test('an instance that is called deployed and was never told ready is reported', () => {
  const story = coordinatorsDone()
    .tells('store-0-server__1', 'RUNNING')
    .commits([done('store-0')])
    .commits([inHand('store-1')])
  expect(story.problems).toEqual([
    'store-1 was taken in hand by the deployment, and store-0-format was never told ready or finished',
    'store-1 was taken in hand by the deployment, and store-0-server was never told ready or finished',
  ])
})

test('a launch of what nobody has in hand is reported', () => {
  const story = begun().commits([task('store-0-format__1', { spec })])
  expect(story.problems).toEqual(['store-0-format__1 is the first launch of store-0, which no plan had in hand'])
})

test('without phases the pod types are deployed one after the other, as the spec lists them', () => {
  const { phases: _none, ...deploy } = spec.deploy
  const plain = { ...spec, deploy }
  const story = watch(order, [plain]).commits([
    ...wants(plain),
    run('deploy'),
    ...names.map((name) => instance(name, { spec: plain, deployed: false })),
  ])
  story.commits([instance('coordinator-1', { spec: plain, deployed: false, owner: 'deploy', block: block('deploy', 5) })])
  expect(story.problems).toEqual(['coordinator-1 was taken in hand by the deployment before coordinator-0 was deployed'])
})
