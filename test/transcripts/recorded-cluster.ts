/**
 * The virtual cluster as the recorded one was: its agents, its settings, and processes that take as long as those recorded.
 * Requests reach the master at once, because the recording has the moment at which it got them.
 */
import type { MasterRequest, MasterResponse } from '../../src/mesos-model/master-state.js'
import type { Event, TaskInfo } from '../../src/mesos/messages.js'
import { createVirtualCluster, type VirtualCluster } from '../../src/testing/virtual/cluster.js'
import type { TaskBehaviour } from '../../src/testing/virtual/tasks.js'
import { RECORDED_AGENTS } from './transcript.js'

export interface RecordedCluster extends VirtualCluster {
  /** Events by stream, in order. */
  readonly streams: ReadonlyMap<string, readonly Event[]>
  readonly closedStreams: ReadonlySet<string>
  /** Lets time pass, until `isEnough` or the given moment. */
  advanceTo(atMs: number, isEnough?: () => boolean): void
  ask(request: MasterRequest): MasterResponse
  leaveStream(streamId: string): void
}

const START_MS = Date.parse('2026-11-21T02:00:00Z')
/** Until all agents have registered. */
const REGISTRATION_MS = 10
/** The recorded master was told to ping every two seconds and to give up after three. */
const PINGS = { agentPingTimeoutMs: 2_000 * 1.25, maxAgentPingTimeouts: 3 }

/** How a command behaves: read from its text, as far as the transcripts need it. */
function behave(task: TaskInfo): TaskBehaviour {
  const text = task.command?.value ?? ''
  const usual = { stopsAfterMs: 60, ignoresTerm: /trap (''|"") (SIG)?TERM/.test(text) }
  if (text.includes('http.server') || text.includes('while')) return usual
  const slept = [...text.matchAll(/sleep (\d+)/g)].reduce((sum, match) => sum + Number(match[1]), 0)
  return { ...usual, endsAfterMs: slept * 1000 + 150, exitCode: Number(/exit (\d+)$/.exec(text)?.[1] ?? 0) }
}

export function createRecordedCluster(): RecordedCluster {
  const streams = new Map<string, Event[]>()
  const closedStreams = new Set<string>()
  const cluster = createVirtualCluster({
    agents: RECORDED_AGENTS,
    behave,
    keepLog: false,
    startMs: START_MS,
    masterInfo: {
      id: '00000000-0000-4000-8000-000000000000',
      hostname: '127.0.0.1',
      version: '1.12.0',
      domain: { fault_domain: { region: { name: 'region-a' }, zone: { name: 'zone-1' } } },
    },
    timings: {
      master: PINGS,
      agent: { executorReregistrationTimeoutMs: 3_000 },
      network: { minDelayMs: 1, maxDelayMs: 1 },
      machine: { checkMs: 1 },
    },
  })
  const { clock } = cluster
  const advanceTo = (atMs: number, isEnough: () => boolean = () => false): void => {
    while (!isEnough()) if (!clock.doNext(atMs)) return clock.moveTo(atMs)
  }
  advanceTo(START_MS + REGISTRATION_MS)
  return Object.assign(cluster, {
    streams,
    closedStreams,
    advanceTo,
    ask(request: MasterRequest): MasterResponse {
      const { streamId } = request
      const events: Event[] = []
      const onEnd = (): void => void closedStreams.add(streamId)
      const response = cluster.request(request, { onEvent: (event) => events.push(event), onEnd })
      if (response === undefined) throw new Error('the master did not answer')
      if (response.streamId !== undefined) streams.set(response.streamId, events)
      return response
    },
    leaveStream(streamId: string): void {
      closedStreams.add(streamId)
      cluster.closeStream(streamId)
    },
  })
}
