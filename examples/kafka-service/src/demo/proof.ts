/**
 * The proof that a broker came back on its own data: nothing was copied from another broker. The same proof is run on a broker
 * whose volume was emptied, where it must fail; a proof that cannot fail says nothing. Time is no evidence: at this size a copy
 * is as fast as the local check of the files. Pure.
 */
import type { BrokerFiles, SegmentFile } from './broker-files.js'
import { createdLogs, fetchStarts, loadedLogs, registeredEpoch } from './broker-log.js'

/** One broker at one moment. */
export interface Evidence {
  readonly instance: string
  readonly agentId: string
  /** Persistence id of its volume. */
  readonly volumeId: string
  readonly taskId: string
  readonly pid: number
  readonly files: BrokerFiles
  /** Log of the process that runs at that moment, from its start. */
  readonly log: string
  /** Next offset of each partition of the topic, as the leader says, while nobody writes. */
  readonly ends: ReadonlyMap<number, number>
}

export interface Check {
  readonly name: string
  readonly expected: string
  readonly found: string
  readonly held: boolean
}

export interface Proof {
  readonly held: boolean
  readonly checks: readonly Check[]
}

/** Compares a broker before its process was killed with the same broker after it is back in sync. */
export function proveNothingCopied(topic: string, before: Evidence, after: Evidence): Proof {
  const checks = [
    same('agent', before.agentId, after.agentId),
    same('volume', before.volumeId, after.volumeId),
    restarted(before, after),
    same('directory id', before.files.directoryId, after.files.directoryId),
    sealedFiles(before.files, after.files),
    fetchOffsets(topic, before, after),
    loaded(topic, before, after),
    same('offsets in the cluster', offsetsText(before.ends), offsetsText(after.ends)),
  ]
  return { held: checks.every((check) => check.held), checks }
}

/** What did not hold, in one line. */
export function failedChecks({ checks }: Proof): string {
  return checks
    .filter((check) => !check.held)
    .map((check) => `${check.name}: ${check.found}`)
    .join('; ')
}

function same(name: string, expected: string, found: string): Check {
  return { name, expected, found, held: expected !== '' && expected === found }
}

/** Without this the rest would also hold for a broker that was never killed. */
function restarted(before: Evidence, after: Evidence): Check {
  const old = registeredEpoch(before.log)
  const now = registeredEpoch(after.log)
  const isNew = before.pid !== after.pid && before.taskId !== after.taskId && old !== undefined && now !== undefined && now > old
  return {
    name: 'a new process, newly registered',
    expected: `broker epoch above ${String(old)}`,
    found: `broker epoch ${String(now)}`,
    held: isNew,
  }
}

function sealedFiles(before: BrokerFiles, after: BrokerFiles): Check {
  const present = new Map([...after.sealed, ...after.active].map((file) => [file.path, file] as const))
  const kept = before.sealed.filter((file) => isSameFile(file, present.get(file.path))).length
  const total = String(before.sealed.length)
  return {
    name: 'sealed segments are the same files (inode, birth)',
    expected: `${total} of ${total}`,
    found: `${String(kept)} of ${total}`,
    held: before.sealed.length > 0 && kept === before.sealed.length,
  }
}

/** An inode number may be used again for a new file; its birth time tells them apart. */
function isSameFile(before: SegmentFile, after: SegmentFile | undefined): boolean {
  return after !== undefined && after.inode === before.inode && after.bornNs === before.bornNs && after.bytes === before.bytes
}

function fetchOffsets(topic: string, before: Evidence, after: Evidence): Check {
  const starts = new Map(fetchStarts(after.log, topic).map(({ partition, offset }) => [partition, offset] as const))
  // A partition that it leads from the start on is copied from nobody, so it has no line.
  const held = starts.size > 0 && [...starts].every(([partition, offset]) => offset === before.ends.get(partition))
  return {
    name: 'fetching began at the end of its own log',
    expected: offsetsText(new Map([...before.ends].filter(([partition]) => starts.size === 0 || starts.has(partition)))),
    found: starts.size === 0 ? 'no fetch seen' : offsetsText(starts),
    held,
  }
}

function loaded(topic: string, before: Evidence, after: Evidence): Check {
  const ends = loadedLogs(after.log, topic)
  const created = createdLogs(after.log, topic)
  return {
    name: 'every log was loaded from its disk',
    expected: offsetsText(before.ends),
    found: created.length > 0 ? `${String(created.length)} created anew, empty` : offsetsText(ends),
    held: created.length === 0 && [...before.ends].every(([partition, end]) => (ends.get(partition) ?? -1) >= end),
  }
}

function offsetsText(offsets: ReadonlyMap<number, number>): string {
  const sorted = [...offsets].sort(([left], [right]) => left - right)
  return sorted.map(([partition, offset]) => `${String(partition)}:${String(offset)}`).join(' ')
}
