/**
 * Subscribes, follows the stream to its end, pauses, and begins again. The pauses grow with failures and shrink only after a
 * stream that lived; it stops where trying again would be wrong. Source: Mesos v1 scheduler HTTP API, "Disconnections".
 */
import { isSdkError, SdkError } from '../errors.js'
import type { MesosDriverHandlers } from '../ports/mesos-driver.js'
import type { DriverEvent } from '../scheduler/events.js'
import type { DriverSettings } from './driver-options.js'
import { orderCandidates } from './leader.js'
import { retryDelayMs, type RetryKind } from './retry-delay.js'
import { openSession, type Session, type SessionEnd } from './session.js'
import { describeRound, isRefusedByLeader } from './subscribe-problems.js'
import { subscribeToAny, type OpenStream, type SubscribeOutcome, type SubscribeProblem } from './subscribe.js'
import { createTroubleReporter } from './trouble.js'
import { pause } from './waiting.js'

/** A stream that lived for so many heartbeats proves that the cluster is well again. */
const provenHeartbeats = 2
/** The same, for a master that announces no heartbeats. */
const provenMs = 30_000
/** Credentials are asked for anew in every round; refused in so many rounds in a row, they are wrong. */
const credentialRounds = 2

export interface SubscriptionLoop {
  /** Resolves when the loop has stopped, whoever stopped it. */
  readonly finished: Promise<void>
  /** The present subscription, if there is one. */
  session(): Session | undefined
  isStopped(): boolean
  /** Ends the subscription and tells nothing more to the handlers. */
  stop(): void
}

/** What to do after an attempt: wait that long and try again, or nothing more. */
type Next = { readonly delayMs: number } | 'stop'

export function startSubscriptionLoop(settings: DriverSettings, handlers: MesosDriverHandlers): SubscriptionLoop {
  const stopping = new AbortController()
  const { signal } = stopping
  const trouble = createTroubleReporter(handlers.onTrouble, settings.now)
  let session: Session | undefined
  let lastLeader: URL | undefined
  let failures = 0
  let roundsRefused = 0

  const pauseFor = (kind: RetryKind): { readonly delayMs: number } => {
    const delayMs = retryDelayMs(kind, failures, settings.backoff, settings.random)
    failures += 1
    return { delayMs }
  }

  const emit = (event: DriverEvent): void => {
    if (signal.aborted) return
    try {
      handlers.onEvent(event)
    } catch (cause) {
      trouble.report(`event:${event.type}`, new SdkError('ERR_INVARIANT', `taking an event failed (${event.type})`, { cause }))
    }
  }

  const followStream = async (stream: OpenStream): Promise<Next> => {
    const opened = openSession({
      ...settings,
      stream,
      onEvent: emit,
      onTrouble: (cause, error) => trouble.report(cause, error),
      onIgnored: (type) => settings.logger?.debug({ type }, 'an event was ignored'),
    })
    session = opened
    const end = await opened.done
    session = undefined
    settings.logger?.info({ master: stream.url.origin, reason: end.reason }, 'the subscription is over')
    return end.next === 'never' ? 'stop' : afterStream(end, stream.url)
  }

  const afterStream = (end: SessionEnd, url: URL): Next => {
    roundsRefused = 0
    if (end.subscribedForMs === undefined) {
      lastLeader = undefined
      const message = `the Mesos master at ${url.origin} answered, but gave no subscription: ${end.reason}`
      trouble.report(`subscribe:${message}`, new SdkError('ERR_MASTER_UNREACHABLE', message, { retryable: true }))
    } else {
      lastLeader = url
      trouble.settle('subscribe:')
      const proven = end.heartbeatMs === undefined ? provenMs : end.heartbeatMs * provenHeartbeats
      if (end.subscribedForMs >= proven) failures = 0
    }
    return pauseFor(end.next === 'late' ? 'late' : 'normal')
  }

  const afterFailedRound = (problems: readonly SubscribeProblem[]): Next => {
    // After a failure the leader is as likely to be anywhere as where it was.
    lastLeader = undefined
    roundsRefused = isRefusedByLeader(problems) ? roundsRefused + 1 : 0
    const { kind, code, cause, message, advice } = describeRound(problems)
    if (kind === 'refused' || roundsRefused >= credentialRounds) {
      emit({ type: 'frameworkErrorReceived', kind: 'refused', message: `${message}; ${advice}`, atMs: settings.now() })
      return 'stop'
    }
    const next = pauseFor(kind)
    const text = `${message}; trying again in ${inSeconds(next.delayMs)} s; ${advice}`
    trouble.report(`subscribe:${cause}`, new SdkError(code, text, { retryable: true, details: { problems: cause } }))
    return next
  }

  const afterNotPrepared = (error: unknown): Next => {
    const known = error instanceof Error ? error : new SdkError('ERR_INVARIANT', `beforeSubscribe failed: ${String(error)}`)
    const cause = `subscribe:prepare:${known.message}`
    if (!isSdkError(error) || !error.retryable) {
      trouble.report(cause, known)
      return 'stop'
    }
    const next = pauseFor('normal')
    const { code, message, details } = error
    const text = `${message}; trying again in ${inSeconds(next.delayMs)} s`
    trouble.report(cause, new SdkError(code, text, { retryable: true, details, cause: error.cause }))
    return next
  }

  const after = async (outcome: SubscribeOutcome): Promise<Next> => {
    if (outcome.type === 'stopped') return 'stop'
    if (outcome.type === 'open') return followStream(outcome.stream)
    return outcome.type === 'failed' ? afterFailedRound(outcome.problems) : afterNotPrepared(outcome.error)
  }

  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      const outcome = await subscribeToAny({
        ...settings,
        candidates: orderCandidates(settings.masters, lastLeader, settings.random),
        prepare: () => handlers.beforeSubscribe(),
        signal,
      })
      const next = await after(outcome)
      if (next === 'stop') stopping.abort()
      else await pause(next.delayMs, signal)
    }
  }

  const finished = run().catch((cause: unknown) => {
    stopping.abort()
    handlers.onTrouble(new SdkError('ERR_INVARIANT', 'the driver has stopped because of a fault of its own', { cause }))
  })
  return {
    finished,
    session: () => session,
    isStopped: () => signal.aborted,
    stop: () => {
      stopping.abort()
      session?.close()
    },
  }
}

const inSeconds = (milliseconds: number): number => Math.max(1, Math.round(milliseconds / 1000))
