/**
 * Blocks: ownership of an instance passes only in the write that starts or ends one, a block keeps its run and its start until it
 * has ended, a run that is complete stays complete, and an update holds one instance at a time. Several decisions may be stored
 * in one batch, of which only the last text of each record shows: then a block may end and the next one start unseen, and what
 * can be seen is that the instance had everything that ends a block.
 */
import type { RunRecord } from '../../plan/run-record.js'
import type { InstanceRecord } from '../../scheduler/records/instance-record.js'
import type { CheckerContext, CheckerDefinition } from './checker.js'
import { createMirror, instanceChanges, valueOf, type Committed, type InstanceChange, type Mirror } from './mirror.js'

type Block = NonNullable<InstanceRecord['block']>

export const blocks: CheckerDefinition = {
  name: 'blocks',
  watches: 'an instance has one owner, who keeps it from the start of a block to its end; a complete run stays complete',
  create(context) {
    const { report } = context
    const mirror = createMirror()

    const note = (batch: Committed): void => {
      const changes = instanceChanges(batch, mirror)
      for (const { key, value, before, after } of runChanges(batch, mirror)) {
        if (after === undefined) report(`the record ${key} ${value === null ? 'was deleted' : 'cannot be read'}`)
        else checkRun(key, before, after, context)
      }
      mirror.apply(batch)
      for (const change of changes) checkInstance(change, mirror, context)
      if (!changes.some(({ after }) => after?.owner === 'update')) return
      const updated = [...mirror.instances()].flatMap(([name, { owner }]) => (owner === 'update' ? [name] : []))
      if (updated.length > 1) report(`the update holds ${updated.join(' and ')} at once`)
    }

    return {
      onEntry(entry) {
        if (entry.type === 'committed') note(entry)
      },
    }
  },
}

const runChanges = (batch: Committed, mirror: Mirror) =>
  batch.writes.flatMap((write) => {
    if (!write.key.startsWith('plans/')) return []
    const before = mirror.run(write.key.slice('plans/'.length) as RunRecord['plan'])
    return [{ ...write, before, after: valueOf(write) as RunRecord | undefined }]
  })

function checkRun(key: string, before: RunRecord | undefined, after: RunRecord, { report }: CheckerContext): void {
  if (before === undefined) return
  const isSame = before.runId === after.runId
  if (!isSame && key === 'plans/deploy')
    report(`${key}: run ${before.runId} was followed by ${after.runId}; there is one deployment`)
  if (!isSame && before.completedAtMs === undefined && before.targetId === after.targetId)
    report(`${key}: run ${before.runId} gave way to ${after.runId} for the same target`)
  if (isSame && before.completedAtMs !== undefined && after.completedAtMs !== before.completedAtMs)
    report(`${key}: run ${after.runId} was complete and is open again`)
}

function checkInstance({ name, before, after }: InstanceChange, mirror: Mirror, { report }: CheckerContext): void {
  if (after === undefined) return
  const { owner, block } = after
  const isOpen = block !== undefined && block.endedAtMs === undefined
  if (isOpen !== (owner !== 'none')) return report(`${name} is owned by ${owner} and its block is ${print(block)}`)
  if (owner !== 'none' && block?.plan !== owner) return report(`${name} is owned by ${owner} under a block of ${block?.plan}`)
  const problem = followsWrongly(before, after, mirror)
  if (problem === undefined) return
  report(`${name}: the block ${print(before?.block)} was followed by ${print(block)} ${problem}`)
}

/** Why one state of an instance cannot come from the other. */
function followsWrongly(before: InstanceRecord | undefined, after: InstanceRecord, mirror: Mirror): string | undefined {
  const [was, is] = [before?.block, after.block]
  if (before === undefined || was === undefined) return undefined
  if (is === undefined) return 'without a trace'
  if (was.startedAtMs === is.startedAtMs && was.plan === is.plan) {
    if (was.endedAtMs !== undefined && is.endedAtMs !== was.endedAtMs) return 'after it had ended'
    const isTakenOver = is.plan === 'update' && mirror.run('update')?.runId === is.runId
    return was.runId === is.runId || isTakenOver ? undefined : 'of another run'
  }
  if (is.startedAtMs < (was.endedAtMs ?? was.startedAtMs)) return 'that began before'
  // What does not come back on its own target is taken over by an update to another one, which may be the cure.
  const isCured = before.owner === 'recovery' && after.owner === 'update' && before.targetId !== after.targetId
  return before.owner === 'none' || isCured || isUp(before, mirror)
    ? undefined
    : 'while the instance was not ready, so that it cannot have ended'
}

/** Everything that should keep running runs and is ready, or is about to be killed since. */
function isUp({ pod, index, targetId }: InstanceRecord, mirror: Mirror): boolean {
  const tasks = Object.entries(mirror.spec(targetId)?.pods[pod]?.tasks ?? {})
  return tasks.every(([task, { goal }]) => {
    const record = mirror.task(`${pod}-${index}-${task}`)
    if (goal !== 'RUNNING') return true
    return record?.context.ready === true && (record.value === 'running' || record.value === 'killing')
  })
}

const print = (block: Block | undefined): string =>
  block === undefined
    ? 'none'
    : `${block.plan} ${block.runId} from ${block.startedAtMs}${block.endedAtMs === undefined ? '' : ` to ${block.endedAtMs}`}`
