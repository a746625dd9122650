/** The types of the spec, as author and core see it. Pure. */
import type { z } from 'zod'
import type { serviceSchema } from './schema/service.js'

export { serviceSchema } from './schema/service.js'
export type { GateSpec, OwnPlanSpec, PhaseSpec, PlanParameter } from './schema/plans.js'
export type { PlacementRule } from './schema/placement.js'
export type { TaskGoal } from './schema/task.js'

/** A spec as an author writes it: defaults may be left out. */
export type ServiceSpecInput = z.input<typeof serviceSchema>
/** A spec with every default filled in. */
export type ServiceSpec = z.output<typeof serviceSchema>
export type PodSpec = ServiceSpec['pods'][string]
export type TaskSpec = PodSpec['tasks'][string]
export type ResourceSetSpec = NonNullable<PodSpec['resourceSets']>[string]
export type PortSpec = TaskSpec['ports'][string]
export type VolumeSpec = PodSpec['volumes'][string]
