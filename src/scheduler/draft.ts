/**
 * One step in the making: the state it began with, the changes so far, and what to ask of the shell. Maps are copied on their
 * first change, so the state that came in stays as it was. Every change of a record is a write, by construction; `decided`
 * closes a decision, whose writes must become durable together. Pure seen from outside.
 */
import { instanceOfTask, type PodInstanceName, type StreamId, type TargetConfigId, type TaskName } from '../ids.js'
import type { RunRecord } from '../plan/run-record.js'
import type { TaskRecord } from '../state-machine/task-record.js'
import type { InstanceRecord } from './records/instance-record.js'
import type { ServiceRecord } from './records/service-record.js'
import { isOpen } from './open-instances.js'
import type { Ack, Job, MesosCall, Outgoing } from './output.js'
import type { Records, State, Target, Volatile } from './state.js'
import {
  instanceWrite,
  runWrite,
  serviceWrite,
  targetDeletion,
  targetWrite,
  taskWrite,
  type RecordWrite,
} from './stored-records.js'

/** Writes that must become durable together. */
export type Decision = readonly RecordWrite[]

/** What `step` gives back. */
export interface StepResult {
  readonly state: State
  /** In order; every prefix of decisions is a valid state. */
  readonly decisions: readonly Decision[]
  readonly calls: readonly Outgoing<MesosCall>[]
  readonly acks: readonly Outgoing<Ack>[]
  readonly jobs: readonly Job[]
}

type Changeable<Map> = Map extends ReadonlyMap<infer Key, infer Value> ? globalThis.Map<Key, Value> : never
type RecordMaps = 'targets' | 'instances' | 'tasks' | 'runs'
type VolatileMaps = 'offers' | 'unansweredTasks' | 'unansweredOperations' | 'killsSentAtMs' | 'strangers' | 'outcomes'

export interface Draft {
  readonly records: Records
  readonly volatile: Volatile
  setService(record: ServiceRecord): void
  setTarget(target: Target): void
  deleteTarget(id: TargetConfigId): void
  setInstance(name: PodInstanceName, record: InstanceRecord): void
  /** Only for an instance that has no footprint; what its tasks have left on record goes with it. */
  deleteInstance(name: PodInstanceName): void
  setTask(name: TaskName, record: TaskRecord): void
  setRun(record: RunRecord): void
  /** Ends a decision. */
  decided(): void
  setVolatile(change: Partial<Volatile>): void
  /** A volatile map to change in place; copied the first time in a step. */
  edit<Key extends VolatileMaps>(key: Key): Changeable<Volatile[Key]>
  call(call: MesosCall): void
  ack(ack: Ack): void
  job(job: Job): void
  result(): StepResult
}

export function createDraft(state: State): Draft {
  let records = state.records
  let volatile = state.volatile
  const copied = new Set<string>()
  const decisions: Decision[] = []
  let writes = new Map<string, RecordWrite>()
  /** Changed since it was last looked at whether they are at rest. */
  const changed = new Set<PodInstanceName>()
  let open = volatile.openInstances as Set<PodInstanceName>
  const calls: Outgoing<MesosCall>[] = []
  const acks: Outgoing<Ack>[] = []
  const jobs: Job[] = []

  const write = (record: RecordWrite) => void writes.set(record.key, record)
  const editRecords = <Key extends RecordMaps>(key: Key): Changeable<Records[Key]> => {
    if (!copied.has(`records.${key}`)) {
      records = { ...records, [key]: new Map(records[key] as ReadonlyMap<unknown, unknown>) }
      copied.add(`records.${key}`)
    }
    return records[key] as unknown as Changeable<Records[Key]>
  }
  const keepOpenInstances = (): void => {
    if (changed.size === 0) return
    for (const name of changed) {
      const isNow = isOpen(records, name)
      if (isNow === open.has(name)) continue
      if (!copied.has('openInstances')) open = new Set(open)
      copied.add('openInstances')
      if (isNow) open.add(name)
      else open.delete(name)
    }
    changed.clear()
    if (open !== volatile.openInstances) volatile = { ...volatile, openInstances: open }
  }
  const streamId = (): StreamId | undefined => volatile.stream?.id

  return {
    get records() {
      return records
    },
    get volatile() {
      keepOpenInstances()
      return volatile
    },
    setService(record) {
      records = { ...records, service: record }
      write(serviceWrite(record))
    },
    setTarget(target) {
      // Equal content, equal id: what is stored under it is the same already.
      if (!records.targets.has(target.id)) write(targetWrite(target))
      editRecords('targets').set(target.id, target)
    },
    deleteTarget(id) {
      editRecords('targets').delete(id)
      write(targetDeletion(id))
    },
    setInstance(name, record) {
      editRecords('instances').set(name, record)
      changed.add(name)
      write(instanceWrite(record))
    },
    deleteInstance(name) {
      editRecords('instances').delete(name)
      changed.add(name)
      write({ key: `instances/${name}`, value: null })
      for (const task of [...records.tasks.keys()].filter((each) => instanceOfTask(each) === name)) {
        editRecords('tasks').delete(task)
        write({ key: `tasks/${task}`, value: null })
      }
    },
    setTask(name, record) {
      editRecords('tasks').set(name, record)
      const instance = instanceOfTask(name)
      if (instance !== undefined) changed.add(instance)
      write(taskWrite(name, record))
    },
    setRun(record) {
      editRecords('runs').set(record.plan, record)
      write(runWrite(record))
    },
    decided() {
      if (writes.size > 0) decisions.push([...writes.values()])
      writes = new Map()
    },
    setVolatile(change) {
      volatile = { ...volatile, ...change }
    },
    edit(key) {
      if (!copied.has(key)) {
        volatile = { ...volatile, [key]: new Map(volatile[key] as ReadonlyMap<unknown, unknown>) }
        copied.add(key)
      }
      return volatile[key] as never
    },
    call(call) {
      const id = streamId()
      if (id !== undefined) calls.push({ streamId: id, call })
    },
    ack(call) {
      const id = streamId()
      if (id !== undefined) acks.push({ streamId: id, call })
    },
    job(job) {
      jobs.push(job)
    },
    result() {
      this.decided()
      keepOpenInstances()
      return { state: { records, volatile }, decisions, calls, acks, jobs }
    },
  }
}
