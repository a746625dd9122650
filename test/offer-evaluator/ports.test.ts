/** Which numbers the ports of a pod get out of what is offered. */
import { describe, expect, test } from 'vitest'
import { agentId } from '../../src/ids.js'
import type { AgentPool } from '../../src/offer-evaluator/pool.js'
import { buildRequirement } from '../../src/offer-evaluator/requirement.js'
import { portsStage } from '../../src/offer-evaluator/stages/ports.js'
import { podInstanceName } from '../../src/ids.js'
import { defineService } from '../../src/spec/parse.js'

type Range = readonly [number, number]
interface Wish {
  readonly port?: number
  readonly ranges?: readonly Range[]
}

const toRange = ([begin, end]: Range) => ({ begin, end })

function choose(offered: readonly Range[], wishes: Readonly<Record<string, Wish>>) {
  const ports = Object.fromEntries(
    Object.entries(wishes).map(([name, { port = 0, ranges }]) => [
      name,
      { port, ...(ranges === undefined ? {} : { ranges: ranges.map(toRange) }) },
    ]),
  )
  const spec = defineService({
    name: 'store',
    pods: { db: { count: 1, tasks: { server: { command: './serve', cpus: 1, memoryMb: 64, ports } } } },
  })
  const pool: AgentPool = {
    agentId: agentId('a'),
    hostname: 'a',
    address: 'a',
    region: undefined,
    zone: undefined,
    offerIds: [],
    unavailableFromMs: undefined,
    unreserved: [{ kind: 'ranges', name: 'ports', ranges: offered.map(toRange), reservations: [] }],
    reserved: new Map(),
  }
  const [pod] = Object.values(spec.pods)
  if (pod === undefined) throw new Error('a spec has a pod')
  const requirement = buildRequirement(podInstanceName('db', 0), 'db', pod, 1, 'abc')
  const result = portsStage(requirement, { pool, ports: {} }, { samePod: new Map(), all: new Map() })
  return result.ok ? result.candidate.ports['server'] : `${result.code}: ${result.reason}`
}

describe('ports', () => {
  test.each<[string, readonly Range[], Readonly<Record<string, Wish>>, unknown]>([
    ['take the lowest numbers in their order', [[5, 9]], { a: {}, b: {} }, { a: 5, b: 6 }],
    ['that are fixed go first', [[5, 9]], { a: {}, b: { port: 5 } }, { a: 6, b: 5 }],
    ['stay in their ranges', [[5, 30]], { a: { ranges: [[20, 25]] } }, { a: 20 }],
    [
      'take what a range and the offer share',
      [
        [1, 3],
        [22, 30],
      ],
      {
        a: {
          ranges: [
            [2, 2],
            [20, 25],
          ],
        },
      },
      { a: 2 },
    ],
    ['move on for one that has no other choice', [[5, 9]], { a: {}, b: { ranges: [[5, 5]] } }, { a: 6, b: 5 }],
    [
      'move each other on, one after the other',
      [[1, 4]],
      { a: { ranges: [[1, 3]] }, b: { ranges: [[1, 2]] }, c: { ranges: [[1, 1]] } },
      { a: 3, b: 2, c: 1 },
    ],
    ['that find none are named', [[5, 9]], { a: { ranges: [[20, 25]] } }, 'LACKS_PORTS: no port in 20-25 is left for server.a'],
    ['that are too many are named', [[5, 5]], { a: {}, b: {} }, 'LACKS_PORTS: no port is left for server.b'],
    [
      'that shut each other out are named',
      [[1, 9]],
      { a: { ranges: [[1, 1]] }, b: { ranges: [[1, 1]] } },
      'LACKS_PORTS: no port in 1-1 is left for server.b',
    ],
  ])('%s', (_what, offered, wishes, expected) => {
    expect(choose(offered, wishes)).toEqual(expected)
  })
})
