import { describe, expect, test } from 'vitest'
import { runId } from '../../src/ids.js'
import { closedGate, nextGate } from '../../src/plan/gates.js'
import { answerQuestion, askAgain, askFirst, isOrderOf, readGate, readOrder } from '../../src/plan/question.js'
import type { Question } from '../../src/plan/question-record.js'
import type { GateSpec } from '../../src/spec/schema.js'

const gate = (name: string): GateSpec => ({ gate: name, intervalMs: 2_000, timeoutMs: 30_000, deadlineMs: 600_000 })
const gates = [gate('first'), gate('second')]
const asked = askFirst(runId('run-1'), 1_000)
const open = answerQuestion(asked, { positive: true, reason: 'fine' }, 1_500)
const closed = answerQuestion(asked, { positive: false, reason: 'one replica is missing' }, 1_500)

const next = (questions: Record<string, Question>, nowMs: number, inFlight = false) =>
  nextGate(
    gates,
    'after/',
    questions,
    nowMs,
    () => inFlight,
    () => runId('run-2'),
  )

describe('gates', () => {
  test('the first is asked first, the second only when the first is open', () => {
    expect(next({}, 0)).toMatchObject({ state: 'ask', ask: { key: 'after/first', question: { attempt: 1, runId: 'run-2' } } })
    expect(next({ 'after/first': open }, 0)).toMatchObject({ state: 'ask', ask: { key: 'after/second' } })
    expect(next({ 'after/first': open, 'after/second': open }, 0)).toEqual({ state: 'open' })
  })

  test('one that is being asked by this process is waited for; one that another process asked is asked again', () => {
    expect(next({ 'after/first': asked }, 9_000, true)).toEqual({ state: 'closed' })
    expect(next({ 'after/first': asked }, 9_000, false)).toMatchObject({
      state: 'ask',
      ask: { question: { runId: 'run-1', attempt: 2, firstAskedAtMs: 1_000, askedAtMs: 9_000 } },
    })
  })

  test('a closed one is asked again after its pause, and not before', () => {
    expect(next({ 'after/first': closed }, 3_499)).toEqual({ state: 'closed' })
    expect(next({ 'after/first': closed }, 3_500)).toMatchObject({
      state: 'ask',
      ask: { question: { runId: 'run-1', attempt: 2 } },
    })
  })

  test('no gates are open', () => {
    expect(
      nextGate(
        [],
        '',
        {},
        0,
        () => false,
        () => runId('x'),
      ),
    ).toEqual({ state: 'open' })
  })

  test('says what it waits for, and when it is held beyond its deadline', () => {
    expect(closedGate(gates, 'after/', {}, 0)).toBe('gate first is about to be asked')
    expect(closedGate(gates, 'after/', { 'after/first': asked }, 2_000)).toBe('gate first is being asked (attempt 1)')
    expect(closedGate(gates, 'after/', { 'after/first': closed }, 2_000)).toBe('gate first: one replica is missing')
    expect(closedGate(gates, 'after/', { 'after/first': closed }, 601_001)).toBe(
      'held by gate first beyond its deadline: one replica is missing',
    )
    expect(closedGate(gates, 'after/', { 'after/first': open, 'after/second': open }, 0)).toBeUndefined()
  })
})

describe('answers of hooks', () => {
  test.for([undefined, null, true, 'open', {}, { open: 'yes' }, { reason: 'x' }, []])('%j is no open gate', (value) => {
    expect(readGate(value)).toMatchObject({ positive: false, reason: expect.stringContaining('must answer') as string })
  })

  test.for([undefined, 'a', [1, 2], { 0: 'a', 1: 'b' }])('%j is no order', (value) => {
    expect(readOrder(value).positive).toBe(false)
  })

  test('an order names each candidate once', () => {
    expect(readOrder(['b', 'a'])).toEqual({ positive: true, order: ['b', 'a'] })
    expect(isOrderOf(['b', 'a'], ['a', 'b'])).toBe(true)
  })

  test.for([[['a']], [['a', 'a']], [['a', 'b', 'c']], [[]]] as const)('%j is no order of a and b', ([order]) => {
    expect(isOrderOf(order, ['a', 'b'])).toBe(false)
  })

  test('an answer leaves nothing of the one before', () => {
    const second = answerQuestion(askAgain(closed, 4_000), { positive: true }, 5_000)
    expect(second).toEqual({
      runId: 'run-1',
      attempt: 2,
      state: 'positive',
      firstAskedAtMs: 1_000,
      askedAtMs: 4_000,
      answeredAtMs: 5_000,
    })
  })

  test('reasons are kept short', () => {
    expect(answerQuestion(asked, { positive: false, reason: 'x'.repeat(9_000) }, 0).reason).toHaveLength(500)
  })
})
