/**
 * The store as the log tells it: every batch that landed, applied. Checkers look at what was stored before a batch and after
 * it, and at whole specs that the store has long forgotten. Reads records as they are printed and decides nothing.
 */
import type { RunRecord } from '../../plan/run-record.js'
import type { RecordKey, Write } from '../../ports/state-store.js'
import type { InstanceRecord } from '../../scheduler/records/instance-record.js'
import type { ServiceRecord } from '../../scheduler/records/service-record.js'
import type { PodSpec, ServiceSpec, TaskSpec } from '../../spec/schema.js'
import type { TaskLaunch, TaskRecord } from '../../state-machine/task-record.js'
import type { LogEntry } from '../virtual/log.js'
import { splitTaskName } from './names.js'

export type Committed = Extract<LogEntry, { type: 'committed' }>

export interface Mirror {
  apply(batch: Committed): void
  task(name: string): TaskRecord | undefined
  instance(name: string): InstanceRecord | undefined
  run(plan: RunRecord['plan']): RunRecord | undefined
  service(): ServiceRecord | undefined
  /** Every pod instance on record, by name. */
  instances(): Iterable<readonly [string, InstanceRecord]>
  /** Spec of a target that is stored, or once was. */
  spec(targetId: string | undefined): ServiceSpec | undefined
  /** The pod of an instance as the target that it is on has it. */
  podOf(instance: string): PodSpec | undefined
  /** A task as the target that its instance is on has it. */
  taskSpec(task: string): TaskSpec | undefined
}

/** Each text is parsed once, however many checkers read it. */
const parsed = new WeakMap<Write, unknown>()

/** What a write sets; undefined for a deletion, and for a text that is no JSON. */
export function valueOf(write: Write): unknown {
  if (write.value === null) return undefined
  if (!parsed.has(write)) parsed.set(write, parseOrNothing(write.value))
  return parsed.get(write)
}

function parseOrNothing(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Key of a target's record: the colon of its id does not go into keys. */
export const keyOfTarget = (targetId: string): RecordKey => `targets/${targetId.replace(':', '-')}`

export function createMirror(): Mirror {
  const records = new Map<RecordKey, unknown>()
  const specs = new Map<RecordKey, ServiceSpec>()
  /** Keys of instances, so that nobody has to look for them among the tasks. */
  const instanceKeys = new Set<RecordKey>()
  const read = <Record>(key: RecordKey): Record | undefined => records.get(key) as Record | undefined
  const instance = (name: string): InstanceRecord | undefined => read(`instances/${name}`)
  const spec = (id: string | undefined): ServiceSpec | undefined => (id === undefined ? undefined : specs.get(keyOfTarget(id)))
  const podOf = (name: string): PodSpec | undefined => {
    const record = instance(name)
    return record === undefined ? undefined : spec(record.targetId)?.pods[record.pod]
  }

  const set = (write: Write): void => {
    const value = valueOf(write)
    if (value === undefined || value === null) {
      records.delete(write.key)
      instanceKeys.delete(write.key)
      return
    }
    records.set(write.key, value)
    if (write.key.startsWith('instances/')) instanceKeys.add(write.key)
    if (write.key.startsWith('targets/')) specs.set(write.key, (value as { spec: ServiceSpec }).spec)
  }

  return {
    apply: (batch) => batch.writes.forEach(set),
    task: (name) => read(`tasks/${name}`),
    instance,
    run: (plan) => read(`plans/${plan}`),
    service: () => read('service/service'),
    *instances() {
      for (const key of instanceKeys) yield [key.slice('instances/'.length), records.get(key) as InstanceRecord] as const
    },
    spec,
    podOf,
    taskSpec(name) {
      const parts = splitTaskName(name)
      return parts === undefined ? undefined : podOf(parts.instance)?.tasks[parts.task]
    },
  }
}

/** A task record that a batch writes, with what was stored before. */
export interface TaskChange {
  readonly name: string
  readonly before: TaskRecord | undefined
  readonly after: TaskRecord
}

/** To be asked before the batch is applied. */
export const taskChanges = (batch: Committed, mirror: Mirror): TaskChange[] =>
  batch.writes.flatMap((write) => {
    const after = write.key.startsWith('tasks/') ? (valueOf(write) as Partial<TaskRecord> | undefined) : undefined
    const name = write.key.slice('tasks/'.length)
    // What is no task record is reported by whoever looks at texts, and must not stop the others.
    return after?.context === undefined ? [] : [{ name, before: mirror.task(name), after: after as TaskRecord }]
  })

/** A launch that a batch decides on: the task had another one before, or none. */
export interface NewLaunch extends TaskChange {
  readonly launch: TaskLaunch
}

/** To be asked before the batch is applied. */
export const newLaunches = (batch: Committed, mirror: Mirror): NewLaunch[] =>
  taskChanges(batch, mirror).flatMap((change) => {
    const { launch } = change.after.context
    return launch === undefined || change.before?.context.launch?.taskId === launch.taskId ? [] : [{ ...change, launch }]
  })

/** An instance record that a batch writes (`after` undefined: deletes), with what was stored before. */
export interface InstanceChange {
  readonly name: string
  readonly before: InstanceRecord | undefined
  readonly after: InstanceRecord | undefined
}

/** To be asked before the batch is applied. */
export const instanceChanges = (batch: Committed, mirror: Mirror): InstanceChange[] =>
  batch.writes.flatMap((write) => {
    if (!write.key.startsWith('instances/')) return []
    const name = write.key.slice('instances/'.length)
    return [{ name, before: mirror.instance(name), after: valueOf(write) as InstanceRecord | undefined }]
  })
