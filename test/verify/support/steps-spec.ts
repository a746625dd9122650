/** A service of forty small pods on real processes, whose every start leaves a trace, and which notices a second one at once. */
import type { ServiceSpecInput } from '../../../src/spec/schema.js'

export const podsOfEachType = 20
/** In the order of the deployment: the first type all at once, the second one pod after the other. */
export const podTypes = ['shard', 'replica'] as const

/** The lock is held for as long as the process lives, whoever ends it and how. */
const serve = `
exec 9>> data/lock
flock --nonblock 9 || echo "$VERSION" >> data/twice
echo "$VERSION" >> data/starts
exec sleep 1000000`

export function stepsSpec(version: string): ServiceSpecInput {
  const pod = {
    count: podsOfEachType,
    volumes: { data: { sizeMb: 8 } },
    tasks: {
      server: {
        command: serve,
        cpus: 0.05,
        memoryMb: 32,
        env: { VERSION: version },
        // Waits instead of asking again: forty checks a second would be most of the work.
        readinessCheck: { command: `until grep -qx ${version} data/starts; do sleep 0.05; done`, intervalMs: 30_000 },
        killGraceMs: 2_000,
      },
    },
  }
  const [first, second] = podTypes
  return {
    name: 'steps',
    pods: { [first]: pod, [second]: pod },
    deploy: { phases: [{ pod: first, strategy: 'parallel' }, { pod: second }] },
  }
}
