/**
 * What a view of the cluster means for an operation: is a broker back, may one be stopped, in which order to roll. Each answer is
 * a list of problems, worded for the operator; an empty list is a yes. Pure.
 */
import type { ClusterView } from './cluster-view.js'
import type { PartitionState, Quorum } from './kafka-protocol.js'

/** How many partitions a sentence names before it says "and n more". */
const maxNamed = 5

/** A follower this far behind its leader is stale: the controllers' own fetch timeout. */
const maxLagMs = 2_000

/** Why broker `id` cannot be called back: not listed, silent, or a partition of it is not in sync. */
export function brokerProblems(view: ClusterView, id: number): string[] {
  if (!view.listed.includes(id)) return [`broker ${String(id)} is not registered yet, or fenced`]
  if (view.silent.includes(id)) return [`broker ${String(id)} is listed but does not answer`]
  const own = view.partitions.filter((partition) => partition.replicas.includes(id))
  return [
    ...sentence(own, (partition) => !partition.isr.includes(id), `not in sync on broker ${String(id)}`),
    ...sentence(own, (partition) => partition.offline.includes(id), `offline on broker ${String(id)}`),
  ]
}

/**
 * Why the cluster as a whole is not healthy. `down` are brokers known not to run: their missing replicas are no news, and
 * waiting for them would keep them from being mended.
 */
export function clusterProblems(view: ClusterView, down: readonly number[] = []): string[] {
  const silent = view.silent.filter((id) => !down.includes(id))
  const isLeaderless = ({ leader, replicas }: PartitionState) => leader < 0 && replicas.some((id) => !down.includes(id))
  const misses = ({ replicas, isr }: PartitionState) => replicas.some((id) => !isr.includes(id) && !down.includes(id))
  return [
    ...silent.map((id) => `broker ${String(id)} is listed but does not answer`),
    ...sentence(view.partitions, isLeaderless, 'without a leader'),
    ...sentence(view.partitions, misses, 'under-replicated'),
  ]
}

/**
 * Why broker `id` must not be stopped now: some partition would be left with too few replicas in sync to take writes. A
 * partition that has too few replicas for that at the best of times is no reason to wait, as waiting would never end; see
 * `unprotectedPartitions`.
 */
export function stopProblems(view: ClusterView, id: number): string[] {
  const own = view.partitions.filter((partition) => partition.isr.includes(id))
  const others = ({ isr }: PartitionState) => isr.filter((replica) => replica !== id && !view.silent.includes(replica)).length
  // Where the setting could not be read, every other replica must be in sync.
  const needed = (partition: PartitionState) => Math.min(minInSync(view, partition), partition.replicas.length - 1)
  return sentence(
    own,
    (partition) => others(partition) < needed(partition),
    `would have too few replicas in sync without broker ${String(id)}`,
  )
}

/** Partitions that take no writes, or are away, while any one of their brokers restarts: whoever starts a roll accepts it. */
export function unprotectedPartitions(view: ClusterView): string[] {
  const isUnprotected = (partition: PartitionState) =>
    partition.topic in view.minInSync && partition.replicas.length - 1 < minInSync(view, partition)
  return sentence(view.partitions, isUnprotected, 'will not be writable while a broker of theirs restarts')
}

function minInSync(view: ClusterView, partition: PartitionState): number {
  return Math.max(1, view.minInSync[partition.topic] ?? Number.POSITIVE_INFINITY)
}

/** Why controller `id` cannot be called back: no leader, no voter, or it does not follow. */
export function voterProblems(quorum: Quorum, id: number): string[] {
  if (quorum.leaderId < 0) return ['the controllers have no leader']
  const voter = quorum.voters.find((candidate) => candidate.id === id)
  if (voter === undefined) return [`controller ${String(id)} is not a voter`]
  if (!isCaughtUp(quorum, id)) return [`controller ${String(id)} does not follow the metadata log of ${String(quorum.leaderId)}`]
  return []
}

/** Why controller `id` must not be stopped now: the others that follow would be no majority. */
export function stopVoterProblems(quorum: Quorum, id: number): string[] {
  const others = quorum.voters.filter((voter) => voter.id !== id && isCaughtUp(quorum, voter.id)).length
  const majority = Math.floor(quorum.voters.length / 2) + 1
  if (others >= majority) return []
  return [
    `without controller ${String(id)} only ${String(others)} of ${String(quorum.voters.length)} voters follow, ${String(majority)} are needed`,
  ]
}

function isCaughtUp(quorum: Quorum, id: number): boolean {
  if (id === quorum.leaderId) return true
  const leader = quorum.voters.find((voter) => voter.id === quorum.leaderId)
  const voter = quorum.voters.find((candidate) => candidate.id === id)
  // Both times are the leader's clock, so a machine whose clock is off does not matter.
  return leader !== undefined && voter !== undefined && leader.lastCaughtUpMs - voter.lastCaughtUpMs <= maxLagMs
}

export interface RollCandidate {
  readonly name: string
  readonly isController: boolean
  readonly nodeId: number
  readonly index: number
  readonly ready: boolean
}

/**
 * Those that are not ready first: they may be the reason for the change, and waiting for them would never end. Controllers
 * before brokers, the active one last among them, so that the lead moves once. Brokers with the fewest leaders first.
 */
export function orderForRoll(
  candidates: readonly RollCandidate[],
  activeController: number,
  leadersByBroker: ReadonlyMap<number, number>,
): string[] {
  const keys = (candidate: RollCandidate): number[] => [
    candidate.ready ? 1 : 0,
    candidate.isController ? 0 : 1,
    candidate.isController && candidate.nodeId === activeController ? 1 : 0,
    candidate.isController ? 0 : (leadersByBroker.get(candidate.nodeId) ?? 0),
    candidate.index,
  ]
  const sorted = [...candidates].sort((left, right) => {
    const rightKeys = keys(right)
    const difference = keys(left).map((key, position) => key - (rightKeys[position] ?? 0))
    return difference.find((value) => value !== 0) ?? 0
  })
  return sorted.map((candidate) => candidate.name)
}

export function countLeaders(partitions: readonly PartitionState[]): Map<number, number> {
  const counts = new Map<number, number>()
  for (const { leader } of partitions) counts.set(leader, (counts.get(leader) ?? 0) + 1)
  return counts
}

/** Partitions whose first replica, the preferred leader, is `id`, but which another broker leads. */
export function leadershipProblems(view: ClusterView, id: number): string[] {
  const elsewhere = (partition: PartitionState) => partition.replicas[0] === id && partition.leader !== id
  return sentence(view.partitions, elsewhere, `not led by broker ${String(id)}, their preferred leader`)
}

function sentence(partitions: readonly PartitionState[], isBad: (partition: PartitionState) => boolean, what: string): string[] {
  const bad = partitions.filter(isBad).map((partition) => `${partition.topic}-${String(partition.partition)}`)
  if (bad.length === 0) return []
  const named = bad.sort().slice(0, maxNamed).join(', ')
  const more = bad.length > maxNamed ? ` and ${String(bad.length - maxNamed)} more` : ''
  return [`${String(bad.length)} of ${String(partitions.length)} partitions ${what}: ${named}${more}`]
}
