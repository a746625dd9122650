/** A spec with all that a rebuild has to find again: several tasks and ports in a pod, one-time work, two pods, phases. */
import { defineService } from '../../../src/spec/parse.js'
import type { ServiceSpec } from '../../../src/spec/schema.js'

export const richSpec = (version = '1', command = './serve.sh'): ServiceSpec =>
  defineService({
    name: 'rich',
    user: 'nobody',
    values: { clusterId: { generate: 'uuidBase64Url' }, other: { generate: 'uuid' } },
    pods: {
      node: {
        count: 3,
        placement: [{ type: 'maxPerHost', max: 1 }],
        volumes: { data: { sizeMb: 1_024 }, log: { sizeMb: 64, path: 'journal' } },
        tasks: {
          format: { goal: 'INIT', command: './format.sh', cpus: 0.1, memoryMb: 64 },
          server: {
            command,
            cpus: 1.25,
            memoryMb: 512,
            ports: { client: { port: 0 }, admin: { port: 0, advertise: true }, peer: { port: 29_000 } },
            env: { VERSION: version, ID: '{{values.clusterId}}', PEERS: '{{peers.node.client}}' },
            readinessCheck: { command: './ready.sh' },
          },
          sidecar: { command: './watch.sh', cpus: 0.1, memoryMb: 64 },
          seed: { goal: 'ONCE', command: './seed.sh', cpus: 0.1, memoryMb: 64 },
          index: { goal: 'FINISH', command: './index.sh', cpus: 0.1, memoryMb: 64 },
        },
      },
      gate: { count: 1, tasks: { proxy: { command: './proxy.sh', cpus: 0.1, memoryMb: 64, ports: { web: { port: 0 } } } } },
    },
    deploy: { phases: [{ pod: 'node' }, { pod: 'gate' }] },
  })

/** A pod whose executor and tasks have containers that a relaunch has to repeat, and a health check. */
export const furnishedSpec = (): ServiceSpec =>
  defineService({
    name: 'furnished',
    role: 'team/furnished',
    pods: {
      db: {
        count: 2,
        volumes: { data: { sizeMb: 64 } },
        user: 'db',
        image: 'db:7',
        uris: ['http://files/db.tgz'],
        hostVolumes: { certs: { hostPath: '/etc/ssl', path: 'certs', mode: 'RO' } },
        externalVolumes: { shared: { driver: 'nfs', options: { size: '10' }, mode: 'RW', path: 'shared' } },
        secrets: { key: { secret: 'furnished/key', file: 'key', envKey: 'KEY' } },
        rlimits: { RLIMIT_NOFILE: { soft: 10, hard: 20 }, RLIMIT_CORE: 'unlimited' },
        sharePidNamespace: true,
        seccomp: 'unconfined',
        shmMb: 64,
        tasks: {
          server: {
            command: './serve.sh',
            cpus: 1,
            memoryMb: 64,
            labels: { team: 'storage' },
            discovery: { prefix: 'db' },
            ports: { client: { port: 0, ranges: [{ begin: 25_000, end: 25_999 }], vip: { port: 80 } } },
            limits: { cpus: 'unlimited', memoryMb: 128 },
            readinessCheck: { command: './ready.sh' },
            healthCheck: { command: './well.sh' },
          },
          sidecar: { command: './watch.sh', cpus: 0.1, memoryMb: 64 },
        },
      },
    },
  })
