/** What operators do during a run, to the cluster and to the service. What does not apply at the moment answers false. */
import type { PodInstanceName } from '../../ids.js'
import type { RunRecord } from '../../plan/run-record.js'
import type { OperatorCommand } from '../../scheduler/events.js'
import type { ServiceStatus } from '../../scheduler/report.js'
import type { VirtualCluster } from '../virtual/cluster.js'
import type { VirtualScheduler } from '../virtual/scheduler.js'

export interface Operators {
  restartPod(pod: string): boolean
  pausePlan(plan: string): boolean
  /** Comes back until the plan goes on. */
  resumePlan(plan: string): void
  markGone(agent: string): boolean
  /** Comes back until the agent is taken: it is refused while it drains, or while no master is there. */
  reactivate(agent: string): void
}

export interface OperatorParts {
  readonly cluster: VirtualCluster
  /** A record of the store. */
  readonly read: (key: string) => string | undefined
  readonly schedulers: () => readonly VirtualScheduler[]
}

const retryMs = 5_000

export function createOperators({ cluster, read, schedulers }: OperatorParts): Operators {
  /** Given to every scheduler that leads and, as its status says, has something to do with it. */
  const command = (given: OperatorCommand, concerns: (status: ServiceStatus) => boolean): boolean => {
    const concerned = schedulers().filter((scheduler) => {
      const status = scheduler.status()
      return status !== undefined && concerns(status) && scheduler.command(given)
    })
    if (concerned.length === 0) return false
    cluster.write({ type: 'commandGiven', command: given })
    return true
  }

  const resumePlan = (plan: string): void => {
    const run = read(`plans/${plan}`)
    if (run === undefined || !(JSON.parse(run) as RunRecord).paused) return
    command({ type: 'resumePlan', plan }, () => true)
    cluster.after(retryMs, () => resumePlan(plan))
  }
  const reactivate = (agent: string): void => {
    if (!cluster.reactivateAgent(agent)) cluster.after(retryMs, () => reactivate(agent))
  }

  return {
    restartPod: (pod) =>
      command({ type: 'restartPod', instance: pod as PodInstanceName }, ({ instances }) =>
        instances.some(({ name, deployed }) => name === pod && deployed),
      ),
    pausePlan: (plan) =>
      command({ type: 'pausePlan', plan }, ({ plans }) =>
        plans.some(({ name, status, paused }) => name === plan && status !== 'COMPLETE' && !paused),
      ),
    resumePlan,
    markGone(agent) {
      const agentId = cluster.agentBooks(agent)?.id
      if (agentId === undefined || !cluster.markGone(agent)) return false
      cluster.write({ type: 'agentGone', agentId })
      return true
    },
    reactivate,
  }
}
