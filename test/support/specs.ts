/** Specs for tests: small, with defaults, so that a test shows only what matters to it. */
import { defineService } from '../../src/spec/parse.js'
import type { ServiceSpec, ServiceSpecInput } from '../../src/spec/schema.js'

/** A database of `count` pods with a volume, an initialisation task and a readiness check; `version` changes the server's task. */
export function databaseSpec(
  options: { count?: number; version?: string; update?: ServiceSpecInput['update'] } = {},
): ServiceSpec {
  return defineService({
    name: 'store',
    values: { clusterId: { generate: 'uuidBase64Url' } },
    pods: {
      db: {
        count: options.count ?? 3,
        placement: [{ type: 'maxPerHost', max: 1 }],
        volumes: { data: { sizeMb: 1_024 } },
        tasks: {
          format: { goal: 'INIT', command: './format.sh', cpus: 0.1, memoryMb: 64, env: { CLUSTER: '{{values.clusterId}}' } },
          server: {
            command: './serve.sh',
            cpus: 1,
            memoryMb: 512,
            ports: { client: { port: 0, envKey: 'CLIENT_PORT' } },
            env: { VERSION: options.version ?? '1', PEERS: '{{peers.db.client as {index}@{address}:{port}}}' },
            readinessCheck: { command: './ready.sh' },
          },
        },
      },
    },
    ...(options.update === undefined ? {} : { update: options.update }),
  })
}

/** Two pod types of three: coordinators that know each other before the first starts, stores that know the coordinators; gates. */
export function tieredSpec(version: string): ServiceSpec {
  const readinessCheck = { command: './ready.sh' }
  const env = { VERSION: version, COORDINATORS: '{{peers.coordinator.quorum as {index}@{address}:{port}}}' }
  return defineService({
    name: 'tiered',
    pods: {
      coordinator: {
        count: 3,
        placement: [{ type: 'maxPerHost', max: 1 }],
        volumes: { log: { sizeMb: 512 } },
        tasks: {
          format: { goal: 'INIT', command: './format.sh', cpus: 0.1, memoryMb: 64 },
          server: { command: './coordinate.sh', cpus: 0.5, memoryMb: 256, ports: { quorum: { port: 0 } }, env, readinessCheck },
        },
      },
      store: {
        count: 3,
        placement: [{ type: 'maxPerHost', max: 1 }],
        volumes: { data: { sizeMb: 1_024 } },
        tasks: {
          format: { goal: 'INIT', command: './format.sh', cpus: 0.1, memoryMb: 64 },
          server: { command: './store.sh', cpus: 1, memoryMb: 512, ports: { client: { port: 0 } }, env, readinessCheck },
        },
      },
    },
    deploy: {
      phases: [
        { pod: 'coordinator', strategy: 'parallel' },
        { pod: 'store', afterEach: ['joined'] },
      ],
    },
    update: { preFlight: ['healthy'], order: 'leaderLast', afterEach: ['joined'], postFlight: ['healthy'] },
  })
}

/** Forty pods of two types, the first deployed all at once and the second one after the other. */
export function fortySpec(version: string): ServiceSpec {
  const pod = {
    count: 20,
    volumes: { data: { sizeMb: 1_024 } },
    tasks: {
      server: {
        command: './serve.sh',
        cpus: 1,
        memoryMb: 512,
        env: { VERSION: version },
        readinessCheck: { command: './ready.sh', intervalMs: 5_000 },
      },
    },
  }
  return defineService({
    name: 'forty',
    pods: { shard: pod, replica: pod },
    deploy: { phases: [{ pod: 'shard', strategy: 'parallel' }, { pod: 'replica' }] },
  })
}
