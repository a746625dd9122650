/**
 * What a pod instance needs, worked out once per evaluation from its spec. Pure.
 */
import { persistenceId, type PodInstanceName, type ResourceId } from '../ids.js'
import type { PodSpec } from '../spec/schema.js'
import { resolveTasks } from '../spec/task-resources.js'
import { toMilli, type Milli, type Range } from '../units.js'
import type { LedgerEntry } from './footprint-record.js'
import { buildResourceId } from './labels.js'

/** A port a task wants; number 0 takes any, or any of its ranges. */
export interface PortWish {
  readonly task: string
  readonly port: string
  readonly number: number
  readonly ranges?: readonly Range[]
}

export interface Requirement {
  readonly instance: PodInstanceName
  readonly pod: string
  readonly placement: PodSpec['placement']
  /** Every scalar of the footprint, without ports. */
  readonly scalars: readonly LedgerEntry[]
  readonly ports: readonly PortWish[]
  /** Sums by name, for the cheap check. */
  readonly totals: Readonly<Record<'cpus' | 'mem' | 'disk', Milli>>
  /** Makes resource ids of this footprint: unlike those of every other footprint, of this store or of a lost one. */
  readonly resourceId: (part: string) => ResourceId
}

/** Parts of a footprint that an executor holds: its own share and the pod's volumes. */
export const isExecutorPart = (entry: LedgerEntry): boolean => entry.part === 'executor' || entry.part.startsWith('volume/')
export const isTaskPart = (entry: LedgerEntry, task: string): boolean => entry.part === `task/${task}`

/** `nonce` sets this footprint apart from every other one. */
export function buildRequirement(
  instance: PodInstanceName,
  podName: string,
  pod: PodSpec,
  generation: number,
  nonce: string,
): Requirement {
  const id = (part: string) => buildResourceId({ instance, generation, nonce }, part)
  const scalar = (part: string, name: 'cpus' | 'mem' | 'disk', value: number): LedgerEntry => ({
    resourceId: id(`${part}/${name}`),
    part,
    name,
    amount: toMilli(value),
    state: 'wanted',
  })
  const tasks = resolveTasks(pod)
  const scalars = [
    scalar('executor', 'cpus', pod.executor.cpus),
    scalar('executor', 'mem', pod.executor.memoryMb),
    scalar('executor', 'disk', pod.executor.diskMb),
    ...tasks.flatMap(([name, task]) => [scalar(`task/${name}`, 'cpus', task.cpus), scalar(`task/${name}`, 'mem', task.memoryMb)]),
    ...Object.entries(pod.volumes).map(([name, volume]) => ({
      ...scalar(`volume/${name}`, 'disk', volume.sizeMb),
      volume: { persistenceId: persistenceId(`${instance}-${name}-${nonce}`), containerPath: volume.path ?? name },
    })),
  ]
  const total = (name: string) =>
    scalars.filter((entry) => entry.name === name).reduce((sum, entry) => sum + (entry.amount ?? 0), 0)
  return {
    instance,
    pod: podName,
    placement: pod.placement,
    scalars,
    ports: tasks.flatMap(([task, content]) =>
      Object.entries(content.ports).map(([port, { port: number, ranges }]) => ({
        task,
        port,
        number,
        ...(ranges === undefined ? {} : { ranges }),
      })),
    ),
    totals: { cpus: total('cpus'), mem: total('mem'), disk: total('disk') },
    resourceId: id,
  }
}
