/**
 * Two real schedulers of one service, and the worst moments to replace the one that leads: stopped between a commit and what
 * was to be sent, cut from ZooKeeper but not from the master, stopped between the proof that it leads and SUBSCRIBE. The
 * standby takes over and acts; then the old one wakes. The master's log of accepted calls says what it still got through.
 */
import { readFileSync } from 'node:fs'
import type { AcceptedCall } from '../../src/local-cluster/master-control.js'
import { linesOf, runningServers, serverOf, without, type Servers } from '../e2e/support/servers.js'
import { isSettled, taskOf } from '../e2e/support/status.js'
import { until } from '../e2e/support/until.js'
import { judgeTakeover, killedTasks, launchedTasks, repeated, type Evidence } from './support/evidence.js'
import type { Halt } from './support/halting-store.js'
import { startStage, type Scheduler, type Stage } from './support/stage.js'

export const description =
  'two schedulers, the leader stopped or cut off at the worst moments: it gets no call through afterwards'

type Kind = 'stopped' | 'late' | 'cut' | 'beforeSubscribe' | 'handover'

/** One replacement of the leader. */
interface Trial {
  readonly kind: Kind
  readonly name: string
  /** Brings the fault about; answers when, in epoch milliseconds. */
  readonly strike: (round: Round) => Promise<number>
  /** What the new leader is to repair before the old one wakes. @defaultValue nothing but what the fault itself did */
  readonly meanwhile?: (round: Round) => Promise<void>
  readonly heal: (round: Round) => void | Promise<void>
}

interface Round {
  readonly stage: Stage
  readonly old: Scheduler
  readonly next: Scheduler
  /** The pod that things happen to. */
  readonly pod: string
  /** Before the service was deployed there are none. */
  readonly before: Servers
  /** Tasks that may be killed. */
  readonly asked: Set<string>
}

interface Outcome extends Evidence {
  readonly kind: Kind
  readonly refused: number
  readonly problems: readonly string[]
}

const pods = ['node-0', 'node-1', 'node-2']

function crash({ stage, pod }: Round): void {
  process.kill(serverOf(runningServers(stage.cluster), pod).pid, 'SIGKILL')
}

function restart({ stage, old, pod, asked }: Round): void {
  asked.add(serverOf(runningServers(stage.cluster), pod).taskId)
  // The answer may never come: the scheduler is to stop while it decides.
  void old.program.request('POST', `/v1/pods/${pod}/restart`).catch(() => undefined)
}

const haltLines = ({ program }: Scheduler): number => program.log().filter(({ msg }) => msg.startsWith('halted at')).length

const isStopped = (pid: number): boolean => / T /.test(readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\)/, ''))

/** Resolves when the process stands still; answers since when. */
async function halted(scheduler: Scheduler, from = 0): Promise<number> {
  const line = await scheduler.program.untilLog(/^halted at/)
  await until('the process to stand still', () => haltLines(scheduler) > from && isStopped(scheduler.program.pid))
  return scheduler.program.log().findLast(({ msg }) => msg.startsWith('halted at'))?.time ?? line.time
}

/** Stops the old leader at that commit, which `provoke` brings about. */
const haltAt =
  (halt: Halt, provoke: (round: Round) => unknown) =>
  async (round: Round): Promise<number> => {
    const from = haltLines(round.old)
    round.old.program.tell(JSON.stringify(halt))
    await provoke(round)
    return halted(round.old, from)
  }

function wake({ old }: Round): void {
  old.program.thaw()
}

/**
 * Wakes it with the store out of reach, so that nothing tells it of its end before it has done what it was about to do, of
 * which that line of its log is the sign.
 */
const wakeBlind =
  (sign: string) =>
  async ({ old }: Round): Promise<void> => {
    old.toStore.hold('requests', 'replies')
    const isSeen = watchLog(old, sign)
    old.program.thaw()
    await until(`"${sign}"`, isSeen)
    old.toStore.release()
  }

const hasLostStream = 'the subscription is over'
/** Said by the store of the program, not by the product. */
const wantsToSubscribe = 'a proof is asked for'

/** Whether there have been more such lines in its log since now. */
function watchLog({ program }: Scheduler, text: string): () => boolean {
  const count = (): number => program.log().filter(({ msg }) => msg === text).length
  const before = count()
  return () => count() > before
}

const repairs = async (round: Round): Promise<void> => {
  const crashed = serverOf(runningServers(round.stage.cluster), round.pod)
  crash(round)
  await repaired(round, crashed.taskId)
}

async function repaired({ next, pod }: Round, earlierTaskId: string): Promise<void> {
  await next.program.untilStatus(`${pod} to be repaired`, (status) => {
    const task = taskOf(status, `${pod}-server`)
    return isSettled(status) && task?.taskId !== earlierTaskId
  })
}

const stoppedTrials: readonly Trial[] = [
  ...stoppedTwice('a launch is stored and not sent', at('launch', 'after'), crash),
  {
    kind: 'stopped',
    name: 'a launch is stored and not sent; its stream ends without a word; wakes blind',
    async strike(round) {
      const atMs = await haltAt(at('launch', 'after'), crash)(round)
      round.old.toMaster.cut()
      return atMs
    },
    heal: wakeBlind(wantsToSubscribe),
  },
  ...stoppedTwice('a launch is decided and not stored', at('launch', 'before'), crash),
  ...stoppedTwice('the end of a task is stored and not acknowledged', at('end', 'after'), crash),
  ...stoppedTwice('a kill is stored and not sent', at('kill', 'after'), restart),
]

function at(moment: Halt['moment'], when: Halt['when'], nth = 1): Halt {
  return { moment, when, nth }
}

/** It wakes with the store in reach, and without. */
function stoppedTwice(name: string, halt: Halt, provoke: (round: Round) => unknown): Trial[] {
  const strike = haltAt(halt, provoke)
  return [
    { kind: 'stopped', name, strike, heal: wake },
    { kind: 'stopped', name: `${name}; wakes blind`, strike, heal: wakeBlind(hasLostStream) },
  ]
}

/** What was sent in time arrives when there is a new leader: the network was slow, and the process stood still. */
const lateTrials: readonly Trial[] = [
  late('a launch', 'ACCEPT', crash),
  late('a kill', 'KILL', restart),
  late('an answer', 'ACKNOWLEDGE', crash),
]

function late(what: string, type: string, provoke: (round: Round) => void): Trial {
  return {
    kind: 'late',
    name: `${what} is sent and does not arrive until another leads`,
    async strike(round) {
      const isHeld = round.old.toMaster.holdNext(type)
      provoke(round)
      await isHeld
      round.old.program.freeze()
      return Date.now()
    },
    async heal({ old }) {
      await old.toMaster.letGo()
      old.program.thaw()
    },
  }
}

/** Each is the first deployment of a service, on a stage of its own. */
const deployTrials: readonly Trial[] = [2, 4, 7].map((nth) => ({
  kind: 'stopped',
  name: `commit ${nth} of a deployment is stored and nothing of it sent`,
  strike: haltAt(at('any', 'after', nth), openWires),
  heal: wake,
}))

function openWires({ stage }: Round): void {
  for (const { toMaster } of stage.schedulers) toMaster.open()
}

const cutTrials: readonly Trial[] = [
  cut('both ways, while nothing happens', ({ old }) => old.toStore.hold('requests', 'replies'), repairs),
  cut('both ways, then a task dies', (round) => {
    round.old.toStore.hold('requests', 'replies')
    crash(round)
  }),
  cut('both ways, just after a task died', (round) => {
    crash(round)
    round.old.toStore.hold('requests', 'replies')
  }),
  cut('requests only, then a task dies', (round) => {
    round.old.toStore.hold('requests')
    crash(round)
  }),
  cut('replies only, then a task dies', (round) => loseReplies(round, crash)),
  cut('replies only, then a restart is asked for', (round) => loseReplies(round, restart)),
]

/**
 * What is written then lands without an answer. When the old leader has left the connection, it gets no other: a network that
 * loses the answers completes no handshake.
 */
async function loseReplies(round: Round, provoke: (round: Round) => void): Promise<void> {
  const { program, toStore } = round.old
  const left = (): number => program.log().filter(({ msg }) => msg.includes('leaving this server')).length
  const before = left()
  toStore.hold('replies')
  provoke(round)
  await until('the old leader to leave the connection', () => left() > before)
  toStore.hold('requests')
}

function cut(name: string, strike: (round: Round) => unknown, meanwhile?: Trial['meanwhile']): Trial {
  return {
    kind: 'cut',
    name,
    async strike(round) {
      const atMs = Date.now()
      await strike(round)
      return atMs
    },
    ...(meanwhile === undefined ? {} : { meanwhile }),
    heal: ({ old }) => old.toStore.release(),
  }
}

const subscribeTrials: readonly Trial[] = [
  ...beforeSubscribe('between the proof and SUBSCRIBE', at('fence', 'after')),
  ...beforeSubscribe('between SUBSCRIBED and the second proof', at('fence', 'before', 2)),
  ...beforeSubscribe('between the second proof and the first call', at('fence', 'after', 2)),
]

function beforeSubscribe(name: string, halt: Halt): Trial[] {
  const strike = haltAt(halt, ({ old }) => old.toMaster.cut())
  return [
    { kind: 'beforeSubscribe', name, strike, meanwhile: repairs, heal: wake },
    { kind: 'beforeSubscribe', name: `${name}; wakes blind (1)`, strike, meanwhile: repairs, heal: wakeBlind(hasLostStream) },
    { kind: 'beforeSubscribe', name: `${name}; wakes blind (2)`, strike, meanwhile: repairs, heal: wakeBlind(hasLostStream) },
  ]
}

const handoverTrials: readonly Trial[] = [1, 2, 3].map((round) => ({
  kind: 'handover',
  name: `the leader is told to end (${round})`,
  async strike({ old }) {
    const atMs = Date.now()
    await old.program.end('SIGTERM')
    return atMs
  },
  heal: ({ stage, old }) => stage.startAgain(old),
}))

async function roundOf(stage: Stage, pod: string, asked: Set<string>): Promise<Round> {
  const [a, b] = stage.schedulers
  const [old, next] = (await a.program.leadership())?.role === 'leader' ? [a, b] : [b, a]
  await next.program.untilRole('standby')
  return { stage, old, next, pod, before: runningServers(stage.cluster), asked }
}

async function tryOut(trial: Trial, round: Round): Promise<Outcome> {
  const { stage, old, next } = round
  const from = (await stage.cluster.acceptedCalls()).length
  const urls = new Map<string, string>([[await old.program.url(), old.name]])
  urls.set(await next.program.url(), next.name)
  const atMs = await trial.strike(round)
  const { epoch } = await next.program.untilRole('leader')
  await next.program.untilStatus('the service to be well under its new leader', isSettled)
  await trial.meanwhile?.(round)
  const wokenFrom = old.toMaster.calls.length
  await trial.heal(round)
  await old.program.untilRole('standby')
  await next.program.untilStatus('the service to be well after the old leader woke', isSettled)
  // The new leader can still act, on whatever stream it has by now.
  if (trial.kind !== 'handover') await repairs(round)

  const calls = await stage.cluster.acceptedCalls()
  const evidence = judgeTakeover(calls, urls, { atMs, from, oldLeader: old.name, newLeader: next.name })
  const present = await next.program.leadership()
  const refused = old.toMaster.calls.slice(wokenFrom).filter(({ status }) => status >= 400).length
  return {
    ...evidence,
    kind: trial.kind,
    refused,
    problems: [
      ...(trial.kind === 'late' && refused === 0 ? ['what came late was not refused'] : []),
      ...(Number.isFinite(evidence.takeoverMs) ? [] : ['the new leader sent nothing']),
      ...(evidence.lateCalls.length === 0 ? [] : [`accepted from the old leader afterwards: ${evidence.lateCalls.join(', ')}`]),
      ...(evidence.lateSubscribes <= mayStillSubscribe(trial)
        ? []
        : [`the old leader subscribed ${evidence.lateSubscribes} times afterwards`]),
      ...(present?.role === 'leader' && present.epoch === epoch ? [] : ['the new leader has lost its leadership']),
      ...findDamage(round, calls),
    ],
  }
}

/** Only one that had its proof already. */
const mayStillSubscribe = ({ kind }: Trial): number => (kind === 'beforeSubscribe' ? 1 : 0)

/** No task launched twice, no server started without a launch, nobody killed who was not to be, nobody touched beside. */
function findDamage({ stage, pod, before, asked }: Round, calls: readonly AcceptedCall[]): string[] {
  const launched = launchedTasks(calls)
  const running = runningServers(stage.cluster)
  const unasked = killedTasks(calls).filter((taskId) => !asked.has(taskId))
  const touched = Object.keys(without(before, pod)).filter((name) => running[name]?.born !== before[name]?.born)
  const miscounted = pods.filter(
    (name) =>
      linesOf(serverOf(running, name), 'starts').length !== launched.filter((id) => id.startsWith(`${name}-server__`)).length ||
      linesOf(serverOf(running, name), 'marker').length !== 1,
  )
  return [
    ...repeated(launched).map((taskId) => `${taskId} was launched twice`),
    ...unasked.map((taskId) => `${taskId} was killed unasked`),
    ...touched.map((name) => `${name} was touched`),
    ...miscounted.map((name) => `${name} was not started and initialised as often as launched`),
  ]
}

/** The first trial meets a service that is yet to be deployed, unless there is none for that. */
async function onStage(deployment: Trial | undefined, trials: readonly Trial[], tell: Tell): Promise<Outcome[]> {
  const stage = await startStage()
  const asked = new Set<string>()
  const outcomes: Outcome[] = []
  try {
    if (deployment === undefined) {
      const round = await roundOf(stage, 'node-0', asked)
      openWires(round)
      await round.old.program.untilStatus('the service to be deployed', isSettled)
    }
    for (const trial of [...(deployment === undefined ? [] : [deployment]), ...trials]) {
      const pod = pods[outcomes.length % pods.length] ?? 'node-0'
      const outcome = await tryOut(trial, await roundOf(stage, pod, asked))
      tell(trial, outcome)
      outcomes.push(outcome)
    }
  } finally {
    await stage.end()
  }
  return outcomes
}

type Tell = (trial: Trial, outcome: Outcome) => void

const inSeconds = (ms: number): string => (ms / 1000).toFixed(1)

function tell({ kind, name }: Trial, { takeoverMs, lateSubscribes, refused, problems }: Outcome): void {
  const found = problems.length === 0 ? 'ok' : `FAILED: ${problems.join('; ')}`
  console.log(
    `${kind}: ${name}: takeover ${inSeconds(takeoverMs)} s, late SUBSCRIBE ${lateSubscribes}, late calls refused ${refused}: ${found}`,
  )
}

/** `STATEWARD_TRIALS` is a pattern for the names of those wanted. */
const isWanted = ({ kind, name }: Trial): boolean => new RegExp(process.env['STATEWARD_TRIALS'] ?? '').test(`${kind}: ${name}`)

export default async function run(): Promise<{ line: string; ok: boolean }> {
  const [firstDeployment, ...deployments] = deployTrials.filter(isWanted)
  const trials = [...stoppedTrials, ...lateTrials, ...subscribeTrials, ...cutTrials, ...handoverTrials].filter(isWanted)
  const outcomes = await onStage(firstDeployment, trials, tell)
  for (const deployment of deployments) outcomes.push(...(await onStage(deployment, [], tell)))

  const takeovers = (isMeant: (kind: Kind) => boolean): number[] =>
    outcomes.flatMap(({ kind, takeoverMs }) => (isMeant(kind) ? [takeoverMs] : [])).sort((x, y) => x - y)
  const unplanned = takeovers((kind) => kind !== 'handover')
  const planned = takeovers((kind) => kind === 'handover')
  const sum = (of: (outcome: Outcome) => number): number => outcomes.reduce((total, outcome) => total + of(outcome), 0)
  const counts = (['stopped', 'late', 'cut', 'beforeSubscribe', 'handover'] as const).map(
    (kind) => `${outcomes.filter((outcome) => outcome.kind === kind).length} ${kind}`,
  )
  const failed = outcomes.filter(({ problems }) => problems.length > 0).length
  return {
    ok: failed === 0 && outcomes.length > 0,
    line:
      `${outcomes.length} takeovers (${counts.join(', ')}), ${failed} with faults: after the new leader's first call the old one got ` +
      `${sum(({ lateCalls }) => lateCalls.length)} calls and ${sum(({ lateSubscribes }) => lateSubscribes)} SUBSCRIBE through, ` +
      `${sum(({ refused }) => refused)} were refused; takeover with a session of 3 s: median ${inSeconds(unplanned[Math.floor(unplanned.length / 2)] ?? 0)} s, ` +
      `most ${inSeconds(unplanned.at(-1) ?? 0)} s; handover: median ${planned[Math.floor(planned.length / 2)] ?? 0} ms, most ${planned.at(-1) ?? 0} ms`,
  }
}
