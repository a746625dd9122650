/** The agent's operator API, as far as a test needs it: GET_HEALTH, GET_TASKS, LIST_FILES and READ_FILE of sandboxes. */
import { closeSync, existsSync, openSync, readdirSync, readSync, statSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'
import type { AgentState } from '../mesos-model/agent-state.js'
import { isTerminalState } from '../mesos-model/task-status.js'
import { sandboxOf } from './executor-files.js'

const MAX_READ_BYTES = 1024 * 1024

interface AgentCall {
  readonly type?: string
  readonly list_files?: { readonly path: string }
  readonly read_file?: { readonly path: string; readonly offset?: number; readonly length?: number }
}

/** `/frameworks/F/executors/E/runs/latest/...` and `tasks/T` below it, as real paths. */
function realPath(state: AgentState, directory: string, virtual: string): string | undefined {
  const match = /^\/frameworks\/([^/]+)\/executors\/([^/]+)\/runs\/([^/]+)(\/.*)?$/.exec(virtual)
  if (match === null || virtual.includes('..')) return undefined
  const [, frameworkId = '', executorId = '', run = '', rest = ''] = match
  const known = state.executors[`${frameworkId}/${executorId}`]
  const containerId = run === 'latest' ? known?.containerId : run
  if (containerId === undefined) return undefined
  const sandbox = sandboxOf(directory, state.id ?? '', frameworkId, executorId, containerId)
  return join(sandbox, rest)
}

function readPart(path: string, offset: number, length: number): { size: number; data: string } {
  const size = statSync(path).size
  const buffer = Buffer.alloc(Math.max(Math.min(length, size - offset, MAX_READ_BYTES), 0))
  const file = openSync(path, 'r')
  try {
    readSync(file, buffer, 0, buffer.length, offset)
  } finally {
    closeSync(file)
  }
  return { size, data: buffer.toString('base64') }
}

function tasksView(state: AgentState): Record<string, unknown> {
  const view = Object.values(state.tasks).map((task) => ({
    name: task.info.name,
    task_id: task.info.task_id,
    framework_id: { value: task.framework.id },
    state: task.latestState,
    isEnded: isTerminalState(task.latestState),
  }))
  const launched = view.filter((task) => !task.isEnded)
  const terminated = view.filter((task) => task.isEnded)
  return { launched_tasks: launched, terminated_tasks: terminated }
}

function answer(state: AgentState, directory: string, call: AgentCall): { status: number; body: unknown } {
  if (call.type === 'GET_HEALTH') return { status: 200, body: { type: call.type, get_health: { healthy: true } } }
  if (call.type === 'GET_TASKS') return { status: 200, body: { type: call.type, get_tasks: tasksView(state) } }
  const virtual = call.list_files?.path ?? call.read_file?.path
  if (virtual === undefined)
    return { status: 501, body: `The local cluster's agents do not have ${call.type ?? 'a call without type'}` }
  const path = realPath(state, directory, virtual)
  if (path === undefined || !existsSync(path)) return { status: 404, body: 'File not found' }
  if (call.list_files !== undefined) {
    const infos = readdirSync(path).map((name) => ({
      path: join(virtual, name),
      size: statSync(join(path, name), { throwIfNoEntry: false })?.size ?? 0,
    }))
    return { status: 200, body: { type: call.type, list_files: { file_infos: infos } } }
  }
  return {
    status: 200,
    body: { type: call.type, read_file: readPart(path, call.read_file?.offset ?? 0, call.read_file?.length ?? MAX_READ_BYTES) },
  }
}

export function answerAgentRequest(
  state: AgentState,
  directory: string,
  incoming: IncomingMessage,
  response: ServerResponse,
): void {
  const chunks: Buffer[] = []
  incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
  incoming.on('end', () => {
    const path = (incoming.url ?? '').split('?')[0] ?? ''
    if (!/^(\/slave\(1\))?\/api\/v1$/.test(path) || incoming.method !== 'POST') return void response.writeHead(404).end()
    try {
      const { status, body } = answer(state, directory, JSON.parse(Buffer.concat(chunks).toString('utf8')) as AgentCall)
      const isText = typeof body === 'string'
      response
        .writeHead(status, { 'Content-Type': isText ? 'text/plain' : 'application/json' })
        .end(isText ? body : JSON.stringify(body))
    } catch (error) {
      response.writeHead(400).end(String(error))
    }
  })
}
