/**
 * Blocks: a stretch of work of one plan on one instance. Ownership passes only here, in the decision that starts or ends a
 * block. Pure.
 */
import { runId, type PodInstanceName, type RunId } from '../ids.js'
import { deployPhases } from '../plan/phases.js'
import type { GateSpec } from '../spec/schema.js'
import { isReady, nameOf, targetOf } from './assess.js'
import type { Draft } from './draft.js'
import type { Env } from './env.js'
import { openInstances } from './open-instances.js'
import { passGates } from './questions.js'
import type { Block, InstanceRecord } from './records/instance-record.js'
import type { Target } from './state.js'

/** Gates after a block, by the plan that owns it. */
export function gatesAfter(target: Target, instance: InstanceRecord, plan: Block['plan']): readonly GateSpec[] {
  if (plan === 'recovery') return target.spec.recovery.afterEach
  if (plan === 'update') return target.spec.update.afterEach
  return deployPhases(target.spec).find((phase) => phase.pod === instance.pod)?.afterEach ?? []
}

export function startBlock(
  draft: Draft,
  name: PodInstanceName,
  plan: Block['plan'],
  id: RunId,
  targetId: InstanceRecord['targetId'],
): void {
  const instance = draft.records.instances.get(name)
  if (instance === undefined) return
  const block: Block = { plan, runId: id, startedAtMs: draft.volatile.nowMs, gates: {} }
  draft.setInstance(name, { ...instance, owner: plan, targetId, block })
  draft.decided()
}

/** Ends blocks whose instance is ready and whose gates are open; asks the gates of those that are ready. */
export function endBlocks(draft: Draft, env: Env): void {
  for (const [name, instance] of openInstances(draft)) {
    if (instance.owner === 'none' || instance.block === undefined) continue
    const target = targetOf(draft.records, instance)
    if (target === undefined) continue
    if (!isReady(draft.records, instance)) forgetGates(draft, name, instance, instance.block)
    else finish(draft, env, name, instance, instance.block, target)
  }
}

/** An answer from before a failure says nothing about the time after it. */
function forgetGates(draft: Draft, name: PodInstanceName, instance: InstanceRecord, block: Block): void {
  if (Object.keys(block.gates).length === 0) return
  draft.setInstance(name, { ...instance, block: { ...block, gates: {} } })
  draft.decided()
}

function finish(draft: Draft, env: Env, name: PodInstanceName, ready: InstanceRecord, block: Block, target: Target): void {
  const instance = ready.joined ? ready : { ...ready, joined: true }
  if (instance !== ready) {
    draft.setInstance(name, instance)
    draft.decided()
  }
  const gates = gatesAfter(target, instance, block.plan)
  // What idles opens no gate that asks for a working service. A roll waits for its gates until it works again; recovery, which
  // only brings back what was there, does not.
  if (instance.paused === true && block.plan !== 'recovery' && gates.length > 0) return
  const open = passGates(
    draft,
    env,
    instance.paused === true ? [] : gates,
    '',
    block.gates,
    { plan: block.plan, instance: nameOf(instance) },
    (answered) => {
      draft.setInstance(name, { ...instance, block: { ...block, gates: answered } })
      draft.decided()
    },
  )
  if (!open) return
  const { restartBeforeMs: _done, ...rest } = instance
  draft.setInstance(name, {
    ...rest,
    owner: 'none',
    deployed: instance.deployed || block.plan !== 'recovery',
    block: { ...block, endedAtMs: draft.volatile.nowMs },
  })
  draft.decided()
}

export const newRunId = (env: Env): RunId => runId(env.ids.uuid('run'))
