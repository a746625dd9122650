/**
 * What an end-to-end test runs in: a folder, a gate to open and close, an artifact to hold back, and everything that is to be
 * ended afterwards. The real servers are started by the tests, as when is part of what they test.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startLocalCluster, startZooKeeper, type LocalCluster, type ZooKeeperServer } from 'stateward/local-cluster'
import { startScheduler, type SchedulerProgram } from './scheduler-program.js'
import type { ToySettings } from './toy-spec.js'

/** Everything that normally takes long is short. */
const timings = { allocationIntervalMs: 100, agentPingTimeoutMs: 500, maxAgentPingTimeouts: 3, updateRetryMs: 500 }

export interface World {
  readonly folder: string
  readonly openGate: () => void
  readonly closeGate: (reason: string) => void
  startZooKeeper(options?: { readonly port: number }): Promise<ZooKeeperServer>
  startCluster(options: { readonly agents: number; readonly port?: number }): Promise<LocalCluster>
  startScheduler(settings: Omit<ToySettings, 'gateFile'>): SchedulerProgram
  /** Ends all that was started, the last first, and removes the folder. */
  end(): Promise<void>
}

export function createWorld(): World {
  const folder = mkdtempSync(join(tmpdir(), 'stateward-e2e-'))
  const gateFile = join(folder, 'gate')
  const endings: (() => Promise<unknown>)[] = []
  const openGate = (): void => writeFileSync(gateFile, 'open all is well')
  openGate()
  return {
    folder,
    openGate,
    closeGate: (reason) => writeFileSync(gateFile, `closed ${reason}`),
    async startZooKeeper(options) {
      const server = await startZooKeeper({ workDir: join(folder, 'zookeeper'), tickTimeMs: 500, ...options })
      endings.unshift(() => server.kill())
      return server
    },
    async startCluster(options) {
      const cluster = await startLocalCluster({ workDir: join(folder, 'cluster'), timings, ...options })
      endings.unshift(() => cluster.close())
      return cluster
    },
    startScheduler(settings) {
      const scheduler = startScheduler({ gateFile, ...settings })
      endings.unshift(() => scheduler.end('SIGKILL'))
      return scheduler
    },
    async end() {
      const results: PromiseSettledResult<unknown>[] = []
      for (const ending of endings) results.push(...(await Promise.allSettled([ending()])))
      rmSync(folder, { recursive: true, force: true })
      const failed = results.find((result) => result.status === 'rejected')
      if (failed !== undefined) throw failed.reason
    },
  }
}

export interface Artifact {
  readonly url: string
  /** From now on requests wait for `release`. */
  hold(): void
  release(): void
  /** Requests that wait. */
  held(): number
  close(): Promise<void>
}

/** A file that agents fetch before a task starts: held back, it keeps a launch in flight for as long as a test wants. */
export async function serveArtifact(): Promise<Artifact> {
  let isHeld = false
  let waiting: ServerResponse[] = []
  const server = createServer((_request, response) => {
    if (isHeld) waiting.push(response)
    else response.end('settings')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/settings.txt`,
    hold: () => {
      isHeld = true
    },
    release: () => {
      isHeld = false
      for (const response of waiting) response.end('settings')
      waiting = []
    },
    held: () => waiting.length,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** A port on which nothing listens; for servers that are started later than what connects to them. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
