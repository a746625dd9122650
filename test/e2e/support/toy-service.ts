/**
 * The program under test, a process of its own: the scheduler of a toy service whose every task leaves traces in its volume.
 * Settings come as JSON in the only argument. It ends with the process that started it.
 */
import { readFile } from 'node:fs/promises'
import { createScheduler, parseSpec, type Hook, type SchedulerOptions } from 'stateward'

export interface ToySettings {
  readonly cluster: string
  readonly store: string
  /** Holds `open` or `closed <reason>`; read whenever the gate is asked. */
  readonly gateFile: string
  /** Fetched by every server before it starts. */
  readonly artifact?: string
  readonly count?: number
  readonly version?: string
  readonly volumeMb?: number
  readonly backoffMs?: number
  /** Added to the server's task as it is, whether the spec allows it or not. */
  readonly server?: Readonly<Record<string, unknown>>
  /** @defaultValue 0, any free port */
  readonly httpPort?: number
}

/** Numbers each start of the server, keeps its environment, and goes on writing. */
const serve = `
echo "$VERSION" >> data/starts
echo "$PEERS" > data/peers
while :; do echo alive >> data/log; sleep 0.5; done`

const toyService = ({ count = 3, version = '1', volumeMb = 16, backoffMs = 500, artifact, server }: ToySettings) =>
  parseSpec({
    name: 'toy',
    pods: {
      node: {
        count,
        placement: [{ type: 'maxPerHost', max: 1 }],
        volumes: { data: { sizeMb: volumeMb } },
        tasks: {
          init: { goal: 'INIT', command: 'echo marker >> data/marker', cpus: 0.1, memoryMb: 32 },
          server: {
            command: serve,
            cpus: 0.2,
            memoryMb: 32,
            ports: { client: { port: 0 } },
            env: { VERSION: version, PEERS: '{{peers.node.client as {name}@{address}:{port}}}' },
            uris: artifact === undefined ? [] : [{ uri: artifact, extract: false }],
            readinessCheck: { command: 'test -s data/starts', intervalMs: 200 },
            killGraceMs: 2_000,
            ...server,
          },
        },
      },
    },
    update: { afterEach: [{ gate: 'mayGoOn', intervalMs: 200 }] },
    recovery: { backoff: { initialMs: backoffMs, factor: 1 } },
  })

const mayGoOn =
  (gateFile: string): Hook =>
  async () => {
    const [word, ...reason] = (await readFile(gateFile, 'utf8')).trim().split(' ')
    return { open: word === 'open', reason: reason.join(' ') }
  }

const optionsOf = ({ cluster, store, gateFile, httpPort = 0 }: ToySettings): SchedulerOptions => ({
  cluster,
  store,
  hooks: { mayGoOn: mayGoOn(gateFile) },
  http: { port: httpPort },
  storeSessionTimeoutMs: 4_000,
  tickMs: 100,
})

async function main(): Promise<void> {
  // No process is left behind when a test run is killed. Unreferenced, so that it does not keep this one alive.
  process.stdin.resume().once('end', () => process.kill(process.pid, 'SIGKILL'))
  ;(process.stdin as unknown as { unref(): void }).unref()
  const settings = JSON.parse(process.argv[2] ?? '{}') as ToySettings
  const scheduler = await createScheduler(toyService(settings), optionsOf(settings))
  await scheduler.run()
}

try {
  await main()
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
