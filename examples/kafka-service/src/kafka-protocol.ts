/**
 * Three requests as bytes: DescribeQuorum and ElectLeaders, which kafkajs does not have, and Metadata with the state of each
 * partition, where kafkajs throws as soon as one partition has no leader. Each version is the lowest useful one, so that old
 * brokers understand it and new ones still do. Pure.
 */
import { WireReader, WireWriter } from './kafka-wire.js'

export interface RawRequest<T> {
  readonly apiKey: number
  readonly apiVersion: number
  /** Flexible messages have tagged fields in header and body. */
  readonly flexible: boolean
  readonly body: Buffer
  readonly parse: (reader: WireReader) => T
}

/** Kafka's answer names an error code other than 0. */
export class KafkaAnswerError extends Error {
  constructor(
    readonly request: string,
    readonly code: number,
  ) {
    super(`${request} was answered with Kafka error code ${String(code)}`)
    this.name = 'KafkaAnswerError'
  }
}

const clientId = 'stateward-kafka'

/** The bytes on the wire: length, header, body. */
export function encodeRequest(request: RawRequest<unknown>, correlationId: number): Buffer {
  const header = new WireWriter().int16(request.apiKey).int16(request.apiVersion).int32(correlationId).string(clientId)
  if (request.flexible) header.noTags()
  const payload = Buffer.concat([header.bytes(), request.body])
  return Buffer.concat([new WireWriter().int32(payload.length).bytes(), payload])
}

/** Reads an answer without its length prefix. @throws when it belongs to another request or bytes are left over */
export function decodeAnswer<T>(request: RawRequest<T>, correlationId: number, payload: Buffer): T {
  const reader = new WireReader(payload)
  const found = reader.int32()
  if (found !== correlationId)
    throw new RangeError(`an answer to request ${String(found)} came for request ${String(correlationId)}`)
  if (request.flexible) reader.skipTags()
  const answer = request.parse(reader)
  if (reader.left > 0) throw new RangeError(`${String(reader.left)} bytes of an answer were not understood`)
  return answer
}

export interface QuorumReplica {
  readonly id: number
  readonly logEndOffset: bigint
  /** When it last had everything the leader had, by the leader's clock in ms; -1 if never. */
  readonly lastCaughtUpMs: number
}

export interface Quorum {
  readonly leaderId: number
  readonly leaderEpoch: number
  readonly highWatermark: bigint
  readonly voters: readonly QuorumReplica[]
  readonly observers: readonly QuorumReplica[]
}

/** Who leads the controllers, and how far each node follows. Any broker answers; of the controllers only the active one. */
export function describeQuorum(): RawRequest<Quorum> {
  const partitions = new WireWriter().uvarint(2).int32(0).noTags()
  const body = Buffer.concat([
    new WireWriter().uvarint(2).compactString('__cluster_metadata').bytes(),
    partitions.bytes(),
    new WireWriter().noTags().noTags().bytes(),
  ])
  return { apiKey: 55, apiVersion: 1, flexible: true, body, parse: parseQuorum }
}

function parseQuorum(reader: WireReader): Quorum {
  refuse('DescribeQuorum', reader.int16())
  const topics = reader.compactArray(() => {
    reader.compactString()
    const partitions = reader.compactArray(() => parseQuorumPartition(reader))
    reader.skipTags()
    return partitions
  })
  reader.skipTags()
  const quorum = topics[0]?.[0]
  if (quorum === undefined) throw new RangeError('DescribeQuorum was answered without the metadata partition')
  refuse('DescribeQuorum', quorum.errorCode)
  return quorum
}

function parseQuorumPartition(reader: WireReader): Quorum & { readonly errorCode: number } {
  reader.int32()
  const errorCode = reader.int16()
  const leaderId = reader.int32()
  const leaderEpoch = reader.int32()
  const highWatermark = reader.int64()
  const voters = reader.compactArray(() => parseReplica(reader))
  const observers = reader.compactArray(() => parseReplica(reader))
  reader.skipTags()
  return { errorCode, leaderId, leaderEpoch, highWatermark, voters, observers }
}

function parseReplica(reader: WireReader): QuorumReplica {
  const id = reader.int32()
  const logEndOffset = reader.int64()
  reader.int64()
  const lastCaughtUpMs = Number(reader.int64())
  reader.skipTags()
  return { id, logEndOffset, lastCaughtUpMs }
}

export interface PartitionState {
  readonly topic: string
  readonly partition: number
  /** -1 if it has none. */
  readonly leader: number
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
  readonly offline: readonly number[]
}

export interface ClusterMetadata {
  readonly brokers: readonly { readonly id: number; readonly host: string; readonly port: number }[]
  readonly partitions: readonly PartitionState[]
}

/** Brokers and partitions as the broker asked sees them, partitions without a leader included. */
export function readMetadata(): RawRequest<ClusterMetadata> {
  const allTopics = -1
  const body = new WireWriter().int32(allTopics).int8(0).bytes()
  return { apiKey: 3, apiVersion: 5, flexible: false, body, parse: parseMetadata }
}

function parseMetadata(reader: WireReader): ClusterMetadata {
  reader.int32()
  const brokers = reader.array(() => {
    const broker = { id: reader.int32(), host: reader.string() ?? '', port: reader.int32() }
    reader.string()
    return broker
  })
  reader.string()
  reader.int32()
  const partitions = reader.array(() => parseTopic(reader)).flat()
  return { brokers, partitions }
}

function parseTopic(reader: WireReader): PartitionState[] {
  reader.int16()
  const topic = reader.string() ?? ''
  reader.int8()
  return reader.array(() => {
    // The error repeats what the leader says: 5 is "no leader". The state is wanted in either case.
    reader.int16()
    const partition = reader.int32()
    const leader = reader.int32()
    const ids = () => reader.array(() => reader.int32())
    return { topic, partition, leader, replicas: ids(), isr: ids(), offline: ids() }
  })
}

/** Gives every partition back to the first of its replicas, where that one is in sync. Repeating it does nothing. */
export function electPreferredLeaders(timeoutMs: number): RawRequest<void> {
  const preferred = 0
  const allPartitions = 0
  const body = new WireWriter().int8(preferred).uvarint(allPartitions).int32(timeoutMs).noTags().bytes()
  return { apiKey: 43, apiVersion: 2, flexible: true, body, parse: parseElection }
}

/** ELECTION_NOT_NEEDED, and PREFERRED_LEADER_NOT_AVAILABLE for partitions of a broker that is away. */
const harmless = [84, 80]

function parseElection(reader: WireReader): void {
  reader.int32()
  refuse('ElectLeaders', reader.int16())
  reader.compactArray(() => {
    reader.compactString()
    reader.compactArray(() => {
      reader.int32()
      const code = reader.int16()
      reader.compactString()
      reader.skipTags()
      if (!harmless.includes(code)) refuse('ElectLeaders', code)
    })
    reader.skipTags()
  })
  reader.skipTags()
}

function refuse(request: string, code: number): void {
  if (code !== 0) throw new KafkaAnswerError(request, code)
}
