/** A spec's plans as ordered phases of pod instances. Pure. */
import { podInstanceName, type PodInstanceName } from '../ids.js'
import type { GateSpec, ServiceSpec } from '../spec/schema.js'

export interface PlannedPhase {
  readonly name: string
  readonly pod: string
  readonly strategy: 'serial' | 'parallel'
  /** In the order of their indexes. */
  readonly instances: readonly PodInstanceName[]
  /** Gates after each instance: the phase's own, then the plan's. */
  readonly afterEach: readonly GateSpec[]
}

/** Phases of the first deployment: as declared, or one serial phase per pod type. */
export const deployPhases = oncePerSpec((spec): readonly PlannedPhase[] => {
  const declared =
    spec.deploy.phases ?? Object.keys(spec.pods).map((pod) => ({ pod, strategy: 'serial' as const, afterEach: [] }))
  return declared.map((phase) => ({
    name: ('name' in phase ? phase.name : undefined) ?? phase.pod,
    pod: phase.pod,
    strategy: phase.strategy.startsWith('parallel') ? 'parallel' : 'serial',
    instances: instanceNames(spec, phase.pod),
    afterEach: [...phase.afterEach, ...spec.deploy.afterEach],
  }))
})

/** Phases of an update: the same order of pod types, one instance at a time whatever deployed them. */
export const updatePhases = oncePerSpec((spec): readonly PlannedPhase[] =>
  deployPhases(spec).map((phase) => ({ ...phase, strategy: 'serial', afterEach: spec.update.afterEach })),
)

/** A spec never changes, and is asked for the same at every step. */
export function oncePerSpec<Result>(workOut: (spec: ServiceSpec) => Result): (spec: ServiceSpec) => Result {
  const known = new WeakMap<ServiceSpec, Result>()
  return (spec) => {
    const present = known.get(spec)
    if (present !== undefined) return present
    const result = workOut(spec)
    known.set(spec, result)
    return result
  }
}

const instanceNames = (spec: ServiceSpec, pod: string): PodInstanceName[] =>
  Array.from({ length: spec.pods[pod]?.count ?? 0 }, (_, index) => podInstanceName(pod, index))
