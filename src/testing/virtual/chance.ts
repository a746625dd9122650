/** Chance from a seed: each name has a sequence of its own, so that one more draw in one place shifts no other place. Pure. */

export interface Chance {
  /** From 0 to below 1. */
  next(): number
  /** An integer of the range, both ends included. */
  between(min: number, max: number): number
  pick<Item>(items: readonly Item[]): Item
  /** True this often, from 0 to 1. */
  happens(probability: number): boolean
}

export function chanceOf(seed: number, name: string): Chance {
  let state = hash(seed, name)
  // Mulberry32: small, even enough for orders and delays.
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return {
    next,
    between: (min, max) => min + Math.floor(next() * (max - min + 1)),
    pick: (items) => items[Math.floor(next() * items.length)] as (typeof items)[number],
    happens: (probability) => next() < probability,
  }
}

/** FNV-1a over the name, begun with the seed. */
function hash(seed: number, name: string): number {
  let value = (0x811c9dc5 ^ Math.imul(seed, 0x9e3779b1)) >>> 0
  for (let index = 0; index < name.length; index++) value = Math.imul(value ^ name.charCodeAt(index), 0x01000193) >>> 0
  return value
}
