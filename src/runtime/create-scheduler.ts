/**
 * The composition root: the only file that knows which adapters exist. Adapters are imported when they are needed, so that
 * importing the library stays cheap.
 */
import { EventEmitter } from 'eventemitter3'
import { SdkError } from '../errors.js'
import type { HttpServer } from '../http/server.js'
import type { MesosDriverOptions } from '../mesos/driver-options.js'
import type { Logger } from '../ports/logger.js'
import type { MesosDriver } from '../ports/mesos-driver.js'
import type { OperatorApi } from '../ports/operator-api.js'
import type { Leadership, ServiceApi } from '../ports/service-api.js'
import type { StateStore } from '../ports/state-store.js'
import type { StepResult } from '../scheduler/draft.js'
import { hookNames } from '../scheduler/questions.js'
import { serviceStatus, type ServiceStatus } from '../scheduler/report.js'
import type { State } from '../scheduler/state.js'
import { refusalText } from '../spec/check-update.js'
import type { ServiceSpec } from '../spec/schema.js'
import { checkSupported } from '../spec/unsupported.js'
import { createLmdbStore, parseLmdbAddress } from '../store/lmdb-store.js'
import type { Hooks } from './hooks.js'
import { processIdentity, randomIds, systemClock } from './process-inputs.js'
import { createSchedulerProcess } from './scheduler-process.js'

// For the public list, which knows no adapter itself. What is heavy about the store is loaded when it is opened.
export { createLmdbStore, type LmdbStoreOptions } from '../store/lmdb-store.js'

export interface SchedulerOptions {
  /** Mesos masters, as a list or as one text with commas: `http://127.0.0.1:5050`. The leader is found by redirect. */
  readonly cluster: string | readonly string[]
  /** HTTP Basic credentials of the framework, for clusters that authenticate schedulers. @defaultValue none */
  readonly credentials?: { readonly principal: string; readonly secret: string }
  /** Certificates, for masters that serve https. @defaultValue what Node trusts */
  readonly tls?: MesosDriverOptions['tls']
  /** Gives the name to connect to for the name that a standby advertises as leader. @defaultValue the same name */
  readonly mapHost?: MesosDriverOptions['mapHost']
  /**
   * `zk://host1:2181,host2:2181/path`, or `lmdb:/path` for a scheduler that always runs on this machine; the service gets a node
   * or directory of its own below the path. Or a store of your own.
   */
  readonly store: string | StateStore
  /** Functions for the hooks that the spec names, no more and no fewer. @defaultValue none */
  readonly hooks?: Hooks
  /** Where to serve the HTTP API. @defaultValue not served; host 127.0.0.1 */
  readonly http?: { readonly host?: string; readonly port: number }
  /** A pino logger fits. @defaultValue pino on standard output at level info */
  readonly logger?: Logger
  /** How long the master keeps the tasks while no scheduler is there. @defaultValue 1209600000 (14 days) @minimum 60000 */
  readonly failoverTimeoutMs?: number
  /** After so long without contact the store gives the service's lock to another. @defaultValue 10000 */
  readonly storeSessionTimeoutMs?: number
  /**
   * While another scheduler of this service leads, wait until its lock is free, for as long as that takes, and take over then;
   * deposed, stand by again. Otherwise `run` fails with `ERR_LOCK_HELD` when the lock is held for 10 s longer than
   * `storeSessionTimeoutMs`. @defaultValue false
   */
  readonly standby?: boolean
  /**
   * The operator's word that this service is new in the cluster. Before its first subscription a scheduler asks the master's
   * operator API whether the service exists; this lets it start where it may not ask (401, 403), or while agents are unreachable
   * whose reservations cannot be seen. It never outweighs what was found. @defaultValue false
   */
  readonly foundNew?: boolean
  /** How often back-off and gates are looked at. @defaultValue 500 */
  readonly tickMs?: number
}

/** What the scheduler tells its host program; none of it carries control flow. */
export interface SchedulerEvents {
  /** A plan's status has changed. */
  readonly planChanged: (change: { readonly plan: string; readonly status: string }) => void
  /** A task has moved to another state of its machine. */
  readonly taskStateChanged: (change: { readonly task: string; readonly state: string }) => void
  /** This scheduler stands by, leads, or does so no longer. */
  readonly leadershipChanged: (leadership: Leadership) => void
}

export interface Scheduler {
  /**
   * Leads the service until SIGTERM, SIGINT or `stop`; tasks go on running afterwards.
   * @throws SdkError when going on would be wrong: another scheduler leads, the framework was removed, the state is unreadable.
   */
  run(): Promise<void>
  stop(): void
  /** Undefined while this scheduler does not lead. */
  status(): ServiceStatus | undefined
  /** Whether this scheduler leads or stands by, and who leads. */
  leadership(): Leadership
  /** Base URL of the HTTP API, if it is served. */
  readonly url: string | undefined
  readonly events: EventEmitter<SchedulerEvents>
}

const defaultFailoverTimeoutMs = 14 * 24 * 3_600_000
/** Below, a short absence would cost every task; above, Mesos refuses the subscription. */
const minFailoverTimeoutMs = 60_000
const maxFailoverTimeoutMs = 9_000_000_000_000
const defaultStoreSessionTimeoutMs = 10_000
/** Beyond the session's timeout, so that the lock of a scheduler that was killed is waited for and not complained about. */
const lockWaitMarginMs = 10_000
const defaultTickMs = 500

/**
 * Binds a spec to a cluster, a store and the author's hooks.
 * @throws SdkError `ERR_SPEC_UNSUPPORTED`, `ERR_HOOK_UNBOUND`, `ERR_INVALID_OPTION`; nothing has been started or changed by then.
 */
export async function createScheduler(spec: ServiceSpec, options: SchedulerOptions): Promise<Scheduler> {
  const hooks = options.hooks ?? {}
  checkSupported(spec)
  checkHooks(spec, hooks)
  const failoverTimeoutMs = inRange(
    'failoverTimeoutMs',
    options.failoverTimeoutMs ?? defaultFailoverTimeoutMs,
    minFailoverTimeoutMs,
    maxFailoverTimeoutMs,
  )
  const tickMs = inRange('tickMs', options.tickMs ?? defaultTickMs, 10, 60_000)
  const logger = options.logger ?? (await defaultLogger())
  const sessionTimeoutMs = options.storeSessionTimeoutMs ?? defaultStoreSessionTimeoutMs
  const store =
    typeof options.store === 'string' ? await openStore(options.store, spec.name, sessionTimeoutMs, logger) : options.store
  const newDriver = await driverFactory(options, logger)
  const operatorApi = await connectOperatorApi(options)
  const events = new EventEmitter<SchedulerEvents>()
  /** The plans' statuses as last told. */
  const told = new Map<string, string>()
  const http: { url: string | undefined } = { url: undefined }
  const process_ = createSchedulerProcess({
    spec,
    hooks,
    store,
    newDriver,
    operatorApi,
    foundNew: options.foundNew ?? false,
    env: { ids: randomIds },
    clock: systemClock,
    logger,
    get holder() {
      return processIdentity(isReachable(options.http) ? http.url : undefined)
    },
    lockWaitMs: options.standby === true ? Infinity : sessionTimeoutMs + lockWaitMarginMs,
    tickMs,
    failoverTimeoutMs,
    webUiUrl: () => http.url,
    onStep: (before, result) => tell(before, result, told, events, logger),
    onLeadership: (leadership) => void events.emit('leadershipChanged', leadership),
  })

  const run = async (): Promise<void> => {
    const onSignal = (signal: NodeJS.Signals) => {
      logger.info({ signal }, `${signal}: stopping; the tasks go on running`)
      process_.stop()
    }
    process.on('SIGTERM', onSignal)
    process.on('SIGINT', onSignal)
    let server: HttpServer | undefined
    try {
      if (options.http !== undefined) server = await startHttp(process_, options.http)
      http.url = server?.url
      if (server !== undefined) logger.info({ url: server.url }, `HTTP API on ${server.url}`)
      await process_.run()
    } finally {
      await server?.close()
      process.off('SIGTERM', onSignal)
      process.off('SIGINT', onSignal)
    }
  }

  return {
    run,
    stop: process_.stop,
    status: process_.status,
    leadership: process_.leadership,
    events,
    get url() {
      return http.url
    },
  }
}

async function startHttp(api: ServiceApi, at: { readonly host?: string; readonly port: number }): Promise<HttpServer> {
  const { startHttpServer } = await import('../http/server.js')
  return startHttpServer(api, { host: at.host ?? '127.0.0.1', port: at.port })
}

/** An address to listen on everywhere is none to connect to. */
const isReachable = (http: SchedulerOptions['http']): boolean => http?.host !== '0.0.0.0' && http?.host !== '::'

/** A name without a function, and a function without a name, are errors before anything starts. */
export function checkHooks(spec: ServiceSpec, hooks: Hooks): void {
  const named = new Set(hookNames(spec))
  const missing = [...named].filter((name) => hooks[name] === undefined)
  const unknown = Object.keys(hooks).filter((name) => !named.has(name))
  if (missing.length === 0 && unknown.length === 0) return
  const parts = [
    ...(missing.length === 0 ? [] : [`the spec names ${missing.join(', ')}, and options.hooks has no such function`]),
    ...(unknown.length === 0 ? [] : [`options.hooks has ${unknown.join(', ')}, and the spec never names it`]),
  ]
  throw new SdkError('ERR_HOOK_UNBOUND', `cannot bind the hooks of service ${spec.name}: ${parts.join('; ')}`, {
    details: { missing, unknown },
  })
}

export async function openStore(address: string, service: string, sessionTimeoutMs: number, logger: Logger): Promise<StateStore> {
  if (address.startsWith('lmdb:')) {
    return createLmdbStore({ path: parseLmdbAddress(address), service, logger })
  }
  if (!address.startsWith('zk://')) {
    // Whatever stands before the last @ may be a password, however the address is misspelt.
    const shown = address.replace(/^.*@/s, '...@')
    throw new SdkError(
      'ERR_INVALID_OPTION',
      `store must be zk://host1:2181,host2:2181/path or lmdb:/path (got ${JSON.stringify(shown)})`,
    )
  }
  const { createZooKeeperStore } = await import('../store/zookeeper-store.js')
  // Whoever is to notice a loss after a shorter time than usual wants to be told of a missing store as soon.
  const connectLimitMs = Math.min(sessionTimeoutMs, defaultStoreSessionTimeoutMs)
  return createZooKeeperStore({ connect: address, service, sessionTimeoutMs, connectLimitMs, logger })
}

export type ClusterOptions = Pick<SchedulerOptions, 'cluster' | 'credentials' | 'tls' | 'mapHost'>

/** Connects only when asked something. @throws SdkError `ERR_INVALID_OPTION` */
export async function connectOperatorApi({ cluster, credentials, tls, mapHost }: ClusterOptions): Promise<OperatorApi> {
  const { createOperatorClient } = await import('../mesos/operator-client.js')
  return createOperatorClient({
    masters: cluster,
    ...(credentials && { credentials }),
    ...(tls && { tls }),
    ...(mapHost && { mapHost }),
  })
}

async function driverFactory(options: SchedulerOptions, logger: Logger): Promise<() => MesosDriver> {
  const { createMesosDriver } = await import('../mesos/driver.js')
  const { cluster: masters, credentials, tls, mapHost } = options
  const given = { ...(credentials && { credentials }), ...(tls && { tls }), ...(mapHost && { mapHost }) }
  // Made once here, so that a wrong address is an error before anything starts.
  let first: MesosDriver | undefined = createMesosDriver({ masters, logger, ...given })
  return () => {
    const driver = first ?? createMesosDriver({ masters, logger, ...given })
    first = undefined
    return driver
  }
}

/** NaN and infinities are out of every range: JSON would turn them into nothing at all. */
function inRange(name: string, value: number, min: number, max: number): number {
  if (value >= min && value <= max) return value
  throw new SdkError('ERR_INVALID_OPTION', `${name} must be between ${min} and ${max} (got ${value})`)
}

async function defaultLogger(): Promise<Logger> {
  const { pino } = await import('pino')
  // Narrowed first: pino's own type admits any property, and so looks like a promise.
  const logger: Logger = pino()
  return logger
}

/** Says what has changed: to the log, and to whoever listens. */
function tell(
  before: State,
  { state, decisions }: StepResult,
  told: Map<string, string>,
  events: EventEmitter<SchedulerEvents>,
  logger: Logger,
): void {
  // A refusal stores nothing.
  const rejected = state.volatile.rejected
  if (rejected !== undefined && before.volatile.rejected !== rejected) {
    logger.error(
      { target: rejected.targetId, codes: rejected.reasons.map(({ code }) => code) },
      `the new spec was refused, the old target stays in force: ${rejected.reasons.map(refusalText).join('; ')}`,
    )
  }
  if (decisions.length === 0) return
  for (const [name, record] of state.records.tasks) {
    if (before.records.tasks.get(name)?.value === record.value) continue
    const { lastReason, lastMessage, launch } = record.context
    logger.info(
      {
        task: name,
        state: record.value,
        taskId: launch?.taskId,
        agent: launch?.agentId,
        reason: lastReason,
        message: lastMessage,
      },
      `task ${name} is ${record.value}`,
    )
    events.emit('taskStateChanged', { task: name, state: record.value })
  }
  for (const plan of serviceStatus(state)?.plans ?? []) {
    if (told.get(plan.name) === plan.status) continue
    told.set(plan.name, plan.status)
    logger.info({ plan: plan.name, status: plan.status, reason: plan.reason }, `plan ${plan.name} is ${plan.status}`)
    events.emit('planChanged', { plan: plan.name, status: plan.status })
  }
}
