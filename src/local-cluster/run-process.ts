/**
 * Entry of the cluster's own processes. `stateward cluster run-master|run-agent|run-executor` calls `runProcess`; from
 * TypeScript sources this file is started directly, because loading the whole CLI for each executor would cost most of
 * its start.
 */
import { fileURLToPath } from 'node:url'
import { runAgent } from './agent.js'
import { runExecutor } from './executor-process.js'
import { runMaster } from './master.js'
import type { AgentProcessOptions, ExecutorProcessOptions, MasterProcessOptions } from './options.js'
import type { ProcessKind } from './processes.js'

/** Runs until the process is told to end. */
export async function runProcess(kind: ProcessKind, options: string): Promise<void> {
  const parsed: unknown = JSON.parse(options)
  if (kind === 'master') return await runMaster(parsed as MasterProcessOptions)
  if (kind === 'agent') return await runAgent(parsed as AgentProcessOptions)
  return await runExecutor(parsed as ExecutorProcessOptions)
}

if (import.meta.url.endsWith('.ts') && process.argv[1] === fileURLToPath(import.meta.url)) {
  await runProcess(process.argv[2] as ProcessKind, process.argv[3] ?? '{}')
}
