/**
 * The life of one task as a transition table: flat, without invoke, spawn or delays, and used through `transition` only.
 * It holds what ends a task and what does not: FINISHED, FAILED, KILLED and GONE end it; ERROR and DROPPED only when no
 * executor was ever heard of (otherwise they speak of another launch under the same id); LOST, UNKNOWN, UNREACHABLE and
 * GONE_BY_OPERATOR end nothing, the process may still live. Source: Mesos v1 TaskState with PARTITION_AWARE. Pure.
 */
import { assign, setup } from 'xstate'
import { mesosTaskStates, type MesosTaskState } from './task-events.js'
import type { TaskContext, TaskLaunch, TaskOutcome } from './task-record.js'

/** A status as the machine wants it; `type` is the Mesos state. */
export interface StatusEvent {
  readonly type: MesosTaskState
  readonly atMs: number
  /** The readiness check has succeeded, or the task has none. */
  readonly ready: boolean
  /** Result of the health check, as far as there is one. */
  readonly healthy?: boolean
  readonly reason?: string
  readonly message?: string
}

export type TaskMachineEvent =
  | StatusEvent
  | { readonly type: 'launchDecided'; readonly launch: TaskLaunch }
  | { readonly type: 'killDecided'; readonly atMs: number }

const isStatus = (event: TaskMachineEvent): event is StatusEvent => event.type !== 'launchDecided' && event.type !== 'killDecided'

/** Forgets the last launch but for what outlives it. `assign` merges, so what is forgotten must be named. */
const begin = (context: TaskContext, launch: TaskLaunch): TaskContext => ({
  launch,
  seen: false,
  ready: false,
  readyAtMs: undefined,
  unhealthy: undefined,
  killAtMs: undefined,
  endedAtMs: undefined,
  outcome: undefined,
  lastState: undefined,
  lastReason: undefined,
  lastMessage: undefined,
  finishedHash: context.finishedHash,
})

/** Notes the status; readiness latches for the life of the launch, health is as the last status that speaks of it says. */
function note(context: TaskContext, event: TaskMachineEvent): TaskContext {
  if (!isStatus(event)) return context
  const becomesReady = event.ready && !context.ready && event.type === 'RUNNING'
  return {
    ...context,
    lastState: event.type,
    lastReason: event.reason,
    lastMessage: event.message,
    seen: context.seen || event.type === 'STARTING' || event.type === 'RUNNING' || event.type === 'KILLING',
    ...(becomesReady ? { ready: true, readyAtMs: event.atMs } : {}),
    ...(event.healthy === undefined ? {} : { unhealthy: event.healthy ? undefined : true }),
  }
}

function end(context: TaskContext, event: TaskMachineEvent, outcome: TaskOutcome): TaskContext {
  if (!isStatus(event)) return context
  const noted = note(context, event)
  return {
    ...noted,
    ready: false,
    endedAtMs: event.atMs,
    outcome,
    ...(outcome === 'finished' && context.launch !== undefined ? { finishedHash: context.launch.taskHash } : {}),
  }
}

interface MachineTypes {
  readonly context: TaskContext
  readonly events: TaskMachineEvent
  readonly input: TaskContext
}

const machineSetup = setup({
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-assertion -- the machine's types are inferred from it
  types: {} as MachineTypes,
  guards: {
    neverSeen: ({ context }) => !context.seen,
    isBeingKilled: ({ context }) => context.killAtMs !== undefined,
  },
  actions: {
    begin: assign(({ context, event }) => (event.type === 'launchDecided' ? begin(context, event.launch) : context)),
    note: assign(({ context, event }) => note(context, event)),
    decideKill: assign(({ context, event }) =>
      event.type === 'killDecided' ? { ...context, killAtMs: context.killAtMs ?? event.atMs } : context,
    ),
    endFinished: assign(({ context, event }) => end(context, event, 'finished')),
    endFailed: assign(({ context, event }) => end(context, event, 'failed')),
    endKilled: assign(({ context, event }) => end(context, event, 'killed')),
    endGone: assign(({ context, event }) => end(context, event, context.seen ? 'gone' : 'neverRan')),
    endNeverRan: assign(({ context, event }) => end(context, event, 'neverRan')),
  },
})

/** What ends a task, in every state in which it may be alive. */
const endings = {
  FINISHED: { target: 'ended', actions: 'endFinished' },
  FAILED: { target: 'ended', actions: 'endFailed' },
  KILLED: { target: 'ended', actions: 'endKilled' },
  GONE: { target: 'ended', actions: 'endGone' },
  ERROR: [{ guard: 'neverSeen', target: 'ended', actions: 'endNeverRan' }, { actions: 'note' }],
  DROPPED: [{ guard: 'neverSeen', target: 'ended', actions: 'endNeverRan' }, { actions: 'note' }],
} as const

/** What makes it uncertain whether the task lives. */
const losses = {
  LOST: { target: 'unreachable', actions: 'note' },
  UNREACHABLE: { target: 'unreachable', actions: 'note' },
  UNKNOWN: { target: 'unreachable', actions: 'note' },
  GONE_BY_OPERATOR: { target: 'unreachable', actions: 'note' },
} as const

const kill = { killDecided: { target: 'killing', actions: 'decideKill' } } as const
/** What a state has no use for, said so that nothing is left out by oversight. A task that may be alive is never launched again. */
const ignoresLaunch = { meta: { ignores: ['launchDecided'] } } as const
/** Of a task without a process a status is news from the past, and there is nothing to kill. */
const ignoresNews = { meta: { ignores: [...mesosTaskStates, 'killDecided'] } } as const

const launch = { launchDecided: { target: 'launching', actions: 'begin' } } as const

export const taskMachine = machineSetup.createMachine({
  id: 'task',
  initial: 'idle',
  context: ({ input }) => input,
  states: {
    idle: { ...ignoresNews, on: { ...launch } },
    launching: {
      ...ignoresLaunch,
      on: {
        ...endings,
        ...losses,
        ...kill,
        STAGING: { actions: 'note' },
        STARTING: { target: 'starting', actions: 'note' },
        RUNNING: { target: 'running', actions: 'note' },
        KILLING: { target: 'killing', actions: 'note' },
      },
    },
    starting: {
      ...ignoresLaunch,
      on: {
        ...endings,
        ...losses,
        ...kill,
        STAGING: { actions: 'note' },
        STARTING: { actions: 'note' },
        RUNNING: { target: 'running', actions: 'note' },
        KILLING: { target: 'killing', actions: 'note' },
      },
    },
    running: {
      ...ignoresLaunch,
      on: {
        ...endings,
        ...losses,
        ...kill,
        // A reconciliation may tell an older state than the one already known.
        STAGING: { actions: 'note' },
        STARTING: { actions: 'note' },
        RUNNING: { actions: 'note' },
        KILLING: { target: 'killing', actions: 'note' },
      },
    },
    killing: {
      ...ignoresLaunch,
      on: {
        ...endings,
        ...losses,
        ...kill,
        STAGING: { actions: 'note' },
        STARTING: { actions: 'note' },
        RUNNING: { actions: 'note' },
        KILLING: { actions: 'note' },
      },
    },
    unreachable: {
      ...ignoresLaunch,
      on: {
        ...endings,
        LOST: { actions: 'note' },
        UNREACHABLE: { actions: 'note' },
        UNKNOWN: { actions: 'note' },
        GONE_BY_OPERATOR: { actions: 'note' },
        killDecided: { actions: 'decideKill' },
        STAGING: [
          { guard: 'isBeingKilled', target: 'killing', actions: 'note' },
          { target: 'launching', actions: 'note' },
        ],
        STARTING: [
          { guard: 'isBeingKilled', target: 'killing', actions: 'note' },
          { target: 'starting', actions: 'note' },
        ],
        RUNNING: [
          { guard: 'isBeingKilled', target: 'killing', actions: 'note' },
          { target: 'running', actions: 'note' },
        ],
        KILLING: { target: 'killing', actions: 'note' },
      },
    },
    // A launch that has ended stays ended, whatever a late reconciliation says; only a new launch leaves this state.
    ended: { ...ignoresNews, on: { ...launch } },
  },
})
