import { expect, test } from 'vitest'
import { runId } from '../../../src/ids.js'
import type { Question } from '../../../src/plan/question-record.js'
import { gates } from '../../../src/testing/checkers/gates.js'
import type { News } from '../../../src/testing/virtual/log.js'
import { databaseSpec } from '../../support/specs.js'
import { block, deployedService, idOf, instance, run, task } from './support/records.js'
import type { Story } from './support/story.js'
import { watch } from './support/story.js'

const spec = databaseSpec({
  update: { preFlight: ['healthy'], beforeEach: ['calm'], afterEach: ['joined'], postFlight: ['done'] },
})
const question = (id: string, attempt = 1): Question => ({
  runId: runId(id),
  attempt,
  state: 'asking',
  firstAskedAtMs: 0,
  askedAtMs: 0,
})
const job = (hook: string, attempt = 1) => ({ runId: runId(hook), attempt, hook })
const asked = (hook: string, attempt = 1): News => ({ type: 'jobStarted', scheduler: 'a1', job: job(hook, attempt) })
const answered = (hook: string, open: boolean, attempt = 1): News => ({
  type: 'jobEnded',
  scheduler: 'a1',
  job: job(hook, attempt),
  outcome: { ok: true, value: { open, reason: '' } },
})
const answers = (story: Story, hook: string, open = true): Story => story.happens(asked(hook)).happens(answered(hook, open))
const update = (given: Parameters<typeof run>[1] = {}) => run('update', { targetId: idOf(spec), ...given })
const beginning = { 'preFlight/healthy': question('healthy'), 'before/db-0/calm': question('calm') }
const deployed = () => watch(gates, [spec]).commits(deployedService(spec))
const inHand = (questions = {}) =>
  instance('db-0', { spec, owner: 'update', block: { ...block('update', 10), gates: questions } })
const ended = instance('db-0', { spec, block: { ...block('update', 10, 20), gates: { joined: question('joined') } } })
const begun = () => {
  const story = deployed().commits([update({ questions: beginning })])
  return answers(answers(story, 'healthy'), 'calm').commits([inHand()])
}

test('a block that starts and ends with leave, and a run that is complete with leave, are right', () => {
  const story = answers(begun().commits([inHand({ joined: question('joined') })]), 'joined').commits([ended])
  answers(story.commits([update({ questions: { 'postFlight/done': question('done') } })]), 'done')
  expect(story.commits([update({ completedAtMs: 30 })]).problems).toEqual([])
})

test('a block that starts without leave is reported', () => {
  const never = deployed().commits([update()]).commits([inHand()])
  expect(never.problems).toEqual([
    'update took db-0 in hand, and gate healthy was not asked',
    'update took db-0 in hand, and gate calm was not asked',
  ])
  const shut = answers(answers(deployed().commits([update({ questions: beginning })]), 'healthy'), 'calm', false)
  expect(shut.commits([inHand()]).problems).toEqual(['update took db-0 in hand, and gate calm had not answered that it is open'])
})

test('leave for another instance, and an answer to another attempt, do not count', () => {
  const questions = { 'preFlight/healthy': question('healthy', 2), 'before/db-1/calm': question('calm') }
  const story = answers(answers(deployed().commits([update({ questions })]), 'healthy'), 'calm').commits([inHand()])
  expect(story.problems).toHaveLength(2)
})

test('an answer that came after the decision could not be known', () => {
  const story = answers(deployed().commits([update({ questions: beginning })]), 'healthy')
  const decidedAtMs = story.nowMs
  expect(answers(story.pass(5), 'calm').commits([inHand()], { decidedAtMs }).problems).toHaveLength(1)
})

test('a cure asks nobody before it begins', () => {
  const recovering = instance('db-0', { spec, owner: 'recovery', block: block('recovery', 5) })
  expect(deployed().commits([update(), recovering]).commits([inHand()]).problems).toEqual([])
  const failed = task('db-0-server__1', { spec, value: 'ended', outcome: 'failed' })
  expect(deployed().commits([update(), failed, inHand()]).problems).toEqual([])
  const cure = answers(deployed().commits([update({ isCure: true, questions: beginning })]), 'calm')
  expect(cure.commits([inHand()]).problems).toEqual([])
})

test('a paused plan begins and completes nothing', () => {
  const story = answers(answers(deployed().commits([update({ questions: beginning })]), 'healthy'), 'calm')
  expect(story.commits([update({ paused: true, questions: beginning })]).commits([inHand()]).problems).toEqual([
    'update took db-0 in hand while it was paused',
  ])
  expect(story.commits([update({ paused: true, completedAtMs: 9 })]).problems).toContain(
    'update was completed while it was paused',
  )
})

test('a block that ends without leave, or with leave for what ran before, is reported', () => {
  expect(begun().commits([ended]).problems).toEqual(['the update block of db-0 has ended, and gate joined was not asked'])
  const early = answers(begun().commits([inHand({ joined: question('joined') })]), 'joined')
  expect(early.commits([task('db-0-server__2', { spec })]).commits([ended]).problems).toEqual([
    'the update block of db-0 has ended, and gate joined was asked before the present launch',
  ])
})

test('a run that is complete without leave is reported', () => {
  expect(begun().commits([update({ completedAtMs: 30 })]).problems).toEqual(['update was completed, and gate done was not asked'])
})

test('the gates of a deployment are those of its phase and its own', () => {
  const phased = {
    ...spec,
    deploy: { ...spec.deploy, afterEach: [{ ...spec.update.afterEach[0], gate: 'well' }] },
  } as typeof spec
  const fresh = instance('db-0', { spec: phased, deployed: false, owner: 'deploy', block: block('deploy', 2) })
  const story = watch(gates, [phased]).commits([...deployedService(phased), run('deploy', { targetId: idOf(phased) })])
  const done = instance('db-0', { spec: phased, block: block('deploy', 2, 3) })
  expect(story.commits([fresh]).commits([done]).problems).toEqual([
    'the deploy block of db-0 has ended, and gate well was not asked',
  ])
})
