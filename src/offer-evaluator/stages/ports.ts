/**
 * Fixed ports first, then dynamic ones: the lowest offered numbers that are left, so that the choice is the same every time. A
 * port that may only lie in a range finds a number whenever there is a choice that gives every port one. Pure.
 */
import { containsRanges, intersectRanges, normalizeRanges, type Range } from '../../units.js'
import { takeRanges, unreservedRanges } from '../pool.js'
import type { PortWish } from '../requirement.js'
import type { Stage } from './stage.js'

export const portsStage: Stage = (requirement, candidate) => {
  const chosen: Record<string, Record<string, number>> = {}
  let pool = candidate.pool
  const settle = ({ task, port }: PortWish, number: number) => {
    chosen[task] = { ...chosen[task], [port]: number }
    pool = takeRanges(pool, 'ports', [{ begin: number, end: number }])
  }
  for (const wish of requirement.ports.filter((each) => each.number !== 0)) {
    const wanted: Range[] = [{ begin: wish.number, end: wish.number }]
    if (!containsRanges(unreservedRanges(pool, 'ports'), wanted)) {
      return { ok: false, code: 'PORT_TAKEN', reason: `port ${wish.number} (${wish.task}.${wish.port}) is not offered` }
    }
    settle(wish, wish.number)
  }
  const dynamic = requirement.ports.filter((each) => each.number === 0)
  const numbers = chooseNumbers(dynamic, unreservedRanges(pool, 'ports'))
  for (const wish of dynamic) {
    const number = numbers.get(wish)
    if (number === undefined) return { ok: false, code: 'LACKS_PORTS', reason: describeLack(wish) }
    settle(wish, number)
  }
  return { ok: true, candidate: { pool, ports: chosen } }
}

/** A matching: a wish that finds no number free moves another one on, if that has a choice. */
function chooseNumbers(wishes: readonly PortWish[], offered: readonly Range[]): ReadonlyMap<PortWish, number> {
  const numbers = new Map<PortWish, number>()
  const holders = new Map<number, PortWish>()
  const candidates = new Map(wishes.map((wish) => [wish, candidatesOf(wish, offered, wishes.length)]))
  const take = (wish: PortWish, number: number): true => {
    numbers.set(wish, number)
    holders.set(number, wish)
    return true
  }
  const findFor = (wish: PortWish, tried: Set<number>): boolean => {
    const own = candidates.get(wish) ?? []
    const free = own.find((number) => !holders.has(number))
    if (free !== undefined) return take(wish, free)
    for (const number of own) {
      if (tried.has(number)) continue
      tried.add(number)
      const holder = holders.get(number)
      if (holder !== undefined && findFor(holder, tried)) return take(wish, number)
    }
    return false
  }
  for (const wish of wishes) findFor(wish, new Set())
  return numbers
}

/** The lowest ones: as many as there are wishes are always enough. */
function candidatesOf({ ranges }: PortWish, offered: readonly Range[], count: number): number[] {
  const allowed = ranges === undefined ? normalizeRanges(offered) : intersectRanges(offered, ranges)
  const numbers: number[] = []
  for (const { begin, end } of allowed) {
    for (let number = begin; number <= end && numbers.length < count; number++) numbers.push(number)
  }
  return numbers
}

const describeLack = ({ task, port, ranges }: PortWish): string =>
  `no port ${ranges === undefined ? '' : `in ${ranges.map(({ begin, end }) => `${begin}-${end}`).join(', ')} `}is left for ${task}.${port}`
