/**
 * Records as text under keys, and back. A record that this version cannot read stops the start, with record and field named:
 * deciding on half-understood state could cost data. Pure.
 */
import type { z } from 'zod'
import { SdkError } from '../errors.js'
import { podInstanceName, type PodInstanceName, type TargetConfigId, type TaskName } from '../ids.js'
import { runRecordSchema, type RunRecord } from '../plan/run-record.js'
import { canonicalJson } from '../spec/canonical.js'
import { taskRecordSchema, type TaskRecord } from '../state-machine/task-record.js'
import { instanceRecordSchema, type InstanceRecord } from './records/instance-record.js'
import { serviceRecordSchema, type ServiceRecord } from './records/service-record.js'
import { targetRecordSchema } from './records/target-record.js'
import { noRecords, type Records, type Target } from './state.js'
import { buildTarget } from './target.js'

/** A record to set, or to delete with `null`. */
export interface RecordWrite {
  readonly key: string
  readonly value: string | null
}

/** Keys must do for every store: no colon in them. */
const keyOfTarget = (id: TargetConfigId): string => `targets/${id.replace(':', '-')}`

export const serviceWrite = (record: ServiceRecord): RecordWrite => ({ key: 'service/service', value: canonicalJson(record) })
export const targetWrite = (target: Target): RecordWrite => ({
  key: keyOfTarget(target.id),
  value: canonicalJson({ v: 1, spec: target.spec }),
})
export const targetDeletion = (id: TargetConfigId): RecordWrite => ({ key: keyOfTarget(id), value: null })
export const taskWrite = (name: TaskName, record: TaskRecord): RecordWrite => ({
  key: `tasks/${name}`,
  value: canonicalJson(record),
})
export const runWrite = (record: RunRecord): RecordWrite => ({ key: `plans/${record.plan}`, value: canonicalJson(record) })
export const instanceWrite = (record: InstanceRecord): RecordWrite => ({
  key: `instances/${podInstanceName(record.pod, record.index)}`,
  value: canonicalJson(record),
})

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
    if (kind === 'service') service = parseRecord(key, text, serviceRecordSchema)
    else if (kind === 'targets') {
      const target = buildTarget(parseRecord(key, text, targetRecordSchema).spec)
      if (keyOfTarget(target.id) !== key) {
        throw unreadable(
          key,
          `its content has the identity ${target.id}; the record was changed, or written by another hash version`,
        )
      }
      targets.set(target.id, target)
    } else if (kind === 'instances') instances.set(name as PodInstanceName, parseRecord(key, text, instanceRecordSchema))
    else if (kind === 'tasks') tasks.set(name as TaskName, parseRecord(key, text, taskRecordSchema))
    else if (kind === 'plans') {
      const run = parseRecord(key, text, runRecordSchema)
      runs.set(run.plan, run)
    } else throw unreadable(key, 'this version knows no such kind of record; was it written by a newer one?')
  }
  return { service, targets, instances, tasks, runs }
}

function parseRecord<Schema extends z.ZodType>(key: string, text: string, schema: Schema): z.output<Schema> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw unreadable(key, 'it is not JSON', cause)
  }
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const fields = parsed.error.issues.slice(0, 5).map((issue) => `${issue.path.join('.') || 'record'}: ${issue.message}`)
  throw unreadable(key, fields.join('; '))
}

const unreadable = (key: string, found: string, cause?: unknown): SdkError =>
  new SdkError(
    'ERR_STORED_STATE',
    `cannot read the stored record ${key}: ${found}. Nothing was changed; start the version that wrote it`,
    {
      details: { record: key },
      cause,
    },
  )
