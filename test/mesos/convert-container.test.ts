/** Containers as Mesos writes them, and those of executors back again. */
import { describe, expect, test } from 'vitest'
import { fromContainer, toContainer } from '../../src/mesos/convert-container.js'
import type { Container } from '../../src/offer-evaluator/container-record.js'

const none: Container = { volumes: [], rlimits: [] }

describe('a container', () => {
  test('is not there when nothing is asked for', () => {
    expect(toContainer([], undefined)).toBeUndefined()
  })

  test('shows the volumes of the executor first', () => {
    expect(
      toContainer(['data'], { ...none, volumes: [{ type: 'host', hostPath: '/etc/ssl', path: 'certs', mode: 'RO' }] })?.volumes,
    ).toEqual([
      { mode: 'RW', container_path: 'data', source: { type: 'SANDBOX_PATH', sandbox_path: { type: 'PARENT', path: 'data' } } },
      { mode: 'RO', container_path: 'certs', host_path: '/etc/ssl' },
    ])
  })

  test('without volumes has no empty list of them', () => {
    expect(toContainer([], { ...none, linux: { ipcMode: 'PRIVATE' } })).toEqual({
      type: 'MESOS',
      linux_info: { ipc_mode: 'PRIVATE' },
    })
  })
})

describe('the container of an executor', () => {
  const containers: readonly Container[] = [
    none,
    {
      volumes: [
        { type: 'host', hostPath: '/etc/ssl', path: 'certs', mode: 'RO' },
        { type: 'external', driver: 'nfs', name: 'store_db_1', options: { size: '10', 'a b': 'c=d' }, path: 'x', mode: 'RW' },
        { type: 'external', driver: 'nfs', name: 'plain', options: {}, path: 'y', mode: 'RO' },
        { type: 'secret', secret: 'store/key', path: 'tls/key' },
      ],
      rlimits: [{ name: 'RLIMIT_NOFILE', soft: 10, hard: 20 }, { name: 'RLIMIT_CORE' }],
      linux: { ipcMode: 'PRIVATE', shmMb: 64, shareCgroups: false },
    },
  ]

  test.each(containers)('is read as it was sent: %j', (container) => {
    expect(fromContainer(toContainer([], container) ?? { type: 'MESOS' })).toEqual(container)
  })

  test('is read without the defaults that a master writes out', () => {
    expect(
      fromContainer({ type: 'MESOS', volumes: [], linux_info: { share_cgroups: true }, rlimit_info: { rlimits: [] } }),
    ).toEqual(none)
  })

  test('leaves out what is never sent to one', () => {
    const source = { type: 'SANDBOX_PATH', sandbox_path: { type: 'PARENT', path: 'x' } } as const
    expect(fromContainer({ type: 'MESOS', volumes: [{ mode: 'RW', container_path: 'x', source }] })).toEqual(none)
  })
})
