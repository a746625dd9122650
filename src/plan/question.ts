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
export const askAgain = (question: Question, atMs: number): Question => {
  const { nextAtMs: _next, ...rest } = question
  return { ...rest, attempt: question.attempt + 1, state: 'asking', askedAtMs: atMs }
}

/** What a hook's return value means: a gate answers `{ open, reason }`, an order hook a list of names. */
export type Reading = { readonly positive: boolean; readonly reason?: string; readonly order?: readonly string[] }

export function readGate(value: unknown): Reading {
  if (typeof value === 'object' && value !== null && 'open' in value && typeof value.open === 'boolean') {
    const reason = 'reason' in value && typeof value.reason === 'string' ? value.reason : undefined
    return { positive: value.open, ...(reason === undefined ? {} : { reason }) }
  }
  return { positive: false, reason: 'the gate must answer { open: boolean, reason: string } and did not' }
}

/** The order must be the candidates, each once: anything else would leave an instance out or name a stranger. */
export function readOrder(value: unknown, candidates: readonly string[]): Reading {
  const sorted = (names: readonly unknown[]) => JSON.stringify([...names].sort())
  if (Array.isArray(value) && sorted(value) === sorted(candidates)) return { positive: true, order: value as string[] }
  return {
    positive: false,
    reason: `the order hook must answer the candidates, each once (${candidates.join(', ')}), and did not`,
  }
}

/** Applies an answer to the attempt it belongs to. */
export function answerQuestion(question: Question, reading: Reading, atMs: number, intervalMs: number): Question {
  const { reason: _old, order: _order, ...rest } = question
  return {
    ...rest,
    state: reading.positive ? 'positive' : 'negative',
    answeredAtMs: atMs,
    ...(reading.positive ? {} : { nextAtMs: atMs + intervalMs }),
    ...(reading.reason === undefined ? {} : { reason: reading.reason.slice(0, maxReasonLength) }),
    ...(reading.order === undefined ? {} : { order: [...reading.order] }),
  }
}
