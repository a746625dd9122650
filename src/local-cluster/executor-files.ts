/** What executors leave in the file system for their agent: who runs where, and how it ended. */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { AgentExecutor, AgentState } from '../mesos-model/agent-state.js'
import { readJson, writeJson } from './files.js'
import type { ProcessMark } from './processes.js'

export interface TaskRecord {
  readonly taskId: string
  readonly mark: ProcessMark
  readonly sandbox: string
  readonly volumes: readonly string[]
}

export const sandboxOf = (
  agentDirectory: string,
  agentId: string,
  frameworkId: string,
  executorId: string,
  containerId: string,
): string => join(agentDirectory, 'slaves', agentId, 'frameworks', frameworkId, 'executors', executorId, 'runs', containerId)

/** Beside the sandboxes, where no task can write by accident. */
const metaOf = (agentDirectory: string, containerId: string): string => join(agentDirectory, 'meta', 'containers', containerId)

export const writeExecutorMark = (agentDirectory: string, containerId: string, mark: ProcessMark): void =>
  writeJson(join(metaOf(agentDirectory, containerId), 'executor.json'), mark)

export const readExecutorMark = (agentDirectory: string, containerId: string): ProcessMark | undefined =>
  readJson<ProcessMark>(join(metaOf(agentDirectory, containerId), 'executor.json'))

export const writeTaskRecord = (agentDirectory: string, containerId: string, record: TaskRecord): void =>
  writeJson(join(metaOf(agentDirectory, containerId), 'tasks', `${record.mark.pid}.json`), record)

export function readTaskRecords(agentDirectory: string, containerId: string): TaskRecord[] {
  const directory = join(metaOf(agentDirectory, containerId), 'tasks')
  const names = existsSync(directory) ? readdirSync(directory).filter((name) => name.endsWith('.json')) : []
  return names.map((name) => readJson<TaskRecord>(join(directory, name))).filter((record) => record !== undefined)
}

/** Written right before an orderly end, for an agent that is not the executor's parent any more. */
export const writeExitStatus = (agentDirectory: string, containerId: string, status: number): void =>
  writeJson(join(metaOf(agentDirectory, containerId), 'exit.json'), { status })

/** -1: it did not end in order and nobody saw how. */
export const readExitStatus = (agentDirectory: string, containerId: string): number =>
  readJson<{ readonly status: number }>(join(metaOf(agentDirectory, containerId), 'exit.json'))?.status ?? -1

export const readAgentState = (agentDirectory: string): AgentState | undefined =>
  readJson<AgentState>(join(agentDirectory, 'meta', 'agent.json'))

/** Executors of an agent whose processes may be running. */
export const liveExecutors = (state: AgentState): AgentExecutor[] =>
  Object.values(state.executors).filter((executor) => executor.phase !== 'ended')
