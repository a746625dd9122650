/**
 * One keep-alive connection to one master: sends a JSON body, gives the answer. It never sends a request a second time.
 * Headers are exactly those the scheduler API takes; `Content-Type` is compared byte by byte there.
 */
import { Client, type Dispatcher } from 'undici'
import { untilAborted } from './waiting.js'

/** Name and password of HTTP Basic authentication. */
export interface BasicCredentials {
  readonly principal: string
  readonly secret: string
}

/** For masters that serve https; the same settings apply to every master a redirect leads to. PEM text. */
export interface TlsSettings {
  /** Certificates of the authorities to trust in place of the well-known ones. */
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  /** Name that the master's certificate must carry, where masters are addressed by IP. */
  readonly servername?: string
}

export interface ConnectionSettings {
  readonly connectTimeoutMs: number
  /** Value of the `Authorization` header, asked for before every request. */
  readonly authorize: () => Promise<string | undefined>
  readonly tls: TlsSettings | undefined
}

export interface HttpConnection {
  /** Rejects when there is no answer, whatever the reason. */
  post(path: string, body: string, streamId: string | undefined, signal: AbortSignal): Promise<Dispatcher.ResponseData>
  /** Ends the connection and everything on it at once. */
  destroy(): void
}

export function openConnection(origin: string, settings: ConnectionSettings): HttpConnection {
  // One request at a time keeps calls in order, and means that a broken connection fails exactly the request on it. The
  // library's own time limits are off: a stream is silent for long, and calls have limits of their own.
  const client = new Client(origin, {
    pipelining: 1,
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: { timeout: settings.connectTimeoutMs, ...settings.tls },
  })
  return {
    async post(path, body, streamId, signal) {
      const authorization = await untilAborted(settings.authorize(), signal)
      const headers = {
        'content-type': 'application/json',
        accept: 'application/json',
        ...(streamId === undefined ? {} : { 'mesos-stream-id': streamId }),
        ...(authorization === undefined ? {} : { authorization }),
      }
      return client.request({ path, method: 'POST', headers, body, signal, idempotent: false })
    },
    destroy() {
      client.destroy().catch(() => undefined)
    },
  }
}

/** First value of a response header. */
export function headerOf(answer: Dispatcher.ResponseData, name: string): string | undefined {
  const value = answer.headers[name]
  return typeof value === 'string' ? value : value?.[0]
}

/** Text of an answer, for people; empty if it cannot be read. */
export async function readText(answer: Dispatcher.ResponseData): Promise<string> {
  try {
    return (await answer.body.text()).slice(0, longestTextShown)
  } catch {
    return ''
  }
}

/** More of an answer than this helps nobody. */
const longestTextShown = 2_000

const wordings: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EPIPE: 'connection closed',
  UND_ERR_SOCKET: 'connection closed without an answer',
  ENOTFOUND: 'the host name does not resolve',
  EAI_AGAIN: 'the host name does not resolve at the moment',
  EHOSTUNREACH: 'host unreachable',
  ENETUNREACH: 'network unreachable',
  ETIMEDOUT: 'connection timed out',
  UND_ERR_CONNECT_TIMEOUT: 'connection timed out',
}

/** Why a request had no answer, in words. */
export function describeFailure(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { code } = error as { code?: unknown }
  const wording = typeof code === 'string' ? wordings[code] : undefined
  return wording ?? (error.message === '' ? error.name : error.message)
}
