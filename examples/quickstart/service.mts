import { createScheduler, defineService, isSdkError, maxPerHost } from 'stateward'

/** Three nodes, one per host, each with a volume that is prepared once and survives every relaunch. */
export const notes = defineService({
  name: 'notes',
  values: { clusterId: { generate: 'uuid' } },
  pods: {
    node: {
      count: 3,
      placement: [maxPerHost(1)],
      volumes: { data: { sizeMb: 64 } },
      tasks: {
        prepare: {
          goal: 'INIT',
          command: 'echo "cluster $ID" > data/notes',
          env: { ID: '{{values.clusterId}}' },
          cpus: 0.1,
          memoryMb: 32,
        },
        server: {
          command: 'touch up; while sleep 1; do echo "$GREETING from $PORT, peers $PEERS" >> data/notes; done',
          env: { GREETING: process.env['GREETING'] ?? 'hello', PEERS: '{{peers.node.client}}' },
          cpus: 0.2,
          memoryMb: 32,
          ports: { client: { port: 0, envKey: 'PORT' } },
          readinessCheck: { command: 'test -f up', intervalMs: 500 },
        },
      },
    },
  },
})

if (process.argv[2] === 'run') {
  try {
    const scheduler = await createScheduler(notes, {
      cluster: 'http://127.0.0.1:5050',
      store: 'zk://127.0.0.1:2181/stateward',
      http: { port: 8080 },
    })
    await scheduler.run()
  } catch (error) {
    console.error(isSdkError(error) ? `${error.code}: ${error.message}` : error)
    process.exitCode = 1
  }
}
