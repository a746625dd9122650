/** How questions to the author's code move. Pure. */
import type { RunId } from '../ids.js'
import type { Question } from './question-record.js'

/** Reasons are kept as evidence in records of bounded size. */
const maxReasonLength = 500

export const askFirst = (id: RunId, atMs: number): Question => ({
  runId: id,
  attempt: 1,
  state: 'asking',
  firstAskedAtMs: atMs,
  askedAtMs: atMs,
})

/** The same question once more. */
export const askAgain = (question: Question, atMs: number): Question => ({
  ...question,
  attempt: question.attempt + 1,
  state: 'asking',
  askedAtMs: atMs,
})

/** What a hook's return value means: a gate answers `{ open, reason }`, an order hook a list of names. */
export type Reading = { readonly positive: boolean; readonly reason?: string; readonly order?: readonly string[] }

export function readGate(value: unknown): Reading {
  if (typeof value === 'object' && value !== null && 'open' in value && typeof value.open === 'boolean') {
    const reason = 'reason' in value && typeof value.reason === 'string' ? value.reason : undefined
    return { positive: value.open, ...(reason === undefined ? {} : { reason }) }
  }
  return { positive: false, reason: 'the gate must answer { open: boolean, reason: string } and did not' }
}

/** Whether it names the right candidates is checked when it is used: they may have changed since it was asked. */
export function readOrder(value: unknown): Reading {
  if (Array.isArray(value) && value.every((name) => typeof name === 'string')) return { positive: true, order: value }
  return { positive: false, reason: 'the order hook must answer a list of names and did not' }
}

/** Each candidate once and nobody else: anything else would leave an instance out or name a stranger. */
export const isOrderOf = (order: readonly string[], candidates: readonly string[]): boolean =>
  JSON.stringify([...order].sort()) === JSON.stringify([...candidates].sort())

/** Applies an answer to the attempt it belongs to. */
export function answerQuestion(question: Question, reading: Reading, atMs: number): Question {
  const { reason: _old, order: _order, ...rest } = question
  return {
    ...rest,
    state: reading.positive ? 'positive' : 'negative',
    answeredAtMs: atMs,
    ...(reading.reason === undefined ? {} : { reason: reading.reason.slice(0, maxReasonLength) }),
    ...(reading.order === undefined ? {} : { order: [...reading.order] }),
  }
}
