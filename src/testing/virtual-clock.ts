/**
 * Time, order and chance of a virtual cluster: an explicit clock, a queue of what will happen, connections that keep their
 * order while their delays differ, and one seeded source of chance. No timer, no real time: equal seeds give equal runs.
 */

/** Something in the books of a cluster that has to happen at a time, asked for anew before every move. */
export interface Deadline {
  readonly dueMs: number
  readonly run: () => void
}

export interface VirtualClock {
  readonly nowMs: number
  /** From 0 to below 1, in the order of the seed. */
  chance(): number
  after(ms: number, run: () => void): void
  /** Moves to the earliest thing due by then and does it; false, and no move, if there is none. */
  doNext(untilMs: number): boolean
  /** Moves on without doing anything. */
  moveTo(atMs: number): void
}

interface Planned extends Deadline {
  readonly order: number
}

/** `deadlines` lists what is due besides the queue; at one moment the queue goes first. */
export function createVirtualClock(startMs: number, seed: number, deadlines: () => Iterable<Deadline>): VirtualClock {
  const chance = seededChance(seed)
  const queue: Planned[] = []
  let nowMs = startMs
  let orders = 0

  const earliest = (): Deadline | undefined => {
    let best: Deadline | undefined = queue[0]
    for (const deadline of deadlines()) if (best === undefined || deadline.dueMs < best.dueMs) best = deadline
    return best
  }

  return {
    get nowMs() {
      return nowMs
    },
    chance,
    after(ms, run) {
      const planned: Planned = { dueMs: nowMs + ms, order: orders++, run }
      // From the end: what is planned last is mostly due last.
      let place = queue.length
      while (place > 0 && (queue[place - 1] as Planned).dueMs > planned.dueMs) place -= 1
      queue.splice(place, 0, planned)
    },
    doNext(untilMs) {
      const next = earliest()
      if (next === undefined || next.dueMs > untilMs) return false
      if (next === queue[0]) queue.shift()
      nowMs = Math.max(nowMs, next.dueMs)
      next.run()
      return true
    },
    moveTo(atMs) {
      nowMs = Math.max(nowMs, atMs)
    },
  }
}

/** A one-way connection: each message takes a while of its own, and none overtakes another. */
export type Channel = (deliver: () => void) => void

const minDelayMs = 1
const maxDelayMs = 10

export function openChannel(clock: VirtualClock): Channel {
  let lastMs = 0
  return (deliver) => {
    const delayMs = minDelayMs + Math.floor(clock.chance() * (maxDelayMs - minDelayMs + 1))
    lastMs = Math.max(lastMs, clock.nowMs + delayMs)
    clock.after(lastMs - clock.nowMs, deliver)
  }
}

/** Mulberry32: small, even enough for orders and delays. */
function seededChance(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
