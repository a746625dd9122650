/**
 * A program: ZooKeeper and a local cluster of three agents in the folder given, until SIGTERM. A process of its own, so that it
 * can go on after the demo (`KEEP=1`).
 */
import { rename, rm, writeFile } from 'node:fs/promises'
import { startLocalCluster, startZooKeeper } from 'stateward/local-cluster'
import type { ClusterAddresses } from './programs.js'

const [folder] = process.argv.slice(2)
if (folder === undefined) throw new TypeError('give the folder to work in')
const log = (line: string) => process.stdout.write(`${line}\n`)

const ended = new Promise<void>((resolve) => {
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, () => resolve())
})
const zookeeper = await startZooKeeper({ workDir: `${folder}/zookeeper`, log })
const cluster = await startLocalCluster({ agents: 3, workDir: `${folder}/cluster` })
const addresses: ClusterAddresses = { masterUrl: cluster.masterUrl, zookeeper: zookeeper.connect }
// By rename: who waits for the file never reads half of it.
await writeFile(`${folder}/cluster.json.new`, JSON.stringify(addresses))
await rename(`${folder}/cluster.json.new`, `${folder}/cluster.json`)
log(`up: ${JSON.stringify(addresses)}`)

await ended
await rm(`${folder}/cluster.json`, { force: true })
await cluster.close()
await zookeeper.stop()
