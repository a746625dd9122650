/**
 * From a plan that fails to a short one that fails alike: faults are taken out as long as the same checker reports, then times
 * are shortened and what is not needed is left out. Every attempt is a run of its own.
 */
import { endOf, withoutStrays, type Fault, type SimulationPlan } from './plan.js'

export interface ShrinkParts {
  /** Name of the checker that reports first in a run of the plan; undefined when none does. */
  readonly failureOf: (plan: SimulationPlan) => Promise<string | undefined>
  /** Runs at most. @defaultValue 300 */
  readonly mostRuns?: number
  readonly onProgress?: (plan: SimulationPlan, runs: number) => void
}

export interface Shrunk {
  readonly plan: SimulationPlan
  readonly runs: number
}

export async function shrinkPlan(failing: SimulationPlan, checker: string, parts: ShrinkParts): Promise<Shrunk> {
  const mostRuns = parts.mostRuns ?? 300
  let plan = failing
  let runs = 0
  /** Keeps the smaller plan if it fails alike. */
  const attempt = async (smaller: SimulationPlan): Promise<boolean> => {
    if (runs >= mostRuns) return false
    runs += 1
    if ((await parts.failureOf(smaller)) !== checker) return false
    plan = smaller
    parts.onProgress?.(plan, runs)
    return true
  }

  if (plan.rival) await attempt(withoutStrays({ ...plan, rival: false }))
  await removeFaults()
  for (const update of plan.updates)
    await attempt(withoutStrays({ ...plan, updates: plan.updates.filter((each) => each !== update) }))
  for (const fault of plan.faults) await shorten(fault)
  await removeFaults()
  const lastMs = Math.max(0, ...plan.faults.map(endOf), ...plan.updates.map(({ atMs }) => atMs))
  if (lastMs + 1_000 < plan.untilMs) await attempt({ ...plan, untilMs: lastMs + 1_000 })
  return { plan, runs }

  /** Halves first, then quarters, then one by one (delta debugging). */
  async function removeFaults(): Promise<void> {
    let size = Math.ceil(plan.faults.length / 2)
    while (size >= 1) {
      let removed = false
      for (let from = 0; from < plan.faults.length;) {
        const faults = plan.faults.filter((_, index) => index < from || index >= from + size)
        if (await attempt({ ...plan, faults })) removed = true
        else from += size
      }
      if (size === 1 && !removed) return
      size = size === 1 ? 1 : Math.ceil(size / 2)
      if (runs >= mostRuns) return
    }
  }

  async function shorten(fault: Fault): Promise<void> {
    let present = fault
    for (const forMs of [1_000, 5_000, 20_000, 80_000]) {
      if (!('forMs' in present) || forMs >= present.forMs) return
      const shorter = { ...present, forMs }
      const faults = plan.faults.map((each) => (each === present ? shorter : each))
      if (!(await attempt({ ...plan, faults }))) continue
      present = shorter
      return
    }
  }
}
