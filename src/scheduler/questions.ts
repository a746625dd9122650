/** Asking the author's code from within a step, and taking its answers. Pure. */
import { runId, type RunId } from '../ids.js'
import { nextGate } from '../plan/gates.js'
import { answerQuestion, askAgain, askFirst, isOrderOf, readGate, readOrder } from '../plan/question.js'
import type { Question } from '../plan/question-record.js'
import type { RunRecord } from '../plan/run-record.js'
import type { GateSpec } from '../spec/schema.js'
import { isReady, nameOf } from './assess.js'
import type { Draft } from './draft.js'
import { advertisedAddress } from './environment.js'
import type { Env } from './env.js'
import type { JobOutcome } from './events.js'
import { openInstances } from './open-instances.js'
import type { InstanceRecord } from './records/instance-record.js'
import type { Target } from './state.js'

type Questions = Readonly<Record<string, Question>>

/** Order hooks have no gate spec of their own. */
const orderTimeoutMs = 30_000
/** Pause before an order hook whose answer was no use is asked again. */
const orderIntervalMs = 2_000

/**
 * Moves a list of gates by one; true when all are open. `save` stores the questions where they belong, in the decision of the
 * caller.
 */
export function passGates(
  draft: Draft,
  env: Env,
  gates: readonly GateSpec[],
  prefix: string,
  questions: Questions,
  about: { readonly plan: string; readonly instance?: string },
  save: (questions: Record<string, Question>) => void,
): boolean {
  const { jobsInFlight, nowMs } = draft.volatile
  const next = nextGate(
    gates,
    prefix,
    questions,
    nowMs,
    (id) => jobsInFlight.has(id),
    () => runId(env.ids.uuid('run')),
  )
  if (next.state !== 'ask') return next.state === 'open'
  const { key, question, gate } = next.ask
  save({ ...questions, [key]: question })
  handOut(draft, question, gate.gate, gate.timeoutMs, about)
  return false
}

/** The candidates in the order the author's hook wants; undefined while it is being asked. */
export function askOrder(
  draft: Draft,
  env: Env,
  run: RunRecord,
  hook: string,
  candidates: readonly string[],
): readonly string[] | undefined {
  const { jobsInFlight, nowMs } = draft.volatile
  const known = run.questions['order']
  if (known?.state === 'positive' && isOrderOf(known.order ?? [], candidates)) return known.order
  const due =
    known === undefined ||
    // An answer that names others than the candidates: they have changed since, or the hook is wrong. Not asked in a tight loop.
    (known.state === 'positive' && nowMs >= (known.answeredAtMs ?? 0) + orderIntervalMs) ||
    (known.state === 'asking'
      ? !jobsInFlight.has(known.runId)
      : known.state === 'negative' && (known.answeredAtMs ?? 0) + orderIntervalMs <= nowMs)
  if (!due) return undefined
  const question =
    known === undefined || known.state === 'positive' ? askFirst(runId(env.ids.uuid('run')), nowMs) : askAgain(known, nowMs)
  draft.setRun({ ...run, questions: { ...run.questions, order: question } })
  draft.decided()
  handOut(draft, question, hook, orderTimeoutMs, { plan: run.plan, candidates })
  return undefined
}

function handOut(
  draft: Draft,
  question: Question,
  hook: string,
  timeoutMs: number,
  about: { readonly plan: string; readonly instance?: string; readonly candidates?: readonly string[] },
): void {
  draft.setVolatile({ jobsInFlight: new Set([...draft.volatile.jobsInFlight, question.runId]) })
  draft.job({ runId: question.runId, attempt: question.attempt, hook, timeoutMs, input: { ...about, ...serviceInput(draft) } })
}

/** What every hook is told of the service. */
function serviceInput(draft: Draft): Record<string, unknown> {
  const { service, targets, instances } = draft.records
  const target = service === undefined ? undefined : targets.get(service.targetId)
  return {
    service: service?.name ?? '',
    values: service?.values ?? {},
    instances: [...instances.values()].flatMap((instance) => (target === undefined ? [] : hookInstance(draft, instance, target))),
  }
}

function hookInstance(draft: Draft, instance: InstanceRecord, target: Target) {
  const { footprint } = instance
  if (footprint === undefined) return []
  return [
    {
      name: nameOf(instance),
      pod: instance.pod,
      index: instance.index,
      address: advertisedAddress(target.spec, footprint),
      agentId: footprint.agentId,
      zone: footprint.zone ?? null,
      ports: Object.assign({}, ...Object.values(footprint.ports)) as Record<string, number>,
      ready: isReady(draft.records, instance),
    },
  ]
}

/** Takes an answer: the first one to the attempt last asked counts, all others are ignored. */
export function applyAnswer(draft: Draft, id: RunId, attempt: number, outcome: JobOutcome, atMs: number): void {
  const inFlight = new Set(draft.volatile.jobsInFlight)
  inFlight.delete(id)
  draft.setVolatile({ jobsInFlight: inFlight })
  for (const run of draft.records.runs.values()) {
    const answered = answerIn(run.questions, id, attempt, outcome, atMs)
    if (answered !== undefined) return draft.setRun({ ...run, questions: answered })
  }
  for (const [name, instance] of openInstances(draft)) {
    if (instance.block === undefined || instance.owner === 'none') continue
    const answered = answerIn(instance.block.gates, id, attempt, outcome, atMs)
    if (answered !== undefined) return draft.setInstance(name, { ...instance, block: { ...instance.block, gates: answered } })
  }
}

function answerIn(questions: Questions, id: RunId, attempt: number, outcome: JobOutcome, atMs: number) {
  const found = Object.entries(questions).find(([, question]) => question.runId === id)
  if (found === undefined) return undefined
  const [key, question] = found
  if (question.state !== 'asking' || question.attempt !== attempt) return undefined
  const reading = outcome.ok
    ? key === 'order'
      ? readOrder(outcome.value)
      : readGate(outcome.value)
    : { positive: false, reason: outcome.error }
  return { ...questions, [key]: answerQuestion(question, reading, atMs) }
}

/** Every hook that a spec names. */
export const hookNames = (spec: Target['spec']): string[] => [
  ...new Set([...allGates(spec).map((gate) => gate.gate), ...(spec.update.order === undefined ? [] : [spec.update.order])]),
]

const allGates = (spec: Target['spec']): GateSpec[] => [
  ...[spec.deploy, spec.update].flatMap((plan) => [...plan.preFlight, ...plan.afterEach, ...plan.postFlight]),
  ...spec.update.beforeEach,
  ...spec.recovery.afterEach,
  ...(spec.deploy.phases ?? []).flatMap((phase) => phase.afterEach),
]
