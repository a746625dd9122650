/** Cpus, memory and disk of the whole footprint, volumes of the ROOT disk included. Pure. */
import { takeScalar } from '../pool.js'
import type { ReasonCode, Stage } from './stage.js'

const codes = { cpus: 'LACKS_CPUS', mem: 'LACKS_MEM', disk: 'LACKS_DISK' } as const satisfies Record<string, ReasonCode>

export const scalarsStage: Stage = (requirement, candidate) => {
  let pool = candidate.pool
  for (const name of ['cpus', 'mem', 'disk'] as const) {
    const taken = takeScalar(pool, name, requirement.totals[name])
    if (!taken.ok) return { ok: false, code: codes[name], reason: taken.reason }
    pool = taken.pool
  }
  return { ok: true, candidate: { ...candidate, pool } }
}
