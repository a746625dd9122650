/**
 * A spec's plans, before anything of them has run: phases of steps, with what each step waits for. A pure function of the spec, so
 * that a plan can be shown, compared and tested without a cluster. Cost: one small object per step.
 */
import { podInstanceName, type PodInstanceName } from '../ids.js'
import type { GateSpec, OwnPlanSpec, PhaseSpec, PodSpec, ServiceSpec } from '../spec/schema.js'

export interface PlanOutline {
  /** `deploy`, `update`, or the name that the author gave it. */
  readonly name: string
  /** Serial: a phase waits for all phases before it. */
  readonly strategy: 'serial' | 'parallel'
  readonly gates: PlanGates
  /** Hook that orders the instances still to come. */
  readonly order: string | undefined
  /** Parameters of a run, by name; none for what the SDK starts itself. */
  readonly parameters: NonNullable<OwnPlanSpec['parameters']>
  readonly phases: readonly PhaseOutline[]
}

/** Gates of the plan as a whole; those after each instance are with the phases. */
export interface PlanGates {
  readonly preFlight: readonly GateSpec[]
  readonly beforeEach: readonly GateSpec[]
  readonly postFlight: readonly GateSpec[]
}

export interface PhaseOutline {
  readonly name: string
  readonly pod: string
  readonly strategy: PhaseSpec['strategy']
  /** Confirmed by an operator; there is no way back from it. */
  readonly oneWay: boolean
  /** After each instance: the phase's own gates, then the plan's. */
  readonly afterEach: readonly GateSpec[]
  /** By index of the instance, then in the order of its steps. */
  readonly steps: readonly StepOutline[]
}

export interface StepOutline {
  /** `<pod>-<index>:[task, task]`. */
  readonly name: string
  readonly instance: PodInstanceName
  readonly index: number
  /** Launched together. */
  readonly tasks: readonly string[]
  /** Place of the step of this phase that has to be complete first. The gates of an instance are behind its last step. */
  readonly after: number | undefined
  /** Word of an operator that a canary waits for: `first` opens the first instance, `rest` all others. */
  readonly operator: 'first' | 'rest' | undefined
}

const noGates: PlanGates = { preFlight: [], beforeEach: [], postFlight: [] }

/** All plans of a spec: the deployment, the update, then the author's own in their order. */
export function compilePlans(spec: ServiceSpec): PlanOutline[] {
  const own = Object.entries(spec.plans ?? {}).map(([name, { strategy = 'serial', parameters = {}, phases }]): PlanOutline => ({
    name,
    strategy,
    gates: noGates,
    order: undefined,
    parameters,
    phases: compilePhases(spec, phases, []),
  }))
  return [compileDeploy(spec), compileUpdate(spec), ...own]
}

/** The first deployment: its phases as declared, or one serial phase per pod type. */
export function compileDeploy(spec: ServiceSpec): PlanOutline {
  const { strategy = 'serial', preFlight, afterEach, postFlight } = spec.deploy
  return {
    name: 'deploy',
    strategy,
    gates: { preFlight, beforeEach: [], postFlight },
    order: undefined,
    parameters: {},
    phases: compilePhases(spec, deployPhaseSpecs(spec), afterEach),
  }
}

/**
 * An update: its own phases, or those of the deployment, one instance at a time then, whatever deployed them: what is taken down
 * serves. The gates of a deployment stay with it.
 */
export function compileUpdate(spec: ServiceSpec): PlanOutline {
  const { strategy = 'serial', order, preFlight, beforeEach, afterEach, postFlight } = spec.update
  const phases = spec.update.phases ?? deployPhaseSpecs(spec).map((phase) => ({ ...phase, ...oneAtATime(phase) }))
  return {
    name: 'update',
    strategy,
    gates: { preFlight, beforeEach, postFlight },
    order,
    parameters: {},
    phases: compilePhases(spec, phases, afterEach),
  }
}

const oneAtATime = ({ strategy }: PhaseSpec): Pick<PhaseSpec, 'strategy' | 'afterEach'> => ({
  strategy: isCanary(strategy) ? 'serial-canary' : 'serial',
  afterEach: [],
})

const isCanary = (strategy: PhaseSpec['strategy']): boolean => strategy.endsWith('-canary')

export const isParallel = (strategy: PhaseSpec['strategy']): boolean => strategy.startsWith('parallel')

const deployPhaseSpecs = (spec: ServiceSpec): readonly PhaseSpec[] =>
  spec.deploy.phases ?? Object.keys(spec.pods).map((pod) => ({ pod, strategy: 'serial', afterEach: [] }))

const compilePhases = (spec: ServiceSpec, phases: readonly PhaseSpec[], afterEach: readonly GateSpec[]): PhaseOutline[] =>
  phases.map((phase) => ({
    name: phase.name ?? phase.pod,
    pod: phase.pod,
    strategy: phase.strategy,
    oneWay: phase.oneWay ?? false,
    afterEach: [...phase.afterEach, ...afterEach],
    steps: compileSteps(phase, spec.pods[phase.pod]),
  }))

/** The tasks of a step with the text that they give its name: made once, for however many instances. */
interface TaskList {
  readonly tasks: readonly string[]
  readonly text: string
}

const taskList = (tasks: readonly string[]): TaskList => ({ tasks, text: `[${tasks.join(', ')}]` })

function compileSteps(phase: PhaseSpec, pod: PodSpec | undefined): StepOutline[] {
  if (pod === undefined) return []
  const listsOf = stepLists(phase, pod)
  const isSerial = !isParallel(phase.strategy)
  const withCanary = isCanary(phase.strategy)
  const steps: StepOutline[] = []
  /** Last step of the first instance that has one; nothing else of a canary starts before it is complete. */
  let lastOfFirst: number | undefined
  for (let index = 0; index < pod.count; index++) {
    const instance = podInstanceName(phase.pod, index)
    const begin = steps.length
    for (const { tasks, text } of listsOf(index)) {
      const place = steps.length
      const isFirstOfInstance = place === begin
      const before = isSerial ? place - 1 : (lastOfFirst ?? -1)
      const after = isFirstOfInstance ? before : place - 1
      steps.push({
        name: `${instance}:${text}`,
        instance,
        index,
        tasks,
        after: after < 0 ? undefined : after,
        operator: withCanary && isFirstOfInstance ? (begin === 0 ? 'first' : 'rest') : undefined,
      })
    }
    if (withCanary && lastOfFirst === undefined && steps.length > 0) lastOfFirst = steps.length - 1
  }
  return steps
}

/** What each instance does: as its entry or the default says; all tasks together where the phase says nothing. */
function stepLists({ steps }: PhaseSpec, pod: PodSpec): (index: number) => readonly TaskList[] {
  const all = [taskList(Object.keys(pod.tasks))]
  if (steps === undefined) return () => all
  const declared = new Map(steps.map(({ instance, tasks }) => [instance, tasks.map(taskList)]))
  const others = declared.get('default') ?? []
  return (index) => declared.get(index) ?? others
}
