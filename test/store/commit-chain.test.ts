import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { SdkError } from '../../src/errors.js'
import { type SessionEnd } from '../../src/ports/state-store.js'
import { createCommitChain, digestOf, parseCommitMark, printCommitMark } from '../../src/store/commit-chain.js'
import { ZooKeeperFailure, type FailureCode, type NodeValue, type Operation } from '../../src/store/zookeeper-client.js'

/**
 * What befalls one request: it is served; the connection is cut before or after it is served; or it is cut and, with those
 * behind it on the wire, served only after the next connection has begun to work (they were on their way to another server).
 * `takeover` is another leader's opening, which removes the commit node.
 */
type Fault = 'none' | 'cutBefore' | 'cutAfter' | 'straggle' | 'takeover' | 'refuse'

const commitPath = '/s/commit/7'
const epoch = 7
const turn = () => new Promise<void>((resolve) => setImmediate(resolve))
const failure = (code: FailureCode, index?: number) => new ZooKeeperFailure(code, 'write', code, index)

/** One commit node behind a bad network. Requests are served in order; each takes the next fault of the script. */
const createWorld = (script: readonly Fault[]) => {
  let node: NodeValue | undefined = { data: printCommitMark({ epoch, number: 0, digest: '' }), version: 1 }
  const applied: string[] = []
  let isConnected = true
  let step = 0
  const wire: {
    operations?: readonly Operation[]
    answer: (result: NodeValue | undefined) => void
    fail: (error: ZooKeeperFailure) => void
  }[] = []
  let stragglers: (readonly Operation[])[] = []
  const ends: SessionEnd[] = []

  const apply = (operations: readonly Operation[], isRefused = false) => {
    const [mark, ...records] = operations
    if (node === undefined) throw failure('NO_NODE', 0)
    if (mark?.type !== 'set' || mark.version !== node.version) throw failure('BAD_VERSION', 0)
    if (isRefused) throw failure('NODE_EXISTS', 1)
    node = { data: mark.data, version: node.version + 1 }
    applied.push(...records.map(({ path }) => path))
  }
  const cut = () => {
    isConnected = false
    for (const { fail } of wire.splice(0)) fail(failure('CONNECTION_LOSS'))
    setImmediate(() => {
      isConnected = true
      chain.resume()
    })
  }
  const serve = () => {
    const request = wire[0]
    if (request === undefined) return
    const fault = script[step++] ?? 'none'
    if (fault === 'cutBefore') return cut()
    if (fault === 'straggle') {
      stragglers = wire.flatMap(({ operations }) => (operations === undefined ? [] : [operations])).slice(0, 3)
      return cut()
    }
    if (fault === 'takeover') node = undefined
    let result: NodeValue | undefined | ZooKeeperFailure
    try {
      if (request.operations === undefined) result = node
      else apply(request.operations, fault === 'refuse')
    } catch (error) {
      result = error as ZooKeeperFailure
    }
    for (const operations of stragglers.splice(0)) {
      try {
        apply(operations)
      } catch {
        // Nobody listens for a straggler's answer.
      }
    }
    if (fault === 'cutAfter') return cut()
    wire.shift()
    if (result instanceof ZooKeeperFailure) request.fail(result)
    else request.answer(result)
  }
  const ask = (operations?: readonly Operation[]): Promise<NodeValue | undefined> =>
    new Promise((answer, fail) => {
      if (!isConnected) return fail(failure('CONNECTION_LOSS'))
      wire.push(operations === undefined ? { answer, fail } : { operations, answer, fail })
      setImmediate(serve)
    })
  const chain = createCommitChain({
    epoch,
    commitPath,
    link: { isConnected: () => isConnected, transact: async (operations) => void (await ask(operations)), readMark: () => ask() },
    deposed: (found) => new SdkError('ERR_STORE_DEPOSED', found),
    lost: (why) => new SdkError('ERR_STORE_SESSION_LOST', why, { retryable: true }),
    onEnd: (end) => ends.push(end),
  })
  return {
    chain,
    applied,
    ends,
    mark: () => (node === undefined ? undefined : parseCommitMark(node.data)),
    append: (index: number) =>
      chain.append([{ key: `k/${index}`, value: String(index) }], () => [
        { type: 'set', path: String(index), data: String(index) },
      ]),
  }
}
type World = ReturnType<typeof createWorld>

/** Appends `count` batches, some turns apart, and answers what became of each. */
const runBatches = async (world: World, count: number, pauses: readonly boolean[]) => {
  const outcomes: string[] = Array.from({ length: count }, () => 'open')
  const commits: Promise<unknown>[] = []
  for (let index = 0; index < count; index += 1) {
    commits.push(
      world.append(index).then(
        () => (outcomes[index] = 'landed'),
        (error: unknown) => (outcomes[index] = (error as SdkError).code),
      ),
    )
    if (pauses[index] === true) await turn()
  }
  await Promise.all(commits)
  return outcomes
}
const numbers = (count: number) => Array.from({ length: count }, (_, index) => String(index))

describe('the commit chain', () => {
  test('sends without waiting and confirms in order', async () => {
    const world = createWorld([])
    expect(await runBatches(world, 1_000, [])).toEqual(Array.from({ length: 1_000 }, () => 'landed'))
    expect(world.applied).toEqual(numbers(1_000))
    expect(world.mark()?.number).toBe(1_000)
  })

  test('whatever the network does, every batch lands once, in order', async () => {
    const faults = fc.array(fc.constantFrom<Fault>('none', 'none', 'none', 'cutBefore', 'cutAfter', 'straggle'), {
      maxLength: 40,
    })
    await fc.assert(
      fc.asyncProperty(
        faults,
        fc.integer({ min: 1, max: 25 }),
        fc.array(fc.boolean(), { maxLength: 25 }),
        async (script, count, pauses) => {
          const world = createWorld(script)
          const outcomes = await runBatches(world, count, pauses)
          expect(outcomes).toEqual(Array.from({ length: count }, () => 'landed'))
          expect(world.applied).toEqual(numbers(count))
          expect(world.ends).toEqual([])
        },
      ),
      { numRuns: 500 },
    )
  })

  test.each([
    ['takeover', 'ERR_STORE_DEPOSED', 'deposed'],
    ['refuse', 'ERR_STORE_SESSION_LOST', 'lost'],
  ] as const)(
    'after a %s what was confirmed stands, and nothing more lands than was confirmed or in doubt',
    async (fault, code, end) => {
      const faults = fc.array(fc.constantFrom<Fault>('none', 'none', 'cutBefore', 'cutAfter', 'straggle'), { maxLength: 12 })
      await fc.assert(
        fc.asyncProperty(faults, fc.integer({ min: 1, max: 25 }), async (script, count) => {
          const world = createWorld([...script, fault, ...script])
          const outcomes = await runBatches(world, count, [])
          const confirmed = outcomes.filter((outcome) => outcome === 'landed').length
          expect(outcomes.slice(0, confirmed).every((outcome) => outcome === 'landed')).toBe(true)
          expect(outcomes.slice(confirmed).every((outcome) => outcome === code)).toBe(true)
          expect(world.applied.length).toBeGreaterThanOrEqual(confirmed)
          expect(world.applied).toEqual(numbers(world.applied.length))
          expect(world.ends).toEqual(confirmed < count ? [end] : [])
          if (fault === 'refuse') expect(world.applied.length).toBe(confirmed)
        }),
        { numRuns: 300 },
      )
    },
  )

  test('what was called before a refusal lands, nothing behind it does', async () => {
    const world = createWorld(['none', 'cutAfter'])
    const before = [world.append(0), world.append(1)]
    world.chain.refuse(new SdkError('ERR_STORE_SESSION_LOST', 'too large'))
    await expect(world.append(2)).rejects.toMatchObject({ code: 'ERR_STORE_SESSION_LOST' })
    await Promise.all(before)
    await world.chain.idle()
    expect(world.applied).toEqual(['0', '1'])
  })

  test('giving up rejects what is under way and tells the end once', async () => {
    const world = createWorld(['cutBefore'])
    const commit = world.append(0)
    world.chain.end('lost', new SdkError('ERR_STORE_SESSION_LOST', 'expired'))
    world.chain.end('deposed', new SdkError('ERR_STORE_DEPOSED', 'too late to matter'))
    await expect(commit).rejects.toMatchObject({ code: 'ERR_STORE_SESSION_LOST' })
    await expect(world.append(1)).rejects.toMatchObject({ code: 'ERR_STORE_SESSION_LOST' })
    await world.chain.idle()
    expect(world.ends).toEqual(['lost'])
  })

  test('batches that differ have digests that differ', () => {
    const batches = [
      [],
      [{ key: 'k/a', value: null }],
      [{ key: 'k/a', value: '' }],
      [{ key: 'k/a', value: '3:k/b-' }],
      [
        { key: 'k/a', value: '' },
        { key: 'k/b', value: null },
      ],
      [
        { key: 'k/b', value: null },
        { key: 'k/a', value: '' },
      ],
      [{ key: 'k/a-', value: null }],
    ]
    expect(new Set(batches.map(digestOf)).size).toBe(batches.length)
  })
})
