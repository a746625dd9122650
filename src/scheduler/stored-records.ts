/**
 * Records as text under keys, and back. A record that this version cannot read stops the start, with record and field named:
 * deciding on half-understood state could cost data. Pure.
 */
import { instanceOfTask, podInstanceName, type PodInstanceName, type TargetConfigId, type TaskName } from '../ids.js'
import { runRecordSchema, type RunRecord } from '../plan/run-record.js'
import { mayBeAlive, taskRecordSchema, type TaskRecord } from '../state-machine/task-record.js'
import { instanceRecordSchema, type InstanceRecord } from './records/instance-record.js'
import { printRecord, readRecord, unreadable, type OldRecord } from './records/record-text.js'
import { serviceRecordSchema, type ServiceRecord } from './records/service-record.js'
import { targetRecordSchema } from './records/target-record.js'
import { noRecords, type Records, type Target } from './state.js'
import { buildTarget } from './target.js'

/** A record to set, or to delete with `null`. */
export interface RecordWrite {
  readonly key: string
  readonly value: string | null
}

const sameContent = (old: OldRecord): OldRecord => old

const serviceKind = { version: 2, schema: serviceRecordSchema, upgrades: { 1: sameContent } }
const targetKind = { version: 2, schema: targetRecordSchema, upgrades: { 1: sameContent } }
const instanceKind = { version: 2, schema: instanceRecordSchema, upgrades: { 1: sameContent } }
const runKind = { version: 2, schema: runRecordSchema, upgrades: { 1: sameContent } }
/** Version 1 kept no history. */
const taskKind = {
  version: 2,
  schema: taskRecordSchema,
  upgrades: { 1: (old: OldRecord): OldRecord => ({ ...old, history: [], presumed: [] }) },
}

/** Keys must do for every store: no colon in them. */
const keyOfTarget = (id: TargetConfigId): string => `targets/${id.replace(':', '-')}`
const serviceKey = 'service/service'

const writeOf = (key: string, record: object): RecordWrite => ({ key, value: printRecord(key, record) })

export const serviceWrite = (record: ServiceRecord): RecordWrite => writeOf(serviceKey, record)
export const targetWrite = (target: Target): RecordWrite =>
  writeOf(keyOfTarget(target.id), { v: targetKind.version, spec: target.spec })
export const targetDeletion = (id: TargetConfigId): RecordWrite => ({ key: keyOfTarget(id), value: null })
export const taskWrite = (name: TaskName, record: TaskRecord): RecordWrite => writeOf(`tasks/${name}`, record)
export const runWrite = (record: RunRecord): RecordWrite => writeOf(`plans/${record.plan}`, record)
export const instanceWrite = (record: InstanceRecord): RecordWrite =>
  writeOf(`instances/${podInstanceName(record.pod, record.index)}`, record)

/** @throws SdkError `ERR_STORED_STATE` naming record and field. */
export function parseRecords(stored: ReadonlyMap<string, string>): Records {
  let service: ServiceRecord | undefined = noRecords.service
  const targets = new Map<TargetConfigId, Target>()
  const instances = new Map<PodInstanceName, InstanceRecord>()
  const tasks = new Map<TaskName, TaskRecord>()
  const runs = new Map<RunRecord['plan'], RunRecord>()
  for (const key of [...stored.keys()].sort()) {
    const text = stored.get(key) ?? ''
    const [kind, name] = [key.slice(0, key.indexOf('/')), key.slice(key.indexOf('/') + 1)]
    if (kind === 'service') service = readRecord(key, text, serviceKind)
    else if (kind === 'targets') {
      const target = buildTarget(readRecord(key, text, targetKind).spec)
      if (keyOfTarget(target.id) !== key) {
        throw unreadable(
          key,
          `its content has the identity ${target.id}; the record was changed, or written by another hash version`,
        )
      }
      targets.set(target.id, target)
    } else if (kind === 'instances') instances.set(name as PodInstanceName, readRecord(key, text, instanceKind))
    else if (kind === 'tasks') tasks.set(name as TaskName, readRecord(key, text, taskKind))
    else if (kind === 'plans') {
      const run = readRecord(key, text, runKind)
      runs.set(run.plan, run)
    } else throw unreadable(key, 'this version knows no such kind of record; was it written by a newer one?')
  }
  const records = { service, targets, instances, tasks, runs }
  const missing = findMissing(records)
  if (missing !== undefined) throw unreadable(missing.key, missing.found)
  return records
}

/** What one record counts on and another should hold. Each was written in one transaction with, or after, what it counts on. */
function findMissing({ service, targets, instances, tasks, runs }: Records): { key: string; found: string } | undefined {
  const has = (id: TargetConfigId): boolean => targets.has(id)
  if (service === undefined) {
    const others = targets.size + instances.size + tasks.size + runs.size
    return others === 0 ? undefined : { key: serviceKey, found: `it is missing, and ${others} other records are there` }
  }
  if (!has(service.targetId)) return { key: serviceKey, found: `targetId: there is no record ${keyOfTarget(service.targetId)}` }
  for (const [name, { pod, index, targetId }] of instances) {
    const key = `instances/${name}`
    if (name !== podInstanceName(pod, index)) return { key, found: `pod, index: it speaks of ${podInstanceName(pod, index)}` }
    if (!has(targetId)) return { key, found: `targetId: there is no record ${keyOfTarget(targetId)}` }
  }
  for (const [name, record] of tasks) {
    const instance = instanceOfTask(name)
    // What an instance that was taken out has left behind is no concern, unless it may live.
    if ((instance === undefined || !instances.has(instance)) && mayBeAlive(record))
      return { key: `tasks/${name}`, found: `there is no record instances/${instance ?? '?'} for it` }
  }
  for (const { plan, targetId, completedAtMs } of runs.values()) {
    if (completedAtMs === undefined && !has(targetId))
      return { key: `plans/${plan}`, found: `targetId: there is no record ${keyOfTarget(targetId)}` }
  }
  return undefined
}
