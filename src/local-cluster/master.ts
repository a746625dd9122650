/**
 * The master's process: HTTP around the books of `mesos-model/master`. One input at a time; effects in order. The registry
 * is a file, so that a master that takes over learns its agents back.
 */
import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Call } from '../mesos/messages.js'
import type { MasterEffect, MasterInput, MasterRegistry, MasterResponse } from '../mesos-model/master-state.js'
import { createMaster, nextMasterTickAtMs, stepMaster } from '../mesos-model/master.js'
import type { AgentToMaster, MasterToAgent } from '../mesos-model/protocol.js'
import { acceptedCallsFile, appendLine, readJson, readLines, registryFile, writeJson } from './files.js'
import { serveLinks } from './link.js'
import type { Link } from './link.js'
import { answerControl } from './master-control.js'
import type { AcceptedCall, MasterLink, MasterRuntime } from './master-control.js'
import type { MasterProcessOptions } from './options.js'
import { endWithStarter } from './starter.js'

/** Timers longer than this overflow; the next look is then too early, which does no harm. */
const MAX_TIMER_MS = 60_000
/** Accepted calls answered to tests and demonstrations, the newest; their numbers tell how many there were before. */
const MAX_ACCEPTED_CALLS = 50_000
const MAX_BODY_BYTES = 64 * 1024 * 1024

const EMPTY_REGISTRY: MasterRegistry = { agents: [], unreachable: [], gone: [] }

export async function runMaster(options: MasterProcessOptions): Promise<void> {
  const server = createServer()
  await listen(server, options.port)
  const runtime = createRuntime(options)
  serve(runtime, server)
  endWithStarter(options.isDetached, () => process.exit(0))
  process.on('SIGTERM', () => process.exit(0))
  schedule(runtime)
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => resolve())
  })
}

function createRuntime(options: MasterProcessOptions): MasterRuntime {
  const file = registryFile(options.directory)
  const { port } = options
  const info = {
    id: randomUUID(),
    ip: 16777343,
    port,
    pid: `master@127.0.0.1:${port}`,
    hostname: '127.0.0.1',
    version: '1.12.0',
    address: { hostname: '127.0.0.1', ip: '127.0.0.1', port },
    domain: { fault_domain: { region: { name: 'region-a' }, zone: { name: 'zone-1' } } },
    capabilities: [{ type: 'AGENT_UPDATE' }, { type: 'AGENT_DRAINING' }, { type: 'QUOTA_V2' }],
  }
  const state = createMaster(info, options.timings, readJson<MasterRegistry>(file) ?? EMPTY_REGISTRY, Date.now())
  const acceptedFile = acceptedCallsFile(options.directory)
  const accepted = readLines<AcceptedCall>(acceptedFile).slice(-MAX_ACCEPTED_CALLS)
  return { state, registryFile: file, acceptedFile, streams: new Map(), links: new Map(), accepted }
}

/** Written before anything that follows from the call leaves this process. */
function keepAccepted({ accepted, acceptedFile }: MasterRuntime, streamId: string, call: Call): void {
  const entry: AcceptedCall = { number: (accepted.at(-1)?.number ?? 0) + 1, atMs: Date.now(), streamId, call }
  accepted.push(entry)
  if (accepted.length > MAX_ACCEPTED_CALLS) accepted.shift()
  appendLine(acceptedFile, entry)
}

/** One step. The response of a request, if the input was one, goes out in its place among the events. */
function step(runtime: MasterRuntime, input: MasterInput, response?: ServerResponse): void {
  const result = stepMaster(runtime.state, input, { atMs: Date.now(), uuid: randomUUID })
  runtime.state = result.state
  for (const effect of result.effects) apply(runtime, effect, response)
  schedule(runtime)
}

function schedule(runtime: MasterRuntime): void {
  clearTimeout(runtime.timer)
  const waitMs = Math.min(Math.max(nextMasterTickAtMs(runtime.state) - Date.now(), 0), MAX_TIMER_MS)
  runtime.timer = setTimeout(() => step(runtime, { type: 'tick' }), waitMs)
}

function apply(runtime: MasterRuntime, effect: MasterEffect, response: ServerResponse | undefined): void {
  switch (effect.type) {
    case 'respond':
      if (response !== undefined) writeResponse(runtime, effect.response, response)
      return
    case 'sendEvent': {
      const payload = Buffer.from(JSON.stringify(effect.event))
      runtime.streams.get(effect.streamId)?.write(Buffer.concat([Buffer.from(`${payload.length}\n`), payload]))
      return
    }
    case 'closeStream':
      runtime.streams.get(effect.streamId)?.end()
      runtime.streams.delete(effect.streamId)
      return
    case 'toAgent':
      return sendToAgent(runtime, effect.link, effect.message)
    case 'closeLink':
      return runtime.links.get(effect.link)?.link().close()
    case 'storeRegistry':
      return writeJson(runtime.registryFile, effect.registry)
    case 'accepted':
      return keepAccepted(runtime, effect.streamId, effect.call)
  }
}

function sendToAgent(runtime: MasterRuntime, linkId: string, message: MasterToAgent): void {
  const entry = runtime.links.get(linkId)
  if (entry === undefined) return
  if (entry.isCut) entry.hasLost = true
  else entry.link().send(message)
}

function writeResponse(runtime: MasterRuntime, answer: MasterResponse, response: ServerResponse): void {
  const { status, headers = {}, body, streamId } = answer
  if (streamId === undefined) {
    const text = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body)
    response.writeHead(status, { ...headers, 'Content-Length': Buffer.byteLength(text) }).end(text)
    return
  }
  response.writeHead(status, { 'Content-Type': 'application/json', ...headers })
  response.flushHeaders()
  response.socket?.setNoDelay(true)
  runtime.streams.set(streamId, response)
  response.on('close', () => {
    // A stream that the master closed itself is no disconnection.
    if (!runtime.streams.delete(streamId)) return
    step(runtime, { type: 'streamClosed', streamId })
  })
}

function serve(runtime: MasterRuntime, server: Server): void {
  server.on('request', (incoming, response) => {
    readBody(incoming, (body) => receive(runtime, incoming, body, response))
  })
  serveLinks<AgentToMaster, MasterToAgent>(server, (incoming, link) => openAgentLink(runtime, incoming, link))
  // A stream lives for days; only idle call connections are closed.
  server.requestTimeout = 0
  server.headersTimeout = 0
  setInterval(() => findSilentAgents(runtime), runtime.state.timings.agentPingTimeoutMs / 2).unref()
}

function readBody(incoming: IncomingMessage, onBody: (body: string) => void): void {
  const chunks: Buffer[] = []
  let size = 0
  incoming.on('data', (chunk: Buffer) => {
    size += chunk.length
    if (size > MAX_BODY_BYTES) incoming.destroy()
    else chunks.push(chunk)
  })
  incoming.on('end', () => onBody(Buffer.concat(chunks).toString('utf8')))
}

function receive(runtime: MasterRuntime, incoming: IncomingMessage, body: string, response: ServerResponse): void {
  const path = (incoming.url ?? '/').split('?')[0] ?? '/'
  if (path.startsWith('/stateward-cluster/')) return answerControl(runtime, path, body, response)
  if (path === '/health' || path === '/master/health') return void response.writeHead(200).end()
  if (!/^(\/master)?\/api\/v1(\/scheduler)?$/.test(path)) return void response.writeHead(404).end()
  const headers = Object.fromEntries(
    Object.entries(incoming.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(',') : value]),
  )
  const request = { method: incoming.method ?? 'GET', path, headers, body, streamId: randomUUID() }
  step(runtime, { type: 'request', request }, response)
}

function openAgentLink(
  runtime: MasterRuntime,
  incoming: IncomingMessage,
  link: () => Link<MasterToAgent>,
):
  | {
      onMessage: (message: AgentToMaster) => void
      onClose: () => void
    }
  | undefined {
  const url = new URL(incoming.url ?? '/', 'http://master')
  if (url.pathname !== '/stateward-cluster/agent-link') return undefined
  const id = randomUUID()
  const ip = url.searchParams.get('ip') ?? ''
  if (runtime.cutOff?.has(ip) === true) return undefined
  const entry: MasterLink = { link, ip, isCut: false, hasLost: false, heardAtMs: Date.now() }
  runtime.links.set(id, entry)
  return {
    onMessage: (message) => receiveFromAgent(runtime, id, entry, message),
    onClose: () => {
      runtime.links.delete(id)
      step(runtime, { type: 'agentLinkBroken', link: id })
    },
  }
}

function receiveFromAgent(runtime: MasterRuntime, id: string, entry: MasterLink, message: AgentToMaster): void {
  if (entry.isCut) {
    entry.hasLost = true
    return
  }
  entry.heardAtMs = Date.now()
  step(runtime, { type: 'agentMessage', link: id, message })
}

function findSilentAgents(runtime: MasterRuntime): void {
  const { agentPingTimeoutMs } = runtime.state.timings
  for (const [id, entry] of runtime.links) {
    if (Date.now() - entry.heardAtMs > agentPingTimeoutMs)
      step(runtime, { type: 'agentSilent', link: id, sinceMs: entry.heardAtMs })
  }
}
