/** What operators ask of the virtual master: v1 calls of its operator API. */
import type { MasterResponse } from '../../mesos-model/master-state.js'
import type { VirtualMaster } from './master.js'

/** The answer, or undefined while there is no master. */
export function askMaster(master: VirtualMaster, call: object): MasterResponse | undefined {
  let answer: MasterResponse | undefined
  const headers = { 'content-type': 'application/json', accept: 'application/json' }
  const request = { method: 'POST', path: '/api/v1', headers, body: JSON.stringify(call), streamId: '' }
  master.request(request, { answer: (response) => (answer = response), event: () => undefined, end: () => undefined })
  return answer
}

export interface DrainOptions {
  readonly markGone?: boolean
  readonly maxGraceMs?: number
}

export function drainCall(agentId: string, { markGone, maxGraceMs }: DrainOptions): object {
  const drain = {
    agent_id: { value: agentId },
    ...(maxGraceMs === undefined ? {} : { max_grace_period: { seconds: Math.ceil(maxGraceMs / 1000) } }),
    ...(markGone === undefined ? {} : { mark_gone: markGone }),
  }
  return { type: 'DRAIN_AGENT', drain_agent: drain }
}
