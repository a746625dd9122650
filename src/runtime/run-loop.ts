/**
 * The shell around the core, for one session with the store: take what is queued, step, make it durable, then execute. Nothing
 * is decided here. Guarantees: no call, ack or job leaves before the decisions behind it are durable; after SUBSCRIBED a fenced
 * write comes before the first call of that stream.
 */
import { SdkError } from '../errors.js'
import type { StreamId } from '../ids.js'
import type { Clock } from '../ports/clock.js'
import type { MesosDriver } from '../ports/mesos-driver.js'
import type { StoreLimits, StoreSession, Write } from '../ports/state-store.js'
import type { Decision, StepResult } from '../scheduler/draft.js'
import type { Env } from '../scheduler/env.js'
import type { DriverEvent, Event } from '../scheduler/events.js'
import type { Job } from '../scheduler/output.js'
import type { State } from '../scheduler/state.js'
import { step } from '../scheduler/step.js'

/** A store that is away must not keep a program from ending: what it has not stored by then was never decided. */
const stopLimitMs = 3_000
/** Events that may queue while the store is away; beyond, the connection is given up and everything is asked for again. */
const maxQueuedEvents = 20_000

export interface RunLoopParts {
  readonly session: StoreSession
  readonly driver: MesosDriver
  readonly env: Env
  readonly clock: Clock
  readonly runJob: (job: Job) => void
  /** Told after every step that was made durable. */
  readonly onStep: (before: State, result: StepResult) => void
  /** A fault that the loop cannot go on from; told once. */
  readonly onFatal: (error: unknown) => void
  /** More events have queued than may; the caller subscribes anew. */
  readonly onOverflow: () => void
}

export interface RunLoop {
  readonly state: () => State
  push(event: Event): void
  /** Resolves when the event has been decided on and that is durable. */
  submit(event: Event): Promise<void>
  /** Takes no further event; resolves when the step in hand is done, or when the store keeps it waiting for too long. */
  stop(): Promise<void>
}

interface Queued {
  readonly event: Event
  readonly done?: () => void
  readonly failed?: (error: SdkError) => void
}

export function createRunLoop(initial: State, parts: RunLoopParts): RunLoop {
  let state = initial
  let queue: Queued[] = []
  let inHand: readonly Queued[] = []
  let stopped = false
  let storeAvailable = true
  /** The stream that the queued events belong to; the state follows when they are decided on. */
  let streamId: StreamId | undefined
  let pumping: Promise<void> | undefined
  parts.session.onAvailability((available) => {
    storeAvailable = available
  })

  const pump = async (): Promise<void> => {
    while (queue.length > 0 && !stopped) {
      inHand = queue
      queue = []
      const before = state
      const result = step(
        state,
        inHand.map((queued) => queued.event),
        parts.env,
      )
      // Proof, younger than this stream, that nobody has taken over: the write before SUBSCRIBE is older, and a process that
      // stood still since then may have been deposed. Whoever is deposed after this write loses the stream to the next leader's
      // SUBSCRIBE, so that its calls are refused; no other case is left.
      const mustFence = inHand.some(({ event }) => event.type === 'subscribed')
      await store(parts.session, result.decisions, mustFence)
      state = result.state
      execute(parts, result)
      parts.onStep(before, result)
      for (const { done } of inHand) done?.()
      inHand = []
    }
  }

  const giveUp = (): void => {
    for (const { failed } of [...inHand, ...queue]) failed?.(notDecided())
    inHand = []
    queue = []
  }

  const start = (): void => {
    if (pumping !== undefined || stopped) return
    // Begins in a later microtask, so that what arrives together is decided together.
    pumping = Promise.resolve()
      .then(pump)
      .catch((error: unknown) => {
        stopped = true
        giveUp()
        parts.onFatal(error)
      })
      .finally(() => {
        pumping = undefined
        if (queue.length > 0) start()
      })
  }

  const enqueue = (queued: Queued): void => {
    const { event } = queued
    if (stopped) return queued.failed?.(notDecided())
    if (event.type === 'subscribed') ({ streamId } = event)
    const decided = state.volatile.stream?.id
    if (!storeAvailable && event.type === 'offersReceived' && decided !== undefined && decided === streamId) {
      return declineUnseen(parts.driver, decided, event)
    }
    // One tick says as much as many, and a store that is away for hours must not fill the queue with them.
    if (event.type === 'ticked' && queue.some((other) => other.event.type === 'ticked')) return
    queue.push(queued)
    if (queue.length > maxQueuedEvents) {
      giveUp()
      parts.onOverflow()
      return
    }
    start()
  }

  return {
    state: () => state,
    push: (event) => enqueue({ event }),
    submit: (event) => new Promise((resolve, reject) => enqueue({ event, done: resolve, failed: reject })),
    async stop() {
      stopped = true
      if (pumping !== undefined) await atMost(parts.clock, stopLimitMs, pumping)
      giveUp()
    },
  }
}

/** Resolves with what is waited for, or without it when the time is over. */
async function atMost(clock: Clock, ms: number, waitedFor: Promise<void>): Promise<void> {
  let cancel: (() => void) | undefined
  const limit = new Promise<void>((resolve) => (cancel = clock.after(ms, resolve)))
  await Promise.race([waitedFor, limit])
  cancel?.()
}

const notDecided = (): SdkError =>
  new SdkError('ERR_STORE_SESSION_LOST', 'the scheduler stopped or lost its store before this was decided; look and ask again', {
    retryable: true,
  })

/** Pipelined: the session chains the batches, so none can stand without those before it. */
async function store(session: StoreSession, decisions: readonly Decision[], mustFence: boolean): Promise<void> {
  const batches = batchDecisions(decisions, session.limits)
  if (batches.length === 0 && mustFence) batches.push([])
  await Promise.all(batches.map((writes) => session.commit(writes)))
}

/** Whole decisions, as many as a transaction takes. A key written twice in a batch keeps its last value. */
export function batchDecisions(decisions: readonly Decision[], limits: StoreLimits): Write[][] {
  const batches: Map<string, Write>[] = []
  let bytes = 0
  for (const decision of decisions) {
    const size = decision.reduce((sum, write) => sum + bytesOf(write, limits), 0)
    let open = batches.at(-1)
    if (open === undefined || bytes + size > limits.batchBytes) {
      open = new Map()
      batches.push(open)
      bytes = 0
    }
    for (const write of decision) open.set(write.key, write)
    bytes += size
  }
  return batches.map((writes) => [...writes.values()])
}

const bytesOf = ({ key, value }: Write, limits: StoreLimits): number =>
  key.length + limits.writeOverheadBytes + (value === null ? 0 : Buffer.byteLength(value))

function execute({ driver, runJob }: RunLoopParts, result: StepResult): void {
  for (const outgoing of result.calls) void driver.send(outgoing)
  for (const outgoing of result.acks) void driver.send(outgoing)
  for (const job of result.jobs) runJob(job)
}

/** While nothing can be stored nothing can be decided; offers go back, so that others can use the resources. */
function declineUnseen(driver: MesosDriver, streamId: StreamId, event: DriverEvent & { type: 'offersReceived' }): void {
  const offerIds = event.offers.map((offer) => offer.id)
  void driver.send({ streamId, call: { type: 'decline', offerIds, refuseSeconds: 5 } })
}
