/** The recorded conversations with a real Mesos, replayed against the books. See README.md for those left out. */
import { describe, expect, it } from 'vitest'
import { replay } from './replay.js'
import type { ReplayOptions, ReplaySession } from './replay.js'
import { createRecordedCluster, type RecordedCluster } from './recorded-cluster.js'

const openSession = (): ReplaySession => ({
  cluster: createRecordedCluster(),
  ids: new Map(),
  streams: new Map(),
  seenUuids: new Set(),
})

/** Files that continue each other share a session. */
const RUNS: readonly (readonly [file: string, options: ReplayOptions][])[] = [
  [['01_subscribe_offers_heartbeat', { cycleAt: 0.4, countsHeartbeats: true }]],
  [['02_decline_suppress_revive', { cycleAt: 0.48, countsHeartbeats: true }]],
  [
    ['03_reserve_create_launch_group', { cycleAt: 0.09 }],
    ['04_kill_relaunch_same_volume', { cycleAt: 0.5 }],
    ['05_reconcile', { cycleAt: 0.45 }],
    ['06_failover', { cycleAt: 0.07 }],
    ['07_destroy_unreserve', { cycleAt: 0.0 }],
  ],
  [
    [
      '08_agent_kill9_unreachable_recovery',
      {
        cycleAt: 0.66,
        toleranceMs: 1500,
        actions: [
          { at: 1.709, act: (cluster) => cluster.stopAgent('agent2.local') },
          { at: 6.6, act: (cluster) => cluster.startAgent('agent2.local') },
          { at: 11.715, act: (cluster) => cluster.stopAgent('agent2.local') },
          { at: 27.74, act: (cluster) => cluster.startAgent('agent2.local') },
          { at: 35.5, act: (cluster) => cluster.killExecutor('exec-8') },
          { at: 36.52, act: (cluster) => cluster.stopAgent('agent2.local') },
          {
            at: 36.855,
            act: (cluster) => {
              cluster.wipeDisk('agent2.local')
              cluster.startAgent('agent2.local')
            },
          },
        ],
      },
    ],
  ],
  [['09_malformed', { cycleAt: 0.14, leftEarly: ['role'] }]],
  [['10b_drain_agent', { cycleAt: 0.789 }]],
  [
    [
      '11_teardown_with_tasks',
      {
        cycleAt: 0.11,
        // Its stream ended before the call that was under way was read.
        actions: [{ at: 6.745, act: (cluster, session) => cluster.leaveStream(session.streams.get('B') ?? '') }],
      },
    ],
  ],
  [
    [
      '16_not_partition_aware_no_checkpoint',
      {
        cycleAt: 0.05,
        toleranceMs: 1500,
        actions: [
          { at: 1.62, act: (cluster) => cluster.stopAgent('agent1.local') },
          {
            at: 12.15,
            act: (cluster) => {
              // The recorded executor had not ended when its framework was torn down.
              cluster.changeMachineTimings({ executorExitMs: 5_000 })
              cluster.startAgent('agent1.local')
            },
          },
          { at: 19.9, act: (cluster) => cluster.stopAgent('agent1.local') },
          { at: 22.07, act: (cluster) => cluster.startAgent('agent1.local') },
        ],
      },
    ],
  ],
  [
    [
      '17_operation_feedback',
      {
        cycleAt: 0.22,
        toleranceMs: 1500,
        actions: [
          {
            at: 38.213,
            act: (cluster) => {
              // Frozen. The recorded agent forgot the launch, because the kill came before it had begun with it.
              cluster.loseToAgent('agent2.local', 'launch')
              cluster.cutAgent('agent2.local')
            },
          },
          { at: 47.828, act: (cluster) => cluster.healAgent('agent2.local') },
        ],
      },
    ],
  ],
  [['19_group_volume_variants', { cycleAt: 0.17 }]],
  [
    [
      '20_unreachable_three_frameworks',
      {
        cycleAt: 0.55,
        toleranceMs: 1800,
        actions: [
          { at: 0.95, act: (cluster) => cluster.cutAgent('agent2.local') },
          { at: 11.4, act: (cluster) => cluster.healAgent('agent2.local') },
        ],
      },
    ],
  ],
  [['24_drain_states', { cycleAt: 0.195 }]],
  [
    [
      '26_agent_identity_lost_and_wiped',
      {
        cycleAt: 0.336,
        actions: [
          { at: 0.36, act: (cluster) => cluster.stopAgent('agent2.local') },
          { at: 1.33, act: (cluster) => cluster.startAgent('agent2.local') },
          {
            at: 1.37,
            act: (cluster) => {
              cluster.stopAgent('agent2.local')
              cluster.forgetIdentity('agent2.local')
            },
          },
          { at: 2.155, act: (cluster) => cluster.startAgent('agent2.local') },
          {
            at: 2.225,
            act: (cluster) => {
              cluster.stopAgent('agent2.local')
              cluster.wipeDisk('agent2.local')
            },
          },
          { at: 3.0, act: (cluster) => cluster.startAgent('agent2.local') },
        ],
      },
    ],
  ],
  [['29_kill_policies', { cycleAt: 0.11 }]],
  [
    [
      '32_messages_lost_before_the_agent',
      {
        cycleAt: 0.2,
        actions: [
          // Frozen, it takes nothing; killed, it has lost what was sent; then it returns.
          { at: 0.05, act: (cluster) => cluster.deafenAgent('agent2.local') },
          { at: 0.371, act: (cluster) => cluster.stopAgent('agent2.local') },
          { at: 1.18, act: (cluster) => cluster.startAgent('agent2.local') },
        ],
      },
    ],
  ],
  [
    [
      '33_executors_lost_over_agent_restart',
      {
        cycleAt: 0.93,
        actions: [
          { at: 0.36, act: (cluster) => cluster.stopAgent('agent2.local') },
          { at: 0.4, act: (cluster) => endBoth(cluster) },
          {
            at: 4.7,
            act: (cluster) => {
              // The recorded executor took its time to end.
              cluster.changeMachineTimings({ executorExitMs: 1_400 })
              cluster.startAgent('agent2.local')
            },
          },
          {
            at: 10.16,
            act: (cluster) => {
              cluster.freezeExecutor('xfz')
              cluster.stopAgent('agent2.local')
            },
          },
          { at: 13.43, act: (cluster) => cluster.startAgent('agent2.local') },
        ],
      },
    ],
  ],
]

function endBoth(cluster: RecordedCluster): void {
  for (const taskId of ['dead1', 'dead2']) cluster.endTask(taskId, { signal: 'SIGKILL' })
}

describe('recorded conversations', () => {
  for (const run of RUNS) {
    const names = run.map(([file]) => file).join(', ')
    it(`answers as recorded in ${names}`, () => {
      const session = openSession()
      for (const [file, options] of run) replay(file, session, options)
      expect(session.ids.size).toBeGreaterThan(0)
    })
  }
})
