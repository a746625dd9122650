/** What a test expects of launches and plans; a failure shows the plans as an operator would see them. */
import { SdkError } from '../errors.js'
import { renderPlans } from '../scheduler/render-plans.js'
import type { PlanView, ServiceStatus, StepView } from '../scheduler/report.js'
import type { ParentStatus, StepStatus } from '../plan/status.js'
import type { FakeLaunch, FakeMaster } from './fake-master.js'
import type { Ack, MesosCall } from '../scheduler/output.js'

/** What expectations look at. */
export interface Observed {
  calls(): readonly (MesosCall | Ack)[]
  state(): ServiceStatus
}

export interface LaunchExpectation {
  readonly taskId: string
  readonly command: string
  /** Environment as the task gets it. */
  readonly env: Readonly<Record<string, string>>
  onAgent(hostname: string): LaunchExpectation
  /** The pod's executor holds the volume with this persistence id. */
  withVolume(persistenceId: string): LaunchExpectation
}

export interface PlanExpectation {
  toBe(status: ParentStatus): void
  phase(name: string): { toBe(status: ParentStatus): void }
  step(name: string): { toBe(status: StepStatus): void; reason(): string | undefined }
}

const fail = (message: string): never => {
  throw new SdkError('ERR_EXPECTATION', message)
}

/** The last launch of a task since calls were last forgotten. */
export function expectLaunch(kit: Observed, master: FakeMaster, task: string): LaunchExpectation {
  const ids = new Set(
    kit
      .calls()
      .flatMap((call) =>
        call.type === 'accept'
          ? call.operations.flatMap((operation) =>
              operation.type === 'launchGroup' ? operation.tasks.map((each) => each.taskId) : [],
            )
          : [],
      ),
  )
  const launch = master.launches.findLast((each) => each.task.name === task && ids.has(each.task.taskId))
  if (launch === undefined) return fail(`expected a launch of ${task}, and there was none\n${renderPlans(kit.state())}`)
  return launchExpectation(master, launch)
}

function launchExpectation(master: FakeMaster, { task, executor }: FakeLaunch): LaunchExpectation {
  const expectation: LaunchExpectation = {
    taskId: task.taskId,
    command: task.command,
    env: Object.fromEntries(task.env.map(({ name, value }) => [name, value])),
    onAgent(hostname) {
      const found = master.agents.find((agent) => agent.id === task.agentId)?.hostname
      return found === hostname
        ? expectation
        : fail(`expected ${task.name} on agent ${hostname}, and it was launched on ${found}`)
    },
    withVolume(persistenceId) {
      const found = executor.resources.flatMap((resource) => resource.volume?.persistenceId ?? [])
      return found.some((id) => id === persistenceId)
        ? expectation
        : fail(`expected ${task.name} with volume ${persistenceId}, and its executor has: ${found.join(', ') || 'none'}`)
    },
  }
  return expectation
}

export function expectPlan(status: ServiceStatus, name: string): PlanExpectation {
  const plan = status.plans.find((each) => each.name === name)
  if (plan === undefined) return fail(`there is no plan ${name}\n${renderPlans(status)}`)
  const check = (what: string, found: string, wanted: string) => {
    if (found !== wanted) fail(`expected ${what} to be ${wanted}, and it is ${found}\n${renderPlans(status)}`)
  }
  return {
    toBe: (wanted) => check(`plan ${name}`, plan.status, wanted),
    phase(phaseName) {
      const phase =
        plan.phases.find((each) => each.name === phaseName) ??
        fail(`plan ${name} has no phase ${phaseName}\n${renderPlans(status)}`)
      return { toBe: (wanted) => check(`phase ${phaseName} of plan ${name}`, phase.status, wanted) }
    },
    step(stepName) {
      const step = findStep(plan, stepName) ?? fail(`plan ${name} has no step ${stepName}\n${renderPlans(status)}`)
      return { toBe: (wanted) => check(`step ${stepName} of plan ${name}`, step.status, wanted), reason: () => step.reason }
    },
  }
}

const findStep = (plan: PlanView, name: string): StepView | undefined =>
  plan.phases.flatMap((phase) => phase.steps).find((step) => step.name === name)
