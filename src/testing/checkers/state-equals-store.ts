/**
 * The store holds what the scheduler goes on with, and nothing else: every text is canonical JSON, what a new session loads is
 * the sum of all batches that landed, and after each batch the records fit together: each finds the target that it names, and a
 * launch the executor that it is made in. Every prefix of what was decided is a valid state.
 */
import type { RunRecord } from '../../plan/run-record.js'
import type { RecordKey, Write } from '../../ports/state-store.js'
import type { InstanceRecord } from '../../scheduler/records/instance-record.js'
import type { ServiceRecord } from '../../scheduler/records/service-record.js'
import { canonicalJson } from '../../spec/canonical.js'
import type { CheckerContext, CheckerDefinition } from './checker.js'
import { createMirror, keyOfTarget, newLaunches, valueOf, type Committed, type Mirror } from './mirror.js'
import { instanceOfTask } from './names.js'

export const stateEqualsStore: CheckerDefinition = {
  name: 'state-equals-store',
  watches: 'records are canonical JSON and fit together after every batch, and a session loads what has landed',
  create(context) {
    const { report } = context
    const mirror = createMirror()
    const texts = new Map<RecordKey, string>()
    /** The target that each record names, by key. */
    const targets = new Map<RecordKey, string>()

    const apply = (write: Write): void => {
      const { key, value } = write
      if (value === null) texts.delete(key)
      else texts.set(key, value)
      const target = targetOf(write)
      if (target === undefined) targets.delete(key)
      else targets.set(key, keyOfTarget(target))
    }
    const checkTargets = (): void => {
      for (const [key, target] of targets) if (!texts.has(target)) report(`${key} names ${target}, which is not stored`)
    }

    return {
      onEntry(entry) {
        if (entry.type === 'committed') {
          for (const write of entry.writes) checkText(write, context)
          entry.writes.forEach(apply)
          checkExecutors(entry, mirror, context)
          if (entry.writes.length > 0) checkTargets()
        }
        if (entry.type === 'sessionOpened')
          for (const difference of differences(texts, entry.records)) report(`${entry.scheduler} loaded ${difference}`)
      },
      atRest() {
        const keys = new Set(context.keys())
        for (const key of texts.keys()) if (!keys.has(key)) report(`${key} was stored and is not in the store`)
        for (const key of keys) if (!texts.has(key)) report(`${key} is in the store, and no batch has stored it`)
      },
    }
  },
}

function checkText(write: Write, { report }: CheckerContext): void {
  if (write.value === null) return
  const value = valueOf(write)
  if (value === undefined)
    return report(`${write.key} was stored as ${JSON.stringify(write.value.slice(0, 100))}, which is no JSON`)
  if (!isCanonical(value, write.value)) report(`${write.key} was stored in another form than the canonical one`)
}

/** A launch and the executor it is made in are one decision. */
function checkExecutors(batch: Committed, mirror: Mirror, { report }: CheckerContext): void {
  const launches = newLaunches(batch, mirror)
  mirror.apply(batch)
  for (const { launch } of launches) {
    const instance = instanceOfTask(launch.taskId)
    const found = mirror.instance(instance)?.executor?.executorId
    if (found !== launch.executorId)
      report(`${launch.taskId} was stored with executor ${launch.executorId}, and ${instance} with ${found ?? 'none'}`)
  }
}

/** Looks at the order of keys first: printing anew in order is dear, and hardly ever needed. */
const isCanonical = (value: unknown, text: string): boolean =>
  (isSorted(value) && JSON.stringify(value) === text) || canonicalJson(value) === text

function isSorted(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true
  if (Array.isArray(value)) return value.every(isSorted)
  let last = ''
  for (const [key, inner] of Object.entries(value)) {
    if (key < last || !isSorted(inner)) return false
    last = key
  }
  return true
}

/** The target without which the record could not be understood. A run that is complete needs none any more. */
function targetOf(write: Write): string | undefined {
  const kind = write.key.slice(0, write.key.indexOf('/'))
  if (kind === 'service' || kind === 'instances') return (valueOf(write) as InstanceRecord | ServiceRecord | undefined)?.targetId
  if (kind !== 'plans') return undefined
  const run = valueOf(write) as RunRecord | undefined
  return run?.completedAtMs === undefined ? run?.targetId : undefined
}

function* differences(stored: ReadonlyMap<RecordKey, string>, loaded: ReadonlyMap<RecordKey, string>): Iterable<string> {
  for (const [key, text] of stored) {
    const found = loaded.get(key)
    if (found === undefined) yield `nothing under ${key}, which was stored`
    else if (found !== text) yield `another text under ${key} than was stored: ${found} instead of ${text}`
  }
  for (const key of loaded.keys()) if (!stored.has(key)) yield `${key}, which nobody has stored`
}
