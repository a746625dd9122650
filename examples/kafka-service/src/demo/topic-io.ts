/**
 * Writing and reading whole topics with kafkajs. Every `send` goes to one partition: a send that spans several can resolve
 * although records of one of them were never stored, when its leader moves between two attempts.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import kafkajs, { type Consumer, type Kafka as Client, type Producer } from 'kafkajs'
import type { Endpoint } from '../kafka-connection.js'
import { keyText, RecordCheck, valueOf } from './records.js'

const { CompressionTypes, Kafka, logLevel, Partitioners } = kafkajs

const batchRecords = 200
const readTimeoutMs = 60_000

/** A client that outlasts a leader's change: without these limits a send may wait 50 s for its next attempt. */
export function patientClient(brokers: readonly Endpoint[]): Client {
  return new Kafka({
    clientId: 'stateward-demo',
    brokers: brokers.map((broker) => `${broker.host}:${String(broker.port)}`),
    connectionTimeout: 1_000,
    requestTimeout: 10_000,
    retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: 60 },
    logLevel: logLevel.NOTHING,
  })
}

/** Idempotent, so that a retry after a leader's change stores nothing twice. */
export function exactProducer(client: Client): Producer {
  return client.producer({
    idempotent: true,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
    createPartitioner: Partitioners.DefaultPartitioner,
  })
}

export interface TopicSettings {
  readonly topic: string
  readonly partitions: number
  readonly config: Readonly<Record<string, string>>
}

/** Creates a topic with three replicas and waits until every broker knows it and leads its share. */
export async function createTopic(client: Client, settings: TopicSettings): Promise<void> {
  const admin = client.admin()
  await admin.connect()
  try {
    const configEntries = Object.entries(settings.config).map(([name, value]) => ({ name, value }))
    await admin.createTopics({
      // Brokers learn of a topic a moment after the controller has acknowledged it; waiting inside the call fails then.
      waitForLeaders: false,
      topics: [{ topic: settings.topic, numPartitions: settings.partitions, replicationFactor: 3, configEntries }],
    })
    for (let attempt = 1; attempt <= 50; attempt++) {
      const metadata = await admin.fetchTopicMetadata({ topics: [settings.topic] }).catch(() => undefined)
      const partitions = metadata?.topics[0]?.partitions ?? []
      if (partitions.length === settings.partitions && partitions.every((partition) => partition.isr.length === 3)) return
      await sleep(200)
    }
    throw new Error(`topic ${settings.topic} was created, but its partitions were not in sync within 10 s`)
  } finally {
    await admin.disconnect()
  }
}

/** Writes records 0 to `perPartition` - 1 into each partition, acknowledged by all replicas in sync. */
export async function writeRecords(
  client: Client,
  topic: string,
  partitions: number,
  perPartition: number,
  bytes: number,
): Promise<void> {
  const producer = exactProducer(client)
  await producer.connect()
  try {
    await Promise.all(
      Array.from({ length: partitions }, async (_, partition) => {
        for (let first = 0; first < perPartition; first += batchRecords) {
          const numbers = Array.from({ length: Math.min(batchRecords, perPartition - first) }, (__, index) => first + index)
          const keys = numbers.map((number) => ({ topic, partition, number }))
          await producer.send({
            topic,
            acks: -1,
            compression: CompressionTypes.None,
            messages: keys.map((key) => ({ partition, key: keyText(key), value: valueOf(key, bytes) })),
          })
        }
      }),
    )
  } finally {
    await producer.disconnect()
  }
}

export interface OffsetRange {
  readonly partition: number
  readonly low: string
  readonly high: string
}

/** First and next offset of each partition, in their order. */
export async function readOffsets(client: Client, topic: string): Promise<OffsetRange[]> {
  const admin = client.admin()
  await admin.connect()
  try {
    const offsets = await admin.fetchTopicOffsets(topic)
    return offsets
      .map(({ partition, low, high }) => ({ partition, low, high }))
      .sort((left, right) => left.partition - right.partition)
  } finally {
    await admin.disconnect()
  }
}

export interface ReadResult {
  readonly check: RecordCheck
  /** Bytes of fetch answers by broker, `host:port`. */
  readonly bytesByBroker: ReadonlyMap<string, number>
}

/** Answers without records are about this large; only what is above tells where data came from. */
const emptyFetchBytes = 500

/**
 * Reads a topic from its beginning to its present end with a group of its own, and checks each record. With a rack, the brokers
 * send the reader to the replica in that rack.
 */
export async function readTopic(client: Client, topic: string, rackId?: string): Promise<ReadResult> {
  const ends = new Map((await readOffsets(client, topic)).map(({ partition, high }) => [partition, BigInt(high)] as const))
  const missing = new Set([...ends].filter(([, end]) => end > 0n).map(([partition]) => partition))
  const check = new RecordCheck()
  const bytesByBroker = new Map<string, number>()
  const consumer = client.consumer({
    groupId: `stateward-demo-${topic}-${rackId ?? 'any'}-${String(Date.now())}`,
    maxWaitTimeInMs: 200,
    allowAutoTopicCreation: false,
    ...(rackId === undefined ? {} : { rackId }),
  })
  countFetches(consumer, bytesByBroker)
  await consumer.connect()
  try {
    await consumer.subscribe({ topics: [topic], fromBeginning: true })
    const finished = new Promise<void>((resolve, reject) => {
      // With `restart` the consumer goes on by itself, as it must while the group's coordinator has just moved.
      consumer.on(consumer.events.CRASH, ({ payload }) => {
        if (!payload.restart) reject(payload.error)
      })
      consumer
        .run({
          autoCommit: false,
          eachMessage: ({ partition, message }) => {
            const { offset, key, value } = message
            if (BigInt(offset) < (ends.get(partition) ?? 0n)) {
              check.add({ topic, partition, offset, key: key?.toString() ?? null, value: value?.toString() ?? null })
            }
            if (BigInt(offset) + 1n >= (ends.get(partition) ?? 0n)) missing.delete(partition)
            if (missing.size === 0) resolve()
            return Promise.resolve()
          },
        })
        .catch(reject)
    })
    const late = sleep(readTimeoutMs, undefined, { ref: false }).then(() => {
      throw new Error(
        `reading ${topic} took longer than ${String(readTimeoutMs / 1000)} s; ${String(check.count)} records were read`,
      )
    })
    if (missing.size > 0) await Promise.race([finished, late])
    return { check, bytesByBroker }
  } finally {
    await consumer.disconnect()
  }
}

function countFetches(consumer: Consumer, bytesByBroker: Map<string, number>): void {
  consumer.on(consumer.events.REQUEST, ({ payload }) => {
    if (payload.apiName !== 'Fetch' || payload.size <= emptyFetchBytes) return
    bytesByBroker.set(payload.broker, (bytesByBroker.get(payload.broker) ?? 0) + payload.size)
  })
}
