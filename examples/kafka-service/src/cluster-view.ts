/**
 * What the cluster says of itself, read through kafkajs: live brokers, partitions, the smallest number of replicas in sync that
 * a write needs. Three habits keep it honest. A client is made anew for each view and never retries, because one that knows a
 * dead broker asks it at random. A partition without a leader is a finding, though kafkajs throws on it. And every broker listed
 * is asked itself: for seconds after a kill the others still list it, in every set of replicas in sync.
 */
import kafkajs, { type Admin, type Kafka as Client } from 'kafkajs'
import { ask, type Endpoint } from './kafka-connection.js'
import { type PartitionState, readMetadata } from './kafka-protocol.js'

// kafkajs is CommonJS, and not all of its names are found by name.
const { ConfigResourceTypes, Kafka, logLevel } = kafkajs

export interface ClusterView {
  /** Ids of the brokers that the cluster lists: registered and not fenced. */
  readonly listed: readonly number[]
  /** Those of them that did not answer when asked themselves. */
  readonly silent: readonly number[]
  readonly partitions: readonly PartitionState[]
  /** `min.insync.replicas` by topic; empty where it could not be read, because some partition has no leader. */
  readonly minInSync: Readonly<Record<string, number>>
}

const connectionTimeoutMs = 1_000
const requestTimeoutMs = 5_000

/** A client for one question: no retries, short waits. Retries belong to the constructor; those of `admin()` do not reach it. */
export function probeClient(endpoints: readonly Endpoint[]): Client {
  return new Kafka({
    clientId: 'stateward-gate',
    brokers: endpoints.map((endpoint) => `${endpoint.host}:${String(endpoint.port)}`),
    connectionTimeout: connectionTimeoutMs,
    requestTimeout: requestTimeoutMs,
    retry: { retries: 0 },
    logLevel: logLevel.NOTHING,
  })
}

/** Runs `work` on a connected admin client that is closed afterwards. */
export async function withAdmin<T>(endpoints: readonly Endpoint[], work: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = probeClient(endpoints).admin()
  try {
    await admin.connect()
    return await work(admin)
  } finally {
    await admin.disconnect().catch(() => undefined)
  }
}

/** @throws when no broker answers, or the one asked fails; the next attempt of the gate asks again */
export async function readClusterView(endpoints: readonly Endpoint[], signal?: AbortSignal): Promise<ClusterView> {
  const { brokers, partitions, minInSync } = await withAdmin(endpoints, async (admin) => {
    const brokers = (await readBrokers(admin)) ?? (await askAny(endpoints, signal)).brokers
    const partitions = (await readPartitions(admin)) ?? (await askAny(endpoints, signal)).partitions
    const topics = [...new Set(partitions.map((partition) => partition.topic))].sort()
    const minInSync = await readMinInSync(admin, topics).catch(leaderlessAsUndefined)
    return { brokers, partitions, minInSync: minInSync ?? {} }
  })
  const answers = await Promise.all(brokers.map(answersItself))
  const silent = brokers.filter((_, index) => answers[index] !== true).map((broker) => broker.id)
  return { listed: brokers.map((broker) => broker.id).sort(byNumber), silent, partitions, minInSync }
}

type ListedBroker = Endpoint & { readonly id: number }

const byNumber = (left: number, right: number) => left - right

/** Undefined where kafkajs gives up on the whole answer because one partition in it has no leader. */
async function readBrokers(admin: Admin): Promise<ListedBroker[] | undefined> {
  const cluster = await admin.describeCluster().catch(leaderlessAsUndefined)
  return cluster?.brokers.map((broker) => ({ id: broker.nodeId, host: broker.host, port: broker.port }))
}

async function readPartitions(admin: Admin): Promise<PartitionState[] | undefined> {
  const metadata = await admin.fetchTopicMetadata().catch(leaderlessAsUndefined)
  return metadata?.topics.flatMap((topic) =>
    topic.partitions.map((partition) => ({
      topic: topic.name,
      partition: partition.partitionId,
      leader: partition.leader,
      replicas: partition.replicas,
      isr: partition.isr,
      offline: partition.offlineReplicas ?? [],
    })),
  )
}

function leaderlessAsUndefined(error: unknown): undefined {
  if (error instanceof Error && /no leader|leadership election|reading 'topicMetadata'/i.test(error.message)) return undefined
  throw error
}

async function askAny(endpoints: readonly Endpoint[], signal?: AbortSignal) {
  return Promise.any(endpoints.map((endpoint) => ask(endpoint, readMetadata(), requestTimeoutMs, signal)))
}

async function readMinInSync(admin: Admin, topics: readonly string[]): Promise<Record<string, number>> {
  if (topics.length === 0) return {}
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: topics.map((name) => ({ type: ConfigResourceTypes.TOPIC, name, configNames: ['min.insync.replicas'] })),
  })
  return Object.fromEntries(
    resources.map((resource) => [resource.resourceName, Number(resource.configEntries[0]?.configValue ?? 1)] as const),
  )
}

/** Connecting exchanges the list of API versions with this very broker. */
async function answersItself(broker: Endpoint): Promise<boolean> {
  try {
    return await withAdmin([broker], () => Promise.resolve(true))
  } catch {
    return false
  }
}
