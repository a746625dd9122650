import { describe, expect, test } from 'vitest'
import { parentStatus, stepStatuses, type ParentStatus, type StepStatus } from '../../src/plan/status.js'

const parentStatuses: readonly ParentStatus[] = ['PENDING', 'IN_PROGRESS', 'COMPLETE', 'WAITING', 'DELAYED']
const childStatuses = [...new Set<StepStatus | ParentStatus>([...stepStatuses, ...parentStatuses])]
const underWay = new Set<string>(['PREPARED', 'STARTING', 'STARTED', 'IN_PROGRESS'])

/** Every list of up to so many children. */
function* lists(length: number): Iterable<(StepStatus | ParentStatus)[]> {
  yield []
  if (length > 0) for (const rest of lists(length - 1)) for (const first of childStatuses) yield [first, ...rest]
}

describe('the status of a phase or plan', () => {
  test('has exactly one answer for every combination of four children, held or not', () => {
    let combinations = 0
    for (const children of lists(4)) {
      for (const held of [false, true]) {
        const status = parentStatus(children, held)
        combinations += 1
        const expected = (): ParentStatus => {
          if (children.every((child) => child === 'COMPLETE')) return 'COMPLETE'
          if (children.some((child) => underWay.has(child))) return 'IN_PROGRESS'
          if (children.includes('DELAYED')) return 'DELAYED'
          if (held || children.includes('WAITING')) return 'WAITING'
          return children.includes('COMPLETE') ? 'IN_PROGRESS' : 'PENDING'
        }
        if (!parentStatuses.includes(status) || status !== expected()) expect({ children, held, status }).toEqual(expected())
      }
    }
    expect(combinations).toBe(2 * (1 + 8 + 8 ** 2 + 8 ** 3 + 8 ** 4))
  })

  test('does not depend on the order or the number of equal children', () => {
    for (const children of lists(3)) {
      for (const held of [false, true]) {
        const status = parentStatus(children, held)
        const others = [[...children].reverse(), [...children, ...children]].map((other) => parentStatus(other, held))
        if (others.some((other) => other !== status)) expect({ children, held, others }).toEqual(status)
      }
    }
  })

  test.for<[readonly StepStatus[], boolean, ParentStatus]>([
    [[], false, 'COMPLETE'],
    [['COMPLETE', 'COMPLETE'], true, 'COMPLETE'],
    [['COMPLETE', 'PENDING'], false, 'IN_PROGRESS'],
    [['COMPLETE', 'PENDING'], true, 'WAITING'],
    [['STARTING', 'PENDING'], true, 'IN_PROGRESS'],
    [['DELAYED', 'WAITING'], false, 'DELAYED'],
    [['PENDING', 'PENDING'], false, 'PENDING'],
  ])('%j, held %s: %s', ([children, held, status]) => {
    expect(parentStatus(children, held)).toBe(status)
  })
})
