/** Which task states end a task, and statuses that a master or an agent makes itself. Pure. */
import type { OperationState, OperationStatus, TaskState, TaskStatus } from '../mesos/messages.js'

const TERMINAL: ReadonlySet<TaskState> = new Set<TaskState>([
  'TASK_FINISHED',
  'TASK_FAILED',
  'TASK_KILLED',
  'TASK_ERROR',
  'TASK_DROPPED',
  'TASK_GONE',
  'TASK_GONE_BY_OPERATOR',
  'TASK_LOST',
])

/** Final for Mesos: the resources are released. Not the same as "certainly ended". */
export const isTerminalState = (state: TaskState): boolean => TERMINAL.has(state)

export interface StatusParts {
  readonly taskId: string
  readonly state: TaskState
  readonly reason: string
  readonly message?: string
  readonly agentId?: string | undefined
  readonly executorId?: string | undefined
  readonly atMs: number
}

/** A status of the master: no uuid, never to be acknowledged. */
export const masterStatus = (parts: StatusParts): TaskStatus => ({
  task_id: { value: parts.taskId },
  state: parts.state,
  ...(parts.message === undefined ? {} : { message: parts.message }),
  source: 'SOURCE_MASTER',
  reason: parts.reason,
  ...(parts.agentId === undefined ? {} : { agent_id: { value: parts.agentId } }),
  ...(parts.executorId === undefined ? {} : { executor_id: { value: parts.executorId } }),
  timestamp: parts.atMs / 1000,
})

export const agentStatus = (parts: StatusParts, uuid: string): TaskStatus => ({
  ...masterStatus(parts),
  source: 'SOURCE_AGENT',
  uuid: uuidToBase64(uuid),
})

export const operationStatus = (
  operationId: string,
  state: OperationState,
  message?: string,
  agentId?: string,
): OperationStatus => ({
  operation_id: { value: operationId },
  state,
  ...(message === undefined ? {} : { message }),
  ...(agentId === undefined ? {} : { agent_id: { value: agentId } }),
})

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/** The 16 bytes of a UUID in standard base64, as statuses carry it. */
export function uuidToBase64(uuid: string): string {
  const bytes = (uuid.replaceAll('-', '').match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16))
  let text = ''
  for (let index = 0; index < bytes.length; index += 3) {
    const chunk = ((bytes[index] ?? 0) << 16) | ((bytes[index + 1] ?? 0) << 8) | (bytes[index + 2] ?? 0)
    const present = bytes.length - index
    for (let digit = 0; digit < 4; digit++) text += digit > present ? '=' : BASE64.charAt((chunk >> (18 - 6 * digit)) & 63)
  }
  return text
}

/** Whether base64 text holds 16 bytes that form a UUID (version and variant bits are looked at). */
export function isBase64Uuid(text: string): boolean {
  const digits = [...text.replace(/=+$/, '').replaceAll(/\s/g, '')].map((char) => BASE64.indexOf(char))
  if (digits.length !== 22 || digits.includes(-1)) return false
  const bits = digits.map((digit) => digit.toString(2).padStart(6, '0')).join('')
  const byte = (index: number): number => Number.parseInt(bits.slice(index * 8, index * 8 + 8), 2)
  const version = byte(6) >> 4
  return version >= 1 && version <= 5 && byte(8) >> 6 === 2
}
