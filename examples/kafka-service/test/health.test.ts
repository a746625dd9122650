/** What a view of the cluster means. */
import { describe, expect, test } from 'vitest'
import type { ClusterView } from '../src/cluster-view.js'
import * as health from '../src/health.js'
import type { PartitionState, Quorum } from '../src/kafka-protocol.js'

function partition(changes: Partial<PartitionState> = {}): PartitionState {
  return { topic: 't', partition: 0, leader: 0, replicas: [0, 1, 2], isr: [0, 1, 2], offline: [], ...changes }
}

function view(partitions: PartitionState[], changes: Partial<ClusterView> = {}): ClusterView {
  return { listed: [0, 1, 2], silent: [], partitions, minInSync: { t: 2 }, ...changes }
}

function quorum(lags: Record<number, number>, leaderId = 3000): Quorum {
  const voters = Object.entries(lags).map(([id, lag]) => ({ id: Number(id), logEndOffset: 10n, lastCaughtUpMs: 100_000 - lag }))
  return { leaderId, leaderEpoch: 4, highWatermark: 10n, voters, observers: [] }
}

describe('a broker is back', () => {
  test('when it is listed, answers and has every partition in sync', () => {
    expect(health.brokerProblems(view([partition()]), 1)).toEqual([])
  })

  test.each([
    ['fenced', view([partition()], { listed: [0, 2] }), /not registered yet, or fenced/],
    [
      'listed, but dead: the healthy look of the first seconds after a kill',
      view([partition()], { silent: [1] }),
      /does not answer/,
    ],
    ['not in sync', view([partition({ isr: [0, 2] })]), /1 of 1 partitions not in sync on broker 1: t-0/],
    ['offline', view([partition({ offline: [1] })]), /offline on broker 1/],
  ])('not while it is %s', (_, seen, reason) => {
    expect(health.brokerProblems(seen, 1).join()).toMatch(reason)
  })
})

describe('the cluster is healthy', () => {
  test('not with a replica missing', () => {
    expect(health.clusterProblems(view([partition({ isr: [0, 1] })]))).toEqual(['1 of 1 partitions under-replicated: t-0'])
  })

  test('with replicas missing only on a broker that is known to be down', () => {
    expect(health.clusterProblems(view([partition({ isr: [0, 1] })]), [2])).toEqual([])
  })

  test('not without a leader, unless all replicas are on brokers known to be down', () => {
    const orphan = view([partition({ leader: -1, replicas: [2], isr: [2] })])
    expect(health.clusterProblems(orphan).join()).toMatch(/without a leader/)
    expect(health.clusterProblems(orphan, [2])).toEqual([])
  })

  test('names five partitions and counts the rest', () => {
    const many = Array.from({ length: 7 }, (_, index) => partition({ partition: index, isr: [0] }))
    expect(health.clusterProblems(view(many))).toEqual(['7 of 7 partitions under-replicated: t-0, t-1, t-2, t-3, t-4 and 2 more'])
  })
})

describe('a broker may be stopped', () => {
  test.each([
    ['all in sync', partition(), 0],
    ['one replica already missing', partition({ isr: [0, 1] }), 1],
    ['it is not in sync itself, so nothing is lost', partition({ isr: [0, 2] }), 0],
    ['one replica in all: waiting would never end', partition({ replicas: [1], isr: [1] }), 0],
    ['two replicas, two needed: the other one must be in sync', partition({ replicas: [0, 1], isr: [1] }), 1],
  ])('%s', (_, one, problems) => {
    expect(health.stopProblems(view([one]), 1)).toHaveLength(problems)
  })

  test('a silent broker does not count as in sync', () => {
    expect(health.stopProblems(view([partition()], { silent: [2] }), 1)).toHaveLength(1)
  })

  test('where the setting is not known, all others must be in sync', () => {
    expect(health.stopProblems(view([partition({ isr: [0, 1] })], { minInSync: {} }), 1)).toHaveLength(1)
    expect(health.stopProblems(view([partition()], { minInSync: {} }), 1)).toHaveLength(0)
  })

  test('partitions that cannot stay writable are named', () => {
    const problems = health.unprotectedPartitions(
      view([partition({ replicas: [0, 1], isr: [0, 1] }), partition({ partition: 1 })]),
    )
    expect(problems.join()).toMatch(/1 of 2 partitions will not be writable.*t-0/)
  })
})

describe('controllers', () => {
  test('follow within two seconds of their leader', () => {
    expect(health.voterProblems(quorum({ 3000: 0, 3001: 1_999, 3002: 2_001 }), 3001)).toEqual([])
    expect(health.voterProblems(quorum({ 3000: 0, 3001: 0, 3002: 2_001 }), 3002).join()).toMatch(/does not follow/)
    expect(health.voterProblems(quorum({ 3000: 0 }), 3002)).toEqual(['controller 3002 is not a voter'])
  })

  test('one may be stopped only while the others are a majority', () => {
    expect(health.stopVoterProblems(quorum({ 3000: 0, 3001: 0, 3002: 0 }), 3000)).toEqual([])
    expect(health.stopVoterProblems(quorum({ 3000: 0, 3001: 0, 3002: 9_000 }), 3001).join()).toMatch(
      /only 1 of 3 voters follow, 2 are needed/,
    )
    expect(health.stopVoterProblems(quorum({ 3000: 0, 3001: 0, 3002: 9_000 }), 3002)).toEqual([])
  })
})

describe('the order of a roll', () => {
  const candidate = (name: string, changes: Partial<health.RollCandidate> = {}): health.RollCandidate => {
    const index = Number(name.slice(-1))
    const isController = name.startsWith('controller')
    return { name, isController, index, nodeId: isController ? 3000 + index : index, ready: true, ...changes }
  }

  test('controllers before brokers, the active one last among them, brokers with most leaders last', () => {
    const all = ['broker-2', 'broker-1', 'broker-0', 'controller-0', 'controller-1', 'controller-2'].map((name) =>
      candidate(name),
    )
    const leaders = new Map([
      [0, 9],
      [1, 2],
      [2, 2],
    ])
    expect(health.orderForRoll(all, 3001, leaders)).toEqual([
      'controller-0',
      'controller-2',
      'controller-1',
      'broker-1',
      'broker-2',
      'broker-0',
    ])
  })

  test('what is not ready comes first', () => {
    const all = [candidate('controller-0'), candidate('broker-0'), candidate('broker-2', { ready: false })]
    expect(health.orderForRoll(all, 3000, new Map())[0]).toBe('broker-2')
  })
})

test('leadership is restored when each partition is led by its first replica', () => {
  expect(health.leadershipProblems(view([partition()]), 0)).toEqual([])
  expect(health.leadershipProblems(view([partition({ leader: 1 })]), 0).join()).toMatch(/t-0/)
  expect(health.countLeaders([partition(), partition({ leader: 2 })])).toEqual(
    new Map([
      [0, 1],
      [2, 1],
    ]),
  )
})
