/** What the master took from whom: judged over the log of its accepted calls, whatever the schedulers say of themselves. */
import type { AcceptedCall } from '../../../src/local-cluster/master-control.js'

export interface Evidence {
  /** From the fault to the first accepted call of the new leader. */
  readonly takeoverMs: number
  /** Accepted from the old leader after that call. */
  readonly lateSubscribes: number
  readonly lateCalls: readonly string[]
}

/** Which scheduler each stream belongs to: SUBSCRIBE names the address of its HTTP API. */
function ownersOf(calls: readonly AcceptedCall[], urls: ReadonlyMap<string, string>): Map<string, string> {
  const owners = new Map<string, string>()
  for (const { call, streamId } of calls) {
    if (call.type === 'SUBSCRIBE') owners.set(streamId, urls.get(call.subscribe.framework_info.webui_url ?? '') ?? 'a stranger')
  }
  return owners
}

/** `urls` names schedulers by the address of their HTTP API; the fault came at `atMs`, when `from` calls had been accepted. */
export function judgeTakeover(
  calls: readonly AcceptedCall[],
  urls: ReadonlyMap<string, string>,
  fault: { readonly atMs: number; readonly from: number; readonly oldLeader: string; readonly newLeader: string },
): Evidence {
  const owners = ownersOf(calls, urls)
  const first = calls.findIndex(({ streamId }, index) => index >= fault.from && owners.get(streamId) === fault.newLeader)
  if (first === -1) return { takeoverMs: Infinity, lateSubscribes: 0, lateCalls: [] }
  // Whoever is not the new leader counts as the old one.
  const late = calls.slice(first).filter(({ streamId }) => owners.get(streamId) !== fault.newLeader)
  return {
    takeoverMs: (calls[first]?.atMs ?? Infinity) - fault.atMs,
    lateSubscribes: late.filter(({ call }) => call.type === 'SUBSCRIBE').length,
    lateCalls: late.filter(({ call }) => call.type !== 'SUBSCRIBE').map(({ call }) => call.type),
  }
}

/** Task ids of every launch that the master took, in order. */
export const launchedTasks = (calls: readonly AcceptedCall[]): string[] =>
  calls.flatMap(({ call }) =>
    call.type !== 'ACCEPT'
      ? []
      : (call.accept.operations ?? []).flatMap((operation) =>
          operation.type !== 'LAUNCH_GROUP'
            ? []
            : (operation.launch_group.task_group.tasks ?? []).map((task) => task.task_id.value),
        ),
  )

/** Task ids that the master was asked to kill. */
export const killedTasks = (calls: readonly AcceptedCall[]): string[] =>
  calls.flatMap(({ call }) => (call.type === 'KILL' ? [call.kill.task_id.value] : []))

export const repeated = (names: readonly string[]): string[] => names.filter((name, index) => names.indexOf(name) !== index)
