/** Plans that name what is not there, or could not end. Pure. */
import { list, type Add } from './issues.js'
import { own } from './own.js'
import { valueProblem } from './parameter-value.js'
import type { OwnPlanSpec, PhaseSpec, PodSpec, ServiceSpec } from './schema.js'

/** Names of plans that the SDK makes itself. */
const ownNames = new Set(['deploy', 'update', 'recovery', 'decommission', 'uninstall'])

export function checkPlans(spec: ServiceSpec, add: Add): void {
  for (const plan of ['deploy', 'update'] as const) {
    const { phases } = spec[plan]
    if (phases === undefined) continue
    checkPhases(spec, `${plan}.phases`, phases, add)
    checkEveryPodOnce(spec, `${plan}.phases`, phases, add)
  }
  for (const [name, plan] of Object.entries(spec.plans ?? {})) {
    if (ownNames.has(name))
      add(`plans.${name}`, `${name} is a plan of the SDK itself; describe it in spec.${name}, or choose another name`)
    checkPhases(spec, `plans.${name}.phases`, plan.phases, add)
    checkParameters(`plans.${name}.parameters`, plan.parameters, add)
  }
}

function checkPhases(spec: ServiceSpec, path: string, phases: readonly PhaseSpec[], add: Add): void {
  const names = new Map<string, number>()
  phases.forEach((phase, index) => {
    const at = `${path}.${index}`
    const name = phase.name ?? phase.pod
    const other = names.get(name)
    if (other !== undefined) add(`${at}.name`, `phase ${other} is called ${name} too; give one of them another name`)
    names.set(name, index)
    const pod = own(spec.pods, phase.pod)
    if (pod === undefined)
      add(`${at}.pod`, `there is no pod ${JSON.stringify(phase.pod)} (there are: ${list(Object.keys(spec.pods))})`)
    else checkSteps(`${at}.steps`, phase, pod, add)
  })
}

function checkSteps(path: string, { steps }: PhaseSpec, pod: PodSpec, add: Add): void {
  if (steps === undefined) return
  const named = new Set<number | 'default'>()
  steps.forEach(({ instance, tasks }, index) => {
    const at = `${path}.${index}`
    if (named.has(instance)) add(`${at}.instance`, `instance ${instance} is named twice; put its steps into one entry`)
    named.add(instance)
    if (instance !== 'default' && instance >= pod.count)
      add(`${at}.instance`, `there is no instance ${instance}: the pod has ${pod.count}`)
    tasks.forEach((names, step) =>
      names.forEach((name, place) => {
        if (own(pod.tasks, name) === undefined)
          add(
            `${at}.tasks.${step}.${place}`,
            `there is no task ${JSON.stringify(name)} (there are: ${list(Object.keys(pod.tasks))})`,
          )
        if (names.indexOf(name) < place) add(`${at}.tasks.${step}.${place}`, `task ${name} is in the step twice`)
      }),
    )
  })
  if (named.has('default')) return
  const missing = Array.from({ length: pod.count }, (_, index) => index).find((index) => !named.has(index))
  if (missing !== undefined)
    add(path, `instance ${missing} is not named; add an entry for it, or one with instance: default (tasks: [] for no step)`)
}

/** Each pod type is brought up by one phase; with steps it may be several, each for its part. */
function checkEveryPodOnce(spec: ServiceSpec, path: string, phases: readonly PhaseSpec[], add: Add): void {
  const seen = new Map<string, PhaseSpec>()
  phases.forEach((phase, index) => {
    const other = seen.get(phase.pod)
    if (other !== undefined && (other.steps === undefined || phase.steps === undefined))
      add(`${path}.${index}.pod`, `pod ${phase.pod} has a phase already; one phase deploys a pod type, or several with steps`)
    seen.set(phase.pod, phase)
  })
  for (const pod of Object.keys(spec.pods)) {
    if (!seen.has(pod)) add(path, `pod ${pod} is in no phase and would never be deployed; add { pod: '${pod}' }`)
  }
}

function checkParameters(path: string, parameters: OwnPlanSpec['parameters'], add: Add): void {
  for (const [name, parameter] of Object.entries(parameters ?? {})) {
    const problem = parameter.default === undefined ? undefined : valueProblem(parameter, parameter.default)
    if (problem !== undefined) add(`${path}.${name}.default`, problem)
  }
}
