/**
 * The agent's process: files, processes and connections around the books of `mesos-model/agent`. The books are written
 * before anything of a step is done, so that a killed agent comes back knowing what it had started.
 */
import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import { join } from 'node:path'
import type { AgentEffect, AgentInput, AgentState } from '../mesos-model/agent-state.js'
import { createAgent, nextAgentTickAtMs, stepAgent } from '../mesos-model/agent.js'
import type { AgentToExecutor, AgentToMaster, ExecutorToAgent, MasterToAgent } from '../mesos-model/protocol.js'
import { holdingToWire, toHolding } from '../mesos-model/resources.js'
import { answerAgentRequest } from './agent-http.js'
import { ExecutorHost } from './executor-host.js'
import { liveExecutors } from './executor-files.js'
import { readJson, writeJson } from './files.js'
import { openLink, serveLinks } from './link.js'
import type { Link } from './link.js'
import type { AgentOptions, AgentProcessOptions } from './options.js'
import { delay } from './processes.js'
import { endWithStarter } from './starter.js'
import { createVolumeDirectory, destroyVolumeDirectory } from './volumes.js'

const RECONNECT_MS = 200
const MAX_TIMER_MS = 60_000

interface AgentRuntime {
  readonly options: AgentProcessOptions
  readonly stateFile: string
  state: AgentState
  master?: Link<AgentToMaster> | undefined
  readonly executors: ExecutorHost
  timer?: NodeJS.Timeout | undefined
  isStopping: boolean
}

export async function runAgent(options: AgentProcessOptions): Promise<void> {
  const server = createServer()
  await listen(server, options)
  const stateFile = join(options.directory, 'meta', 'agent.json')
  const state = readJson<AgentState>(stateFile) ?? createAgent(describe(options))
  const executors = new ExecutorHost(options, (key, status) => step(runtime, { type: 'executorEnded', key, status }))
  const runtime: AgentRuntime = { options, stateFile, state, executors, isStopping: false }
  server.on('request', (incoming, response) => answerAgentRequest(runtime.state, options.directory, incoming, response))
  serveLinks<ExecutorToAgent, AgentToExecutor>(server, (incoming, link) => {
    const url = new URL(incoming.url ?? '/', 'http://agent')
    const key = url.searchParams.get('executor')
    if (url.pathname !== '/stateward-cluster/executor-link' || key === null) return undefined
    executors.connected(key, link)
    return {
      onMessage: (message) => step(runtime, { type: 'fromExecutor', key, message }),
      onClose: () => executors.disconnected(key, link),
    }
  })
  step(runtime, { type: 'started' })
  executors.recover(liveExecutors(runtime.state))
  endWithStarter(options.isDetached, () => stop(runtime))
  // As on Mesos a SIGTERM ends the agent only; its tasks live on.
  process.on('SIGTERM', () => process.exit(0))
  process.on('SIGUSR2', () => stop(runtime))
  await keepConnected(runtime)
}

function listen(server: Server, { ip, port }: AgentProcessOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, ip, () => resolve())
  })
}

function describe({ ip, port, options }: AgentProcessOptions): AgentState['description'] {
  const attributes = Object.entries(options.attributes).map(([name, value]) => ({ name, type: 'TEXT' as const, text: { value } }))
  return {
    hostname: ip,
    ip,
    port,
    attributes,
    domain: { fault_domain: { region: { name: options.region }, zone: { name: options.zone } } },
    resources: describeResources(options),
  }
}

function describeResources({ cpus, memoryMb, diskMb, ports }: Required<AgentOptions>): AgentState['total'] {
  const scalar = (name: string, value: number): AgentState['total'][number] =>
    holdingToWire(toHolding({ name, type: 'SCALAR', scalar: { value } }))
  return [
    { name: 'ports', type: 'RANGES', ranges: { range: [ports] } },
    scalar('cpus', cpus),
    scalar('mem', memoryMb),
    scalar('disk', diskMb),
  ]
}

function step(runtime: AgentRuntime, input: AgentInput): void {
  if (runtime.isStopping) return
  const result = stepAgent(runtime.state, input, { atMs: Date.now(), uuid: randomUUID }, runtime.options.timings)
  if (result.state !== runtime.state) writeJson(runtime.stateFile, result.state)
  runtime.state = result.state
  for (const effect of result.effects) apply(runtime, effect)
  schedule(runtime)
}

function schedule(runtime: AgentRuntime): void {
  clearTimeout(runtime.timer)
  const waitMs = Math.min(Math.max(nextAgentTickAtMs(runtime.state) - Date.now(), 0), MAX_TIMER_MS)
  runtime.timer = setTimeout(() => step(runtime, { type: 'tick' }), waitMs)
}

function apply(runtime: AgentRuntime, effect: AgentEffect): void {
  const { directory } = runtime.options
  switch (effect.type) {
    case 'toMaster':
      return runtime.master?.send(effect.message)
    case 'toExecutor':
      return runtime.executors.send(effect.key, effect.message)
    case 'startExecutor':
      return runtime.executors.start(effect.executor, runtime.state.id ?? '')
    case 'killExecutor':
      return runtime.executors.kill(effect.key)
    case 'createVolume':
      return createVolumeDirectory(directory, effect.volume)
    case 'destroyVolume':
      return destroyVolumeDirectory(directory, effect.volume)
    case 'stop':
      console.log(`the master told this agent to end: ${effect.message}`)
      return stop(runtime)
  }
}

/** Everything of this agent ends with it. */
function stop(runtime: AgentRuntime): void {
  if (runtime.isStopping) return
  runtime.isStopping = true
  runtime.executors.killAll()
  process.exit(0)
}

async function keepConnected(runtime: AgentRuntime): Promise<void> {
  const { masterUrl, ip } = runtime.options
  for (;;) {
    await new Promise<void>((resolve) => {
      const onClose = (): void => {
        runtime.master = undefined
        step(runtime, { type: 'masterDisconnected' })
        resolve()
      }
      const events = { onMessage: (message: MasterToAgent) => receive(runtime, message), onClose }
      openLink<MasterToAgent, AgentToMaster>(`${masterUrl}/stateward-cluster/agent-link?ip=${ip}`, events)
        .then((link) => {
          runtime.master = link
          step(runtime, { type: 'masterConnected' })
        })
        .catch(() => resolve())
    })
    await delay(RECONNECT_MS)
  }
}

let aliveTimer: NodeJS.Timeout | undefined

function receive(runtime: AgentRuntime, message: MasterToAgent): void {
  if (message.type === 'registered') {
    clearInterval(aliveTimer)
    // Twice per ping timeout, so that one late message does not count as silence.
    aliveTimer = setInterval(() => runtime.master?.send({ type: 'alive' }), message.pingTimeoutMs / 2)
  }
  step(runtime, { type: 'fromMaster', message })
}
