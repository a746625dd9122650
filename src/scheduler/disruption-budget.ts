/**
 * The disruption budget of a service, shared by update, recovery and restarts: what serves is taken down only while everything
 * else is settled. Pure.
 */
import type { PodInstanceName } from '../ids.js'
import { mayBeAlive } from '../state-machine/task-record.js'
import { isRestartDue, isServing, nameOf, tasksOf } from './assess.js'
import { openInstances } from './open-instances.js'
import type { InstanceRecord } from './records/instance-record.js'
import type { State } from './state.js'

/** Why no healthy instance (but for the named one) may be taken in hand now, for claims and for the operator alike. */
export function updateBlocker(state: State, except?: PodInstanceName): string | undefined {
  if (state.volatile.stream === undefined) return 'no connection to the master'
  return unsettledBeside(state, except)
}

/** Why another instance than this one needs the service to stay as it is; undefined when there is none. */
function unsettledBeside(state: State, name: PodInstanceName | undefined): string | undefined {
  for (const [other, instance] of maybeUnsettled(state)) {
    const reason = other === name ? undefined : unsettledReason(state, instance)
    if (reason !== undefined) return reason
  }
  return undefined
}

/**
 * Why a restart within a block in hand has to wait: it takes down what serves, so everybody else must serve. Others in hand that
 * wait for a restart themselves count as serving, or they would wait for each other.
 */
export function restartBlocker(state: State, instance: InstanceRecord): string | undefined {
  if (!isServing(state.records, instance)) return undefined
  for (const [, other] of maybeUnsettled(state)) {
    if (other === instance) continue
    const reason = unsettledReason(state, other)
    const isInTurn = isServing(state.records, other) && isRestartDue(state.records, other)
    if (reason !== undefined && !(isInTurn && unansweredReason(state, other) === undefined)) return reason
  }
  return undefined
}

/**
 * Why a deployed instance must not count on the others to carry the service while it is taken down: undefined when it is
 * ready, in nobody's hands, and the master has told so on this stream. The shared disruption budget rests on this.
 */
function unsettledReason({ records, volatile }: State, instance: InstanceRecord): string | undefined {
  if (!instance.deployed) return undefined
  const name = nameOf(instance)
  if (instance.owner !== 'none') return `${name} is in the hands of ${instance.owner}`
  // What only waits for its restart serves meanwhile: two that wait must not wait for each other.
  if (!isServing(records, instance)) return instance.paused === true ? `${name} is paused` : `${name} is not ready`
  return unansweredReason({ records, volatile }, instance)
}

function unansweredReason({ records, volatile }: State, instance: InstanceRecord): string | undefined {
  const unanswered = tasksOf(records, instance).some(({ record }) => {
    const { launch } = record.context
    return launch !== undefined && mayBeAlive(record) && volatile.unansweredTasks.has(launch.taskId)
  })
  return unanswered ? `the master has not yet told about ${nameOf(instance)}` : undefined
}

/** All of which others may have to wait: what is at rest is settled, unless this stream has yet to tell whether its tasks live. */
const maybeUnsettled = (state: State): [PodInstanceName, InstanceRecord][] =>
  state.volatile.unansweredTasks.size === 0 ? openInstances(state) : [...state.records.instances]
