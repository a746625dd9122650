/**
 * A producer that writes while brokers are rolled, and remembers every record that was acknowledged. One loop per partition, one
 * partition per send, so that an acknowledgement is about exactly one record.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Kafka as Client, Producer } from 'kafkajs'
import { keyText, type RecordKey, valueOf } from './records.js'
import { exactProducer } from './topic-io.js'

const pauseMs = 20
const valueBytes = 256

export class LiveProducer {
  readonly acknowledged: RecordKey[] = []
  /** Sends that failed after all retries; their records may or may not be stored. */
  readonly failures: string[] = []
  longestSendMs = 0
  readonly #producer: Producer
  #isStopping = false
  #loops: Promise<void>[] = []

  constructor(
    client: Client,
    private readonly topic: string,
    private readonly partitions: number,
  ) {
    this.#producer = exactProducer(client)
  }

  async start(): Promise<void> {
    await this.#producer.connect()
    this.#loops = Array.from({ length: this.partitions }, (_, partition) => this.#write(partition))
  }

  /** Lets sends under way come to their end. */
  async stop(): Promise<void> {
    this.#isStopping = true
    await Promise.all(this.#loops)
    await this.#producer.disconnect()
  }

  async #write(partition: number): Promise<void> {
    for (let number = 0; !this.#isStopping; number++) {
      const key = { topic: this.topic, partition, number }
      const startedAtMs = Date.now()
      try {
        await this.#producer.send({
          topic: this.topic,
          acks: -1,
          messages: [{ partition, key: keyText(key), value: valueOf(key, valueBytes) }],
        })
        this.acknowledged.push(key)
      } catch (error) {
        this.failures.push(`${keyText(key)}: ${error instanceof Error ? error.message : String(error)}`)
      }
      this.longestSendMs = Math.max(this.longestSendMs, Date.now() - startedAtMs)
      await sleep(pauseMs)
    }
  }
}
