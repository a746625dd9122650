/** Which pods of the toy service are down, looked at again and again while something happens. */
import { onTestFinished } from 'vitest'
import type { LocalCluster } from 'stateward/local-cluster'
import { runningServers } from './servers.js'

export interface Watch {
  /** Stops watching; the pods that were down at each moment that was looked at, equal neighbours as one. */
  stop(): readonly (readonly string[])[]
}

/** Looks again and again at which pods have no running server; for the rest of the test at most. */
export function watchDown(cluster: LocalCluster, pods: readonly string[]): Watch {
  const seen: (readonly string[])[] = []
  const look = (): void => {
    const running = runningServers(cluster)
    const down = pods.filter((pod) => running[pod] === undefined)
    if (seen.length === 0 || seen.at(-1)?.join() !== down.join()) seen.push(down)
  }
  const timer = setInterval(look, 25)
  onTestFinished(() => clearInterval(timer))
  return {
    stop: () => {
      clearInterval(timer)
      look()
      return seen
    },
  }
}
