/**
 * Asks the leading master's operator API, which is found as the driver finds it: any master, redirects, the same credentials and
 * certificates. It reads only, so that every question may be asked again. Source: Mesos v1 operator API, `POST /api/v1`.
 */
import type { Dispatcher } from 'undici'
import { SdkError } from '../errors.js'
import type { OperatorApi } from '../ports/operator-api.js'
import { parseJson } from './convert-event.js'
import {
  operatorCall,
  toAgentsView,
  toFrameworkViews,
  toKnownExecutors,
  toKnownOperations,
  toKnownTasks,
} from './convert-operator.js'
import { readDriverOptions, type DriverSettings, type MesosDriverOptions } from './driver-options.js'
import { describeFailure, headerOf, openConnection, readText } from './http-connection.js'
import { orderCandidates, resolveRedirect } from './leader.js'
import { parseOperatorAnswer, type OperatorAnswers, type OperatorCallType } from './messages-operator.js'

export type OperatorClientOptions = Pick<
  MesosDriverOptions,
  'masters' | 'credentials' | 'tls' | 'mapHost' | 'connectTimeoutMs' | 'random'
> & {
  /** How long to wait for one whole answer; that of a large cluster has many megabytes. @defaultValue 30000 */
  readonly answerTimeoutMs?: number
}

const defaultAnswerTimeoutMs = 30_000
const maxRedirects = 3
const redirects: ReadonlySet<number> = new Set([301, 302, 307, 308])

/** What an answer is filtered by, in the words of the master's ACLs; without a right the list is empty and not refused. */
const permissions: Readonly<Record<OperatorCallType, string>> = {
  GET_FRAMEWORKS: 'view_frameworks',
  GET_AGENTS: 'view_roles',
  GET_TASKS: 'view_frameworks and view_tasks',
  GET_EXECUTORS: 'view_frameworks and view_executors',
  GET_OPERATIONS: 'view_roles',
  GET_METRICS: 'none of its own',
}

/** Why one master gave no answer. */
interface Problem {
  readonly url: URL
  readonly reason: string
  /** `refused`: not permitted, perhaps by one that does not lead. `wrong`: what was asked, or what came back, is at fault. */
  readonly kind: 'unreachable' | 'notLeading' | 'refused' | 'wrong'
  /** A standby named this master as the leader. */
  readonly isNamedLeader: boolean
}

/** @throws SdkError `ERR_INVALID_OPTION`. Connects only when asked something. */
export function createOperatorClient(options: OperatorClientOptions): OperatorApi {
  const settings = readDriverOptions({ ...options, answerTimeoutMs: options.answerTimeoutMs ?? defaultAnswerTimeoutMs })
  let lastLeader: URL | undefined

  const ask = async <Type extends OperatorCallType>(type: Type): Promise<OperatorAnswers[Type]> => {
    const problems: Problem[] = []
    for (const candidate of orderCandidates(settings.masters.map(toOperatorUrl), lastLeader, settings.random)) {
      const outcome = await askFrom(candidate, type, settings)
      if (outcome.ok) {
        lastLeader = outcome.url
        return outcome.answer
      }
      problems.push(outcome.problem)
      if (outcome.problem.kind === 'wrong') break
    }
    lastLeader = undefined
    throw toError(type, problems)
  }

  return {
    frameworks: async () => toFrameworkViews(await ask('GET_FRAMEWORKS')),
    agents: async () => toAgentsView(await ask('GET_AGENTS'), await metricsOrNone(ask)),
    tasks: async () => toKnownTasks(await ask('GET_TASKS')),
    executors: async () => toKnownExecutors(await ask('GET_EXECUTORS')),
    operations: async () => toKnownOperations(await ask('GET_OPERATIONS')),
  }
}

/** They only count what cannot be seen: where they are refused, that is not known, and everything else still is. */
const metricsOrNone = (ask: (type: 'GET_METRICS') => Promise<OperatorAnswers['GET_METRICS']>) =>
  ask('GET_METRICS').catch(() => undefined)

/** The addresses of the driver are those of the scheduler API, one path below. */
const toOperatorUrl = (url: URL): URL => new URL(url.pathname.replace(/\/scheduler$/, '') + url.search, url.origin)

type Outcome<Type extends OperatorCallType> =
  | { readonly ok: true; readonly url: URL; readonly answer: OperatorAnswers[Type] }
  | { readonly ok: false; readonly problem: Problem }

async function askFrom<Type extends OperatorCallType>(
  candidate: URL,
  type: Type,
  settings: DriverSettings,
): Promise<Outcome<Type>> {
  let url = candidate
  const failed = (kind: Problem['kind'], reason: string): Outcome<Type> => ({
    ok: false,
    problem: { url, kind, reason, isNamedLeader: url !== candidate },
  })
  for (let hops = 0; hops <= maxRedirects; hops += 1) {
    let reply: Reply
    try {
      reply = await post(url, type, settings)
    } catch (error) {
      return failed('unreachable', describeFailure(error))
    }
    const { status, text, location } = reply
    if (status === 200) {
      try {
        return { ok: true, url, answer: parseOperatorAnswer(type, parseJson(text)) }
      } catch (error) {
        return failed('wrong', error instanceof Error ? error.message : String(error))
      }
    }
    if (!redirects.has(status) || location === undefined) return failed(kindOf(status), describeAnswer(status, text))
    const next = resolveRedirect(location, url, settings.mapHost)
    if (next === undefined) return failed('notLeading', `it redirects to ${location}, which cannot be followed`)
    url = toOperatorUrl(next)
  }
  return failed('notLeading', `more than ${maxRedirects} redirects, the masters do not agree who leads`)
}

const describeAnswer = (status: number, text: string): string => `it answered ${status}${text === '' ? '' : ` (${text})`}`

/** 404: routes not installed yet; 503: no leader, or the registry is still being read; 429: a proxy's limit. */
function kindOf(status: number): Problem['kind'] {
  if (status === 401 || status === 403) return 'refused'
  return status === 404 || status === 429 || status < 400 || (status >= 500 && status !== 501) ? 'notLeading' : 'wrong'
}

interface Reply {
  readonly status: number
  readonly text: string
  readonly location: string | undefined
}

async function post(url: URL, type: OperatorCallType, settings: DriverSettings): Promise<Reply> {
  const connection = openConnection(url.origin, settings.connection)
  const limit = new AbortController()
  const late = () => limit.abort(new Error(`no answer within ${settings.answerTimeoutMs} ms`))
  const timer = setTimeout(late, settings.answerTimeoutMs)
  try {
    const body = JSON.stringify(operatorCall(type))
    const answer = await connection.post(url.pathname + url.search, body, undefined, limit.signal)
    return { status: answer.statusCode, text: await textOf(answer), location: headerOf(answer, 'location') }
  } finally {
    clearTimeout(timer)
    connection.destroy()
  }
}

/** An answer is read whole; of anything else, as much as a message shows. */
const textOf = (answer: Dispatcher.ResponseData): Promise<string> =>
  answer.statusCode === 200 ? answer.body.text() : readText(answer)

function toError(type: OperatorCallType, problems: readonly Problem[]): SdkError {
  const where = problems.map(({ url, reason }) => `${url.origin}: ${reason}`).join('; ')
  const details = { call: type, problems: where }
  const of = (kind: Problem['kind']): boolean => problems.some((problem) => problem.kind === kind)
  if (of('wrong'))
    return new SdkError('ERR_PROTOCOL', `the operator API gave no usable answer to ${type} at ${where}`, { details })
  // Authentication comes before leadership: a standby may refuse what the leader would take.
  const isRefusedByLeader = problems.every(({ kind }) => kind === 'refused')
  if (isRefusedByLeader || problems.some(({ kind, isNamedLeader }) => kind === 'refused' && isNamedLeader)) {
    const message =
      `the Mesos master does not let this principal ask ${type} of its operator API at ${where}; ` +
      `give credentials of a principal that may (permission ${permissions[type]})`
    return new SdkError('ERR_NOT_PERMITTED', message, { details })
  }
  const options = { details, retryable: true }
  return of('notLeading') || of('refused')
    ? new SdkError(
        'ERR_MASTER_UNREACHABLE',
        `found no leading Mesos master at ${where}; check that a majority of the masters runs`,
        options,
      )
    : new SdkError(
        'ERR_MASTER_UNREACHABLE',
        `cannot reach a Mesos master at ${where}; check that the master runs and that the address is right`,
        options,
      )
}
