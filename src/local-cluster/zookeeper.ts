/**
 * A real Apache ZooKeeper server for development and tests: one process of its own, loopback only, data kept over restarts.
 * It is ready when it has answered, not after a delay, and ended by its process id only. What a killed run left in the work
 * directory (a pid file, even a running server) is found and taken out of the way.
 */
import { spawn } from 'node:child_process'
import { createServer, connect as connectTcp } from 'node:net'
import { mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { SdkError } from '../errors.js'
import { copyMavenDependencies, defaultCacheDir } from './maven.js'
import { isProcessAlive, processBirth } from './process-identity.js'

const zookeeperVersion = '3.9.4'

/** `snappy-java` and `metrics-core` are needed at run time but not declared so; logback writes the log. */
const pom = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>stateward.local</groupId>
  <artifactId>zookeeper</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.zookeeper</groupId><artifactId>zookeeper</artifactId><version>${zookeeperVersion}</version></dependency>
    <dependency><groupId>org.xerial.snappy</groupId><artifactId>snappy-java</artifactId><version>1.1.10.5</version></dependency>
    <dependency><groupId>io.dropwizard.metrics</groupId><artifactId>metrics-core</artifactId><version>4.1.12.1</version></dependency>
    <dependency><groupId>ch.qos.logback</groupId><artifactId>logback-classic</artifactId><version>1.3.15</version></dependency>
  </dependencies>
</project>
`

const logback = `<configuration>
  <appender name="out" class="ch.qos.logback.core.ConsoleAppender">
    <encoder><pattern>%d{ISO8601} %-5level %logger{0} %msg%n</pattern></encoder>
  </appender>
  <root level="WARN"><appender-ref ref="out"/></root>
</configuration>
`

/** A first start reads jars from a cold disk; two busy cores need a multiple of the usual two seconds. */
const readyLimitMs = 60_000
const stopLimitMs = 15_000
const pollMs = 50
/** A free port may be taken between finding it and binding it. */
const portAttempts = 5

export interface ZooKeeperServerOptions {
  /** Holds data, configuration, log (`zookeeper.log`) and pid file; made when missing. */
  readonly workDir: string
  /** @defaultValue 0, any free port; kept over `restart` */
  readonly port?: number
  /** @defaultValue '127.0.0.1' */
  readonly address?: string
  /** Largest file that the server process may write (`ulimit -f`); stands in for a full disk. @defaultValue no limit */
  readonly maxFileSizeBytes?: number
  /** The server's unit of time; sessions may be as short as twice that. @defaultValue 2000 */
  readonly tickTimeMs?: number
  /** Makes it one of several, which serve as soon as a majority of them runs. @defaultValue a server by itself */
  readonly ensemble?: ZooKeeperEnsembleMembership
  /** The server goes on when this process ends. @defaultValue false */
  readonly detached?: boolean
  /** Where the jars are kept. @defaultValue `defaultCacheDir()` */
  readonly cacheDir?: string
  readonly log?: (line: string) => void
}

export interface ZooKeeperEnsembleMembership {
  /** Of this server; from 1. */
  readonly id: number
  /** All servers in the order of their ids, with the ports on which they talk to each other. */
  readonly members: readonly { readonly address: string; readonly quorumPort: number; readonly electionPort: number }[]
}

export interface ZooKeeperServer {
  /** `address:port` for a connect string. */
  readonly connect: string
  /** The present process; another one after `restart`. */
  readonly pid: number
  /** Ends the process in order; idempotent. */
  stop(): Promise<void>
  /** Ends the process at once (SIGKILL); idempotent. */
  kill(): Promise<void>
  /** Starts again on the same port and data, after ending what still runs. Changes given here hold from now on. */
  restart(changes?: Pick<ZooKeeperServerOptions, 'maxFileSizeBytes'>): Promise<void>
  /** Resolves when the present process has ended, for whatever reason. */
  exited(): Promise<void>
  /** What it is at the moment; undefined while it does not serve. */
  mode(): Promise<'standalone' | 'leader' | 'follower' | undefined>
}

interface ServerProcess {
  readonly pid: number
  /** Where this process's part of the log begins. */
  readonly logFrom: number
  readonly exited: Promise<void>
  hasExited(): boolean
  kill(signal: NodeJS.Signals): void
}

/**
 * Starts a server and waits until it answers.
 * @throws SdkError `ERR_CLUSTER` with what the server's log says.
 */
export async function startZooKeeper(options: ZooKeeperServerOptions): Promise<ZooKeeperServer> {
  const address = options.address ?? '127.0.0.1'
  const workDir = path.resolve(options.workDir)
  const jars = await installJars(options.cacheDir ?? defaultCacheDir(), options.log ?? (() => undefined))
  await mkdir(path.join(workDir, 'data'), { recursive: true })
  await endRemains(workDir)

  const wantedPort = options.port ?? 0
  let port = wantedPort
  let maxFileSizeBytes = options.maxFileSizeBytes
  let running: ServerProcess

  const launch = async (): Promise<ServerProcess> => {
    await writeConfiguration(workDir, address, port, options)
    const server = await spawnServer(workDir, jars, maxFileSizeBytes, options)
    try {
      await waitUntilReady(server, address, port, workDir)
    } catch (error) {
      server.kill('SIGKILL')
      await server.exited
      throw error
    }
    return server
  }
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (!running.hasExited()) {
      running.kill(signal)
      // A stopped (SIGSTOP) process takes no SIGTERM before it goes on.
      if (signal !== 'SIGKILL') running.kill('SIGCONT')
      const timer = setTimeout(() => running.kill('SIGKILL'), stopLimitMs)
      await running.exited
      clearTimeout(timer)
    }
    await rm(path.join(workDir, 'zookeeper.pid'), { force: true })
  }

  for (let attempt = 1; ; attempt += 1) {
    if (wantedPort === 0) port = await findFreePort(address)
    try {
      running = await launch()
      break
    } catch (error) {
      const taken = error instanceof SdkError && error.details['addressInUse'] === true
      if (!taken || wantedPort !== 0 || attempt === portAttempts) throw error
    }
  }
  return {
    get connect() {
      return `${address}:${port}`
    },
    get pid() {
      return running.pid
    },
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    restart: async (changes) => {
      await end('SIGTERM')
      if (changes !== undefined) maxFileSizeBytes = changes.maxFileSizeBytes
      running = await launch()
    },
    exited: () => running.exited,
    mode: async () => modeIn(await askServer(address, port)),
  }
}

function modeIn(answer: string): Awaited<ReturnType<ZooKeeperServer['mode']>> {
  const word = /Mode: (\w+)/.exec(answer)?.[1]
  return word === 'standalone' || word === 'leader' || word === 'follower' ? word : undefined
}

/** Puts the server's jars into the cache where they are missing; answers their folder. */
export async function installJars(cacheDir: string, log: (line: string) => void): Promise<string> {
  await mkdir(cacheDir, { recursive: true })
  const pomFile = path.join(cacheDir, `zookeeper-${zookeeperVersion}.pom.xml`)
  const present = await readFile(pomFile, 'utf8').catch(() => undefined)
  if (present !== pom) {
    // By rename, so that another process never reads half a file.
    await writeFile(`${pomFile}.${process.pid}`, pom)
    await rename(`${pomFile}.${process.pid}`, pomFile)
  }
  const into = path.join(cacheDir, `zookeeper-${zookeeperVersion}`)
  await copyMavenDependencies({ pom: pomFile, into, log })
  return into
}

/** Ends a server that an earlier, killed run left on this work directory; its data files must not have two writers. */
async function endRemains(workDir: string): Promise<void> {
  const file = path.join(workDir, 'zookeeper.pid')
  const text = await readFile(file, 'utf8').catch(() => undefined)
  if (text === undefined) return
  const [pidText = '', birth = ''] = text.split('\n')
  const pid = Number(pidText)
  if (birth !== '' && processBirth(pid) === birth) {
    process.kill(pid, 'SIGKILL')
    const giveUpAt = Date.now() + stopLimitMs
    while (processBirth(pid) === birth) {
      if (Date.now() > giveUpAt)
        throw new SdkError('ERR_CLUSTER', `cannot end the ZooKeeper server of an earlier run (process ${pid}) on ${workDir}`)
      await delay(pollMs)
    }
  }
  await rm(file, { force: true })
}

async function writeConfiguration(
  workDir: string,
  address: string,
  port: number,
  { tickTimeMs = 2000, ensemble }: ZooKeeperServerOptions,
): Promise<void> {
  const lines = [
    `dataDir=${path.join(workDir, 'data')}`,
    `clientPortAddress=${address}`,
    `clientPort=${port}`,
    `tickTime=${tickTimeMs}`,
    'admin.enableServer=false',
    '4lw.commands.whitelist=srvr',
    'maxClientCnxns=0',
    'autopurge.snapRetainCount=3',
    'autopurge.purgeInterval=1',
    // In ticks: how long a server may take to follow the leader, and how far behind it may be.
    ...(ensemble === undefined ? [] : ['initLimit=20', 'syncLimit=10']),
    ...(ensemble?.members ?? []).map(
      (member, index) => `server.${index + 1}=${member.address}:${member.quorumPort}:${member.electionPort}`,
    ),
  ]
  if (ensemble !== undefined) await writeFile(path.join(workDir, 'data', 'myid'), `${ensemble.id}\n`)
  await writeFile(path.join(workDir, 'zoo.cfg'), lines.join('\n') + '\n')
  await writeFile(path.join(workDir, 'logback.xml'), logback)
}

async function spawnServer(
  workDir: string,
  jars: string,
  maxFileSizeBytes: number | undefined,
  { detached = false, ensemble }: ZooKeeperServerOptions,
): Promise<ServerProcess> {
  const java = [
    ...['-Xmx128m', '-Xms32m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-XX:-UsePerfData', '-Djava.awt.headless=true'],
    // The log is extended by 64 MB at a time otherwise, which no limit for a test could be above.
    ...(maxFileSizeBytes === undefined ? [] : ['-Dzookeeper.preAllocSize=16']),
    ...['-cp', `${workDir}${path.delimiter}${path.join(jars, '*')}`],
    `org.apache.zookeeper.server.${ensemble === undefined ? 'ZooKeeperServerMain' : 'quorum.QuorumPeerMain'}`,
    path.join(workDir, 'zoo.cfg'),
  ]
  // `exec` keeps the shell's process id for the server. The unit of ulimit -f is 512 bytes in POSIX shells.
  const [program, args] =
    maxFileSizeBytes === undefined
      ? ['java', java]
      : ['sh', ['-c', `ulimit -f ${Math.ceil(maxFileSizeBytes / 512)} && exec java "$@"`, 'sh', ...java]]
  const log = await open(path.join(workDir, 'zookeeper.log'), 'a')
  const { size: logFrom } = await log.stat()
  const child = spawn(program, args, { cwd: workDir, detached, stdio: ['ignore', log.fd, log.fd] })
  let over = false
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => {
      over = true
      resolve()
    })
  })
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve)
    child.once('error', (error) =>
      reject(
        new SdkError(
          'ERR_CLUSTER',
          `cannot start ZooKeeper: ${program} did not start (${error.message}); install a Java 17 runtime`,
          { cause: error },
        ),
      ),
    )
  }).finally(() => log.close())
  const pid = child.pid ?? 0
  const kill = (signal: NodeJS.Signals): void => {
    if (!over) child.kill(signal)
  }
  await writeFile(path.join(workDir, 'zookeeper.pid'), `${pid}\n${processBirth(pid) ?? ''}\n`)
  if (detached) child.unref()
  else {
    const killWithParent = (): void => kill('SIGKILL')
    process.once('exit', killWithParent)
    void exited.then(() => process.removeListener('exit', killWithParent))
  }
  return { pid, logFrom, exited, hasExited: () => over || !isProcessAlive(pid), kill }
}

/** Asks until the server says that it serves. */
async function waitUntilReady(server: ServerProcess, address: string, port: number, workDir: string): Promise<void> {
  const giveUpAt = Date.now() + readyLimitMs
  for (;;) {
    // Asked in this order: the answer may come from somebody else's server on the port while ours has failed to bind it.
    const answer = await askServer(address, port)
    if (server.hasExited()) throw await startError(server, workDir, address, port, 'its process has ended')
    if (answer.includes('Mode: ')) return
    if (Date.now() > giveUpAt)
      throw await startError(server, workDir, address, port, `it gave no answer within ${readyLimitMs / 1000} s`)
    await delay(pollMs)
  }
}

async function startError(
  server: ServerProcess,
  workDir: string,
  address: string,
  port: number,
  what: string,
): Promise<SdkError> {
  const logFile = path.join(workDir, 'zookeeper.log')
  const log = await readFile(logFile).catch(() => Buffer.alloc(0))
  const lines = log.subarray(server.logFrom).toString().split('\n')
  const taken = lines.find((line) => /Address already in use/.test(line))
  const written = lines.filter((line) => line !== '')
  const telling = taken ?? written.findLast((line) => / ERROR |Exception|^Error/.test(line)) ?? written.at(-1) ?? 'nothing'
  return new SdkError(
    'ERR_CLUSTER',
    `ZooKeeper on ${address}:${port} did not start: ${what}; its log ${logFile} says: ${telling.trim()}`,
    {
      details: { addressInUse: taken !== undefined },
    },
  )
}

/** The server's answer to `srvr`, or an empty text. */
const askServer = (host: string, port: number): Promise<string> =>
  new Promise((resolve) => {
    let text = ''
    const socket = connectTcp({ host, port })
    socket.setTimeout(2_000, () => socket.destroy())
    socket.on('connect', () => socket.write('srvr'))
    socket.on('data', (chunk) => (text += chunk.toString()))
    socket.on('error', () => undefined)
    socket.on('close', () => resolve(text))
  })

export const findFreePort = (host: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen({ host, port: 0 }, () => {
      const found = server.address()
      server.close(() => resolve(typeof found === 'object' && found !== null ? found.port : 0))
    })
  })

const delay = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
