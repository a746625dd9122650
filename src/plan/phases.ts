/** A spec's plans as ordered phases of pod instances: what the scheduler of this version runs of their outlines. Pure. */
import type { PodInstanceName } from '../ids.js'
import type { GateSpec, ServiceSpec } from '../spec/schema.js'
import { compileDeploy, compileUpdate, isParallel, type PhaseOutline, type StepOutline } from './compile.js'

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
export const deployPhases = oncePerSpec((spec): readonly PlannedPhase[] => compileDeploy(spec).phases.map(toPlanned))

/** Phases of an update: the same order of pod types, one instance at a time whatever deployed them. */
export const updatePhases = oncePerSpec((spec): readonly PlannedPhase[] => compileUpdate(spec).phases.map(toPlanned))

const toPlanned = ({ name, pod, strategy, afterEach, steps }: PhaseOutline): PlannedPhase => ({
  name,
  pod,
  strategy: isParallel(strategy) ? 'parallel' : 'serial',
  instances: steps.filter((step, place) => isFirstOfInstance(steps, step, place)).map(({ instance }) => instance),
  afterEach,
})

const isFirstOfInstance = (steps: readonly StepOutline[], { index }: StepOutline, place: number): boolean =>
  steps[place - 1]?.index !== index

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
