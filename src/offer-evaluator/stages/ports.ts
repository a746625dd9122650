/** Fixed ports first, then dynamic ones: the lowest offered numbers that are left, so that the choice is the same every time. Pure. */
import { containsRanges, normalizeRanges, type Range } from '../../units.js'
import { takeRanges, unreservedRanges } from '../pool.js'
import type { Stage } from './stage.js'

export const portsStage: Stage = (requirement, candidate) => {
  const chosen: Record<string, Record<string, number>> = {}
  let pool = candidate.pool
  const settle = (task: string, port: string, number: number) => {
    chosen[task] = { ...chosen[task], [port]: number }
    pool = takeRanges(pool, 'ports', [{ begin: number, end: number }])
  }
  for (const wish of requirement.ports.filter((each) => each.number !== 0)) {
    const wanted: Range[] = [{ begin: wish.number, end: wish.number }]
    if (!containsRanges(unreservedRanges(pool, 'ports'), wanted)) {
      return { ok: false, code: 'PORT_TAKEN', reason: `port ${wish.number} (${wish.task}.${wish.port}) is not offered` }
    }
    settle(wish.task, wish.port, wish.number)
  }
  for (const wish of requirement.ports.filter((each) => each.number === 0)) {
    const lowest = normalizeRanges(unreservedRanges(pool, 'ports'))[0]
    if (lowest === undefined) return { ok: false, code: 'LACKS_PORTS', reason: `no port is left for ${wish.task}.${wish.port}` }
    settle(wish.task, wish.port, lowest.begin)
  }
  return { ok: true, candidate: { pool, ports: chosen } }
}
