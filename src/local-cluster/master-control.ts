/** Controls of the master's process outside the Mesos protocol, under `/stateward-cluster/`. */
import type { ServerResponse } from 'node:http'
import type { Call } from '../mesos/messages.js'
import type { MasterState } from '../mesos-model/master-state.js'
import type { MasterToAgent } from '../mesos-model/protocol.js'
import type { Link } from './link.js'

/** A scheduler call that the master took, and the stream it came on. */
export interface AcceptedCall {
  /** Counts from 1 without a gap since the cluster was started, over failovers of the master too. */
  readonly number: number
  readonly atMs: number
  readonly streamId: string
  readonly call: Call
}

/** The connection of one agent; mutable, as sockets are. */
export interface MasterLink {
  readonly link: () => Link<MasterToAgent>
  readonly ip: string
  /** A partition: nothing passes in either direction, the connection stays open. */
  isCut: boolean
  hasLost: boolean
  heardAtMs: number
}

export interface MasterRuntime {
  state: MasterState
  readonly registryFile: string
  /** One accepted call a line, so that the next master still knows them. */
  readonly acceptedFile: string
  readonly streams: Map<string, ServerResponse>
  readonly links: Map<string, MasterLink>
  readonly accepted: AcceptedCall[]
  /** Addresses of agents behind a partition: they cannot connect anew either. */
  cutOff?: Set<string>
  timer?: NodeJS.Timeout | undefined
}

interface PartitionRequest {
  readonly ip: string
  readonly isCut: boolean
}

function setPartition(runtime: MasterRuntime, { ip, isCut }: PartitionRequest): void {
  runtime.cutOff ??= new Set()
  if (isCut) runtime.cutOff.add(ip)
  else runtime.cutOff.delete(ip)
  for (const entry of [...runtime.links.values()]) {
    if (entry.ip !== ip) continue
    entry.isCut = isCut
    // What was lost meanwhile comes to light when the agent registers again.
    if (!isCut && entry.hasLost) entry.link().close()
  }
}

const agentsView = (state: MasterState): object[] =>
  [...state.agents.values()].map(({ id, ip, hostname, link }) => ({ id, ip, hostname, isConnected: link !== undefined }))

export function answerControl(runtime: MasterRuntime, path: string, body: string, response: ServerResponse): void {
  const answer = (value: unknown): void =>
    void response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(value))
  switch (path.slice('/stateward-cluster/'.length)) {
    case 'accepted-calls':
      return answer(runtime.accepted)
    case 'status':
      return answer({
        masterId: runtime.state.info.id,
        agents: agentsView(runtime.state),
        frameworks: [...runtime.state.frameworks.values()].map(({ id, info, streamId, tasks }) => ({
          id,
          name: info.name,
          streamId,
          tasks: tasks.size,
        })),
        unreachable: [...runtime.state.unreachable.keys()],
      })
    case 'partition':
      setPartition(runtime, JSON.parse(body) as PartitionRequest)
      return answer({})
    default:
      response.writeHead(404).end()
  }
}
