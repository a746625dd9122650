/**
 * The network of a virtual cluster: one route between the master and each place, and connections over it. Messages of one
 * direction keep their order and take a while each. What a cut keeps waiting arrives when it is over; a cut that lasts too long
 * breaks the connection, which both ends learn when it is over, unless they have given up by themselves: as with TCP, silence
 * alone tells nobody anything.
 */
import type { Chance } from './chance.js'
import type { VirtualClock } from './clock.js'

/** How long messages take, and what connections survive. */
export interface NetworkTimings {
  readonly minDelayMs: number
  readonly maxDelayMs: number
  /** A cut that lasts longer breaks the connections. */
  readonly holdMs: number
  /** Until a connection counts as impossible that was opened while the route was cut. */
  readonly connectTimeoutMs: number
}

export const defaultNetworkTimings: NetworkTimings = { minDelayMs: 1, maxDelayMs: 10, holdMs: 30_000, connectTimeoutMs: 5_000 }

/** Who is at the two ends: near is an agent or a scheduler, far is the master. */
export interface Ends {
  /** The connection is over, and nothing more arrives. Not told to an end that closed it. */
  readonly nearClosed: (reason: string) => void
  readonly farClosed: () => void
  /** For those who watch over silence. */
  readonly cut?: () => void
  /** The connection has outlived the cut. */
  readonly healed?: () => void
}

/** Between an agent or a scheduler (near) and the master (far). */
export interface Connection {
  up(deliver: () => void): void
  down(deliver: () => void): void
  /** The near end closes: what it has sent arrives, then the far end is told. */
  closeNear(): void
  closeFar(): void
  /** The near machine has lost its power: nobody is told until the connection is broken. */
  vanishNear(): void
  /** What is under way is lost, both ends are told. */
  break(): void
}

/** The way between one place and the master. */
export interface Route {
  readonly isCut: boolean
  cut(): boolean
  heal(): boolean
  /** Each message takes that much longer. */
  slow(extraMs: number): boolean
  connect(ends: Ends): Connection
  /** All connections over it; false if there is none. */
  breakAll(): boolean
  /** The same, when the master's process has ended. */
  closeAllFar(): void
}

export interface RouteParts {
  readonly clock: VirtualClock
  readonly timings: NetworkTimings
  /** Unique; the delays follow from it. */
  readonly name: string
  readonly isMasterUp: () => boolean
}

/** What a route knows of its connections. */
interface Line extends Connection {
  hold(): void
  /** `wasLong`: longer than connections outlive. */
  release(wasLong: boolean): void
}

export function createRoute({ clock, timings, name, isMasterUp }: RouteParts): Route {
  const lines = new Set<Line>()
  let cutAtMs: number | undefined
  let extraMs = 0
  let connections = 0

  return {
    get isCut() {
      return cutAtMs !== undefined
    },
    cut() {
      if (cutAtMs !== undefined) return false
      cutAtMs = clock.nowMs
      for (const line of [...lines]) line.hold()
      return true
    },
    heal() {
      if (cutAtMs === undefined) return false
      const wasLong = clock.nowMs - cutAtMs > timings.holdMs
      cutAtMs = undefined
      for (const line of [...lines]) line.release(wasLong)
      return true
    },
    slow(ms) {
      if (extraMs === ms) return false
      extraMs = ms
      return true
    },
    connect(ends) {
      connections += 1
      const chanceFor = (part: string): Chance => clock.chanceOf(`${name} ${connections} ${part}`)
      const line = openLine(ends, {
        clock,
        connectTimeoutMs: timings.connectTimeoutMs,
        delayOf: (chance) => chance.between(timings.minDelayMs, timings.maxDelayMs) + extraMs,
        chances: { up: chanceFor('up'), down: chanceFor('down'), end: chanceFor('end') },
        isCut: cutAtMs !== undefined,
        isMasterUp,
        onOver: () => lines.delete(line),
      })
      lines.add(line)
      return line
    },
    breakAll() {
      const open = [...lines]
      for (const line of open) line.break()
      return open.length > 0
    },
    closeAllFar() {
      for (const line of [...lines]) line.closeFar()
    },
  }
}

interface LineParts {
  readonly clock: VirtualClock
  readonly connectTimeoutMs: number
  readonly delayOf: (chance: Chance) => number
  readonly chances: { readonly up: Chance; readonly down: Chance; readonly end: Chance }
  readonly isCut: boolean
  readonly isMasterUp: () => boolean
  readonly onOver: () => void
}

function openLine(ends: Ends, { clock, connectTimeoutMs, delayOf, chances, isCut, isMasterUp, onOver }: LineParts): Line {
  const up = createChannel(clock, () => delayOf(chances.up))
  const down = createChannel(clock, () => delayOf(chances.down))
  let isNearOver = false
  let isFarOver = false
  let cancelTimeout: (() => void) | undefined

  const nearOver = (): boolean => {
    if (isNearOver) return false
    isNearOver = true
    down.drop()
    if (isFarOver) onOver()
    return true
  }
  const farOver = (): boolean => {
    if (isFarOver) return false
    isFarOver = true
    up.drop()
    if (isNearOver) onOver()
    return true
  }
  const tellNear = (reason: string): void => {
    if (nearOver()) ends.nearClosed(reason)
  }
  const tellFar = (): void => {
    if (farOver()) ends.farClosed()
  }

  /** The far end never heard of it. */
  const fail = (reason: string): void => {
    farOver()
    tellNear(reason)
  }
  const reachMaster = (): void => {
    if (isMasterUp()) return
    up.drop()
    clock.after(delayOf(chances.end), () => fail('connection refused'))
  }
  if (isCut) {
    up.hold()
    down.hold()
    cancelTimeout = clock.after(connectTimeoutMs, () => fail('connection timed out'))
  } else reachMaster()

  const breakUp = (): void => {
    up.drop()
    down.drop()
    if (!isNearOver) clock.after(delayOf(chances.end), () => tellNear('the connection broke'))
    if (!isFarOver) clock.after(delayOf(chances.end), tellFar)
  }

  return {
    up: up.send,
    down: down.send,
    closeNear() {
      cancelTimeout?.()
      if (!nearOver()) return
      if (cancelTimeout === undefined) up.send(tellFar)
      else farOver()
    },
    closeFar() {
      if (farOver()) down.send(() => tellNear('the master closed the connection'))
    },
    vanishNear() {
      cancelTimeout?.()
      up.drop()
      nearOver()
    },
    break: breakUp,
    hold() {
      up.hold()
      down.hold()
      ends.cut?.()
    },
    release(wasLong) {
      const isNew = cancelTimeout !== undefined
      cancelTimeout?.()
      cancelTimeout = undefined
      if (wasLong && !isNew) return breakUp()
      if (isNew) reachMaster()
      up.resume()
      down.resume()
      ends.healed?.()
    },
  }
}

interface Channel {
  readonly send: (deliver: () => void) => void
  /** Messages are kept back until `resume`. */
  hold(): void
  resume(): void
  /** What is under way is lost, and nothing is taken any more. */
  drop(): void
}

interface Waiting {
  readyMs: number
  readonly deliver: () => void
}

/** One direction of a connection. Only its foremost message is in the clock's queue. */
function createChannel(clock: VirtualClock, delayMs: () => number): Channel {
  const waiting: Waiting[] = []
  let lastMs = 0
  let isHeld = false
  let isOver = false
  let cancel = (): void => undefined

  const readyMs = (): number => (lastMs = Math.max(lastMs, clock.nowMs + delayMs()))
  const arm = (): void => {
    const head = waiting[0]
    if (head !== undefined && !isHeld) cancel = clock.after(head.readyMs - clock.nowMs, pass)
  }
  const pass = (): void => {
    const head = waiting.shift()
    arm()
    head?.deliver()
  }

  return {
    send(deliver) {
      if (isOver) return
      waiting.push({ readyMs: readyMs(), deliver })
      if (waiting.length === 1) arm()
    },
    hold() {
      isHeld = true
      cancel()
    },
    resume() {
      if (!isHeld) return
      isHeld = false
      for (const message of waiting) message.readyMs = Math.max(message.readyMs, readyMs())
      arm()
    },
    drop() {
      isOver = true
      waiting.length = 0
      cancel()
    },
  }
}
