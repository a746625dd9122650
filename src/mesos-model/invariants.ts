/** What must hold in a master's books at any time. Pure; for tests and the simulation. */
import type { MasterState } from './master-state.js'
import { addResources, equalResources } from './resources.js'
import type { Resources } from './resources.js'
import { describeResources } from './describe.js'
import { isTerminalState } from './task-status.js'

/** Per agent: what is free, offered and used, together, is all there is. Returns the first violation as text. */
export function findBooksProblem(state: MasterState): string | undefined {
  for (const agent of state.agents.values()) {
    let sum: Resources = agent.free
    for (const offer of state.offers.values()) if (offer.agentId === agent.id) sum = addResources(sum, offer.resources)
    for (const executor of agent.executors.values()) sum = addResources(sum, executor.resources)
    for (const framework of state.frameworks.values()) {
      for (const task of framework.tasks.values()) {
        if (task.agentId === agent.id && !isTerminalState(task.state)) sum = addResources(sum, task.resources)
      }
    }
    if (!equalResources(sum, agent.total)) {
      return `agent ${agent.id}: free, offered and used are ${describeResources(sum)}, the total is ${describeResources(agent.total)}`
    }
  }
  return undefined
}
