/**
 * `stateward cluster`: the local development cluster. `up` stays in the foreground until it is interrupted; the other
 * commands find the cluster by its work directory. What starts processes is loaded only when needed, because every
 * executor of the cluster is started through this command too.
 */
import { join, resolve } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import type { LocalAgent, LocalCluster, startLocalCluster as startCluster } from '../../local-cluster.js'
import type { ProcessKind } from '../../local-cluster/processes.js'

const DEFAULT_WORK_DIR = '.stateward-cluster'
const DEFAULT_PORT = '5050'
const DEFAULT_ZOOKEEPER_PORT = '2181'

interface UpOptions {
  readonly agents: string
  readonly workDir: string
  readonly port: string
  readonly zookeeper?: true | string
}

interface DirectoryOptions {
  readonly workDir: string
}

function parseCount(text: string, name: string): number {
  const count = Number(text)
  if (!Number.isInteger(count) || count < 0) throw new InvalidArgumentError(`--${name} must be a whole number (got ${text})`)
  return count
}

const describeAgent = (agent: LocalAgent): string =>
  `agent ${agent.index + 1}  ${agent.ip}  ${agent.pid === undefined ? 'down' : `pid ${agent.pid}`}  ${agent.id ?? 'not registered yet'}  ${agent.directory}`

function untilInterrupted(): Promise<void> {
  return new Promise((done) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => done())
  })
}

async function up(options: UpOptions): Promise<void> {
  const { startLocalCluster, startZooKeeper } = await import('../../local-cluster.js')
  const workDir = resolve(options.workDir)
  const interrupted = untilInterrupted()
  const port = options.zookeeper === true ? DEFAULT_ZOOKEEPER_PORT : options.zookeeper
  const zookeeper =
    port === undefined
      ? undefined
      : await startZooKeeper({ workDir: join(workDir, 'zookeeper'), port: parseCount(port, 'zookeeper'), log: console.log })
  if (zookeeper !== undefined) console.log(`store   zk://${zookeeper.connect}/stateward`)
  try {
    await runCluster(startLocalCluster, options, workDir, interrupted)
  } finally {
    await zookeeper?.stop()
  }
}

async function runCluster(
  startLocalCluster: typeof startCluster,
  options: UpOptions,
  workDir: string,
  interrupted: Promise<void>,
): Promise<void> {
  const cluster = await startLocalCluster({
    agents: parseCount(options.agents, 'agents'),
    workDir,
    port: parseCount(options.port, 'port'),
  })
  console.log(`master  ${cluster.masterUrl}  (scheduler API: ${cluster.masterUrl}/api/v1/scheduler)`)
  for (const agent of cluster.agents()) console.log(describeAgent(agent))
  console.log('end with Ctrl-C; files stay')
  await interrupted
  await cluster.close()
}

const attach = async (workDir: string): Promise<LocalCluster> => {
  const { attachLocalCluster } = await import('../../local-cluster.js')
  return await attachLocalCluster(workDir)
}

async function status({ workDir }: DirectoryOptions): Promise<void> {
  const cluster = await attach(workDir)
  const { frameworks, agents } = await cluster.status()
  console.log(`master  ${cluster.masterUrl}`)
  for (const agent of cluster.agents()) {
    const isConnected = agents.some((known) => known.ip === agent.ip && known.isConnected)
    console.log(`${describeAgent(agent)}  ${isConnected ? 'registered' : 'not registered'}`)
  }
  for (const framework of frameworks)
    console.log(
      `framework ${framework.id}  ${framework.name}  ${framework.streamId === undefined ? 'away' : 'subscribed'}  ${framework.tasks} tasks`,
    )
  for (const task of cluster.tasks())
    console.log(`task ${task.taskId}  agent ${task.agentIndex + 1}  pid ${task.pid}  ${task.sandbox}`)
}

/** Agents are counted from 1 here; their number, address or Mesos id names them. */
function findAgent(cluster: LocalCluster, name: string): number {
  const agent = cluster.agents().find(({ index, ip, id }) => [String(index + 1), ip, id].includes(name))
  if (agent === undefined)
    throw new InvalidArgumentError(`no agent ${name}; name one by number (1 to ${cluster.agents().length}), address or id`)
  return agent.index
}

type AgentAction = (cluster: LocalCluster, index: number) => Promise<void>

const AGENT_ACTIONS: Readonly<Record<string, { readonly text: string; readonly act: AgentAction }>> = {
  stop: { text: 'kill the agent; its tasks live on', act: (cluster, index) => cluster.stopAgent(index) },
  start: { text: 'start a stopped agent again', act: (cluster, index) => cluster.startAgent(index) },
  'machine-down': { text: 'kill the agent and all its tasks', act: (cluster, index) => cluster.machineDown(index) },
  partition: { text: 'cut the agent off from the master', act: (cluster, index) => cluster.partition(index) },
  heal: { text: 'end a partition', act: (cluster, index) => cluster.heal(index) },
  wipe: {
    text: 'kill the agent and all its tasks, empty its directory, start it as a new one',
    act: (cluster, index) => cluster.wipeAgent(index),
  },
}

function agentCommand(): Command {
  const command = new Command('agent').description('act on one agent: its number from 1, its address or its Mesos id')
  for (const [name, { text, act }] of Object.entries(AGENT_ACTIONS)) {
    command
      .command(`${name} <id>`)
      .description(text)
      .option('--work-dir <directory>', 'directory of the cluster', DEFAULT_WORK_DIR)
      .action(async (id: string, { workDir }: DirectoryOptions) => {
        const cluster = await attach(workDir)
        await act(cluster, findAgent(cluster, id))
      })
  }
  return command
}

function addProcessCommands(command: Command): void {
  for (const kind of ['master', 'agent', 'executor'] satisfies ProcessKind[]) {
    command.command(`run-${kind} <options>`, { hidden: true }).action(async (options: string) => {
      const { runProcess } = await import('../../local-cluster/run-process.js')
      await runProcess(kind, options)
    })
  }
}

/** The `cluster` command for the CLI's main program. */
export function clusterCommand(): Command {
  const command = new Command('cluster').description(
    'a local development cluster: master and agents as processes of this machine',
  )
  command
    .command('up')
    .description('start a cluster and stay until interrupted')
    .option('--agents <number>', 'number of agents, at 127.0.0.1, 127.0.0.2, ...', '3')
    .option('--work-dir <directory>', 'where everything of the cluster is written', DEFAULT_WORK_DIR)
    .option('--port <port>', 'port of the master, 0 for any free one', DEFAULT_PORT)
    .option('--zookeeper [port]', `also start a ZooKeeper (needs Java and Maven; port ${DEFAULT_ZOOKEEPER_PORT} unless given)`)
    .action(up)
  command
    .command('status')
    .description('master, agents, frameworks and tasks')
    .option('--work-dir <directory>', 'directory of the cluster', DEFAULT_WORK_DIR)
    .action(status)
  command.addCommand(agentCommand())
  addProcessCommands(command)
  return command
}
