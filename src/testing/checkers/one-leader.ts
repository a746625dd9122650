/**
 * Leadership: once a newer epoch acts, an older one does nothing any more but break a stream by subscribing. Each subscription
 * is fenced by a write before it, and another between SUBSCRIBED and the first call, so that a scheduler that was deposed while
 * it slept finds out before it sends anything. Who asked for a stream shows only when SUBSCRIBED arrives: a SUBSCRIBE that is
 * never answered is not judged.
 */
import type { LogEntry } from '../virtual/log.js'
import type { CheckerDefinition } from './checker.js'
import type { Committed } from './mirror.js'

/** One session of a scheduler with the store, as far as fences are concerned. */
interface Leader {
  readonly scheduler: string
  readonly epoch: number
  /** When its last stream ended, or the session began. */
  idleSinceMs: number
  /** Place in the log of its first commit since. */
  fencedAt?: number
  /** The stream that it subscribed to and has not fenced yet. */
  unfenced?: { readonly streamId: string; readonly sinceMs: number }
}

export const oneLeader: CheckerDefinition = {
  name: 'one-leader',
  watches: 'a deposed scheduler stores nothing and sends nothing, and a fenced write stands before and after every subscription',
  create({ report }) {
    const leaders = new Map<string, Leader>()
    const owners = new Map<string, Leader>()
    /** Place in the log at which the master took the SUBSCRIBE of a stream. */
    const subscribes = new Map<string, number>()
    let newestEpoch = 0
    let actingEpoch = 0
    let place = 0

    const committed = ({ scheduler, epoch, decidedAtMs }: Committed): void => {
      if (epoch < newestEpoch) report(`a batch of ${scheduler} (epoch ${epoch}) landed after epoch ${newestEpoch} was opened`)
      const leader = leaders.get(scheduler)
      if (leader?.epoch !== epoch) return
      if (decidedAtMs >= leader.idleSinceMs) leader.fencedAt ??= place
      if (leader.unfenced !== undefined && decidedAtMs >= leader.unfenced.sinceMs) delete leader.unfenced
    }

    const delivered = ({ scheduler, event, atMs }: Extract<LogEntry, { type: 'eventDelivered' }>): void => {
      const leader = leaders.get(scheduler)
      if (leader === undefined) return
      if (event.type === 'subscribed') {
        const takenAt = subscribes.get(event.streamId)
        if (takenAt !== undefined && (leader.fencedAt ?? Infinity) > takenAt)
          report(`${describe(leader)} subscribed without a fenced write since its last stream`)
        owners.set(event.streamId, leader)
        leader.unfenced = { streamId: event.streamId, sinceMs: atMs }
      }
      if (event.type === 'disconnected' || event.type === 'frameworkErrorReceived') {
        leader.idleSinceMs = atMs
        delete leader.fencedAt
      }
    }

    const taken = (streamId: string, type: string): void => {
      if (type === 'SUBSCRIBE') return void subscribes.set(streamId, place)
      const leader = owners.get(streamId)
      if (leader === undefined) return
      if (leader.epoch < actingEpoch)
        report(`the master took ${type} of ${describe(leader)} after it took a call of epoch ${actingEpoch}`)
      actingEpoch = Math.max(actingEpoch, leader.epoch)
    }

    return {
      onEntry(entry) {
        place += 1
        switch (entry.type) {
          case 'sessionOpened': {
            const { scheduler, epoch, atMs } = entry
            newestEpoch = Math.max(newestEpoch, epoch)
            leaders.set(scheduler, { scheduler, epoch, idleSinceMs: atMs })
            return
          }
          case 'committed':
            return committed(entry)
          case 'eventDelivered':
            return delivered(entry)
          case 'callTaken':
            return taken(entry.streamId, entry.call.type)
          case 'callSent': {
            const leader = owners.get(entry.streamId)
            if (leader?.unfenced?.streamId === entry.streamId)
              report(`${describe(leader)} sent ${entry.call.type} on a new stream without a fenced write since SUBSCRIBED`)
            return
          }
          default:
            return
        }
      },
    }
  },
}

const describe = ({ scheduler, epoch }: Leader): string => `${scheduler} (epoch ${epoch})`
