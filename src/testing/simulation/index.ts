/** What users of the simulation call. */
import type { ServiceSpec } from '../../spec/schema.js'
import { makePlan, type SimulationOptions } from './make-plan.js'
import type { SimulationPlan } from './plan.js'
import { shrinkPlan, type Shrunk } from './shrink.js'
import { runPlan, type RunOptions, type SimulationResult } from './simulate.js'

export type SimulateOptions = SimulationOptions & RunOptions

/**
 * Runs the real scheduler of a service through deployment, updates and faults in virtual time.
 *
 * @throws SdkError `ERR_INVALID_OPTION`; a broken promise is no error but stands in `violations`.
 * @example
 * ```ts
 * const { violations } = await simulate(kafka, { seed: 7 })
 * expect(violations).toEqual([])
 * ```
 */
export const simulate = async (spec: ServiceSpec, options: SimulateOptions): Promise<SimulationResult> =>
  runPlan(makePlan(spec, options), options)

/** A run as it was: same plan and options, same course. Keeps the log. */
export const replaySimulation = (plan: SimulationPlan, options: RunOptions = {}): Promise<SimulationResult> =>
  runPlan(plan, { ...options, keepLog: true })

/** A shorter run in which the same checker reports first, under the same options; the plan itself if it does not report. */
export const shrinkSimulation = (plan: SimulationPlan, checker: string, options: RunOptions = {}): Promise<Shrunk> =>
  shrinkPlan(plan, checker, { failureOf: async (smaller) => (await runPlan(smaller, options)).violations[0]?.checker })
