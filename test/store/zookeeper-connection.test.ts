import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  createCorker,
  createFrameCutter,
  harden,
  OwnRequest,
  type ConnectionManager,
} from '../../src/store/zookeeper-connection.js'

const frame = (content: Uint8Array): Buffer => {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(content.length)
  return Buffer.concat([length, content])
}
/** Cuts bytes at the given places, in any order and number. */
const chunksOf = (bytes: Buffer, cuts: readonly number[]): Buffer[] => {
  const places = [...new Set([0, bytes.length, ...cuts.map((cut) => cut % (bytes.length + 1))])].sort((a, b) => a - b)
  return places.slice(1).map((place, index) => bytes.subarray(places[index], place))
}
const contents = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 20 })

describe('replies cut out of the stream', () => {
  test('however the stream is cut up, every frame comes out whole, once, in order, as soon as it is there', () => {
    fc.assert(
      fc.property(contents, fc.array(fc.nat(), { maxLength: 60 }), (replies, cuts) => {
        const frames = replies.map(frame)
        const { cut } = createFrameCutter()
        const found: Buffer[] = []
        let seen = 0
        for (const chunk of chunksOf(Buffer.concat(frames), cuts)) {
          seen += chunk.length
          found.push(...cut(chunk))
          let whole = 0
          for (let end = 0; whole < frames.length; whole += 1) if ((end += frames[whole]?.length ?? 0) > seen) break
          expect(found).toHaveLength(whole)
        }
        expect(found.map((each) => each.toString('hex'))).toEqual(frames.map((each) => each.toString('hex')))
      }),
    )
  })

  test('what is left of an old connection is forgotten', () => {
    const { cut, clear } = createFrameCutter()
    expect(cut(Buffer.from([0, 0, 0, 9, 1]))).toEqual([])
    clear()
    expect(cut(frame(Buffer.from('a')))).toEqual([frame(Buffer.from('a'))])
  })
})

/** The parts of the client's connection that are touched. */
const createManager = () => {
  const calls: string[] = []
  const socket = {
    destroyed: false,
    destroy: () => void ((socket.destroyed = true), calls.push('destroy')),
    cork: () => void calls.push('cork'),
    uncork: () => void calls.push('uncork'),
  }
  const manager: ConnectionManager = {
    socket,
    pendingBuffer: null,
    pendingQueue: [],
    queue: () => undefined,
    connect: () => undefined,
    onSocketData: (data) => {
      const text = data.subarray(4).toString()
      if (text === 'unreadable') throw new Error('Unknown code')
      if (text === 'bye') socket.destroy()
      calls.push(text)
    },
    onSocketClosed: () => void calls.push('closed'),
  }
  return { manager, calls }
}

describe('a hardened connection', () => {
  test('a reply that ends the connection is the last of its chunk', () => {
    const { manager, calls } = createManager()
    harden(manager, () => undefined)
    manager.onSocketData(Buffer.concat(['a', 'bye', 'b'].map((text) => frame(Buffer.from(text)))))
    expect(calls).toEqual(['a', 'destroy', 'bye'])
  })

  test('a request of our own takes its reply in its turn, and only its own', () => {
    const { manager, calls } = createManager()
    harden(manager, () => undefined)
    const own = new OwnRequest(
      22,
      () => Buffer.alloc(0),
      (reply) => void calls.push(`own ${reply.readInt32BE(4)}`),
    )
    own.header.xid = 7
    const numbered = (xid: number) => {
      const content = Buffer.alloc(4)
      content.writeInt32BE(xid)
      return frame(content)
    }
    manager.pendingQueue.push({ request: own })
    // A ping's answer in between.
    manager.onSocketData(Buffer.concat([numbered(-2), numbered(7), numbered(8)]))
    expect(calls).toEqual([numbered(-2).subarray(4).toString(), 'own 7', numbered(8).subarray(4).toString()])
    expect(manager.pendingQueue).toEqual([])
  })

  test('a reply that cannot be read breaks the connection and nothing else', () => {
    const { manager, calls } = createManager()
    const log: string[] = []
    harden(manager, (line) => log.push(line))
    manager.onSocketData(frame(Buffer.from('unreadable')))
    expect(calls).toEqual(['destroy'])
    expect(log).toEqual([expect.stringContaining('Unknown code') as string])
  })

  test('requests of one turn are held together, and each turn has its own', async () => {
    const { manager, calls } = createManager()
    const cork = createCorker(manager)
    const turn = () => new Promise((resolve) => setImmediate(resolve))
    cork()
    cork()
    await turn()
    cork()
    await turn()
    expect(calls).toEqual(['cork', 'uncork', 'cork', 'uncork'])
    createCorker(undefined)()
  })
})
