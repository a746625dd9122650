/**
 * Writes one record to every partition of a small topic of the example's own and sees it committed: the whole write path of each
 * leader, which metadata alone does not prove. Repeating it only adds a record.
 */
import { type Admin, CompressionTypes, Kafka, logLevel, Partitioners } from 'kafkajs'
import type { Endpoint } from './kafka-connection.js'

const topic = 'stateward-probe'
const oneHourMs = 3_600_000
const inSyncReplicas = -1

/** @returns how many records were written, and how many of them are below the high watermark */
export async function probeWrite(
  admin: Admin,
  brokers: readonly Endpoint[],
  runId: string,
): Promise<{ written: number; committed: number }> {
  // `waitForLeaders` would fail here: brokers learn of a topic a moment after the controller has acknowledged it. The next
  // attempt of the gate finds it.
  await admin.createTopics({
    waitForLeaders: false,
    topics: [
      {
        topic,
        numPartitions: brokers.length,
        replicationFactor: -1,
        configEntries: [{ name: 'retention.ms', value: String(oneHourMs) }],
      },
    ],
  })
  const producer = new Kafka({
    clientId: 'stateward-probe',
    brokers: brokers.map((broker) => `${broker.host}:${String(broker.port)}`),
    connectionTimeout: 1_000,
    requestTimeout: 5_000,
    retry: { initialRetryTime: 100, maxRetryTime: 500, retries: 10 },
    logLevel: logLevel.NOTHING,
  }).producer({ allowAutoTopicCreation: false, createPartitioner: Partitioners.DefaultPartitioner })
  try {
    await producer.connect()
    const written = new Map<number, bigint>()
    for (let partition = 0; partition < brokers.length; partition++) {
      const [result] = await producer.send({
        topic,
        acks: inSyncReplicas,
        compression: CompressionTypes.None,
        messages: [{ partition, key: runId, value: runId }],
      })
      written.set(partition, BigInt(result?.baseOffset ?? '-1'))
    }
    const offsets = await admin.fetchTopicOffsets(topic)
    const isCommitted = ({ partition, high }: { partition: number; high: string }) => {
      const offset = written.get(partition)
      return offset !== undefined && offset >= 0n && BigInt(high) > offset
    }
    return { written: written.size, committed: offsets.filter(isCommitted).length }
  } finally {
    await producer.disconnect().catch(() => undefined)
  }
}
