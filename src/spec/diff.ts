/**
 * What a changed spec would do to a service of which everything is deployed: who restarts, and because of which fields, what of
 * the footprints changes, what is refused. Worked out from the two specs alone. Pure.
 */
import type { TargetConfigId } from '../ids.js'
import { checkUpdate, isNotYet, type Refusal } from './check-update.js'
import { diffFields, locateChanges, type FieldChange } from './field-changes.js'
import { diffHoldings, type HoldingChange } from './holdings.js'
import { footprintHash, podHash, specId, taskHash } from './identity.js'
import { own } from './own.js'
import type { PodSpec, ServiceSpec, TaskGoal } from './schema.js'

/**
 * What happens to the instances of a pod type. `restart`: their RUNNING tasks, in place. `runAgain`: a FINISH task alone. `grow`
 * and `shrink`: the count. `refused`: the spec would not be taken, because of this pod.
 */
export type PodOutcome = 'unchanged' | 'restart' | 'runAgain' | 'grow' | 'shrink' | 'added' | 'removed' | 'refused'

/** `nothing`: of a ONCE or INIT task, which is not run again where it has run. */
export type TaskOutcome = 'restart' | 'runAgain' | 'nothing' | 'added' | 'removed'

export interface TaskDiff {
  readonly task: string
  readonly goal: TaskGoal
  readonly outcome: TaskOutcome
}

export interface PodFieldChange extends FieldChange {
  /** Tasks that restart, or run again, because of this field. */
  readonly restarts: readonly string[]
}

export interface PodDiff {
  readonly pod: string
  /** Never empty; what is `added`, `removed` or `unchanged` is nothing else. */
  readonly outcomes: readonly PodOutcome[]
  /** Instances before and after. */
  readonly count: readonly [number, number]
  readonly fields: readonly PodFieldChange[]
  /** Of tasks to which something happens; none for a pod that is added or removed. */
  readonly tasks: readonly TaskDiff[]
  /** What each instance that stays would reserve, give back, or cannot have. */
  readonly footprint: readonly HoldingChange[]
}

export interface ServiceDiff {
  readonly before: TargetConfigId
  readonly after: TargetConfigId
  /** In the order of the new spec, then what is removed. */
  readonly pods: readonly PodDiff[]
  /** Fields of the service as a whole. */
  readonly service: readonly FieldChange[]
  /** Plans, gates, recovery: nobody restarts. */
  readonly plans: readonly FieldChange[]
  /** The change would lose data or cannot be done: the present spec would stay in force. */
  readonly refusals: readonly Refusal[]
  /** This version cannot carry it out yet: the present spec would stay in force. */
  readonly notYet: readonly Refusal[]
}

/** Of two checked specs. */
export function diffServices(before: ServiceSpec, after: ServiceSpec): ServiceDiff {
  const refusals = checkUpdate(before, after, (pod) => (own(before.pods, pod)?.count ?? 0) - 1)
  const lasting = refusals.filter((refusal) => !isNotYet(refusal))
  const { pods: _before, deploy: d1, update: u1, recovery: r1, plans: p1, ...serviceBefore } = before
  const { pods: _after, deploy: d2, update: u2, recovery: r2, plans: p2, ...serviceAfter } = after
  const names = [...new Set([...Object.keys(after.pods), ...Object.keys(before.pods)])]
  return {
    before: specId(before),
    after: specId(after),
    pods: names.map((name) => diffPod(name, own(before.pods, name), own(after.pods, name), lasting)),
    service: diffFields(serviceBefore, serviceAfter),
    plans: diffFields(
      { deploy: d1, update: u1, recovery: r1, plans: p1 ?? {} },
      { deploy: d2, update: u2, recovery: r2, plans: p2 ?? {} },
    ),
    refusals: lasting,
    notYet: refusals.filter(isNotYet),
  }
}

function diffPod(pod: string, before: PodSpec | undefined, after: PodSpec | undefined, refusals: readonly Refusal[]): PodDiff {
  const path = `pods.${pod}`
  const isRefused = refusals.some((refusal) => refusal.path === path || refusal.path.startsWith(`${path}.`))
  if (before === undefined || after === undefined) {
    const outcome = after === undefined ? 'removed' : 'added'
    return {
      pod,
      outcomes: isRefused ? ['refused'] : [outcome],
      count: [before?.count ?? 0, after?.count ?? 0],
      fields: [],
      tasks: [],
      footprint: [],
    }
  }
  const fields = locateChanges(before, after).map(({ keys, ...change }) => ({
    ...change,
    restarts: restartsOf(before, after, keys),
  }))
  const tasks = diffTasks(before, after)
  const did = (outcome: TaskOutcome): boolean => tasks.some((task) => task.outcome === outcome)
  const outcomes: PodOutcome[] = [
    ...(isRefused ? (['refused'] as const) : []),
    ...(after.count > before.count ? (['grow'] as const) : after.count < before.count ? (['shrink'] as const) : []),
    ...(did('restart') ? (['restart'] as const) : did('runAgain') ? (['runAgain'] as const) : []),
  ]
  return {
    pod,
    outcomes: outcomes.length === 0 ? ['unchanged'] : outcomes,
    count: [before.count, after.count],
    fields: fields.map((change) => ({ ...change, path: `${path}.${change.path}` })),
    tasks,
    footprint: footprintHash(before) === footprintHash(after) ? [] : diffHoldings(before, after),
  }
}

function diffTasks(before: PodSpec, after: PodSpec): TaskDiff[] {
  const isPodChanged = podHash(before) !== podHash(after)
  const names = [...new Set([...Object.keys(after.tasks), ...Object.keys(before.tasks)])]
  return names.flatMap((task): TaskDiff[] => {
    const [was, is] = [own(before.tasks, task), own(after.tasks, task)]
    if (is === undefined) return was === undefined ? [] : [{ task, goal: was.goal, outcome: 'removed' }]
    if (was === undefined) return [{ task, goal: is.goal, outcome: 'added' }]
    const isChanged = taskHash(before, was) !== taskHash(after, is)
    if (is.goal === 'RUNNING') return isChanged || isPodChanged ? [{ task, goal: is.goal, outcome: 'restart' }] : []
    if (!isChanged) return []
    return [{ task, goal: is.goal, outcome: is.goal === 'FINISH' ? 'runAgain' : 'nothing' }]
  })
}

/** Whom this field alone would restart: asked of the hashes, so that nothing is said here that they do not do. */
function restartsOf(before: PodSpec, after: PodSpec, keys: readonly string[]): string[] {
  return diffTasks(before, withField(before, after, keys) as PodSpec)
    .filter(({ outcome }) => outcome === 'restart' || outcome === 'runAgain')
    .map(({ task }) => task)
}

/** The first value, with what the second one has at the place. */
function withField(first: unknown, second: unknown, [key, ...rest]: readonly string[]): unknown {
  if (key === undefined) return second
  if (Array.isArray(first)) {
    const changed = [...(first as unknown[])]
    changed[Number(key)] = fieldOf(changed[Number(key)], second, key, rest)
    return changed.filter((value) => value !== undefined)
  }
  const fields = first as Readonly<Record<string, unknown>>
  const value = fieldOf(own(fields, key), second, key, rest)
  const { [key]: _old, ...others } = fields
  return value === undefined ? others : { ...others, [key]: value }
}

const fieldOf = (value: unknown, second: unknown, key: string, rest: readonly string[]): unknown =>
  withField(value, own(second as Readonly<Record<string, unknown>>, key), rest)
