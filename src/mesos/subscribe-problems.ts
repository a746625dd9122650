/** What a round without a subscription means, in words for an operator and for the next attempt. Pure. */
import type { ErrorCode } from '../errors.js'
import type { RetryKind } from './retry-delay.js'
import type { SubscribeProblem } from './subscribe.js'

export interface RoundReport {
  /** `refused`: the leader itself said no, and to the same request always will. */
  readonly kind: RetryKind | 'refused'
  readonly code: ErrorCode
  /** Equal for rounds that failed alike. */
  readonly cause: string
  readonly message: string
  readonly advice: string
}

export function describeRound(problems: readonly SubscribeProblem[]): RoundReport {
  const seen = problems.map(({ url, reason }) => `${url.origin}: ${reason}`)
  const cause = [...seen].sort().join('; ')
  const where = seen.join('; ')
  if (problems.some(({ kind }) => kind === 'refused')) {
    const refusal = problems.filter(({ kind }) => kind === 'refused').map(({ url, reason }) => `${url.origin}: ${reason}`)
    const message = `the Mesos master refused the subscription at ${refusal.join('; ')}`
    return {
      kind: 'refused',
      code: 'ERR_MASTER_REFUSED',
      cause,
      message,
      advice: 'check role, principal and user of the service',
    }
  }
  if (problems.some(({ kind }) => kind === 'credentials')) {
    const message = `the Mesos master refused the credentials of this scheduler at ${where}`
    return { kind: 'late', code: 'ERR_MASTER_REFUSED', cause, message, advice: 'check principal and secret' }
  }
  if (problems.some(({ kind }) => kind === 'notLeading')) {
    const message = `found no leading Mesos master at ${where}`
    return { kind: 'soon', code: 'ERR_MASTER_UNREACHABLE', cause, message, advice: 'check that a majority of the masters runs' }
  }
  const message = `cannot reach a Mesos master at ${where}`
  const advice = 'check that the master runs and that the address is right'
  return { kind: 'normal', code: 'ERR_MASTER_UNREACHABLE', cause, message, advice }
}

/**
 * Authentication is checked before leadership, so a standby with other credentials may refuse what the leader would take:
 * only the leader's word counts, which is that of a master named by another one, or of all of them.
 */
export const isRefusedByLeader = (problems: readonly SubscribeProblem[]): boolean =>
  problems.length > 0 &&
  (problems.every(({ kind }) => kind === 'credentials') ||
    problems.some(({ kind, isNamedLeader }) => kind === 'credentials' && isNamedLeader))
