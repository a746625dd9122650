/** Routes and connections: order, delays, cuts short and long. */
import { beforeEach, describe, expect, it } from 'vitest'
import { createVirtualClock, type VirtualClock } from '../../../src/testing/virtual/clock.js'
import { createRoute, defaultNetworkTimings, type Connection, type Route } from '../../../src/testing/virtual/network.js'

const { holdMs, connectTimeoutMs, maxDelayMs } = defaultNetworkTimings

let clock: VirtualClock
let route: Route
let isMasterUp: boolean
let seen: string[]

beforeEach(() => {
  clock = createVirtualClock(0, 7)
  isMasterUp = true
  seen = []
  route = createRoute({ clock, timings: defaultNetworkTimings, name: 'test', isMasterUp: () => isMasterUp })
})

const advance = (ms: number): void => {
  const untilMs = clock.nowMs + ms
  while (clock.doNext(untilMs));
  clock.moveTo(untilMs)
}
const connect = (): Connection =>
  route.connect({
    nearClosed: (reason) => seen.push(`near: ${reason}`),
    farClosed: () => seen.push('far: closed'),
    cut: () => seen.push('cut'),
    healed: () => seen.push('healed'),
  })
const up = (line: Connection, ...names: string[]): void => names.forEach((name) => line.up(() => seen.push(name)))
const down = (line: Connection, ...names: string[]): void => names.forEach((name) => line.down(() => seen.push(name)))

describe('a connection', () => {
  it('keeps the order of each direction, within the longest delay', () => {
    const line = connect()
    const names = Array.from({ length: 20 }, (_, index) => `${index}`)
    up(line, ...names)
    advance(maxDelayMs)
    expect(seen).toEqual(names)
  })

  it('holds what is sent over a cut route, and what was under way, and loses nothing when it is healed in time', () => {
    const line = connect()
    up(line, 'a')
    route.cut()
    up(line, 'b')
    down(line, 'c')
    advance(holdMs)
    expect(seen).toEqual(['cut'])
    expect([route.cut(), route.heal(), route.heal()]).toEqual([false, true, false])
    up(line, 'd')
    advance(maxDelayMs)
    expect(seen.slice(0, 2)).toEqual(['cut', 'healed'])
    expect(seen.filter((name) => 'abd'.includes(name))).toEqual(['a', 'b', 'd'])
    expect(seen).toContain('c')
  })

  it('breaks when the cut was longer: what was held is lost, both ends learn of it', () => {
    const line = connect()
    route.cut()
    up(line, 'a')
    down(line, 'b')
    advance(holdMs + 1)
    route.heal()
    up(line, 'c')
    advance(maxDelayMs)
    expect(seen.sort()).toEqual(['cut', 'far: closed', 'near: the connection broke'])
  })

  it('fails after the time-out when it is opened over a cut route', () => {
    route.cut()
    up(connect(), 'a')
    advance(connectTimeoutMs - 1)
    expect(seen).toEqual([])
    advance(1)
    expect(seen).toEqual(['near: connection timed out'])
  })

  it('comes about when the route is healed before', () => {
    route.cut()
    up(connect(), 'a')
    advance(connectTimeoutMs - 1)
    route.heal()
    advance(connectTimeoutMs)
    expect(seen).toEqual(['healed', 'a'])
  })

  it('is refused when no master is there', () => {
    isMasterUp = false
    up(connect(), 'a')
    advance(maxDelayMs)
    expect(seen).toEqual(['near: connection refused'])
  })

  it('delivers what was sent before an end closed, and then tells the other end', () => {
    const near = connect()
    up(near, 'a')
    near.closeNear()
    up(near, 'too late')
    down(near, 'unheard')
    advance(maxDelayMs)
    const far = connect()
    down(far, 'b')
    far.closeFar()
    advance(maxDelayMs)
    expect(seen).toEqual(['a', 'far: closed', 'b', 'near: the master closed the connection'])
  })

  it('tells nobody when the near machine has lost its power, until it breaks', () => {
    const line = connect()
    line.vanishNear()
    down(line, 'a')
    advance(10 * holdMs)
    expect(seen).toEqual([])
    line.break()
    advance(maxDelayMs)
    expect(seen).toEqual(['far: closed'])
    expect(route.breakAll()).toBe(false)
  })
})

it('a slow route takes that much longer, and nothing overtakes on it', () => {
  const line = connect()
  route.slow(1_000)
  up(line, 'a')
  route.slow(0)
  up(line, 'b')
  advance(1_000)
  expect(seen).toEqual([])
  advance(maxDelayMs)
  expect(seen).toEqual(['a', 'b'])
})
