import { describe, expect, test } from 'vitest'
import { defineService } from '../../src/spec/parse.js'
import type { ServiceSpecInput } from '../../src/spec/schema.js'
import { buildTarget } from '../../src/scheduler/target.js'

const base = {
  name: 'store',
  values: { clusterId: { generate: 'uuid' } },
  pods: {
    db: {
      count: 3,
      placement: [{ type: 'maxPerHost', max: 1 }],
      volumes: { data: { sizeMb: 1_024 } },
      tasks: {
        server: {
          command: './serve.sh',
          cpus: 1,
          memoryMb: 512,
          env: { A: '1', B: '{{pod.index}}' },
          ports: { client: { port: 0, envKey: 'PORT' } },
          uris: ['http://host/file.tgz'],
          readinessCheck: { command: './ready.sh' },
        },
        backup: { goal: 'FINISH', command: './backup.sh', cpus: 0.5, memoryMb: 64 },
      },
    },
  },
} satisfies ServiceSpecInput

type Change = (spec: typeof base) => void
type Hash = 'spec' | 'pod' | 'footprint' | 'server' | 'backup'

const targetOf = (change: Change) => {
  const spec = structuredClone(base)
  change(spec)
  const target = buildTarget(defineService(spec))
  const db = target.pods['db']
  return { spec: target.id, pod: db?.pod, footprint: db?.footprint, server: db?.tasks['server'], backup: db?.tasks['backup'] }
}
const before = targetOf(() => undefined)

/** Field by field: what a change of it may touch, and nothing else. */
const changes: readonly (readonly [string, Change, readonly Hash[]])[] = [
  ['count', (spec) => void (spec.pods.db.count = 4), []],
  ['placement', (spec) => void (spec.pods.db.placement = []), []],
  ['plans', (spec) => void Object.assign(spec, { update: { preFlight: ['healthy'] }, deploy: { postFlight: ['healthy'] } }), []],
  ['back-off', (spec) => void Object.assign(spec, { recovery: { backoff: { initialMs: 5 } } }), []],
  ['values', (spec) => void Object.assign(spec.values, { other: { generate: 'uuid' } }), []],
  ['command', (spec) => void (spec.pods.db.tasks.server.command = './other.sh'), ['server']],
  ['command of the backup', (spec) => void (spec.pods.db.tasks.backup.command = './other.sh'), ['backup']],
  ['env', (spec) => void (spec.pods.db.tasks.server.env.A = '2'), ['server']],
  ['a placeholder', (spec) => void (spec.pods.db.tasks.server.env.B = '{{pod.name}}'), ['server']],
  ['uris', (spec) => void (spec.pods.db.tasks.server.uris = ['http://host/other.tgz']), ['server']],
  ['readiness check', (spec) => void (spec.pods.db.tasks.server.readinessCheck.command = 'true'), ['server']],
  ['kill grace', (spec) => void Object.assign(spec.pods.db.tasks.server, { killGraceMs: 1 }), ['server']],
  ['goal', (spec) => void (spec.pods.db.tasks.backup.goal = 'ONCE' as 'FINISH'), ['backup']],
  ['envKey of a port', (spec) => void (spec.pods.db.tasks.server.ports.client.envKey = 'OTHER'), ['server']],
  ['advertise of a port', (spec) => void Object.assign(spec.pods.db.tasks.server.ports.client, { advertise: true }), ['server']],
  ['number of a port', (spec) => void (spec.pods.db.tasks.server.ports.client.port = 9_042), ['server', 'footprint']],
  ['cpus', (spec) => void (spec.pods.db.tasks.server.cpus = 2), ['server', 'footprint']],
  ['memory of the backup', (spec) => void (spec.pods.db.tasks.backup.memoryMb = 128), ['backup', 'footprint']],
  ['size of a volume', (spec) => void (spec.pods.db.volumes.data.sizeMb = 2_048), ['pod', 'footprint']],
  ['path of a volume', (spec) => void Object.assign(spec.pods.db.volumes.data, { path: 'other' }), ['pod', 'footprint']],
  ['executor', (spec) => void Object.assign(spec.pods.db, { executor: { cpus: 0.2 } }), ['pod', 'footprint']],
]

describe('identity', () => {
  test.for(changes)('a change of %s changes exactly the hashes it should', ([, change, touched]) => {
    const after = targetOf(change)
    const differing = (Object.keys(before) as Hash[]).filter((hash) => before[hash] !== after[hash])
    expect(differing.sort()).toEqual(['spec', ...touched].sort())
  })

  test('the order of keys means nothing, and neither does writing a default out', () => {
    const reversed = (value: unknown): unknown =>
      Array.isArray(value)
        ? value.map(reversed)
        : typeof value === 'object' && value !== null
          ? Object.fromEntries(
              Object.entries(value)
                .reverse()
                .map(([key, inner]) => [key, reversed(inner)]),
            )
          : value
    const other = reversed(base) as ServiceSpecInput
    expect(Object.keys(other)).not.toEqual(Object.keys(base))
    expect(buildTarget(defineService({ ...other, user: 'root', advertise: 'address' })).id).toBe(before.spec)
  })

  test('going back to the old content is the old target', () => {
    const there = targetOf((spec) => void (spec.pods.db.tasks.server.command = './other.sh'))
    expect(there.spec).not.toBe(before.spec)
    expect(targetOf(() => undefined)).toEqual(before)
  })

  test('hashes name the version of their form', () => {
    for (const hash of Object.values(before)) expect(hash).toMatch(/^1:[0-9a-f]{20}$/)
  })
})
