/** Faults for a run, from a seed: how many, which, when and how long. Pure. */
import type { ServiceSpec } from '../../spec/schema.js'
import { chanceOf, type Chance } from '../virtual/chance.js'
import { endOf, type Fault, type FaultKind } from './plan.js'
import { namesOf, type PlanNames } from './plan-names.js'

export interface FaultChoice {
  readonly seed: number
  readonly spec: ServiceSpec
  /** Number of machines. */
  readonly agents: number
  readonly rival: boolean
  readonly kinds: readonly FaultKind[]
  readonly fromMs: number
  /** All are over by then. */
  readonly untilMs: number
  /** @defaultValue 10 */
  readonly most?: number
}

const second = 1_000
/** Below and above what the parts of a cluster forgive: a held message, a broken connection, an agent given up. */
const durations = [1 * second, 5 * second, 20 * second, 45 * second, 100 * second, 200 * second] as const
/** Of what waits for a task that starts, a hook that is asked, a plan that runs: a moment would mostly pass by. */
const leastWaitMs = 45 * second
/** Faults that come together find more than faults that come alone. */
const burstMs = 20 * second

/** In the order of their moments. */
export function chooseFaults(choice: FaultChoice): Fault[] {
  const chance = chanceOf(choice.seed, 'faults')
  const { fromMs, untilMs, kinds } = choice
  if (kinds.length === 0 || untilMs <= fromMs) return []
  const count = chance.between(1, choice.most ?? 10)
  const isBurst = chance.happens(0.5)
  // More of them early, while a plan is under way; later on a service at rest has fewer ways to go wrong.
  const early = (toMs: number): number => fromMs + Math.round((toMs - fromMs) * chance.next() ** 2)
  const burstAtMs = early(Math.max(fromMs, untilMs - burstMs))
  const moment = (): number => (isBurst ? Math.min(untilMs, burstAtMs + chance.between(0, burstMs)) : early(untilMs))
  // A run of few kinds digs deeper than one that has a little of everything.
  const few = chance.happens(0.5) ? Array.from({ length: chance.between(1, 4) }, () => chance.pick(kinds)) : kinds
  const names = namesOf({ ...choice, updates: [] })
  return Array.from({ length: count }, () => makeFault(chance.pick(few), moment(), choice, names, chance))
    .map((fault) => ({ ...fault, ...('forMs' in fault ? { forMs: Math.min(fault.forMs, untilMs - fault.atMs) } : {}) }))
    .filter((fault) => endOf(fault) <= untilMs)
    .sort((a, b) => a.atMs - b.atMs)
}

function makeFault(kind: FaultKind, atMs: number, { rival }: FaultChoice, names: PlanNames, chance: Chance): Fault {
  const forMs = chance.pick(durations)
  const longMs = Math.max(forMs, leastWaitMs)
  const agent = chance.pick(names.agent)
  const place = rival && chance.happens(0.3) ? 'b' : 'a'
  switch (kind) {
    case 'messageToAgentLost':
      return { kind, atMs, agent, message: chance.pick(['launch', 'killTask', 'applyOperation', 'acknowledgeStatus']) }
    case 'messageToMasterLost':
      return { kind, atMs, agent, message: chance.pick(['statusUpdate', 'operationUpdate', 'executorExited']) }
    case 'messageToMasterTwice':
    case 'agentMarkedGone':
      return { kind, atMs, agent }
    case 'agentSlow':
      return { kind, atMs, forMs, agent, delayMs: chance.pick([500, 3_000, 15_000]) }
    case 'agentCutOff':
    case 'agentStopped':
    case 'agentDrained':
    case 'diskLost':
      return { kind, atMs, forMs, agent }
    case 'machineDown':
      return { kind, atMs, forMs, agent, silent: chance.happens(0.5) }
    case 'identityLost':
      return { kind, atMs, forMs, agent, machineDown: chance.happens(0.5) }
    case 'offersRescinded':
    case 'callTwice':
    case 'streamBroken':
      return { kind, atMs }
    case 'masterFailover':
    case 'storeAway':
      return { kind, atMs, forMs }
    case 'gatesShut':
    case 'hooksHang':
    case 'hooksThrow':
    case 'hooksAnswerNonsense':
      return { kind, atMs, forMs: longMs }
    case 'callLost':
    case 'answerLost':
    case 'callLate':
      return { kind, atMs, call: chance.happens(0.5) ? 'accept' : 'any' }
    case 'schedulerCutOff':
    case 'schedulerStopped':
    case 'schedulerCutFromStore':
      return { kind, atMs, forMs, place }
    case 'schedulerSlow':
      return { kind, atMs, forMs, delayMs: chance.pick([500, 3_000]) }
    case 'storeSlow':
      return { kind, atMs, forMs, delayMs: chance.pick([100, 1_000, 4_000]) }
    case 'commitFails':
      return { kind, atMs, how: chance.pick(['unknownBefore', 'unknownAfter', 'lostBefore', 'lostAfter']) }
    case 'sessionExpired':
      return { kind, atMs, told: chance.happens(0.5) }
    case 'schedulerCrash':
      return { kind, atMs, forMs, place, crashAt: chance.pick(['once', 'beforeCommit', 'afterCommit', 'beforeCall']) }
    case 'schedulerFrozen':
      return { kind, atMs, forMs, place, freezeAt: chance.happens(0.6) ? 'afterCommit' : 'once' }
    case 'taskFails':
      return { kind, atMs, task: chance.pick(names.task), exitCode: chance.pick([0, 1, 137]) }
    case 'executorKilled':
      return { kind, atMs, task: chance.pick(names.task) }
    case 'taskFailsAtStart':
    case 'taskNeverReady':
    case 'taskIgnoresTerm':
      return { kind, atMs, forMs: longMs, task: chance.pick(names.task) }
    case 'podRestarted':
      return { kind, atMs, pod: chance.pick(names.pod) }
    case 'planPaused':
      return { kind, atMs, forMs: longMs, plan: chance.happens(0.5) ? 'deploy' : 'update' }
  }
}
