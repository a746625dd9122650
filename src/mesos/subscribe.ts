/**
 * One round of looking for the leader: SUBSCRIBE to one candidate after the other, following redirects, until one of them
 * answers with a stream. What each answer means comes from the order of the master's checks: authentication is checked before
 * leadership, all else after it. Source: Mesos v1 scheduler HTTP API, "SUBSCRIBE"; master `http.cpp`.
 */
import type { Readable } from 'node:stream'
import type { Dispatcher } from 'undici'
import type { FrameworkInfo } from '../ports/mesos-driver.js'
import { toSubscribe } from './convert-call.js'
import {
  describeFailure,
  headerOf,
  openConnection,
  readText,
  type ConnectionSettings,
  type HttpConnection,
} from './http-connection.js'
import { resolveRedirect, type HostMapping } from './leader.js'
import { untilAborted } from './waiting.js'

/** While a leader changes, two masters may point at each other. */
const maxRedirects = 3

/** A stream whose records are still to be read: SUBSCRIBED has not arrived yet. */
export interface OpenStream {
  readonly url: URL
  readonly info: FrameworkInfo
  readonly streamId: string
  readonly connection: HttpConnection
  readonly body: Readable
}

export interface SubscribeProblem {
  readonly url: URL
  readonly reason: string
  /** `credentials`: refused before the master looked whether it leads. `refused`: refused by the leader itself. */
  readonly kind: 'unreachable' | 'notLeading' | 'credentials' | 'refused'
  /** A standby named this master as the leader. */
  readonly isNamedLeader: boolean
}

export type SubscribeOutcome =
  | { readonly type: 'open'; readonly stream: OpenStream }
  | { readonly type: 'failed'; readonly problems: readonly SubscribeProblem[] }
  | { readonly type: 'notPrepared'; readonly error: unknown }
  | { readonly type: 'stopped' }

export interface SubscribeOptions {
  readonly candidates: readonly URL[]
  /** Asked before every single SUBSCRIBE. */
  readonly prepare: () => Promise<FrameworkInfo>
  readonly connection: ConnectionSettings
  readonly answerTimeoutMs: number
  readonly mapHost: HostMapping | undefined
  readonly signal: AbortSignal
}

export async function subscribeToAny(options: SubscribeOptions): Promise<SubscribeOutcome> {
  const problems: SubscribeProblem[] = []
  for (const candidate of options.candidates) {
    const outcome = await subscribeFrom(candidate, options)
    if (options.signal.aborted) {
      if (outcome.type === 'open') outcome.stream.connection.destroy()
      return { type: 'stopped' }
    }
    if (outcome.type !== 'problem') return outcome
    problems.push(outcome.problem)
    if (outcome.problem.kind === 'refused') break
  }
  return { type: 'failed', problems }
}

type CandidateOutcome = Exclude<SubscribeOutcome, { type: 'failed' }> | { type: 'problem'; problem: SubscribeProblem }

async function subscribeFrom(candidate: URL, options: SubscribeOptions): Promise<CandidateOutcome> {
  let url = candidate
  for (let redirects = 0; redirects <= maxRedirects; redirects += 1) {
    const isNamedLeader = redirects > 0
    let info: FrameworkInfo
    try {
      info = await untilAborted(options.prepare(), options.signal)
    } catch (error) {
      return options.signal.aborted ? { type: 'stopped' } : { type: 'notPrepared', error }
    }
    if (options.signal.aborted) return { type: 'stopped' }
    const answer = await requestStream(url, info, options)
    if (answer.type === 'open') return answer
    if (answer.type === 'problem') return { type: 'problem', problem: { url, isNamedLeader, ...answer.problem } }
    const next = resolveRedirect(answer.location, url, options.mapHost)
    if (next === undefined) {
      const reason = `it redirects to ${answer.location}, which cannot be followed`
      return { type: 'problem', problem: { url, isNamedLeader, reason, kind: 'notLeading' } }
    }
    url = next
  }
  const reason = `more than ${maxRedirects} redirects, the masters do not agree who leads`
  return { type: 'problem', problem: { url: candidate, isNamedLeader: false, reason, kind: 'notLeading' } }
}

type Answer =
  | { readonly type: 'open'; readonly stream: OpenStream }
  | { readonly type: 'redirected'; readonly location: string }
  | { readonly type: 'problem'; readonly problem: Pick<SubscribeProblem, 'reason' | 'kind'> }

async function requestStream(url: URL, info: FrameworkInfo, options: SubscribeOptions): Promise<Answer> {
  const connection = openConnection(url.origin, options.connection)
  const limit = new AbortController()
  const stop = () => limit.abort(options.signal.reason)
  options.signal.addEventListener('abort', stop, { once: true })
  const timer = setTimeout(
    () => limit.abort(new Error(`no answer within ${options.answerTimeoutMs} ms`)),
    options.answerTimeoutMs,
  )
  let answer: Answer | undefined
  try {
    const response = await connection.post(url.pathname + url.search, JSON.stringify(toSubscribe(info)), undefined, limit.signal)
    answer = await judge(response, { url, info, connection })
    return answer
  } catch (error) {
    return { type: 'problem', problem: { kind: 'unreachable', reason: describeFailure(error) } }
  } finally {
    clearTimeout(timer)
    options.signal.removeEventListener('abort', stop)
    if (answer?.type !== 'open') connection.destroy()
  }
}

const redirects: ReadonlySet<number> = new Set([301, 302, 307, 308])
const trouble = (kind: SubscribeProblem['kind'], reason: string): Answer => ({ type: 'problem', problem: { kind, reason } })

async function judge(
  response: Dispatcher.ResponseData,
  request: Pick<OpenStream, 'url' | 'info' | 'connection'>,
): Promise<Answer> {
  const { statusCode, body } = response
  if (statusCode === 200) {
    const streamId = headerOf(response, 'mesos-stream-id')
    if (streamId === undefined) return trouble('notLeading', 'its answer has no Mesos-Stream-Id, so it is no Mesos master')
    // Whoever reads it listens too; until then an error of the body must not count as unhandled.
    body.on('error', () => undefined)
    return { type: 'open', stream: { ...request, streamId, body } }
  }
  const text = await readText(response)
  const location = headerOf(response, 'location')
  if (redirects.has(statusCode) && location !== undefined) return { type: 'redirected', location }
  const reason = `it answered ${statusCode}${text === '' ? '' : ` (${text})`}`
  if (statusCode === 401 || statusCode === 403) return trouble('credentials', reason)
  // 404: routes not installed yet; 503: no leader, or the registry is still being read; 429: a proxy's limit.
  const passes = statusCode === 404 || statusCode === 429 || statusCode >= 500 || statusCode < 400
  return trouble(passes ? 'notLeading' : 'refused', reason)
}
