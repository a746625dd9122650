/**
 * Time and order of a virtual cluster: an explicit clock and a queue of what will happen, no timer and no real time. What is due
 * at one moment happens in the order in which it was planned, so equal seeds give equal runs.
 */
import { chanceOf, type Chance } from './chance.js'

export interface VirtualClock {
  readonly nowMs: number
  /** Calls back after so much virtual time, never at once; the answer cancels. */
  after(ms: number, run: () => void): () => void
  /** A sequence of its own for every name. */
  chanceOf(name: string): Chance
  /** Moves to the earliest thing due by then and does it; false, and no move, if there is none. */
  doNext(untilMs: number): boolean
  /** Moves on without doing anything. */
  moveTo(atMs: number): void
}

interface Planned {
  readonly dueMs: number
  readonly order: number
  readonly run: () => void
  /** Its place in the heap; -1 when it is no longer there. */
  index: number
}

export function createVirtualClock(startMs: number, seed: number): VirtualClock {
  const heap = createHeap()
  let nowMs = startMs
  let orders = 0

  return {
    get nowMs() {
      return nowMs
    },
    after(ms, run) {
      const planned: Planned = { dueMs: nowMs + Math.max(ms, 0), order: orders++, run, index: -1 }
      heap.add(planned)
      return () => heap.remove(planned)
    },
    chanceOf: (name) => chanceOf(seed, name),
    doNext(untilMs) {
      const next = heap.first()
      if (next === undefined || next.dueMs > untilMs) return false
      heap.remove(next)
      nowMs = next.dueMs
      next.run()
      return true
    },
    moveTo(atMs) {
      nowMs = Math.max(nowMs, atMs)
    },
  }
}

/** Keeps one entry in the queue: the next deadline in some books, planned anew whenever it has changed. */
export interface Alarm {
  /** Infinity: nothing is due. */
  set(dueMs: number): void
}

export function createAlarm(clock: VirtualClock, run: () => void): Alarm {
  let plannedMs = Infinity
  let cancel = (): void => undefined
  const ring = (): void => {
    plannedMs = Infinity
    run()
  }
  return {
    set(dueMs) {
      if (dueMs === plannedMs) return
      cancel()
      plannedMs = dueMs
      cancel = dueMs === Infinity ? () => undefined : clock.after(dueMs - clock.nowMs, ring)
    },
  }
}

interface Heap {
  first(): Planned | undefined
  add(planned: Planned): void
  /** Without effect on what is no longer there. */
  remove(planned: Planned): void
}

/** A binary heap whose entries know their place, so that one can be taken from the middle. */
function createHeap(): Heap {
  const entries: Planned[] = []

  const put = (planned: Planned, index: number): void => {
    entries[index] = planned
    planned.index = index
  }
  /** Lets an entry rise from a free place to where it belongs. */
  const rise = (planned: Planned, from: number): void => {
    let index = from
    while (index > 0) {
      const above = (index - 1) >> 1
      const parent = entries[above] as Planned
      if (isBefore(parent, planned)) break
      put(parent, index)
      index = above
    }
    put(planned, index)
  }
  const sink = (planned: Planned, from: number): void => {
    let index = from
    for (;;) {
      let below = 2 * index + 1
      if (below >= entries.length) break
      if (below + 1 < entries.length && isBefore(entries[below + 1] as Planned, entries[below] as Planned)) below += 1
      const child = entries[below] as Planned
      if (isBefore(planned, child)) break
      put(child, index)
      index = below
    }
    put(planned, index)
  }

  return {
    first: () => entries[0],
    add: (planned) => rise(planned, entries.length),
    remove(planned) {
      const { index } = planned
      if (index < 0) return
      planned.index = -1
      const last = entries.pop() as Planned
      if (last === planned) return
      if (index > 0 && isBefore(last, entries[(index - 1) >> 1] as Planned)) rise(last, index)
      else sink(last, index)
    },
  }
}

const isBefore = (a: Planned, b: Planned): boolean => a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order)
