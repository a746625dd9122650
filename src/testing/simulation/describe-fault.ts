/** Faults in words, for the log and the diary. Pure. */
import type { Fault, FaultKind } from './plan.js'

/** By kind. */
export const faultTexts: Readonly<Record<FaultKind, string>> = {
  messageToAgentLost: 'a message to the agent is lost',
  messageToMasterLost: 'a message of the agent is lost',
  messageToMasterTwice: 'the next message of the agent arrives twice',
  agentSlow: 'the link to the agent is slow',
  agentCutOff: 'the agent is cut off from the master',
  agentStopped: 'the agent process is stopped, its tasks live on',
  machineDown: 'the machine is down with all that ran there',
  agentDrained: 'the agent is drained',
  offersRescinded: 'all offers are rescinded while some are held',
  masterFailover: 'the master is down; another follows',
  identityLost: 'the agent loses its id and its books, and keeps its disk',
  diskLost: 'the machine loses its disk',
  agentMarkedGone: 'an operator marks the agent gone',
  callLost: 'a call is lost before the master',
  answerLost: 'a call arrives, and its answer is lost',
  callTwice: 'a call arrives twice',
  callLate: 'a call arrives after its sender has given up on it',
  streamBroken: 'all connections to the master break',
  schedulerCutOff: 'the scheduler is cut off from the master',
  schedulerSlow: 'the network between schedulers and master is slow',
  commitFails: 'the next commit fails',
  storeAway: 'the store is away',
  storeSlow: 'the store is slow',
  sessionExpired: 'the session with the store expires',
  schedulerCutFromStore: 'the scheduler is cut off from the store',
  schedulerCrash: 'the scheduler is killed',
  schedulerStopped: 'the scheduler is stopped in good order',
  schedulerFrozen: 'the scheduler stands still',
  taskFails: 'the process of the task ends',
  executorKilled: 'the executor is killed with its tasks',
  taskFailsAtStart: 'the task fails at every start',
  taskNeverReady: 'the task starts and does not get ready',
  taskIgnoresTerm: 'the task ignores SIGTERM',
  gatesShut: 'all gates are shut',
  hooksHang: "the author's hooks hang",
  hooksThrow: "the author's hooks throw",
  hooksAnswerNonsense: "the author's hooks answer nonsense",
  podRestarted: 'an operator restarts the pod',
  planPaused: 'an operator pauses the plan',
}

/** In words, with its particulars. */
export function describeFault(fault: Fault): string {
  const { kind, atMs: _at, ...rest } = fault
  const particulars = Object.entries(rest).map(([name, value]) => `${name} ${value}`)
  return `${faultTexts[kind]}${particulars.length === 0 ? '' : ` (${particulars.join(', ')})`}`
}
