/** Questions to a status of the toy service. */
import type { PlanView, ServiceStatus, StepView } from 'stateward'

export const planOf = (status: ServiceStatus, name: PlanView['name']): PlanView | undefined =>
  status.plans.find((plan) => plan.name === name)

export const stepOf = (status: ServiceStatus, plan: PlanView['name'], pod: string): StepView | undefined =>
  planOf(status, plan)
    ?.phases.flatMap((phase) => phase.steps)
    .find((step) => step.name === pod)

/** The pod runs, is ready, and no plan has it in hand. */
export const isWell = (status: ServiceStatus, pod: string): boolean =>
  status.instances.some(({ name, ready, owner }) => name === pod && ready && owner === 'none')

/** Everything runs, is ready, and no plan has anything left to do. */
export const isSettled = (status: ServiceStatus): boolean =>
  status.connected &&
  status.instances.every((instance) => instance.ready && instance.owner === 'none') &&
  status.plans.every((plan) => plan.status === 'COMPLETE')

export const taskOf = (status: ServiceStatus, name: string) =>
  status.instances.flatMap((instance) => instance.tasks).find((task) => task.name === name)
