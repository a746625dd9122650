/**
 * Gates one after the other: the next is asked when the one before is open, so that what opened last was true last. Pure.
 */
import type { RunId } from '../ids.js'
import type { GateSpec } from '../spec/schema.js'
import { askAgain, askFirst } from './question.js'
import type { Question } from './question-record.js'

export interface GateAsk {
  readonly key: string
  readonly question: Question
  readonly gate: GateSpec
}

export type GatesResult =
  | { readonly state: 'open' }
  /** Waiting for an answer, or for the pause before the next attempt. */
  | { readonly state: 'closed' }
  /** This question is to be stored and its job handed out. */
  | { readonly state: 'ask'; readonly ask: GateAsk }

/**
 * What to do about a list of gates. `inFlight` tells whether this process has handed the question out: one that another
 * process asked is asked again, same run id, next attempt.
 */
export function nextGate(
  gates: readonly GateSpec[],
  prefix: string,
  questions: Readonly<Record<string, Question>>,
  nowMs: number,
  inFlight: (runId: RunId) => boolean,
  newRunId: () => RunId,
): GatesResult {
  for (const gate of gates) {
    const key = `${prefix}${gate.gate}`
    const question = questions[key]
    if (question?.state === 'positive') continue
    if (question === undefined) return { state: 'ask', ask: { key, gate, question: askFirst(newRunId(), nowMs) } }
    const due = question.state === 'asking' ? !inFlight(question.runId) : (question.answeredAtMs ?? 0) + gate.intervalMs <= nowMs
    return due ? { state: 'ask', ask: { key, gate, question: askAgain(question, nowMs) } } : { state: 'closed' }
  }
  return { state: 'open' }
}

/** Why a list of gates is not open, for an operator. */
export function closedGate(
  gates: readonly GateSpec[],
  prefix: string,
  questions: Readonly<Record<string, Question>>,
  nowMs: number,
): string | undefined {
  for (const gate of gates) {
    const question = questions[`${prefix}${gate.gate}`]
    if (question?.state === 'positive') continue
    if (question === undefined) return `gate ${gate.gate} is about to be asked`
    const held =
      nowMs - question.firstAskedAtMs > gate.deadlineMs ? `held by gate ${gate.gate} beyond its deadline` : `gate ${gate.gate}`
    return question.reason === undefined ? `${held} is being asked (attempt ${question.attempt})` : `${held}: ${question.reason}`
  }
  return undefined
}
