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
