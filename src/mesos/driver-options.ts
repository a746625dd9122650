/** Options of the driver: what may be left out is filled in here, what cannot work is refused by name. */
import { SdkError } from '../errors.js'
import type { BasicCredentials, ConnectionSettings, TlsSettings } from './http-connection.js'
import { parseMasters, type HostMapping } from './leader.js'
import { defaultSubscribeBackoff, type SubscribeBackoff } from './retry-delay.js'

/** What is used of a logger; pino fits. */
export interface DriverLogger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
}

export interface MesosDriverOptions {
  /** `http://host:port` of one or more masters, as a list or as one text with commas; any of them leads to the leader. */
  readonly masters: string | readonly string[]
  /** HTTP Basic credentials, or a function that gives the `Authorization` header of the next request. @defaultValue none */
  readonly credentials?: BasicCredentials | (() => string | Promise<string>)
  /** For masters that serve https. @defaultValue what Node trusts */
  readonly tls?: TlsSettings
  /** Gives the name to connect to for the name that a standby advertises as leader. @defaultValue the same name */
  readonly mapHost?: HostMapping
  /** How long to wait for a TCP connection. @defaultValue 5000 */
  readonly connectTimeoutMs?: number
  /** How long to wait for the answer to SUBSCRIBE, and then for SUBSCRIBED. @defaultValue 15000 */
  readonly answerTimeoutMs?: number
  /** So many announced heartbeat intervals without a byte, and the stream counts as dead. @defaultValue 5 @minimum 1 */
  readonly heartbeatTolerance?: number
  /** How long to wait for the answer to any other call; afterwards its fate is unknown. @defaultValue 75000 */
  readonly callTimeoutMs?: number
  /** Pauses between attempts to subscribe. @defaultValue 100 ms up to 15 s */
  readonly backoff?: Partial<SubscribeBackoff>
  readonly logger?: DriverLogger
  /** Gives 0 up to 1. @defaultValue Math.random */
  readonly random?: () => number
  /** Epoch milliseconds, for the events. @defaultValue Date.now */
  readonly now?: () => number
}

export interface DriverSettings {
  readonly masters: readonly URL[]
  readonly connection: ConnectionSettings
  readonly mapHost: HostMapping | undefined
  readonly answerTimeoutMs: number
  readonly heartbeatTolerance: number
  readonly callTimeoutMs: number
  readonly backoff: SubscribeBackoff
  readonly logger: DriverLogger | undefined
  readonly random: () => number
  readonly now: () => number
}

/** @throws SdkError `ERR_INVALID_OPTION` */
export function readDriverOptions(options: MesosDriverOptions): DriverSettings {
  const authorize = readCredentials(options.credentials)
  return {
    masters: parseMasters(options.masters),
    connection: {
      connectTimeoutMs: atLeast('connectTimeoutMs', options.connectTimeoutMs ?? 5_000, 1),
      authorize,
      tls: options.tls,
    },
    mapHost: options.mapHost,
    answerTimeoutMs: atLeast('answerTimeoutMs', options.answerTimeoutMs ?? 15_000, 1),
    heartbeatTolerance: atLeast('heartbeatTolerance', options.heartbeatTolerance ?? 5, 1),
    callTimeoutMs: atLeast('callTimeoutMs', options.callTimeoutMs ?? 75_000, 1),
    backoff: readBackoff({ ...defaultSubscribeBackoff, ...options.backoff }),
    logger: options.logger,
    random: options.random ?? Math.random,
    now: options.now ?? Date.now,
  }
}

function atLeast(name: string, value: number, least: number): number {
  if (Number.isFinite(value) && value >= least) return value
  throw new SdkError('ERR_INVALID_OPTION', `${name} must be at least ${least} (got ${value})`)
}

function readBackoff(backoff: SubscribeBackoff): SubscribeBackoff {
  const { minMs, initialMs, maxMs, factor } = backoff
  atLeast('backoff.minMs', minMs, 1)
  atLeast('backoff.initialMs', initialMs, minMs)
  atLeast('backoff.maxMs', maxMs, initialMs)
  atLeast('backoff.factor', factor, 1)
  return backoff
}

function readCredentials(credentials: MesosDriverOptions['credentials']): () => Promise<string | undefined> {
  if (credentials === undefined) return () => Promise.resolve(undefined)
  if (typeof credentials === 'function') return async () => credentials()
  const { principal, secret } = credentials
  // Mesos splits at the colon and demands exactly one.
  if (principal.includes(':') || secret.includes(':')) {
    throw new SdkError('ERR_INVALID_OPTION', 'credentials must not contain a colon: Mesos could not tell name and password apart')
  }
  const header = `Basic ${Buffer.from(`${principal}:${secret}`, 'utf8').toString('base64')}`
  return () => Promise.resolve(header)
}
