/** The spec of the toy service, as an author would write it: every task leaves traces in its volume. */

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
  readonly standby?: boolean
  /** @defaultValue 4000 */
  readonly sessionTimeoutMs?: number
}

/** Numbers each start of the server, keeps its environment, and goes on writing. */
const serve = `
echo "$VERSION" >> data/starts
echo "$PEERS" > data/peers
while :; do echo alive >> data/log; sleep 0.5; done`

export const toySpec = ({ count = 3, version = '1', volumeMb = 16, backoffMs = 500, artifact, server }: ToySettings): object => ({
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
