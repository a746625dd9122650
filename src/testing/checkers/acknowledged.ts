/**
 * At rest nothing is left unacknowledged: whatever the master told the last scheduler on its last stream, and that scheduler
 * heard, was acknowledged, or the agent would repeat it for ever. What was sent again is to be acknowledged again.
 */
import type { CheckerDefinition } from './checker.js'

/** Until the acknowledgement of what has just come is at the master: stored first, then sent. */
const underWayMs = 4_000

interface Unacknowledged {
  readonly what: string
  readonly streamId: string
  sentAtMs: number
  isDelivered: boolean
}

export const acknowledged: CheckerDefinition = {
  name: 'acknowledged',
  watches: 'in the end every status that asks for an acknowledgement and was heard has been acknowledged',
  create({ report, nowMs }) {
    const open = new Map<string, Unacknowledged>()
    /** The stream that each scheduler is on. */
    const streams = new Map<string, string>()

    const sent = (streamId: string, uuid: string | undefined, what: string, atMs: number): void => {
      if (uuid !== undefined) open.set(uuid, { what, streamId, sentAtMs: atMs, isDelivered: false })
    }
    const heard = (uuid: string | undefined): void => {
      const status = open.get(uuid ?? '')
      if (status !== undefined) status.isDelivered = true
    }

    return {
      onEntry(entry) {
        switch (entry.type) {
          case 'eventSent': {
            const { event, streamId, atMs } = entry
            if (event.type === 'UPDATE') {
              const { state, task_id: id, uuid } = event.update.status
              sent(streamId, uuid, `${state} of ${id.value}`, atMs)
            }
            if (event.type === 'UPDATE_OPERATION_STATUS') {
              const { state, operation_id: id, uuid } = event.update_operation_status.status
              sent(streamId, uuid?.value, `${state} of operation ${id?.value}`, atMs)
            }
            return
          }
          case 'eventDelivered': {
            const { event, scheduler } = entry
            if (event.type === 'subscribed') streams.set(scheduler, event.streamId)
            if (event.type === 'disconnected' || event.type === 'frameworkErrorReceived') streams.delete(scheduler)
            if (event.type === 'taskStatusReceived' || event.type === 'operationStatusReceived') heard(event.status.uuid)
            return
          }
          // With its session a scheduler gives up its stream, and says so to nobody.
          case 'schedulerEnded':
          case 'sessionEnded':
          case 'sessionOpened':
            return void streams.delete(entry.scheduler)
          case 'callTaken': {
            const { call } = entry
            if (call.type === 'ACKNOWLEDGE') open.delete(call.acknowledge.uuid)
            if (call.type === 'ACKNOWLEDGE_OPERATION_STATUS') open.delete(call.acknowledge_operation_status.uuid)
            return
          }
          default:
            return
        }
      },
      atRest() {
        const live = new Set(streams.values())
        for (const { what, streamId, sentAtMs, isDelivered } of open.values())
          if (isDelivered && live.has(streamId) && nowMs() - sentAtMs > underWayMs)
            report(`${what} was told ${nowMs() - sentAtMs} ms ago and never acknowledged`)
      },
    }
  },
}
