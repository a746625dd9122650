/** Time and order of a virtual cluster. */
import { describe, expect, it } from 'vitest'
import { createAlarm, createVirtualClock } from '../../../src/testing/virtual/clock.js'

const runAll = (clock: ReturnType<typeof createVirtualClock>): void => {
  while (clock.doNext(Infinity));
}

describe('a virtual clock', () => {
  it('does things at their time, and those of one moment in the order in which they were planned', () => {
    const clock = createVirtualClock(100, 1)
    const done: string[] = []
    const plan = (ms: number, name: string): (() => void) => clock.after(ms, () => done.push(`${clock.nowMs} ${name}`))
    plan(5, 'a')
    plan(3, 'b')
    plan(5, 'c')
    plan(-1, 'd')
    plan(3, 'e')
    runAll(clock)
    expect(done).toEqual(['100 d', '103 b', '103 e', '105 a', '105 c'])
  })

  it('keeps the order of thousands, some of them cancelled', () => {
    const clock = createVirtualClock(0, 1)
    const chance = clock.chanceOf('test')
    const done: number[] = []
    const kept: number[] = []
    const cancels: (() => void)[] = []
    for (let index = 0; index < 5_000; index++) {
      const dueMs = chance.between(0, 1_000)
      const cancel = clock.after(dueMs, () => done.push(dueMs))
      if (chance.happens(0.4)) cancels.push(cancel)
      else kept.push(dueMs)
    }
    for (const cancel of cancels) cancel()
    for (const cancel of cancels) cancel()
    runAll(clock)
    expect(done).toEqual(kept.sort((a, b) => a - b))
  })

  it('stops before what is due later', () => {
    const clock = createVirtualClock(0, 1)
    clock.after(10, () => undefined)
    expect(clock.doNext(9)).toBe(false)
    clock.moveTo(9)
    expect([clock.nowMs, clock.doNext(10), clock.nowMs, clock.doNext(Infinity)]).toEqual([9, true, 10, false])
  })

  it('gives every name a sequence of its own', () => {
    const draw = (seed: number, name: string): number[] => {
      const chance = createVirtualClock(0, seed).chanceOf(name)
      return [chance.next(), chance.next(), chance.next()]
    }
    expect(draw(1, 'a')).toEqual(draw(1, 'a'))
    expect(draw(1, 'a')).not.toEqual(draw(1, 'b'))
    expect(draw(1, 'a')).not.toEqual(draw(2, 'a'))
  })
})

describe('an alarm', () => {
  it('rings once, at the last time it was set to', () => {
    const clock = createVirtualClock(0, 1)
    const rung: number[] = []
    const alarm = createAlarm(clock, () => rung.push(clock.nowMs))
    for (const dueMs of [50, 20, 20, 70, Infinity, 30]) alarm.set(dueMs)
    runAll(clock)
    alarm.set(10)
    runAll(clock)
    expect(rung).toEqual([30, 30])
  })
})
