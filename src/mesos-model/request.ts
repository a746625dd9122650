/**
 * The checks of an HTTP request before anything of it is done, in the order of a real master (mesos-v1.md 1.9, checks 5
 * to 12). Pure. The first failing check answers.
 */
import type { Call } from '../mesos/messages.js'
import { readCall } from './call-schema.js'
import type { MasterRequest, MasterResponse } from './master-state.js'
import { isBase64Uuid } from './task-status.js'

export type Checked<C> = { readonly ok: true; readonly call: C } | { readonly ok: false; readonly response: MasterResponse }

const refuse = (status: number, body: string, headers?: Record<string, string>): { ok: false; response: MasterResponse } => ({
  ok: false,
  response: { status, body, ...(headers === undefined ? {} : { headers }) },
})

/** The text that Mesos' JSON parser would blame: the rest of the line from where reading failed. */
function describeSyntaxError(body: string, error: unknown): string {
  const position = Number(/position (\d+)/.exec(String(error))?.[1] ?? body.length)
  const before = body.slice(0, position)
  const rest = body.slice(position).split('\n')[0] ?? ''
  return `syntax error at line ${before.split('\n').length} near: ${rest}`
}

function parseBody(
  body: string,
): { readonly ok: true; readonly json: unknown } | { readonly ok: false; readonly problem: string } {
  try {
    return { ok: true, json: JSON.parse(body) as unknown }
  } catch (error) {
    return { ok: false, problem: describeSyntaxError(body, error) }
  }
}

function checkEnvelope(
  request: MasterRequest,
  message: 'SchedulerCall' | 'OperatorCall',
): Checked<Readonly<Record<string, unknown>>> {
  if (request.method !== 'POST') {
    return refuse(405, `405 Method Not Allowed. Expecting one of { 'POST' }, but received '${request.method}'.`, {
      Allow: 'POST',
    })
  }
  const contentType = request.headers['content-type']
  if (contentType === undefined) return refuse(400, "Expecting 'Content-Type' to be present")
  // Compared byte for byte: a charset parameter or other letter case is refused. Protobuf bodies are not supported here.
  if (contentType !== 'application/json')
    return refuse(415, "Expecting 'Content-Type' of application/json or application/x-protobuf")
  const parsed = parseBody(request.body)
  if (!parsed.ok) return refuse(400, `Failed to parse body into JSON: ${parsed.problem}`)
  const reading = readCall(parsed.json, message)
  return reading.ok ? reading : refuse(400, `Failed to convert JSON into Call protobuf: ${reading.problem}`)
}

const PAYLOAD_OPTIONAL = new Set(['REVIVE', 'SUPPRESS', 'TEARDOWN', 'UNKNOWN'])

interface LooseCall {
  readonly type?: string
  readonly framework_id?: { readonly value: string }
  readonly [payload: string]: unknown
}

interface LoosePayload {
  readonly framework_info?: { readonly id?: { readonly value: string } }
  readonly uuid?: string
  readonly agent_id?: unknown
}

/** Check 10: the union is consistent. */
function findUnionProblem(call: LooseCall): string | undefined {
  if (call.type === undefined) return "Expecting 'type' to be present"
  const field = call.type.toLowerCase()
  const payload = call[field] as LoosePayload | undefined
  if (call.type === 'SUBSCRIBE') {
    if (payload === undefined) return "Expecting 'subscribe' to be present"
    const differs = (call.framework_id?.value ?? '') !== (payload.framework_info?.id?.value ?? '')
    return differs ? "'framework_id' differs from 'subscribe.framework_info.id'" : undefined
  }
  if (call.framework_id === undefined) return "Expecting 'framework_id' to be present"
  if (payload === undefined) return PAYLOAD_OPTIONAL.has(call.type) ? undefined : `Expecting '${field}' to be present`
  if (call.type === 'ACKNOWLEDGE' || call.type === 'ACKNOWLEDGE_OPERATION_STATUS') {
    if (!isBase64Uuid(payload.uuid ?? '')) return 'Not a valid UUID'
    if (call.type === 'ACKNOWLEDGE_OPERATION_STATUS' && payload.agent_id === undefined)
      return "Expecting 'agent_id' to be present"
  }
  if (call.type === 'UPDATE_FRAMEWORK' && call.framework_id.value !== payload.framework_info?.id?.value) {
    return "'framework_id' differs from 'update_framework.framework_info.id'"
  }
  return undefined
}

/** Whether an Accept header allows JSON (or is absent). */
const allowsJson = (accept: string | undefined): boolean =>
  accept === undefined ||
  accept
    .split(',')
    .some((part) =>
      ['application/json', '*/*', 'application/*', 'application/x-protobuf'].includes(part.split(';')[0]?.trim() ?? ''),
    )

export function checkSchedulerRequest(request: MasterRequest): Checked<Call> {
  const envelope = checkEnvelope(request, 'SchedulerCall')
  if (!envelope.ok) return envelope
  const call = envelope.call as LooseCall
  const problem = findUnionProblem(call)
  if (problem !== undefined) return refuse(400, `Failed to validate scheduler::Call: ${problem}`)
  if ((call.type === 'SUBSCRIBE' || call.type === 'RECONCILE_OPERATIONS') && !allowsJson(request.headers['accept'])) {
    return refuse(406, "Expecting 'Accept' to allow 'application/x-protobuf' or 'application/json'")
  }
  if (call.type === 'SUBSCRIBE' && request.headers['mesos-stream-id'] !== undefined) {
    return refuse(400, "Subscribe calls should not include the 'Mesos-Stream-Id' header")
  }
  return { ok: true, call: envelope.call as unknown as Call }
}

interface AgentCall {
  readonly agent_id: { readonly value: string }
}

export interface OperatorCall {
  readonly type: string
  readonly get_metrics?: object
  readonly mark_agent_gone?: AgentCall
  readonly drain_agent?: AgentCall & {
    readonly max_grace_period?: { readonly seconds?: number; readonly nanos?: number }
    readonly mark_gone?: boolean
  }
  readonly deactivate_agent?: AgentCall
  readonly reactivate_agent?: AgentCall
  readonly teardown?: { readonly framework_id: { readonly value: string } }
}

export function checkOperatorRequest(request: MasterRequest): Checked<OperatorCall> {
  const envelope = checkEnvelope(request, 'OperatorCall')
  if (!envelope.ok) return envelope
  if (envelope.call['type'] === undefined) return refuse(400, "Failed to validate master::Call: Expecting 'type' to be present")
  return { ok: true, call: envelope.call as unknown as OperatorCall }
}
