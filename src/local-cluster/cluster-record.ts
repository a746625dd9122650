/** What a running cluster writes down about itself: enough to get a handle again, or to clear away a killed one. */
import { join } from 'node:path'
import { liveExecutors, readAgentState, readExecutorMark, readTaskRecords } from './executor-files.js'
import { readJson, writeJson } from './files.js'
import type { AgentProcessOptions, MasterProcessOptions } from './options.js'
import { isRunning, killMarked, killMarkedTree } from './processes.js'
import type { ProcessMark } from './processes.js'

export interface ClusterRecord {
  /** Who started it and stays with it; absent for one that was started to outlive its starter. */
  readonly starter?: ProcessMark | undefined
  readonly master: { readonly options: MasterProcessOptions; readonly mark?: ProcessMark }
  readonly agents: readonly { readonly options: AgentProcessOptions; readonly mark?: ProcessMark }[]
}

const recordFile = (workDir: string): string => join(workDir, 'cluster.json')

export const readRecord = (workDir: string): ClusterRecord | undefined => readJson<ClusterRecord>(recordFile(workDir))
export const writeRecord = (workDir: string, record: ClusterRecord): void => writeJson(recordFile(workDir), record)

/** Executors and tasks of an agent, by what its books and its executors have written. */
export function killWork(agentDirectory: string): void {
  const state = readAgentState(agentDirectory)
  for (const { containerId } of Object.values(state?.executors ?? {})) {
    const mark = readExecutorMark(agentDirectory, containerId)
    // The executor first: otherwise it would report the ends of its tasks.
    if (mark !== undefined) killMarkedTree(mark)
    for (const task of readTaskRecords(agentDirectory, containerId)) killMarkedTree(task.mark)
  }
}

/** Ends every process that a record names: agents first, so that nobody restarts or reports anything. */
export function killAll(record: ClusterRecord): void {
  for (const agent of record.agents) if (agent.mark !== undefined) killMarked(agent.mark)
  for (const agent of record.agents) killWork(agent.options.directory)
  if (record.master.mark !== undefined) killMarked(record.master.mark)
}

/** Whether any process of the cluster is still there. */
export function hasProcesses(record: ClusterRecord): boolean {
  const marks = [record.master.mark, ...record.agents.map((agent) => agent.mark)].filter((mark) => mark !== undefined)
  const executors = record.agents.flatMap(({ options }) => {
    const state = readAgentState(options.directory)
    return state === undefined
      ? []
      : liveExecutors(state).map(({ containerId }) => readExecutorMark(options.directory, containerId))
  })
  return [...marks, ...executors].some((mark) => mark !== undefined && isRunning(mark))
}
