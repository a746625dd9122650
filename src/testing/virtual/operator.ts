/** What operators ask of the virtual master: v1 calls of its operator API. */
import { SdkError } from '../../errors.js'
import {
  operatorCall,
  toAgentsView,
  toFrameworkViews,
  toKnownExecutors,
  toKnownOperations,
  toKnownTasks,
} from '../../mesos/convert-operator.js'
import { parseOperatorAnswer, type OperatorAnswers, type OperatorCallType } from '../../mesos/messages-operator.js'
import type { MasterRequest, MasterResponse } from '../../mesos-model/master-state.js'
import type { OperatorApi } from '../../ports/operator-api.js'
import type { VirtualMaster } from './master.js'

const headers = { 'content-type': 'application/json', accept: 'application/json' }
const operatorRequest = (call: object): MasterRequest => ({
  method: 'POST',
  path: '/api/v1',
  headers,
  body: JSON.stringify(call),
  streamId: '',
})

/** The answer, or undefined while there is no master. */
export function askMaster(master: VirtualMaster, call: object): MasterResponse | undefined {
  let answer: MasterResponse | undefined
  const asker = { answer: (response: MasterResponse) => void (answer = response), event: () => undefined, end: () => undefined }
  master.request(operatorRequest(call), asker)
  return answer
}

/** What the driver's neighbour `src/mesos/operator-client.ts` shows, from the books of the master and in no time. */
export function createVirtualOperatorApi(send: (request: MasterRequest) => MasterResponse | undefined): OperatorApi {
  // Promises, so that a question costs turns and an answer that cannot be read rejects.
  const ask = async <Type extends OperatorCallType>(type: Type): Promise<OperatorAnswers[Type]> => {
    const answer = send(operatorRequest(operatorCall(type)))
    if (answer === undefined)
      throw new SdkError('ERR_MASTER_UNREACHABLE', 'the virtual master is down', { retryable: true, details: { call: type } })
    if (answer.status !== 200) throw new SdkError('ERR_PROTOCOL', `the virtual master answered ${type} with ${answer.status}`)
    return parseOperatorAnswer(type, JSON.parse(JSON.stringify(answer.body)))
  }
  return {
    frameworks: async () => toFrameworkViews(await ask('GET_FRAMEWORKS')),
    agents: async () => toAgentsView(await ask('GET_AGENTS'), await ask('GET_METRICS')),
    tasks: async () => toKnownTasks(await ask('GET_TASKS')),
    executors: async () => toKnownExecutors(await ask('GET_EXECUTORS')),
    operations: async () => toKnownOperations(await ask('GET_OPERATIONS')),
  }
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
