import { expect, test } from 'vitest'
import { agentId, offerId } from '../../../src/ids.js'
import { offers } from '../../../src/testing/checkers/offers.js'
import { acceptSent, declineSent, launchSent } from './support/calls.js'
import { task } from './support/records.js'
import type { Story } from './support/story.js'
import { watch } from './support/story.js'

const offer = (id: string) => ({
  id: offerId(id),
  agentId: agentId('agent'),
  hostname: 'agent',
  address: '',
  role: '',
  attributes: [],
  resources: [],
  executorIds: [],
})
const offered = (...ids: string[]): Story =>
  watch(offers)
    .opens()
    .subscribes()
    .delivers({ type: 'offersReceived', offers: ids.map(offer) })
/** Time passes, and the scheduler stores something now and then. */
const works = (story: Story, ms: number): Story => {
  for (let left = ms; left > 0; left -= 5_000) story.pass(5_000).commits([])
  return story
}

test('an offer that is used once, or declined, is right', () => {
  const story = offered('o1', 'o2')
    .sends(acceptSent(['o1']))
    .sends(declineSent('o2'))
  expect(works(story, 300_000).sends({ type: 'suppress' }).rests().problems).toEqual([])
})

test('an offer that nobody has, of another stream, or used before is reported', () => {
  const story = offered('o1', 'o2')
    .sends(acceptSent(['o1']))
    .sends(acceptSent(['o1', 'o9']))
  expect(story.sends(acceptSent(['o2']), { streamId: 's2' }).problems).toEqual([
    'a1 sent accept with offer o1, which it had accepted before',
    'a1 sent accept with offer o9, which nobody was offered',
    'a1 sent accept with offer o2 of another stream',
  ])
})

test.each([
  ['it was rescinded', { type: 'offerRescinded', offerId: offerId('o1') }],
  ['its agent failed', { type: 'agentFailed', agentId: agentId('agent') }],
  ['the stream ended', { type: 'disconnected', reason: '' }],
] as const)('an offer is not used after its scheduler was told that %s', (_what, event) => {
  const story = offered('o1').delivers(event)
  expect(story.sends(acceptSent(['o1'])).problems).toEqual([
    'a1 sent accept with offer o1, 10 ms after it was told that it is void',
  ])
})

test('a rescind that comes after the decision could not be known', () => {
  const story = offered('o1')
  const decidedAtMs = story.nowMs
  story.pass(5).delivers({ type: 'offerRescinded', offerId: offerId('o1') })
  expect(story.sends(acceptSent(['o1']), { decidedAtMs }).problems).toEqual([])
})

test('an ACCEPT that waited behind other calls was decided on when its launches were stored', () => {
  const story = offered('o1').commits([task('db-0-server__1', { value: 'launching' })])
  story.delivers({ type: 'offerRescinded', offerId: offerId('o1') })
  expect(story.sends(acceptSent(['o1'], launchSent('db-0-server__1', 'e'))).problems).toEqual([])
})

test('an offer that is held while other calls are decided on is reported once', () => {
  const story = works(offered('o1'), 125_000)
  const by = { decidedAtMs: story.nowMs - 5 }
  story.sends({ type: 'suppress' }, by).sends({ type: 'suppress' }, by)
  expect(story.problems).toHaveLength(1)
  expect(story.problems[0]).toMatch(/^a1 has held offer o1 for 12\d{4} ms and answers other things$/)
})

test('a scheduler that stands still, or has no store, is given its time', () => {
  const story = offered('o1').commits([]).pass(500_000)
  story.sends({ type: 'suppress' }, { decidedAtMs: story.nowMs - 5 })
  expect(story.commits([]).sends(declineSent('o1')).problems).toEqual([])
})

test('an answer that waits behind calls decided on earlier is in time', () => {
  const story = offered('o1')
  const decidedAtMs = story.nowMs
  expect(works(story, 300_000).sends({ type: 'suppress' }, { decidedAtMs }).problems).toEqual([])
})

test('an offer that is still held at rest is reported', () => {
  const story = offered('o1').pass(200_000).rests()
  expect(story.problems).toEqual(['a1 still holds offer o1, which it got 200010 ms ago'])
})

test.each([
  { type: 'schedulerEnded', scheduler: 'a1', how: 'crashed' },
  { type: 'sessionEnded', scheduler: 'a1', epoch: 1, end: 'lost' },
] as const)('a scheduler that has given up its stream by its own end holds nothing: $type', (end) => {
  const story = offered('o1')
    .happens(end)
    .delivers({ type: 'offersReceived', offers: [offer('o2')] })
  expect(story.pass(200_000).rests().problems).toEqual([])
})
