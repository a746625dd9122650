/**
 * The driver for Apache Mesos: looks for the leader, subscribes, and does so again after every interruption, for ever, until
 * it is closed or the master says that trying again is wrong. It decides nothing about tasks or offers. Order: `beforeSubscribe`
 * before every SUBSCRIBE; events in the order of the stream; calls in the order given, on the stream they were decided on.
 * Source: Mesos v1 scheduler HTTP API.
 */
import { invariant, isSdkError, SdkError } from '../errors.js'
import type { MesosDriver, MesosDriverHandlers } from '../ports/mesos-driver.js'
import type { DriverEvent } from '../scheduler/events.js'
import { readDriverOptions, type MesosDriverOptions } from './driver-options.js'
import { orderCandidates } from './leader.js'
import { retryDelayMs, type RetryKind } from './retry-delay.js'
import { openSession, type Session, type SessionEnd } from './session.js'
import { subscribeToAny, type OpenStream, type SubscribeProblem } from './subscribe.js'
import { createTroubleReporter } from './trouble.js'
import { describeRound, isFinalRefusal } from './subscribe-problems.js'

export type { MesosDriverOptions } from './driver-options.js'

/** A stream that lived for so many heartbeats proves that the cluster is well again, and the pauses start small again. */
const provenHeartbeats = 2
/** The same, for a master that announces no heartbeats. */
const provenMs = 30_000
/** Credentials are asked for anew in every round; when they were refused in so many rounds in a row, they are wrong. */
const credentialRounds = 2

/** @throws SdkError `ERR_INVALID_OPTION`. Connects only when started. */
export function createMesosDriver(options: MesosDriverOptions): MesosDriver {
  const settings = readDriverOptions(options)
  let session: Session | undefined
  let running: { readonly stop: AbortController; readonly finished: Promise<void> } | undefined

  return {
    start(handlers) {
      invariant(running === undefined || running.stop.signal.aborted, 'a driver is started once, and again only after it has stopped')
      const stop = new AbortController()
      const finished = run(handlers, stop).catch((cause: unknown) => {
        stop.abort()
        handlers.onTrouble(new SdkError('ERR_INVARIANT', 'the driver has stopped because of a fault of its own', { cause }))
      })
      running = { stop, finished }
    },

    async send({ streamId, call }) {
      const current = session
      if (current === undefined || !current.isSubscribed() || current.streamId !== streamId) {
        settings.logger?.debug({ call: call.type, streamId }, 'a call of an earlier stream was dropped')
        return
      }
      await current.send(call)
    },

    async close() {
      running?.stop.abort()
      session?.close()
      await running?.finished
    },
  }

  async function run(handlers: MesosDriverHandlers, stop: AbortController): Promise<void> {
    const { signal } = stop
    const trouble = createTroubleReporter(handlers.onTrouble, settings.now)
    let lastLeader: URL | undefined
    let failures = 0
    let roundsRefused = 0

    const emit = (event: DriverEvent): void => {
      if (signal.aborted) return
      if (event.type === 'subscribed') trouble.settle('subscribe:')
      try {
        handlers.onEvent(event)
      } catch (cause) {
        trouble.report(`event:${event.type}`, new SdkError('ERR_INVARIANT', `an event (${event.type}) could not be taken`, { cause }))
      }
    }

    const follow = async (stream: OpenStream): Promise<SessionEnd> => {
      session = openSession({
        ...settings,
        stream,
        onEvent: emit,
        onTrouble: (cause, error) => trouble.report(cause, error),
        onIgnored: (type) => settings.logger?.debug({ type }, 'an event was ignored'),
      })
      const end = await session.done
      session = undefined
      return end
    }

    const afterSession = (end: SessionEnd, url: URL): RetryKind => {
      settings.logger?.info({ master: url.origin, reason: end.reason }, 'the subscription is over')
      const proven = end.heartbeatMs === undefined ? provenMs : end.heartbeatMs * provenHeartbeats
      if (end.subscribedForMs !== undefined && end.subscribedForMs >= proven) failures = 0
      if (end.subscribedForMs !== undefined) lastLeader = url
      else {
        const message = `the Mesos master at ${url.origin} accepted a connection but no subscription: ${end.reason}`
        trouble.report(`subscribe:${end.reason}`, new SdkError('ERR_MASTER_UNREACHABLE', message, { retryable: true }))
      }
      return end.next === 'late' ? 'late' : 'normal'
    }

    const afterFailedRound = (problems: readonly SubscribeProblem[]): RetryKind | 'never' => {
      // The next leader is more likely among all masters than where the last one was.
      lastLeader = undefined
      roundsRefused = isFinalRefusal(problems) ? roundsRefused + 1 : 0
      const { kind, cause, message, code } = describeRound(problems)
      if (kind === 'refused' || roundsRefused >= credentialRounds) {
        emit({ type: 'frameworkErrorReceived', kind: 'refused', message, atMs: settings.now() })
        return 'never'
      }
      const delayMs = retryDelayMs(kind, failures, settings.backoff, settings.random)
      pendingDelayMs = delayMs
      const seconds = Math.max(1, Math.round(delayMs / 1000))
      trouble.report(`subscribe:${cause}`, new SdkError(code, `${message}; trying again in ${seconds} s`, { retryable: true }))
      return kind
    }

    let pendingDelayMs: number | undefined
    while (!signal.aborted) {
      const outcome = await subscribeToAny({
        ...settings,
        candidates: orderCandidates(settings.masters, lastLeader, settings.random),
        prepare: () => untilAborted(handlers.beforeSubscribe(), signal),
        signal,
      })
      let next: RetryKind | 'never' = 'normal'
      if (outcome.type === 'open') {
        roundsRefused = 0
        const end = await follow(outcome.stream)
        next = end.next === 'never' ? 'never' : afterSession(end, outcome.stream.url)
      } else if (outcome.type === 'failed') next = afterFailedRound(outcome.problems)
      else if (outcome.type === 'notPrepared' && !signal.aborted) next = afterNotPrepared(outcome.error)
      if (next === 'never') stop.abort()
      if (signal.aborted) return
      await pause(pendingDelayMs ?? retryDelayMs(next as RetryKind, failures, settings.backoff, settings.random), signal)
      pendingDelayMs = undefined
      failures += 1
    }

    function afterNotPrepared(error: unknown): RetryKind | 'never' {
      const known = error instanceof Error ? error : new SdkError('ERR_INVARIANT', 'beforeSubscribe failed', { cause: error })
      trouble.report(`subscribe:prepare:${known.message}`, known)
      return isSdkError(error) && error.retryable ? 'normal' : 'never'
    }
  }
}
