import { expect, test } from 'vitest'
import { oneLeader } from '../../../src/testing/checkers/one-leader.js'
import { kill, subscribe } from './support/calls.js'
import type { Story } from './support/story.js'
import { watch } from './support/story.js'

const a = { scheduler: 'a1', epoch: 1, streamId: 's1' }
const b = { scheduler: 'b1', epoch: 2, streamId: 's2' }
const call = { type: 'suppress' } as const
const lead = (story: Story, by: typeof a): Story =>
  story.opens(by).commits([], by).takes(subscribe, by).subscribes(by).commits([], by).sends(call, by).takes(kill('t'), by)

test('one leader after the other, each fenced, is right', () => {
  expect(lead(lead(watch(oneLeader), a), b).problems).toEqual([])
})

test('a subscription after a broken stream is fenced anew', () => {
  const story = lead(watch(oneLeader), a).delivers({ type: 'disconnected', reason: 'broken' }, a)
  const again = { ...a, streamId: 's3' }
  expect(
    story.commits([], again).takes(subscribe, again).subscribes(again).commits([], again).sends(call, again).problems,
  ).toEqual([])
})

test('a batch of an older epoch after a newer one was opened is reported', () => {
  const story = lead(watch(oneLeader), a).opens(b).commits([], a)
  expect(story.problems).toEqual(['a batch of a1 (epoch 1) landed after epoch 2 was opened'])
})

test('a deposed scheduler may subscribe, and nothing else', () => {
  const story = lead(lead(watch(oneLeader), a), b)
  expect(story.takes(subscribe, { ...a, streamId: 's3' }).problems).toEqual([])
  expect(story.takes(kill('t'), a).problems).toEqual(['the master took KILL of a1 (epoch 1) after it took a call of epoch 2'])
})

test('a subscription without a write before it is reported', () => {
  const story = watch(oneLeader).opens(a).takes(subscribe, a).commits([], a).subscribes(a)
  expect(story.problems).toEqual(['a1 (epoch 1) subscribed without a fenced write since its last stream'])
})

test('a write that was decided on before the stream ended is no fence for the next', () => {
  const story = lead(watch(oneLeader), a)
  const early = { ...a, decidedAtMs: story.nowMs }
  const again = { ...a, streamId: 's3' }
  story.pass(5).delivers({ type: 'disconnected', reason: 'broken' }, a)
  expect(story.commits([], early).takes(subscribe, again).subscribes(again).problems).toHaveLength(1)
})

test('a first call without a write since SUBSCRIBED is reported', () => {
  const story = watch(oneLeader).opens(a).commits([], a).takes(subscribe, a)
  const early = { ...a, decidedAtMs: story.nowMs }
  story.pass(5).subscribes(a).commits([], early).sends(call, a)
  expect(story.problems).toEqual(['a1 (epoch 1) sent suppress on a new stream without a fenced write since SUBSCRIBED'])
})
