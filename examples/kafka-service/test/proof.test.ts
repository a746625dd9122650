/** The proof that nothing was copied holds for a restart in place, and for nothing else. */
import { describe, expect, test } from 'vitest'
import { createdLogs, fetchStarts, loadedLogs, registeredEpoch } from '../src/demo/broker-log.js'
import { parseProperties } from '../src/demo/broker-files.js'
import { type Evidence, proveNothingCopied } from '../src/demo/proof.js'

const registered = (epoch: number) =>
  `INFO [BrokerLifecycleManager id=1] Successfully registered broker 1 with broker epoch ${String(epoch)}\n`
const fetcher = (offset: number) =>
  'INFO [ReplicaFetcherManager on broker 1] Added fetcher to broker 2 for partitions HashMap(other-0 -> InitialFetchState(' +
  'Some(flIAKaH-QPOck6Cg_8Q3PA),BrokerEndPoint[id=2, host=127.0.0.3, port=19092],3,7), orders-0 -> InitialFetchState(' +
  `Some(flIAKaH-QPOck6Cg_8Q3PA),BrokerEndPoint[id=2, host=127.0.0.3, port=19092],3,${String(offset)})) (kafka.server.ReplicaFetcherManager)\n`
const loaded = (end: number) =>
  'INFO Completed load of Log(dir=/v/broker-1/orders-0, topicId=x, topic=orders, partition=0, highWatermark=9, lastStableOffset=9, ' +
  `logStartOffset=0, logEndOffset=${String(end)}) with 4 segments, local-log-start-offset 0 (1/1 completed in /v/broker-1)\n`

function evidence(changes: Partial<Evidence> = {}, inode = 11n, born = 5n): Evidence {
  return {
    instance: 'broker-1',
    agentId: 'agent-1',
    volumeId: 'volume-1',
    taskId: 'task-1',
    pid: 100,
    log: registered(26),
    ends: new Map([[0, 3500]]),
    files: {
      directory: '/v/broker-1',
      directoryId: 'dir-1',
      clusterId: 'cluster',
      nodeId: '1',
      sealed: [{ path: 'orders-0/00000000000000000000.log', inode, bornNs: born, bytes: 10n }],
      active: [{ path: 'orders-0/00000000000000000900.log', inode: 12n, bornNs: 6n, bytes: 4n }],
    },
    ...changes,
  }
}

const restartedLog = registered(40) + loaded(3500) + fetcher(3500)
const restarted = (changes: Partial<Evidence> = {}, inode?: bigint, born?: bigint) =>
  evidence({ taskId: 'task-2', pid: 200, log: restartedLog, ...changes }, inode, born)
const failing = (after: Evidence) =>
  proveNothingCopied('orders', evidence(), after)
    .checks.filter((check) => !check.held)
    .map((check) => check.name)

describe('the proof', () => {
  test('holds for a restart on the same files', () => {
    expect(proveNothingCopied('orders', evidence(), restarted()).held).toBe(true)
  })

  test.each([
    ['the process was never killed', evidence(), /new process/],
    ['another agent', restarted({ agentId: 'agent-2' }), /^agent$/],
    ['another volume', restarted({ volumeId: 'volume-2' }), /^volume$/],
    ['a formatted directory', restarted({ files: { ...evidence().files, directoryId: 'dir-2' } }), /directory id/],
    ['another inode', restarted({}, 99n), /sealed segments/],
    ['the same inode, used again for a new file', restarted({}, 11n, 77n), /sealed segments/],
    ['a fetch from the beginning', restarted({ log: registered(40) + loaded(3500) + fetcher(0) }), /fetching/],
    ['no fetch seen', restarted({ log: registered(40) + loaded(3500) }), /fetching/],
    ['a log made anew', restarted({ log: `${restartedLog}Created log for partition orders-0 in /v` }), /loaded/],
    ['a log shorter than before', restarted({ log: registered(40) + loaded(3400) + fetcher(3500) }), /loaded/],
    ['records missing in the cluster', restarted({ ends: new Map([[0, 3000]]) }), /offsets in the cluster/],
  ])('fails for %s', (_, after, name) => {
    expect(failing(after).join('\n')).toMatch(name)
  })

  test('fails when there was nothing to compare', () => {
    const empty = evidence({ files: { ...evidence().files, sealed: [] } })
    expect(proveNothingCopied('orders', empty, restarted()).held).toBe(false)
  })
})

describe('lines of the log', () => {
  test('the first fetch of each partition counts', () => {
    expect(fetchStarts(fetcher(3500) + fetcher(9), 'orders')).toEqual([{ topic: 'orders', partition: 0, offset: 3500 }])
  })

  test('the spelling of 3.9 is read too', () => {
    const old =
      'Added fetcher to broker 3 for partitions Map(orders-2 -> InitialFetchState(Some(abc),BrokerEndPoint(id=3, host=127.0.0.3:9092),8,42))'
    expect(fetchStarts(old, 'orders')).toEqual([{ topic: 'orders', partition: 2, offset: 42 }])
  })

  test('loaded and created logs, and the epoch', () => {
    expect(loadedLogs(loaded(12), 'orders')).toEqual(new Map([[0, 12]]))
    expect(loadedLogs(loaded(12), 'other')).toEqual(new Map())
    expect(
      createdLogs('INFO Created log for partition orders-1 in /v\nINFO Created log for partition b-0 in /v', 'orders'),
    ).toEqual([1])
    expect(registeredEpoch('')).toBeUndefined()
  })
})

test('properties are read without comments', () => {
  expect(parseProperties('#\n#Sat\nnode.id=1\ncluster.id=a=b\n')).toEqual({ 'node.id': '1', 'cluster.id': 'a=b' })
})
