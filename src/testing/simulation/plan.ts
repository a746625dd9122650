/**
 * What one run of a simulation is made of, as data: the specs, the machines, what operators do, and every fault with its moment.
 * A plan and a seed give one run, byte for byte; a plan in a file is a run that anybody can do again. Pure.
 */
import { z } from 'zod'
import { SdkError } from '../../errors.js'
import { safeParseSpec } from '../../spec/parse.js'
import type { ServiceSpec } from '../../spec/schema.js'
import { namesOf, strayNameIn } from './plan-names.js'

const ms = z
  .int()
  .min(0)
  .max(30 * 86_400_000)
/** Virtual time from the start of the run. */
const at = { atMs: ms }
const during = { ...at, forMs: ms }
/** Host name of a machine, `agent-1` and so on. */
const agent = z.string()
/** Place of a scheduler: `a`, or its rival `b`. */
const place = z.enum(['a', 'b'])
const task = z.string()

/** Master and agents, and what lies between them. A message fault hits the next message that fits. */
const clusterFaults = [
  z.strictObject({
    kind: z.literal('messageToAgentLost'),
    ...at,
    agent,
    message: z.enum(['launch', 'killTask', 'applyOperation', 'acknowledgeStatus']),
  }),
  z.strictObject({
    kind: z.literal('messageToMasterLost'),
    ...at,
    agent,
    message: z.enum(['statusUpdate', 'operationUpdate', 'executorExited']),
  }),
  z.strictObject({ kind: z.literal('messageToMasterTwice'), ...at, agent }),
  z.strictObject({ kind: z.literal('agentSlow'), ...during, agent, delayMs: z.int().min(0).max(60_000) }),
  z.strictObject({ kind: z.literal('agentCutOff'), ...during, agent }),
  z.strictObject({ kind: z.literal('agentStopped'), ...during, agent }),
  z.strictObject({ kind: z.literal('machineDown'), ...during, agent, silent: z.boolean() }),
  z.strictObject({ kind: z.literal('agentDrained'), ...during, agent }),
  z.strictObject({ kind: z.literal('offersRescinded'), ...at }),
  z.strictObject({ kind: z.literal('masterFailover'), ...during }),
] as const

/** What no agent comes back from by itself: nothing but a permit ends the wait of the instance that was there. */
const lossFaults = [
  z.strictObject({ kind: z.literal('identityLost'), ...during, agent, machineDown: z.boolean() }),
  z.strictObject({ kind: z.literal('diskLost'), ...during, agent }),
  z.strictObject({ kind: z.literal('agentMarkedGone'), ...at, agent }),
] as const

/** Between the schedulers and the master. */
const callFaults = [
  z.strictObject({ kind: z.literal('callLost'), ...at, call: z.enum(['any', 'accept']) }),
  z.strictObject({ kind: z.literal('answerLost'), ...at, call: z.enum(['any', 'accept']) }),
  z.strictObject({ kind: z.literal('callTwice'), ...at }),
  z.strictObject({ kind: z.literal('callLate'), ...at, call: z.enum(['any', 'accept']) }),
  z.strictObject({ kind: z.literal('streamBroken'), ...at }),
  z.strictObject({ kind: z.literal('schedulerCutOff'), ...during, place }),
  z.strictObject({ kind: z.literal('schedulerSlow'), ...during, delayMs: z.int().min(0).max(60_000) }),
] as const

/** The store; a commit fault hits the next commit. */
const storeFaults = [
  z.strictObject({
    kind: z.literal('commitFails'),
    ...at,
    how: z.enum(['unknownBefore', 'unknownAfter', 'lostBefore', 'lostAfter']),
  }),
  z.strictObject({ kind: z.literal('storeAway'), ...during }),
  z.strictObject({ kind: z.literal('storeSlow'), ...during, delayMs: z.int().min(0).max(60_000) }),
  z.strictObject({ kind: z.literal('sessionExpired'), ...at, told: z.boolean() }),
  z.strictObject({ kind: z.literal('schedulerCutFromStore'), ...during, place }),
] as const

/** Scheduler processes. `crashAt` says where the process is when it dies: the next commit, or the next call. */
const schedulerFaults = [
  z.strictObject({
    kind: z.literal('schedulerCrash'),
    ...during,
    place,
    crashAt: z.enum(['once', 'beforeCommit', 'afterCommit', 'beforeCall']),
  }),
  z.strictObject({ kind: z.literal('schedulerStopped'), ...during, place }),
  /** Its process stands still, as under SIGSTOP; `at` as above. */
  z.strictObject({ kind: z.literal('schedulerFrozen'), ...during, place, freezeAt: z.enum(['once', 'afterCommit']) }),
] as const

/** Tasks of the service, by name. */
const taskFaults = [
  z.strictObject({ kind: z.literal('taskFails'), ...at, task, exitCode: z.int().min(0).max(255) }),
  z.strictObject({ kind: z.literal('executorKilled'), ...at, task }),
  z.strictObject({ kind: z.literal('taskFailsAtStart'), ...during, task }),
  z.strictObject({ kind: z.literal('taskNeverReady'), ...during, task }),
  z.strictObject({ kind: z.literal('taskIgnoresTerm'), ...during, task }),
] as const

/** The author's code. */
const hookFaults = [
  z.strictObject({ kind: z.literal('gatesShut'), ...during }),
  z.strictObject({ kind: z.literal('hooksHang'), ...during }),
  z.strictObject({ kind: z.literal('hooksThrow'), ...during }),
  z.strictObject({ kind: z.literal('hooksAnswerNonsense'), ...during }),
] as const

/** Operators; no faults, and at the worst moment. */
const operatorActs = [
  z.strictObject({ kind: z.literal('podRestarted'), ...at, pod: z.string() }),
  z.strictObject({ kind: z.literal('planPaused'), ...during, plan: z.enum(['deploy', 'update']) }),
] as const

const faultSchema = z.discriminatedUnion('kind', [
  ...clusterFaults,
  ...lossFaults,
  ...callFaults,
  ...storeFaults,
  ...schedulerFaults,
  ...taskFaults,
  ...hookFaults,
  ...operatorActs,
])

export type Fault = z.output<typeof faultSchema>
export type FaultKind = Fault['kind']

const kindsOf = (schemas: readonly { readonly shape: { readonly kind: z.ZodLiteral<FaultKind> } }[]): FaultKind[] =>
  schemas.map((schema) => schema.shape.kind.value)

/** Kinds of faults by what they hit. */
export const faultKinds = {
  cluster: kindsOf(clusterFaults),
  loss: kindsOf(lossFaults),
  calls: kindsOf(callFaults),
  store: kindsOf(storeFaults),
  schedulers: kindsOf(schedulerFaults),
  tasks: kindsOf(taskFaults),
  hooks: kindsOf(hookFaults),
  operators: kindsOf(operatorActs),
} as const satisfies Record<string, readonly FaultKind[]>

export type FaultGroup = keyof typeof faultKinds

/** Checked as a user's spec is, and refused with the same words. */
const spec = z.unknown().transform((value, context): ServiceSpec => {
  const result = safeParseSpec(value)
  if (result.ok) return result.spec
  for (const { path, message } of result.issues)
    context.addIssue({ code: 'custom', path: path === '' ? [] : path.split('.'), message })
  return z.NEVER
})

const planSchema = z
  .strictObject({
    v: z.literal(1),
    seed: z.int().min(0),
    spec,
    /** Specs handed in later: the scheduler is stopped in good order and another started with the new one. */
    updates: z.array(z.strictObject({ ...at, spec })),
    /** Number of machines, each in a zone of its own. */
    agents: z.int().min(1).max(1_000),
    /** A second scheduler competes for leadership from the start. */
    rival: z.boolean(),
    faults: z.array(faultSchema),
    /** All faults have ended by then. */
    untilMs: ms,
    /** From then on everything has to be done within this time. */
    settleWithinMs: ms,
  })
  .superRefine(checkTimes)
  .superRefine(checkNames)

/** One run, as data. */
export type SimulationPlan = z.output<typeof planSchema>

/** What happens later than that would not be settled from, or not happen at all. */
function checkTimes(
  plan: { readonly untilMs: number; readonly updates: readonly { readonly atMs: number }[]; readonly faults: readonly Fault[] },
  context: z.core.$RefinementCtx,
): void {
  const late = (path: (string | number)[], atMs: number): void => {
    if (atMs > plan.untilMs)
      context.addIssue({ code: 'custom', path, message: `it ends at ${atMs} ms, and all is over at ${plan.untilMs} ms` })
  }
  plan.updates.forEach(({ atMs }, index) => late(['updates', index], atMs))
  plan.faults.forEach((fault, index) => late(['faults', index], endOf(fault)))
}

const mostNamesShown = 20

/** What is not there would be hit by nothing, and nobody would notice. */
function checkNames(
  plan: Parameters<typeof namesOf>[0] & { readonly faults: readonly Fault[] },
  context: z.core.$RefinementCtx,
): void {
  const names = namesOf(plan)
  plan.faults.forEach((fault, index) => {
    const stray = strayNameIn(fault, names)
    if (stray === undefined) return
    const { field, found, known } = stray
    const shown = known.length > mostNamesShown ? `${known[0]} to ${known.at(-1)}` : known.join(', ')
    const hint = field === 'place' ? ', and a second scheduler only with rival: true' : ''
    context.addIssue({
      code: 'custom',
      path: ['faults', index, field],
      message: `there is no ${field} ${JSON.stringify(found)} in this plan (there are: ${shown}${hint})`,
    })
  })
}

/** The same plan without faults that name what it does not have. */
export function withoutStrays(plan: SimulationPlan): SimulationPlan {
  const names = namesOf(plan)
  return { ...plan, faults: plan.faults.filter((fault) => strayNameIn(fault, names) === undefined) }
}

/** @throws SdkError `ERR_INVALID_OPTION` that says what is wrong with the plan. */
export function checkPlan(value: unknown, source: string): SimulationPlan {
  const parsed = planSchema.safeParse(value)
  if (parsed.success) return parsed.data
  throw new SdkError('ERR_INVALID_OPTION', `${source} is no plan of a simulation:\n${z.prettifyError(parsed.error)}`)
}

/** @throws SdkError `ERR_INVALID_OPTION` that says what is wrong with the text. */
export function parsePlan(text: string, source: string): SimulationPlan {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new SdkError('ERR_INVALID_OPTION', `${source} is no JSON: ${cause instanceof Error ? cause.message : String(cause)}`)
  }
  return checkPlan(value, source)
}

/** When a fault is over. */
export const endOf = (fault: Fault): number => fault.atMs + ('forMs' in fault ? fault.forMs : 0)
