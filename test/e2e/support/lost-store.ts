/** Losing a store on purpose, and asking the doctor about it as an operator would. */
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { LocalCluster, ZooKeeperServer } from 'stateward/local-cluster'
import { createZooKeeperClient, isFailure, type ZooKeeperClient } from '../../../src/store/zookeeper-client.js'

/** Removes a node with everything below it, whoever is using it at the moment. */
export async function deleteTree({ connect }: ZooKeeperServer, path: string): Promise<void> {
  const client = createZooKeeperClient({ servers: connect, sessionTimeoutMs: 10_000, log: () => undefined })
  try {
    if (!(await client.connected(10_000))) throw new Error(`no ZooKeeper at ${connect}`)
    await deleteBelow(client, path)
  } finally {
    await client.close()
  }
}

async function deleteBelow(client: ZooKeeperClient, path: string): Promise<void> {
  for (;;) {
    for (const name of (await client.children(path)) ?? []) await deleteBelow(client, `${path}/${name}`)
    try {
      return await client.transact([{ type: 'remove', path }])
    } catch (error) {
      if (isFailure(error, 'NO_NODE')) return
      // Something was made below it meanwhile.
      if (!isFailure(error, 'NOT_EMPTY', 'CONNECTION_LOSS')) throw error
    }
  }
}

/** Everything below a node, itself included. */
export async function countNodes({ connect }: ZooKeeperServer, path: string): Promise<number> {
  const client = createZooKeeperClient({ servers: connect, sessionTimeoutMs: 10_000, log: () => undefined })
  const count = async (node: string): Promise<number> => {
    const names = await client.children(node)
    if (names === undefined) return 0
    const below = await Promise.all(names.map((name) => count(`${node}/${name}`)))
    return below.reduce((sum, each) => sum + each, 1)
  }
  try {
    await client.connected(10_000)
    return await count(path)
  } finally {
    await client.close()
  }
}

export interface Answer {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

const cli = join(import.meta.dirname, '../../../dist/cli.js')

/** `stateward doctor` for one service; the spec is written to a file of the folder. */
export function createDoctor(options: {
  readonly folder: string
  readonly cluster: LocalCluster
  readonly zookeeper: ZooKeeperServer
}): (spec: object, ...args: readonly string[]) => Promise<Answer> {
  let files = 0
  return (spec, ...args) => {
    const file = join(options.folder, `spec-${++files}.json`)
    writeFileSync(file, JSON.stringify(spec))
    const places = ['--cluster', options.cluster.masterUrl, '--store', `zk://${options.zookeeper.connect}/stateward`]
    return new Promise((resolve) =>
      execFile(process.execPath, [cli, 'doctor', file, ...places, ...args], (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr }),
      ),
    )
  }
}

/** Tasks that the master was told to kill, in order. */
export async function killedTasks(cluster: LocalCluster): Promise<string[]> {
  const calls = await cluster.acceptedCalls()
  return calls.flatMap(({ call }) => (call.type === 'KILL' ? [call.kill.task_id.value] : []))
}
