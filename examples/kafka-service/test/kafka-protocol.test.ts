/** Requests and answers as bytes. The answers were recorded from Kafka 4.3.1 with three controllers and three brokers. */
import { describe, expect, test } from 'vitest'
import {
  decodeAnswer,
  describeQuorum,
  electPreferredLeaders,
  encodeRequest,
  KafkaAnswerError,
  readMetadata,
} from '../src/kafka-protocol.js'
import { WireReader, WireWriter } from '../src/kafka-wire.js'

const hex = (text: string) => Buffer.from(text, 'hex')

const quorumAnswer = hex(
  '0000000100000002135f5f636c75737465725f6d657461646174610200000000000000000bb80000000100000000000009eb0400000bb800000000000009eb' +
    '000001a1fe0fce89000001a1fe0fce890000000bb900000000000009eb000001a1fe0fce54000001a1fe0fce540000000bba00000000000009eb000001a1fe0f' +
    'ce56000001a1fe0fce5600040000000200000000000009eb000001a1fe0fce56000001a1fe0fce56000000000000000000000009eb000001a1fe0fce54000001' +
    'a1fe0fce54000000000100000000000009eb000001a1fe0fce56000001a1fe0fce5600000000',
)
const notTheLeader = hex(
  '0000000100000002135f5f636c75737465725f6d6574616461746102000000000006000000000000000000000000000000000101000000',
)
/** Two brokers left, and a topic of one replica whose broker is away. */
const metadataAnswer = hex(
  '0000000100000000000000020000000000093132372e302e302e3100004a9400027a300000000200093132372e302e302e3300004a9400027a320016713153682d' +
    '395f495369615f7a7747494e7a5276795100000002000000010000000673696e676c650000000001000500000000ffffffff000000010000000100000000000000' +
    '0100000001',
)
const electionAnswer = hex(
  '000000010000000000000002' +
    '0773696e676c65020000000000502854686520707265666572726564206c656164657220776173206e6f7420617661696c61626c652e000000',
)

describe('requests', () => {
  test('DescribeQuorum is a flexible request for the metadata partition', () => {
    const bytes = encodeRequest(describeQuorum(), 7)
    const name = Buffer.from('stateward-kafka').toString('hex')
    const topic = Buffer.from('__cluster_metadata').toString('hex')
    const header = `0037000100000007000f${name}00`
    expect(bytes.subarray(4).toString('hex')).toBe(`${header}0213${topic}0200000000000000`)
    expect(bytes.readInt32BE(0)).toBe(bytes.length - 4)
  })

  test('Metadata asks for all topics and creates none', () => {
    expect(readMetadata().body.toString('hex')).toBe('ffffffff00')
  })

  test('ElectLeaders asks for the preferred leaders of all partitions', () => {
    expect(electPreferredLeaders(10_000).body.toString('hex')).toBe('00000000271000')
  })
})

describe('answers', () => {
  test('the quorum names leader, epoch, voters and brokers', () => {
    const quorum = decodeAnswer(describeQuorum(), 1, quorumAnswer)
    expect({ leader: quorum.leaderId, epoch: quorum.leaderEpoch }).toEqual({ leader: 3000, epoch: 1 })
    expect(quorum.voters.map((voter) => voter.id)).toEqual([3000, 3001, 3002])
    expect(quorum.observers.map((observer) => observer.id).sort()).toEqual([0, 1, 2])
    expect(quorum.highWatermark).toBe(2539n)
  })

  test('a controller that does not lead refuses', () => {
    expect(() => decodeAnswer(describeQuorum(), 1, notTheLeader)).toThrow(new KafkaAnswerError('DescribeQuorum', 6))
  })

  test('a partition without a leader is an answer, not an error', () => {
    const { brokers, partitions } = decodeAnswer(readMetadata(), 1, metadataAnswer)
    expect(brokers).toEqual([
      { id: 0, host: '127.0.0.1', port: 19092 },
      { id: 2, host: '127.0.0.3', port: 19092 },
    ])
    expect(partitions).toEqual([{ topic: 'single', partition: 0, leader: -1, replicas: [1], isr: [], offline: [1] }])
  })

  test('an election is done although the preferred leader of one partition is away', () => {
    expect(() => decodeAnswer(electPreferredLeaders(1), 1, electionAnswer)).not.toThrow()
  })

  test('an answer to another request, one that ends early and one with bytes left over are refused', () => {
    expect(() => decodeAnswer(describeQuorum(), 2, quorumAnswer)).toThrow(/request 2/)
    expect(() => decodeAnswer(describeQuorum(), 1, quorumAnswer.subarray(0, -1))).toThrow(/too early/)
    expect(() => decodeAnswer(describeQuorum(), 1, Buffer.concat([quorumAnswer, hex('00')]))).toThrow(/1 bytes/)
  })
})

test.each([0, 1, 127, 128, 300, 16_384, 2 ** 31 - 1])('varint %i is read as it was written', (value) => {
  expect(new WireReader(new WireWriter().uvarint(value).bytes()).uvarint()).toBe(value)
})
