/**
 * One scheduler from start to stop: holds the store's session, the driver and the loop together, and begins anew with a fresh
 * session, state and stream when one of them is lost. It decides only what concerns its own life: go on, begin anew, or stop.
 */
import { isSdkError, SdkError } from '../errors.js'
import type { FrameworkId } from '../ids.js'
import type { Clock } from '../ports/clock.js'
import type { Logger } from '../ports/logger.js'
import type { FrameworkInfo, MesosDriver, MesosDriverHandlers } from '../ports/mesos-driver.js'
import type { Leadership, ServiceApi } from '../ports/service-api.js'
import type { OperatorApi } from '../ports/operator-api.js'
import type { StateStore, StoreSession } from '../ports/state-store.js'
import type { StepResult } from '../scheduler/draft.js'
import type { Env } from '../scheduler/env.js'
import type { DriverEvent } from '../scheduler/events.js'
import { podHistory, serviceStatus } from '../scheduler/report.js'
import { newState } from '../scheduler/open-instances.js'
import type { State } from '../scheduler/state.js'
import { parseRecords } from '../scheduler/stored-records.js'
import { principalOf, roleOf } from '../spec/check-update.js'
import type { ServiceSpec } from '../spec/schema.js'
import { createFoundingGuard } from './founding.js'
import type { Hooks } from './hooks.js'
import { createJobRunner } from './jobs.js'
import { openSession } from './open-session.js'
import { createRunLoop, type RunLoop } from './run-loop.js'
import { createTakenStream, type TakenStream } from './taken-stream.js'

export interface SchedulerParts {
  readonly spec: ServiceSpec
  readonly hooks: Hooks
  readonly store: StateStore
  /** A fresh driver for every session with the store. */
  readonly newDriver: () => MesosDriver
  /** Asked before the very first subscription, so that no service is founded twice. Absent: not asked, for test kits. */
  readonly operatorApi?: OperatorApi
  /** The operator says that the service is new. @defaultValue false */
  readonly foundNew?: boolean
  readonly env: Env
  readonly clock: Clock
  readonly logger: Logger
  /** Shown to whoever finds the lock taken. */
  readonly holder: string
  /** How long to wait for a lock that another holds. `Infinity` makes this scheduler a standby. */
  readonly lockWaitMs: number
  /** Between two ticks: back-off and gates are looked at this often. */
  readonly tickMs: number
  readonly failoverTimeoutMs: number
  readonly webUiUrl: () => string | undefined
  readonly onStep: (before: State, result: StepResult) => void
  readonly onLeadership?: (leadership: Leadership) => void
}

export interface SchedulerProcess extends ServiceApi {
  /** Runs until `stop`. @throws SdkError when going on would be wrong: deposed, removed, refused, unreadable state. */
  readonly run: () => Promise<void>
  readonly stop: () => void
}

/** How one session ended. */
type Ending =
  | { readonly kind: 'stopped' }
  | { readonly kind: 'again'; readonly reason: string }
  | { readonly kind: 'fatal'; readonly error: unknown }

export function createSchedulerProcess(parts: SchedulerParts): SchedulerProcess {
  const stopping = new AbortController()
  let loop: RunLoop | undefined
  let leadership: Leadership = { role: 'opening', sinceMs: parts.clock.now() }

  const enter = (next: Omit<Leadership, 'sinceMs'>): void => {
    leadership = { ...next, sinceMs: parts.clock.now() }
    tellSafely(parts.logger, () => parts.onLeadership?.(leadership))
  }

  const run = (): Promise<void> => leadAgainAndAgain().finally(() => enter({ role: 'stopped' }))

  const leadAgainAndAgain = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const session = await open()
      if (session === undefined) return
      lead(session)
      const ending = await runSession(parts, session, stopping.signal, (next) => (loop = next))
      loop = undefined
      if (ending.kind === 'stopped') return
      if (ending.kind === 'fatal' && !mayStandBy(ending.error)) throw ending.error
      enter({ role: 'opening' })
      const reason = ending.kind === 'again' ? ending.reason : 'another scheduler has taken over this service'
      parts.logger.warn({}, `${reason}; beginning anew with the stored state`)
    }
  }

  const lead = (session: StoreSession): void => {
    const { epoch } = session
    parts.logger.info({ epoch }, `leading this service, epoch ${epoch}`)
    enter({ role: 'leader', leader: parts.holder, epoch, storeAnswers: true })
    session.onAvailability((storeAnswers) => {
      if (leadership.epoch === epoch) leadership = { ...leadership, storeAnswers }
    })
  }

  /** Deposed, one that stands by does so again: without the lock and the next epoch it can do nothing. Others end. */
  const mayStandBy = (error: unknown): boolean =>
    parts.lockWaitMs === Infinity && (isSdkError(error, 'ERR_STORE_DEPOSED') || isSdkError(error, 'ERR_FAILED_OVER'))

  const open = async (): Promise<StoreSession | undefined> => {
    try {
      return await openSession(parts.store, {
        holder: parts.holder,
        lockWaitMs: parts.lockWaitMs,
        onWaiting: (leader) => enter(leader === undefined ? { role: 'opening' } : { role: 'standby', leader }),
        logger: parts.logger,
        clock: parts.clock,
        signal: stopping.signal,
      })
    } catch (error) {
      if (stopping.signal.aborted) return undefined
      throw error
    }
  }

  return {
    run,
    stop: () => stopping.abort(),
    leadership: () => leadership,
    status: () => (loop === undefined ? undefined : serviceStatus(loop.state())),
    history: (pod) => (loop === undefined ? undefined : podHistory(loop.state(), pod)),
    async command(command) {
      if (loop === undefined)
        throw new SdkError('ERR_STORE_SESSION_LOST', 'this scheduler does not lead; ask again', { retryable: true })
      await loop.submit({ type: 'commandReceived', command, atMs: parts.clock.now() })
    },
  }
}

/** Resolves when the session, the stream or the program is over; everything of it is closed by then. */
async function runSession(
  parts: SchedulerParts,
  session: StoreSession,
  stopSignal: AbortSignal,
  onLoop: (loop: RunLoop) => void,
): Promise<Ending> {
  const cleanUp: (() => void | Promise<void>)[] = [() => session.close()]
  try {
    const initial = newState(parseRecords(session.records))
    // Known before it is stored: a second SUBSCRIBE in between must not found a second framework.
    let assigned: FrameworkId | undefined
    const founding = createFoundingGuard(parts)
    return await new Promise<Ending>((end) => {
      const driver = parts.newDriver()
      const runner = createJobRunner(parts.hooks, parts.clock, ({ runId, attempt }, outcome) =>
        loop.push({ type: 'jobFinished', runId, attempt, outcome, atMs: parts.clock.now() }),
      )
      const loop = createRunLoop(initial, {
        session,
        driver,
        env: parts.env,
        clock: parts.clock,
        runJob: runner.run,
        onStep: (before, result) => tellSafely(parts.logger, () => parts.onStep(before, result)),
        onFatal: (error) => end(endingOf(error)),
        onOverflow: () => end({ kind: 'again', reason: 'too many events have queued while the store was away' }),
      })
      let cancelTick: () => void
      const tick = () => {
        cancelTick = parts.clock.after(parts.tickMs, tick)
        loop.push({ type: 'ticked', atMs: parts.clock.now() })
      }
      cancelTick = parts.clock.after(parts.tickMs, tick)
      const onStop = () => end({ kind: 'stopped' })
      // In this order at the end: nothing new comes in, the step in hand is made durable and sent (unless the store keeps it waiting), then the stream ends.
      cleanUp.unshift(
        () => cancelTick(),
        () => runner.close(),
        () => loop.stop(),
        () => driver.close(),
      )
      cleanUp.push(() => stopSignal.removeEventListener('abort', onStop))
      stopSignal.addEventListener('abort', onStop, { once: true })
      if (stopSignal.aborted) onStop()
      void session.ended.then((reason) => end(sessionEnding(reason)))
      onLoop(loop)
      loop.push({ type: 'targetSubmitted', spec: parts.spec, atMs: parts.clock.now() })
      const endUnlessRetryable = (error: unknown): never => {
        if (!isSdkError(error) || !error.retryable) end({ kind: 'fatal', error })
        throw error
      }
      const handlers: MesosDriverHandlers = {
        // A SUBSCRIBE takes the stream from whoever has it, so only a proven leader may send one. What this write cannot prove
        // is the moment in which SUBSCRIBE is sent: a process that stands still in between, and is deposed, breaks its
        // successor's stream once. The write that the loop makes after SUBSCRIBED keeps it from doing anything with it.
        beforeSubscribe: async () => {
          const isKnown = (loop.state().records.service?.frameworkId ?? assigned) !== undefined
          if (!isKnown) assigned = await founding.pass(loop).catch(endUnlessRetryable)
          await session.commit([])
          return frameworkInfo(parts, loop.state(), assigned)
        },
        onEvent: (event) => {
          if (event.type === 'subscribed') {
            if (initial.records.service?.frameworkId === undefined && assigned === undefined)
              void founding.confirm(event.frameworkId)
            assigned = event.frameworkId
          }
          onDriverEvent(event, loop, taken, end)
        },
        onTrouble: (error) => {
          parts.logger.warn({ code: isSdkError(error) ? error.code : undefined }, error.message)
          // The driver has stopped by a fault of its own: without it nothing would ever move again.
          if (isSdkError(error, 'ERR_INVARIANT')) end({ kind: 'fatal', error })
        },
      }
      const taken = createTakenStream({
        session,
        clock: parts.clock,
        logger: parts.logger,
        subscribeAgain: () => driver.start(handlers),
        onUnproved: (cause) => end(unprovedEnding(cause)),
      })
      cleanUp.unshift(() => taken.close())
      driver.start(handlers)
    })
  } catch (error) {
    return endingOf(error)
  } finally {
    for (const close of cleanUp) await close()
  }
}

/** What the host program does with news is its own matter: nothing it throws stops the service. */
function tellSafely(logger: Logger, tell: () => void): void {
  try {
    tell()
  } catch (error) {
    logger.error({}, `a listener of the host program failed: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function frameworkInfo(parts: SchedulerParts, { records }: State, assigned: FrameworkId | undefined): FrameworkInfo {
  const { service, targets } = records
  // A spec that was refused changes nothing: least of all the role, under which everything is reserved.
  const spec = (service === undefined ? undefined : targets.get(service.targetId)?.spec) ?? parts.spec
  const id = service?.frameworkId ?? assigned
  const webUiUrl = spec.webUrl ?? parts.webUiUrl()
  return {
    ...(id === undefined ? {} : { id }),
    name: spec.name,
    role: roleOf(spec),
    principal: service?.principal ?? principalOf(spec),
    user: service?.user ?? spec.user,
    failoverTimeoutMs: parts.failoverTimeoutMs,
    ...(webUiUrl === undefined ? {} : { webUiUrl }),
  }
}

function onDriverEvent(event: DriverEvent, loop: RunLoop, taken: TakenStream, end: (ending: Ending) => void): void {
  if (event.type !== 'frameworkErrorReceived') return loop.push(event)
  switch (event.kind) {
    case 'failedOver':
      loop.push({ type: 'disconnected', reason: event.message, atMs: event.atMs })
      return taken.onTaken()
    case 'removed':
      return end({
        kind: 'fatal',
        error: new SdkError(
          'ERR_FRAMEWORK_REMOVED',
          `the master has removed this framework (${event.message}); its reservations and volumes still exist. An operator must decide: starting under a new id would orphan them`,
        ),
      })
    case 'refused':
      return end({
        kind: 'fatal',
        error: new SdkError('ERR_MASTER_REFUSED', `the master refused the subscription: ${event.message}`),
      })
    case 'other':
      return loop.push(event)
  }
}

/** If the session was lost meanwhile, nothing is proved: a new one shows by its lock who leads. */
const unprovedEnding = (cause: unknown): Ending =>
  isSdkError(cause, 'ERR_STORE_SESSION_LOST')
    ? { kind: 'again', reason: 'another scheduler took the stream, and the session with the store is over' }
    : {
        kind: 'fatal',
        error: new SdkError(
          'ERR_FAILED_OVER',
          'another scheduler has taken over this service (framework failed over); this one stops',
          { cause },
        ),
      }

function sessionEnding(reason: 'closed' | 'lost' | 'deposed'): Ending {
  if (reason === 'closed') return { kind: 'stopped' }
  if (reason === 'lost') return { kind: 'again', reason: 'the session with the store is over' }
  return {
    kind: 'fatal',
    error: new SdkError('ERR_STORE_DEPOSED', 'another scheduler of this service has taken over; this one stops'),
  }
}

/** A lost session is begun anew; everything else stops the program with its reason. */
const endingOf = (error: unknown): Ending =>
  isSdkError(error, 'ERR_STORE_SESSION_LOST') ? { kind: 'again', reason: error.message } : { kind: 'fatal', error }
