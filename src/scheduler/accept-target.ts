/**
 * A spec handed in: taken as the target, found to be the present one, or refused with reasons. Nothing restarts here; what
 * differs is rolled by the update plan. Pure.
 */
import { podInstanceName } from '../ids.js'
import { checkUpdate, principalOf } from '../spec/check-update.js'
import type { ServiceSpec } from '../spec/schema.js'
import { isBroken, isServing, matchesTarget, nameOf } from './assess.js'
import { newRunId } from './blocks.js'
import type { Draft } from './draft.js'
import type { Env } from './env.js'
import { newInstanceRecord, type InstanceRecord } from './records/instance-record.js'
import type { ServiceRecord } from './records/service-record.js'
import type { Target } from './state.js'
import { buildTarget } from './target.js'

export function acceptTarget(draft: Draft, env: Env, spec: ServiceSpec): void {
  const target = buildTarget(spec)
  const present = draft.records.service
  draft.setVolatile({ rejected: undefined })
  const before = present === undefined ? undefined : draft.records.targets.get(present.targetId)
  if (before?.id === target.id) {
    // The order of pods and tasks is not in the record, and in no identity; it is as the author has it now.
    draft.setTarget(target)
  } else {
    const reasons = before === undefined ? [] : checkUpdate(before.spec, spec, highestIndexes(draft))
    if (before !== undefined && reasons.length > 0) {
      draft.setVolatile({ rejected: { targetId: target.id, reasons } })
      return adjustInstances(draft, before)
    }
    draft.setTarget(target)
    draft.setService(nextService(env, target, present))
    setDeployRun(draft, env, target)
    draft.decided()
  }
  // Decisions of their own, because thousands of instances would not fit into one transaction; and made for the present target
  // too, so that a start completes what the one before may not have finished.
  adjustInstances(draft, target)
}

function setDeployRun(draft: Draft, env: Env, target: Target): void {
  const deploy = draft.records.runs.get('deploy')
  const startedAtMs = draft.volatile.nowMs
  if (deploy === undefined) {
    const runId = newRunId(env)
    draft.setRun({ v: 2, plan: 'deploy', runId, targetId: target.id, startedAtMs, isCure: false, paused: false, questions: {} })
  } else if (deploy.completedAtMs === undefined) {
    // A deployment that is not done goes on with the newest target; a pause or a closed gate of the old one must not block the cure.
    draft.setRun({ ...deploy, targetId: target.id, isCure: true, paused: false, questions: {} })
  }
}

function nextService(env: Env, target: Target, present: ServiceRecord | undefined): ServiceRecord {
  const { spec } = target
  const generated = Object.entries(spec.values).map(([name, value]) => [
    name,
    present?.values[name] ?? generate(env, value.generate),
  ])
  const counts = Object.entries(spec.pods).map(([name, pod]) => [name, present?.firstCounts[name] ?? pod.count])
  return {
    v: 2,
    name: spec.name,
    user: spec.user,
    principal: principalOf(spec),
    ...(present?.frameworkId === undefined ? {} : { frameworkId: present.frameworkId }),
    ...(present?.founding === undefined ? {} : { founding: present.founding }),
    targetId: target.id,
    values: { ...present?.values, ...(Object.fromEntries(generated) as Record<string, string>) },
    firstCounts: Object.fromEntries(counts) as Record<string, number>,
  }
}

/** New instances appear, those that never got anything and are not wanted go, those in hand follow, those that match move on. */
function adjustInstances(draft: Draft, target: Target): void {
  // While the deployment is incomplete no update can cure what recovery cannot bring back.
  const isDeploying = draft.records.runs.get('deploy')?.completedAtMs === undefined
  for (const [pod, { count }] of Object.entries(target.spec.pods)) {
    for (let index = 0; index < count; index++) {
      const name = podInstanceName(pod, index)
      if (!draft.records.instances.has(name)) draft.setInstance(name, newInstanceRecord(pod, index, target.id))
      draft.decided()
    }
  }
  for (const [name, instance] of [...draft.records.instances]) {
    draft.decided()
    const wanted = instance.index < (target.spec.pods[instance.pod]?.count ?? 0)
    if (!wanted) {
      draft.deleteInstance(name)
    } else if (isGivenBack(draft, instance, target)) {
      const { block } = instance
      const ended = block === undefined ? {} : { block: { ...block, endedAtMs: draft.volatile.nowMs } }
      draft.setInstance(name, { ...instance, owner: 'none', ...ended })
    } else if (instance.targetId !== target.id) {
      // A block in hand follows the newest target: when its own is broken, this is the cure. What matches needs no restart.
      const inHand = instance.owner === 'deploy' || instance.owner === 'update' || (isDeploying && isBroken(draft, instance))
      const untouched = instance.footprint === undefined || matchesTarget(draft.records, instance, target)
      if (inHand || untouched) {
        const block = instance.block === undefined || !inHand ? instance.block : { ...instance.block, gates: {} }
        draft.setInstance(nameOf(instance), { ...instance, targetId: target.id, ...(block === undefined ? {} : { block }) })
      }
    }
  }
  draft.decided()
}

/**
 * In hand of an update, and serving while it waits for its gates: the newer target would take it down at once, whatever else is
 * down. The run for that target takes it in hand again when its turn has come.
 */
const isGivenBack = ({ records }: Draft, instance: InstanceRecord, target: Target): boolean =>
  instance.owner === 'update' && instance.deployed && isServing(records, instance) && !matchesTarget(records, instance, target)

/** Highest index of each pod type that holds reserved resources, -1 for none. */
function highestIndexes({ records }: Draft): (pod: string) => number {
  const highest = new Map<string, number>()
  for (const { pod, index, footprint } of records.instances.values())
    if (footprint !== undefined) highest.set(pod, Math.max(index, highest.get(pod) ?? -1))
  return (pod) => highest.get(pod) ?? -1
}

/** A text that begins with a dash reads as an option on a command line, and Kafka refuses it as a cluster id: then another one. */
function generate(env: Env, kind: 'uuid' | 'uuidBase64Url'): string {
  for (;;) {
    const uuid = env.ids.uuid('value')
    const value = kind === 'uuid' ? uuid : base64Url(uuid)
    if (!value.startsWith('-')) return value
  }
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** The 16 bytes of a UUID as 22 characters without padding. */
export function base64Url(uuid: string): string {
  const bits = [...uuid.replaceAll('-', '')].map((digit) => Number.parseInt(digit, 16).toString(2).padStart(4, '0')).join('')
  const padded = bits.padEnd(Math.ceil(bits.length / 6) * 6, '0')
  return (padded.match(/.{6}/g) ?? []).map((six) => alphabet[Number.parseInt(six, 2)] ?? '').join('')
}
