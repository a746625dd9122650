/** The toy service as the operating system shows it: processes and files, whatever the scheduler says. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { LocalCluster } from 'stateward/local-cluster'

/** One running server of the toy service. */
export interface Server {
  readonly pid: number
  /** Start time of the process in clock ticks since boot: with it the pid means one process for ever. */
  readonly born: string
  readonly taskId: string
  readonly agentIndex: number
  /** Directory of its volume. */
  readonly volume: string
}

export type Servers = Readonly<Record<string, Server>>

/** Running servers by the name of their pod instance. */
export const runningServers = (cluster: LocalCluster): Servers =>
  Object.fromEntries(
    cluster.tasks().flatMap(({ taskId, pid, agentIndex, volumes }) => {
      const pod = /^(node-\d+)-server__/.exec(taskId)?.[1]
      const born = bornAt(pid)
      if (pod === undefined || born === undefined) return []
      return [[pod, { pid, born, taskId, agentIndex, volume: volumes[0] ?? '' }]]
    }),
  )

function bornAt(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  } catch {
    return undefined
  }
}

/** Without one of them: those that must not have been touched when something happened to it. */
export const without = (servers: Servers, name: string): Servers =>
  Object.fromEntries(Object.entries(servers).filter(([each]) => each !== name))

export const serverOf = (servers: Servers, name: string): Server => {
  const server = servers[name]
  if (server === undefined) throw new Error(`${name} has no running server; there are: ${Object.keys(servers).join(', ')}`)
  return server
}

/** Agent and volume: what a pod must find again. */
export const placeOf = ({ agentIndex, volume }: Server) => ({ agentIndex, volume })

export const places = (servers: Servers) =>
  Object.fromEntries(Object.entries(servers).map(([name, server]) => [name, placeOf(server)]))

/** Lines of a file in the volume of a server. */
export const linesOf = ({ volume }: Server, file: string): string[] =>
  readFileSync(join(volume, file), 'utf8').trimEnd().split('\n')

/** Ids of the servers that the master was told to launch, in order. */
export async function launchedServers(cluster: LocalCluster): Promise<string[]> {
  const calls = await cluster.acceptedCalls()
  return calls.flatMap(({ call }) =>
    call.type !== 'ACCEPT'
      ? []
      : (call.accept.operations ?? []).flatMap((operation) =>
          operation.type === 'LAUNCH_GROUP'
            ? (operation.launch_group.task_group.tasks ?? [])
                .map((task) => task.task_id.value)
                .filter((id) => id.includes('-server__'))
            : [],
        ),
  )
}
