import { expect, test } from 'vitest'
import { disruptionBudget } from '../../../src/testing/checkers/disruption-budget.js'
import { block, deployedService, idOf, instance, spec2, task, wants } from './support/records.js'
import type { Story } from './support/story.js'
import { watch } from './support/story.js'

const id = (index: number) => `db-${index}-server__1`
const ready = { checkExitCode: 0 }
const kill = (index: number) => task(id(index), { value: 'killing', ready: true, killAtMs: 9 })
/** A new stream on which nothing was told yet. */
const subscribed = () => watch(disruptionBudget).commits(deployedService()).opens().subscribes()
const tellAll = (story: Story): Story => [0, 1, 2].reduce((told, index) => told.tells(id(index), 'RUNNING', ready), story)
const up = () => tellAll(subscribed())

test('a kill while all others are up is right', () => {
  expect(up().commits([kill(0)]).problems).toEqual([])
})

test.each(['FAILED', 'UNREACHABLE', 'LOST', 'UNKNOWN', 'KILLING', 'GONE_BY_OPERATOR'] as const)(
  'a kill while another was told %s is reported',
  (state) => {
    expect(
      up()
        .tells(id(1), state)
        .commits([kill(0)]).problems,
    ).toEqual([`${id(0)} is to be killed while db-1-server was last told ${state}`])
  },
)

test('a kill before the others were told of on this stream is reported', () => {
  const story = up().subscribes({ streamId: 's2' }).tells(id(0), 'RUNNING', ready).tells(id(1), 'RUNNING', ready)
  expect(story.commits([kill(0)]).problems).toEqual([`${id(0)} is to be killed while db-2-server was not told of on this stream`])
})

test('a kill while another runs and is not ready is reported', () => {
  const story = up().commits([task('db-1-server__2', { ready: false })])
  expect(story.tells('db-1-server__2', 'RUNNING', { checkExitCode: 1 }).commits([kill(0)]).problems).toEqual([
    `${id(0)} is to be killed while db-1-server was never told ready`,
  ])
})

test('two kills, at once or one after the other, are reported', () => {
  expect(
    up()
      .commits([kill(0)])
      .commits([kill(1)]).problems,
  ).toEqual([`${id(1)} is to be killed while db-0-server is being killed too`])
  expect(up().commits([kill(0), kill(1)]).problems).toHaveLength(2)
})

test('readiness told on an earlier stream lasts, and an older state told again changes nothing', () => {
  const story = up().subscribes({ streamId: 's2' })
  for (const index of [0, 1, 2]) story.tells(id(index), 'RUNNING')
  expect(story.tells(id(1), 'STARTING').commits([kill(0)]).problems).toEqual([])
})

test('what was told after the decision, or in its moment, could not be known', () => {
  const story = up()
  const decidedAtMs = story.nowMs
  story.tells(id(1), 'FAILED').pass(5).tells(id(2), 'FAILED')
  expect(story.commits([kill(0)], { decidedAtMs }).problems).toEqual([])
})

test('a decision on the stream before may land after the next has begun', () => {
  const story = up()
  const decidedAtMs = story.nowMs
  expect(
    story
      .pass(5)
      .subscribes({ streamId: 's2' })
      .commits([kill(0)], { decidedAtMs }).problems,
  ).toEqual([])
})

test('an instance that is not up itself may be killed at any time', () => {
  expect(
    up()
      .tells(id(1), 'FAILED')
      .tells(id(0), 'UNREACHABLE')
      .commits([kill(0)]).problems,
  ).toEqual([])
})

test('an instance that is not deployed carries nothing, and counts for nothing', () => {
  const story = up().commits([instance('db-0', { deployed: false }), instance('db-2', { deployed: false })])
  expect(story.tells(id(2), 'FAILED').commits([kill(1)]).problems).toEqual([])
  expect(story.tells(id(1), 'FAILED').commits([kill(0)]).problems).toEqual([])
})

test('a block in hand follows a newer target, but needs the budget for a restart', () => {
  const story = up().commits([instance('db-0', { owner: 'update', block: block('update', 5) })])
  story.tells(id(1), 'FAILED').commits(wants(spec2))
  const follows = instance('db-0', { owner: 'update', block: block('update', 5), targetId: idOf(spec2) })
  expect(story.commits([follows, kill(0)]).problems).toEqual([])
  const restarted = up().commits([instance('db-0', { owner: 'update', block: block('update', 5) })])
  expect(restarted.tells(id(1), 'FAILED').commits([kill(0)]).problems).toHaveLength(1)
})
