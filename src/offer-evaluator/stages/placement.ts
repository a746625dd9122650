/** Placement rules, counted per pod instance from stored footprints, so that full agents count too. Pure. */
import type { Stage } from './stage.js'

export const placementStage: Stage = (requirement, candidate, placed) => {
  const host = candidate.pool.hostname
  const present = placed.samePod.get(host) ?? 0
  for (const rule of requirement.placement) {
    if (rule.type === 'maxPerHost' && present >= rule.max) {
      return {
        ok: false,
        code: 'MAX_PER_HOST',
        reason: `max-per-host ${rule.max}: host has ${present} of pod ${requirement.pod}`,
      }
    }
  }
  return { ok: true, candidate }
}
