/**
 * Apache Kafka in KRaft mode as a service spec: a pod type of controllers that hold the metadata log, and a pod type of brokers.
 * Their storage is formatted once per volume by the INIT task; a relaunch in place starts directly on what is there. Pure: the
 * programs are named here, delivered by the agents' fetcher, and found under the environment below.
 */
import { defineService, maxPerHost } from 'stateward'

/** Settings of Kafka by their own names, for `server.properties`. */
export type KafkaSettings = Readonly<Record<string, string>>

export interface KafkaOptions {
  /**
   * The jars of one Kafka version: the absolute path of a folder that every agent has, or the URI of an archive with a folder
   * `libs`. An upgrade brings another path or URI, never other jars under the same one.
   */
  readonly kafkaLibs: string
  /** URI of the folder that holds the files of `tasks/`; versioned like `kafkaLibs` where it can change. */
  readonly taskFiles: string
  /** User that Kafka runs as; can never change later. @defaultValue 'root' */
  readonly user?: string
  /** Name of the service. @defaultValue 'kafka' */
  readonly name?: string
  /** Voters; odd, and never changed later: the quorum is static. @defaultValue 3 */
  readonly controllers?: number
  /** @defaultValue 3 */
  readonly brokers?: number
  /** Java 17 or newer. @defaultValue 'java' */
  readonly java?: string
  readonly size?: KafkaSize
  /** Settings beyond those below, or in their place. */
  readonly brokerSettings?: KafkaSettings
  readonly controllerSettings?: KafkaSettings
}

export interface KafkaSize {
  readonly brokerHeapMb: number
  readonly controllerHeapMb: number
  readonly brokerCpus: number
  readonly controllerCpus: number
  readonly brokerVolumeMb: number
  readonly controllerVolumeMb: number
  /** Of each pod, for Kafka's own log and fetched jars. */
  readonly sandboxMb: number
  /** Flags of the JVM beside the heap. */
  readonly jvmFlags: string
  /** Time to hand over leaders and flush after SIGTERM, in ms. */
  readonly killGraceMs: number
}

/** For a cluster that carries load. */
export const productionSize: KafkaSize = {
  brokerHeapMb: 1024,
  controllerHeapMb: 512,
  brokerCpus: 2,
  controllerCpus: 0.5,
  brokerVolumeMb: 102_400,
  controllerVolumeMb: 10_240,
  sandboxMb: 1024,
  jvmFlags: '-XX:+UseG1GC -XX:MaxGCPauseMillis=20 -XX:InitiatingHeapOccupancyPercent=35 -XX:+ExplicitGCInvokesConcurrent',
  killGraceMs: 120_000,
}

/** For six JVMs on two cores: seconds to start, about 150 MiB each. */
export const smallSize: KafkaSize = {
  brokerHeapMb: 256,
  controllerHeapMb: 96,
  brokerCpus: 0.5,
  controllerCpus: 0.25,
  brokerVolumeMb: 512,
  controllerVolumeMb: 128,
  sandboxMb: 256,
  jvmFlags: '-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:ActiveProcessorCount=1 -XX:-UsePerfData',
  killGraceMs: 15_000,
}

/** Beside the heap a JVM needs room for its code, threads and buffers. */
const memoryBesideHeapMb = 192

const voters = '{{peers.controller.quorum as 300{index}@{address}:{port}}}'

export function kafkaService(options: KafkaOptions) {
  const size = options.size ?? productionSize
  const brokers = options.brokers ?? 3
  return defineService({
    name: options.name ?? 'kafka',
    ...(options.user === undefined ? {} : { user: options.user }),
    values: { clusterId: { generate: 'uuidBase64Url' } },
    pods: {
      controller: {
        count: options.controllers ?? 3,
        placement: [maxPerHost(1)],
        executor: { diskMb: size.sandboxMb },
        volumes: { data: { path: 'data', sizeMb: size.controllerVolumeMb } },
        tasks: nodeTasks(options, {
          role: 'controller',
          nodeId: '300{{pod.index}}',
          port: 'quorum',
          cpus: size.controllerCpus,
          heapMb: size.controllerHeapMb,
          settings: { ...sharedSettings(brokers), ...controllerSettings(brokers), ...options.controllerSettings },
        }),
      },
      broker: {
        count: brokers,
        placement: [maxPerHost(1)],
        executor: { diskMb: size.sandboxMb },
        volumes: { data: { path: 'data', sizeMb: size.brokerVolumeMb } },
        tasks: nodeTasks(options, {
          role: 'broker',
          nodeId: '{{pod.index}}',
          port: 'client',
          cpus: size.brokerCpus,
          heapMb: size.brokerHeapMb,
          settings: { ...sharedSettings(brokers), ...brokerSettings(brokers), ...options.brokerSettings },
        }),
      },
    },
    deploy: {
      phases: [
        // Together: a lone voter can elect nobody, so a serial phase that waits for a leader would never get one.
        { pod: 'controller', strategy: 'parallel', afterEach: [quick('quorumHasLeader')] },
        { pod: 'broker', strategy: 'serial', afterEach: [quick('inSync')] },
      ],
      postFlight: [quick('clusterHealthy'), quick('probeWrite')],
    },
    update: {
      order: 'rollingOrder',
      preFlight: [quick('clusterHealthy')],
      beforeEach: [quick('safeToStop')],
      afterEach: [quick('inSync'), quick('leadersRestored')],
      postFlight: [quick('clusterHealthy'), quick('probeWrite')],
    },
    recovery: {
      afterEach: [quick('inSync'), quick('leadersRestored')],
      backoff: { initialMs: 500 },
    },
  })
}

/** A gate asked every second: each question takes milliseconds, and a roll waits for nothing else. */
const quick = (gate: string) => ({ gate, intervalMs: 1_000 })

interface Node {
  readonly role: 'controller' | 'broker'
  readonly nodeId: string
  readonly port: string
  readonly cpus: number
  readonly heapMb: number
  readonly settings: KafkaSettings
}

function nodeTasks(options: KafkaOptions, node: Node) {
  const size = options.size ?? productionSize
  const files = taskUris(options)
  const libsArePath = options.kafkaLibs.startsWith('/')
  const env = {
    JAVA: options.java ?? 'java',
    KAFKA_LIBS: libsArePath ? options.kafkaLibs : 'libs',
    ROLE: node.role,
    NODE_ID: node.nodeId,
    VOLUME: 'data',
    VOTERS: voters,
    ADDRESS: '{{agent.address}}',
  }
  return {
    format: {
      goal: 'INIT' as const,
      command: 'exec ./format.sh',
      env: { ...env, CLUSTER_ID: '{{values.clusterId}}' },
      uris: files,
      cpus: node.cpus,
      memoryMb: memoryBesideHeapMb,
    },
    server: {
      command: 'exec ./start.sh',
      env: {
        ...env,
        PORT: `{{ports.${node.port}}}`,
        RACK: '{{agent.zone}}',
        HEAP_MB: String(node.heapMb),
        JVM_FLAGS: size.jvmFlags,
        SETTINGS: settingLines(node.settings),
      },
      uris: files,
      cpus: node.cpus,
      memoryMb: node.heapMb + memoryBesideHeapMb,
      // Any port the agent offers; it stays with the instance over every relaunch, as Kafka's clients and voters need.
      ports: { [node.port]: { port: 0, advertise: true } },
      readinessCheck: { command: './ready.sh', intervalMs: 1_000, timeoutMs: 5_000 },
      killGraceMs: size.killGraceMs,
    },
  }
}

function taskUris(options: KafkaOptions) {
  const scripts = ['settings.sh', 'format.sh', 'start.sh', 'ready.sh', 'log4j2.yaml'].map((file) => ({
    uri: `${options.taskFiles}/${file}`,
    extract: false,
    executable: file.endsWith('.sh'),
  }))
  return options.kafkaLibs.startsWith('/') ? scripts : [...scripts, { uri: options.kafkaLibs, extract: true, cache: true }]
}

/** One setting per line, in an order of their names: equal settings are equal content, and restart nobody. */
export function settingLines(settings: KafkaSettings): string {
  const names = Object.keys(settings).sort()
  return names.map((name) => `${name}=${settings[name] ?? ''}`).join('\n')
}

const copies = (brokers: number) => String(Math.min(3, brokers))

/** In both files: which of the two roles a setting is read by differs between versions. */
function sharedSettings(brokers: number): KafkaSettings {
  return { 'min.insync.replicas': brokers >= 3 ? '2' : '1' }
}

function controllerSettings(brokers: number): KafkaSettings {
  return { 'default.replication.factor': copies(brokers), 'unclean.leader.election.enable': 'false' }
}

function brokerSettings(brokers: number): KafkaSettings {
  return {
    'auto.create.topics.enable': 'false',
    'offsets.topic.replication.factor': copies(brokers),
    'transaction.state.log.replication.factor': copies(brokers),
    // Lets a consumer read from the broker of its own zone.
    'replica.selector.class': 'org.apache.kafka.common.replica.RackAwareReplicaSelector',
  }
}

/** What makes the demo quick and small; `heartbeat` and `session` belong together, and are too short for loaded machines. */
export const smallSettings: { readonly broker: KafkaSettings; readonly controller: KafkaSettings } = {
  controller: { 'broker.session.timeout.ms': '6000' },
  broker: {
    'broker.heartbeat.interval.ms': '1000',
    'background.threads': '2',
    'group.initial.rebalance.delay.ms': '0',
    'log.cleaner.dedupe.buffer.size': '2097152',
    'num.io.threads': '2',
    'num.network.threads': '2',
    'offsets.topic.num.partitions': '3',
    'transaction.state.log.num.partitions': '3',
  },
}
