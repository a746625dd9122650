/**
 * What a store is rebuilt from: the cluster's view, sorted by what it is evidence of; and what was concluded, or why it could not
 * be. Pure.
 */
import { instanceOfTask, nameOfTask, type FrameworkId, type PodInstanceName } from '../ids.js'
import { labelNames, readResourceId, resourceLabel } from '../offer-evaluator/labels.js'
import { labelOf, type KnownExecutor, type KnownOperation, type KnownTask } from '../scheduler/cluster-view.js'
import type { Target } from '../scheduler/state.js'
import { isLive } from './compare-tasks.js'
import type { FoundFootprint } from './reservations.js'

/** What only the operator can know. */
export interface RebuildAnswers {
  /** Instances that never ran, or of which nothing is to be kept: what was reserved and never used is used, the rest placed anew. */
  readonly fresh: readonly string[]
  /** Instances that ran before, and whose one-time tasks have all succeeded. */
  readonly used: readonly string[]
  /** Generated values that no label tells any more. */
  readonly values: Readonly<Record<string, string>>
  /** Where the cluster has several frameworks of this name. */
  readonly frameworkId?: string
}

export const noAnswers: RebuildAnswers = { fresh: [], used: [], values: {} }

export interface Evidence {
  /** The spec that is deployed first, then earlier ones that instances may still be on. */
  readonly targets: readonly [Target, ...Target[]]
  readonly answers: RebuildAnswers
  readonly role: string
  readonly service: string
  /** Frameworks of the service that were not removed. */
  readonly frameworkIds: ReadonlySet<FrameworkId>
  readonly footprints: readonly FoundFootprint[]
  readonly tasks: readonly KnownTask[]
  readonly executors: readonly KnownExecutor[]
  readonly operations: readonly KnownOperation[]
  /** Every agent that may hold something can be seen. */
  readonly isComplete: boolean
  readonly nowMs: number
}

/** Written to while a rebuild goes on. */
export interface Conclusions {
  /** Why the store cannot be rebuilt, each with a way out. */
  readonly reasons: string[]
  /** What is assumed or done, for the operator. */
  readonly says: string[]
}

/** When it was launched, as far as its statuses tell. */
export const launchedAtMs = ({ statuses }: KnownTask): number | undefined => {
  const times = statuses.flatMap(({ sentAtMs }) => sentAtMs ?? [])
  return times.length === 0 ? undefined : Math.min(...times)
}

/** Tasks of one instance, the oldest first. */
export const tasksOfInstance = ({ tasks }: Evidence, name: PodInstanceName): KnownTask[] =>
  tasks
    .filter(({ id }) => instanceOfTask(nameOfTask(id)) === name)
    .sort((a, b) => (launchedAtMs(a) ?? 0) - (launchedAtMs(b) ?? 0))

export const generationOf = ({ labels }: KnownTask): number => Number(labelOf(labels, labelNames.generation) ?? 0)

export const livingOf = (tasks: readonly KnownTask[]): KnownTask[] => tasks.filter(isLive)

/**
 * Whether it was launched on this footprint: its resources name the very one. An earlier life of the service may have had tasks
 * and generations of the same names.
 */
export function isOn({ role, service }: Evidence, task: KnownTask, { agent, generation, nonce }: FoundFootprint): boolean {
  if (task.agentId !== agent.id || generationOf(task) !== generation) return false
  const ids = task.resources.flatMap((resource) => resourceLabel(resource, role, service) ?? [])
  return ids.some((id) => readResourceId(id)?.nonce === nonce)
}
