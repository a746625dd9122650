/**
 * Which instances a step has to look at. The others are at rest: nothing but an event or a newer target gives them anything to
 * do. Kept up with every change of a record, so that a step costs what has changed, however large the service. Pure.
 */
import type { PodInstanceName } from '../ids.js'
import { isComplete } from '../offer-evaluator/footprint-record.js'
import { mayBeAlive } from '../state-machine/task-record.js'
import { isRestartDue, isServing, podTasks, targetOf } from './assess.js'
import type { InstanceRecord } from './records/instance-record.js'
import { newVolatile, type Records, type State } from './state.js'

/** Deployed, in nobody's hands, everything reserved, every task at its goal, and nobody has asked for anything. */
function isAtRest(records: Records, instance: InstanceRecord): boolean {
  const { deployed, owner, footprint, refusal } = instance
  const target = targetOf(records, instance)
  if (!deployed || owner !== 'none' || footprint === undefined || refusal !== undefined || target === undefined) return false
  if (footprint.operations.length > 0 || !isComplete(footprint) || !isServing(records, instance)) return false
  if (isRestartDue(records, instance)) return false
  return podTasks(records, instance, target).every(({ spec, record }) => spec.goal === 'RUNNING' || !mayBeAlive(record))
}

/** The longest open first. */
export const openInstances = ({ records, volatile }: State): [PodInstanceName, InstanceRecord][] =>
  [...volatile.openInstances].flatMap((name): [PodInstanceName, InstanceRecord][] => {
    const instance = records.instances.get(name)
    return instance === undefined ? [] : [[name, instance]]
  })

export const isOpen = (records: Records, name: PodInstanceName): boolean => {
  const instance = records.instances.get(name)
  return instance !== undefined && !isAtRest(records, instance)
}

/** What a process begins with that has loaded its records. */
export const newState = (records: Records): State => ({
  records,
  volatile: {
    ...newVolatile,
    openInstances: new Set([...records.instances.keys()].filter((name) => isOpen(records, name))),
  },
})
