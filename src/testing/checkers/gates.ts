/**
 * Gates: no block starts and none ends, and no run is complete, before the author's code has answered that it may, and while a
 * plan is paused it begins nothing. A question is stored before it is asked, so what is stored when a decision is made names the
 * answer that the decision rests on; the answer itself is what the author's code gave. One that was asked for before the present
 * launches says nothing about them. An update that takes over what has failed, and a run that may be the cure of the one before, need
 * no leave to begin.
 */
import type { Question } from '../../plan/question-record.js'
import type { RunRecord } from '../../plan/run-record.js'
import type { InstanceRecord } from '../../scheduler/records/instance-record.js'
import type { ServiceSpec } from '../../spec/schema.js'
import type { LogEntry } from '../virtual/log.js'
import type { CheckerContext, CheckerDefinition } from './checker.js'
import {
  createMirror,
  instanceChanges,
  newLaunches,
  valueOf,
  type Committed,
  type InstanceChange,
  type Mirror,
} from './mirror.js'

type Questions = Readonly<Record<string, Question>>
type Gates = readonly { readonly gate: string }[]

export const gates: CheckerDefinition = {
  name: 'gates',
  watches:
    'no block starts or ends, and no run completes, before its gates have answered that it may, or while its plan is paused',
  create(context) {
    const mirror = createMirror()
    const answers = createAnswers()
    const launchedAtMs = new Map<string, number>()

    const note = (batch: Committed): void => {
      const ask = { batch, mirror, answers, launchedAtMs, context }
      for (const change of instanceChanges(batch, mirror)) {
        checkStart(change, ask)
        checkEnd(change, ask)
      }
      for (const plan of ['deploy', 'update'] as const) checkCompletion(plan, ask)
      for (const { launch } of newLaunches(batch, mirror)) launchedAtMs.set(launch.taskId, batch.decidedAtMs)
      mirror.apply(batch)
    }

    return {
      onEntry(entry) {
        if (entry.type === 'committed') note(entry)
        answers.note(entry)
      },
    }
  },
}

/** What the author's code has answered, by run id and attempt. */
interface Answers {
  note(entry: LogEntry): void
  /** When the question was handed out and when it was answered with leave to go on. */
  leave(question: Question): { readonly askedAtMs: number; readonly answeredAtMs: number } | undefined
}

function createAnswers(): Answers {
  const asked = new Map<string, number>()
  const leaves = new Map<string, number>()
  return {
    note(entry) {
      if (entry.type !== 'jobStarted' && entry.type !== 'jobEnded') return
      const key = `${entry.job.runId} ${entry.job.attempt}`
      if (entry.type === 'jobStarted') asked.set(key, entry.atMs)
      else if (entry.outcome.ok && isOpen(entry.outcome.value)) leaves.set(key, entry.atMs)
    },
    leave({ runId, attempt }) {
      const key = `${runId} ${attempt}`
      const answeredAtMs = leaves.get(key)
      return answeredAtMs === undefined ? undefined : { askedAtMs: asked.get(key) ?? answeredAtMs, answeredAtMs }
    },
  }
}

const isOpen = (value: unknown): boolean => typeof value === 'object' && value !== null && 'open' in value && value.open === true

interface Ask {
  readonly batch: Committed
  /** The store before the batch. */
  readonly mirror: Mirror
  readonly answers: Answers
  readonly launchedAtMs: ReadonlyMap<string, number>
  readonly context: CheckerContext
}

/** A record as the batch leaves it. */
function after<Record>({ batch, mirror }: Ask, key: string, before: (mirror: Mirror) => Record | undefined): Record | undefined {
  const write = batch.writes.find((each) => each.key === key)
  return write === undefined ? before(mirror) : (valueOf(write) as Record | undefined)
}

const runAfter = (ask: Ask, plan: RunRecord['plan']): RunRecord | undefined =>
  after(ask, `plans/${plan}`, (mirror) => mirror.run(plan))

/** Why a decision does not have the leave of all these gates, by the questions as they were stored when it was made. */
function withoutLeave(list: Gates, prefix: string, questions: Questions, sinceMs: number, { batch, answers }: Ask): string[] {
  return list.flatMap(({ gate }) => {
    const question = questions[`${prefix}${gate}`]
    if (question === undefined) return [`gate ${gate} was not asked`]
    const leave = answers.leave(question)
    if (leave === undefined || leave.answeredAtMs > batch.decidedAtMs) return [`gate ${gate} had not answered that it is open`]
    return leave.askedAtMs < sinceMs ? [`gate ${gate} was asked before the present launch`] : []
  })
}

function checkStart({ name, before, after: now }: InstanceChange, ask: Ask): void {
  const { mirror, context } = ask
  const plan = now?.owner
  if ((plan !== 'deploy' && plan !== 'update') || before?.owner === plan) return
  const run = runAfter(ask, plan)
  const known = mirror.run(plan)
  const spec = mirror.spec(now?.targetId)
  if (run === undefined || spec === undefined) return
  if (run.paused) context.report(`${plan} took ${name} in hand while it was paused`)
  if (before?.owner === 'recovery' || (before?.deployed === true && hasFailed(name, before, ask))) return
  const questions = known?.runId === run.runId ? known.questions : {}
  const lacking = [
    ...(run.isCure ? [] : withoutLeave(spec[plan].preFlight, 'preFlight/', questions, 0, ask)),
    ...(plan === 'update' ? withoutLeave(spec.update.beforeEach, `before/${name}/`, questions, 0, ask) : []),
  ]
  for (const problem of lacking) context.report(`${plan} took ${name} in hand, and ${problem}`)
}

/** Something that should keep running does not, as the batch leaves it. */
function hasFailed(name: string, { pod, targetId }: InstanceRecord, ask: Ask): boolean {
  const tasks = Object.entries(ask.mirror.spec(targetId)?.pods[pod]?.tasks ?? {})
  return tasks.some(([task, { goal }]) => {
    const key = `${name}-${task}`
    const record = after(ask, `tasks/${key}`, (mirror) => mirror.task(key))
    return goal === 'RUNNING' && record?.value !== 'running' && record?.context.killAtMs === undefined
  })
}

function checkEnd({ name, before, after: now }: InstanceChange, ask: Ask): void {
  const { mirror, context, launchedAtMs } = ask
  const [was, is] = [before?.block, now?.block]
  if (before === undefined || was === undefined || was.endedAtMs !== undefined) return
  // Only an end by itself shows; where another block has begun in the same batch, its record is all there is.
  if (is?.endedAtMs === undefined || is.startedAtMs !== was.startedAtMs) return
  // Given back to a newer target, whose run takes it in hand anew.
  const service = after(ask, 'service/service', (records) => records.service())
  if (was.plan === 'update' && service?.targetId !== before.targetId) return
  const spec = mirror.spec(before.targetId)
  const launches = Object.entries(spec?.pods[before.pod]?.tasks ?? {}).flatMap(([task, { goal }]) =>
    goal === 'RUNNING' ? (launchedAtMs.get(mirror.task(`${name}-${task}`)?.context.launch?.taskId ?? '') ?? []) : [],
  )
  const list = spec === undefined ? [] : gatesAfter(spec, before, was.plan)
  for (const problem of withoutLeave(list, '', was.gates, Math.max(0, ...launches), ask))
    context.report(`the ${was.plan} block of ${name} has ended, and ${problem}`)
}

/** Gates after a block, by the plan that it is of. */
function gatesAfter(spec: ServiceSpec, { pod }: InstanceRecord, plan: 'deploy' | 'update' | 'recovery'): Gates {
  if (plan !== 'deploy') return spec[plan].afterEach
  const phase = spec.deploy.phases?.find((each) => each.pod === pod)
  return [...(phase?.afterEach ?? []), ...spec.deploy.afterEach]
}

function checkCompletion(plan: RunRecord['plan'], ask: Ask): void {
  const { mirror, context } = ask
  const [was, is] = [mirror.run(plan), runAfter(ask, plan)]
  if (is?.completedAtMs === undefined || was === undefined || was.completedAtMs !== undefined) return
  if (is.paused) context.report(`${plan} was completed while it was paused`)
  const spec = mirror.spec(is.targetId)
  const questions = was.runId === is.runId ? was.questions : {}
  for (const problem of withoutLeave(spec?.[plan].postFlight ?? [], 'postFlight/', questions, 0, ask))
    context.report(`${plan} was completed, and ${problem}`)
}
