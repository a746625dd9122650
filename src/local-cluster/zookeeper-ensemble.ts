/**
 * Several ZooKeeper servers that elect a leader, on one machine: to see what becomes of a scheduler when one of them, their
 * leader, or the majority goes away.
 */
import path from 'node:path'
import { defaultCacheDir } from './maven.js'
import {
  findFreePort,
  installJars,
  startZooKeeper,
  type ZooKeeperEnsembleMembership,
  type ZooKeeperServer,
  type ZooKeeperServerOptions,
} from './zookeeper.js'

const address = '127.0.0.1'
const servers = 3
/** A free port may be taken between finding it and binding it. */
const attempts = 3

export interface ZooKeeperEnsemble {
  /** Addresses of all servers, for a connect string. */
  readonly connect: string
  readonly servers: readonly ZooKeeperServer[]
  /** The server that leads at the moment, if one does. */
  leader(): Promise<ZooKeeperServer | undefined>
  /** Ends all processes at once. */
  kill(): Promise<void>
}

/**
 * Starts three servers and waits until all of them serve.
 * @throws SdkError `ERR_CLUSTER` with what a server's log says.
 */
export async function startZooKeeperEnsemble(
  options: Pick<ZooKeeperServerOptions, 'workDir' | 'tickTimeMs' | 'cacheDir' | 'log'>,
): Promise<ZooKeeperEnsemble> {
  // Before all servers want to do it at once.
  await installJars(options.cacheDir ?? defaultCacheDir(), options.log ?? (() => undefined))
  for (let attempt = 1; ; attempt += 1) {
    const started = await Promise.allSettled(await startAll({ ...options, workDir: path.join(options.workDir, `${attempt}`) }))
    const running = started.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
    const failed = started.find((result) => result.status === 'rejected')
    if (failed === undefined) return ensembleOf(running)
    await Promise.all(running.map((server) => server.kill()))
    if (attempt === attempts) throw failed.reason
  }
}

/** At once, since none serves before a majority runs. */
async function startAll(options: ZooKeeperServerOptions): Promise<Promise<ZooKeeperServer>[]> {
  const members: ZooKeeperEnsembleMembership['members'][number][] = []
  for (let index = 0; index < servers; index += 1)
    members.push({ address, quorumPort: await findFreePort(address), electionPort: await findFreePort(address) })
  return members.map((_, index) => {
    const workDir = path.join(options.workDir, `server-${index + 1}`)
    return startZooKeeper({ ...options, workDir, ensemble: { id: index + 1, members } })
  })
}

function ensembleOf(running: readonly ZooKeeperServer[]): ZooKeeperEnsemble {
  return {
    connect: running.map(({ connect }) => connect).join(','),
    servers: running,
    async leader() {
      const modes = await Promise.all(running.map((server) => server.mode()))
      return running[modes.indexOf('leader')]
    },
    kill: async () => void (await Promise.all(running.map((server) => server.kill()))),
  }
}
