/**
 * The chain of one leader's transactions (ADR 0005). Each batch is one transaction that begins with a versioned write of this
 * epoch's commit node, so that batches can be sent without waiting and still land in order or not at all. After an unknown
 * outcome the same transactions are sent again; whether one stands is then told by the answers or by the commit node. Knows no
 * network and no clock: the two requests it makes are handed in.
 */
import { createHash } from 'node:crypto'
import { type SdkError } from '../errors.js'
import { type Batch, type SessionEnd } from '../ports/state-store.js'
import { batchBytes } from './batch.js'
import { isFailure, type ZooKeeperFailure, type NodeValue, type Operation } from './zookeeper-client.js'

/** Transactions under way at once. More add no speed; all of them are doubtful after a broken connection. */
const windowCommits = 256
/** Bytes under way at once, so that answers keep coming on a slow line. */
const windowBytes = 2 * 1024 * 1024
/** Node versions have 32 bits. A leader that comes near is asked to open again, which begins a new node. */
const commitsPerEpoch = 2_000_000_000
/** Rounds of doubt in a row that settle nothing; more means that something else writes the node. */
const fruitlessRounds = 5

/** The content of a commit node. */
export interface CommitMark {
  readonly epoch: number
  /** How many batches of the epoch have landed. */
  readonly number: number
  /** Of the last of them; empty before the first. */
  readonly digest: string
}

export const printCommitMark = ({ epoch, number, digest }: CommitMark): string => JSON.stringify({ epoch, number, digest })

/** Undefined for a text that is none. */
export function parseCommitMark(text: string): CommitMark | undefined {
  try {
    const { epoch, number, digest } = JSON.parse(text) as Partial<CommitMark>
    return typeof epoch === 'number' && typeof number === 'number' && typeof digest === 'string'
      ? { epoch, number, digest }
      : undefined
  } catch {
    return undefined
  }
}

/** The version of a commit node whose mark says `number`: it is created, then written once at once (0 cannot be expected). */
export const versionOfNumber = (number: number): number => number + 1

/** Differs for batches that differ: lengths stand before the parts, so that no two ways of cutting a text look alike. */
export function digestOf(batch: Batch): string {
  const hash = createHash('sha256')
  for (const { key, value } of batch) {
    hash.update(`${key.length}:${key}${value === null ? '-' : `${value.length}:`}`)
    if (value !== null) hash.update(value)
  }
  return hash.digest('base64url')
}

export interface ChainLink {
  /** Whether a request made now would be sent. */
  isConnected(): boolean
  transact(operations: readonly Operation[]): Promise<void>
  /** The commit node of this epoch, or nothing. */
  readMark(): Promise<NodeValue | undefined>
}

export interface CommitChainOptions {
  readonly epoch: number
  readonly commitPath: string
  readonly link: ChainLink
  readonly deposed: (found: string) => SdkError
  readonly lost: (why: string, cause?: unknown) => SdkError
  readonly onEnd: (end: SessionEnd) => void
}

export interface CommitChain {
  /** `toOperations` gives the writes of the batch's records; it is asked only when the batch is taken. */
  append(batch: Batch, toOperations: () => readonly Operation[]): Promise<void>
  /** Takes no further batch; what is under way goes on. */
  refuse(error: SdkError): void
  /** Resolves when nothing is under way, or the chain has ended. */
  idle(): Promise<void>
  /** The connection is there (again). */
  resume(): void
  /** Gives up: all that is under way is rejected. The first call counts. */
  end(how: SessionEnd, error: SdkError): void
}

interface Item {
  readonly number: number
  readonly digest: string
  readonly operations: readonly Operation[]
  readonly bytes: number
  readonly resolve: () => void
  readonly reject: (error: SdkError) => void
}

/** What the answers of one round made doubtful; by itself: an outcome is unknown. */
interface Doubt {
  /** A version or the node itself was not as expected. */
  isContradicted: boolean
  /** A record's write failed, which no repetition would change. */
  broken?: { readonly item: Item; readonly failure: ZooKeeperFailure }
}

/** The chain begins empty, on a commit node whose number is 0. */
export function createCommitChain(options: CommitChainOptions): CommitChain {
  const { epoch, commitPath, link } = options
  /** Not yet known to stand, in order. The first `sent` of them were sent in this round. */
  const pending: Item[] = []
  let sent = 0
  let sentBytes = 0
  let unanswered = 0
  let lastNumber = 0
  let doubt: Doubt | undefined
  let isSettling = false
  let rounds = 0
  let refusal: SdkError | undefined
  let isOver = false
  const idlers: (() => void)[] = []

  const wakeIdlers = (): void => {
    if (pending.length > 0 && !isOver) return
    for (const wake of idlers.splice(0)) wake()
  }
  const end = (how: SessionEnd, error: SdkError): void => {
    if (isOver) return
    isOver = true
    refusal = how === 'closed' ? (refusal ?? error) : error
    for (const item of pending.splice(0)) item.reject(error)
    wakeIdlers()
    options.onEnd(how)
  }
  /** The first `count` pending batches stand. */
  const settle = (count: number): void => {
    for (const item of pending.splice(0, count)) {
      if (sent > 0) {
        sent -= 1
        sentBytes -= item.bytes
      }
      item.resolve()
    }
    if (count > 0) rounds = 0
    wakeIdlers()
  }

  const onFailure = (item: Item, error: unknown): void => {
    doubt ??= { isContradicted: false }
    if (!isFailure(error)) return end('lost', options.lost(`an unexpected error (${String(error)})`, error))
    if (error.failure === 'SESSION_EXPIRED' || error.failure === 'AUTH_FAILED')
      return end('lost', options.lost(error.message, error))
    if (error.failure === 'CONNECTION_LOSS') return
    // The commit node's write is the first operation: only when it fits are the records looked at.
    if ((error.failure === 'BAD_VERSION' || error.failure === 'NO_NODE') && error.operationIndex === 0)
      doubt.isContradicted = true
    else doubt.broken ??= { item, failure: error }
  }

  const send = (item: Item): void => {
    sent += 1
    sentBytes += item.bytes
    unanswered += 1
    void link
      .transact(item.operations)
      .then(
        // One that fits its version proves all before it, whatever their own answers were.
        () => settle(pending.indexOf(item) + 1),
        (error: unknown) => onFailure(item, error),
      )
      .then(() => {
        unanswered -= 1
        advance()
      })
  }

  /** Sends what fits the window, or, once every answer is in, settles the doubt; both need the connection. */
  const advance = (): void => {
    if (isOver || isSettling || !link.isConnected()) return
    if (doubt !== undefined) {
      if (unanswered === 0) void settleDoubt(doubt)
      return
    }
    while (sent < windowCommits && (sent === 0 || sentBytes < windowBytes)) {
      const item = pending[sent]
      if (item === undefined) return
      send(item)
    }
  }

  const settleDoubt = async (present: Doubt): Promise<void> => {
    isSettling = true
    sent = 0
    sentBytes = 0
    // Where only outcomes are unknown, sending again is enough: the answers tell.
    const isSettled = (!present.isContradicted && present.broken === undefined) || (await compareWithMark(present))
    if (isSettled) doubt = undefined
    isSettling = false
    // Unread, the connection broke again: the next one goes on here.
    if (isSettled || link.isConnected()) advance()
  }

  /** Reads whose batch stands. Answers false when the mark could not be read or the chain is over. */
  const compareWithMark = async (present: Doubt): Promise<boolean> => {
    let node: NodeValue | undefined
    try {
      node = await link.readMark()
    } catch (error) {
      if (!isFailure(error, 'CONNECTION_LOSS'))
        end('lost', options.lost(`its commit node ${commitPath} cannot be read (${String(error)})`, error))
      return false
    }
    if (isOver) return false
    if (node === undefined) {
      end('deposed', options.deposed('no commit node of this epoch'))
      return false
    }
    const mark = parseCommitMark(node.data)
    if (mark === undefined || mark.epoch !== epoch) {
      end('deposed', options.deposed(mark === undefined ? 'an unreadable commit node' : `epoch ${mark.epoch}`))
      return false
    }
    const own = pending.find(({ number }) => number === mark.number)
    if (own !== undefined && own.digest !== mark.digest) {
      end('deposed', options.deposed(`another batch under number ${mark.number} of this epoch`))
      return false
    }
    settle(pending.filter(({ number }) => number <= mark.number).length)
    return isChainUsable(present, node)
  }

  /** After what stands was settled: whether the rest can land by being sent again. */
  const isChainUsable = ({ broken }: Doubt, node: NodeValue): boolean => {
    const [head] = pending
    if (broken !== undefined && head === broken.item) {
      const what = broken.failure
      end(
        'lost',
        options.lost(
          `a record could not be written (${what.message}); somebody else has changed the nodes or their access`,
          what,
        ),
      )
      return false
    }
    rounds += 1
    if (head !== undefined && (node.version !== versionOfNumber(head.number - 1) || rounds > fruitlessRounds)) {
      const expected = versionOfNumber(head.number - 1)
      end(
        'lost',
        options.lost(
          `its commit node ${commitPath} has version ${node.version} instead of ${expected}; somebody else has written it`,
        ),
      )
      return false
    }
    return true
  }

  return {
    append: (batch, toOperations) => {
      if (refusal !== undefined) return Promise.reject(refusal)
      if (lastNumber >= commitsPerEpoch) refusal = options.lost(`this epoch has had its ${commitsPerEpoch} commits`)
      lastNumber += 1
      const number = lastNumber
      const digest = digestOf(batch)
      const mark = {
        type: 'set',
        path: commitPath,
        data: printCommitMark({ epoch, number, digest }),
        version: versionOfNumber(number - 1),
      } as const
      return new Promise((resolve, reject) => {
        pending.push({ number, digest, operations: [mark, ...toOperations()], bytes: batchBytes(batch), resolve, reject })
        advance()
      })
    },
    refuse: (error) => {
      refusal ??= error
    },
    idle: () => (pending.length === 0 || isOver ? Promise.resolve() : new Promise((resolve) => idlers.push(resolve))),
    resume: advance,
    end,
  }
}
