/** Part E, what tasks share: ports of an agent, and executors. Sandboxes and environments are not of this cluster. */
import { expect } from 'vitest'
import { amountsOf, type Statement } from './bench.js'
import { executor, launch, launchGroup, ports, scalar, task } from './messages.js'
import { expectInvalid, run, started } from './running.js'

export const sharing: readonly Statement[] = [
  {
    id: 'E29',
    says: 'of two tasks of one ACCEPT that ask for the same port the second is TASK_ERROR',
    async hold(bench) {
      const framework = bench.subscribe()
      const resources = [scalar('cpus', 0.1), scalar('mem', 32), ports(31_000, 31_000)]
      await run(bench, framework, (offer) => launch(task(offer, 'a', {}, { resources }), task(offer, 'b', {}, { resources })))
      expect(framework.states('a')).toEqual(started)
      expectInvalid(framework, 'b')
      // In one group it is all or nothing.
      const other = { resources: [scalar('cpus', 0.1), scalar('mem', 32), ports(31_001, 31_001)] }
      await run(bench, framework, (offer) =>
        launchGroup(executor(framework, 'x'), task(offer, 'c', {}, other), task(offer, 'd', {}, other)),
      )
      for (const taskId of ['c', 'd']) expectInvalid(framework, taskId, 'REASON_TASK_GROUP_INVALID')
    },
  },
  {
    id: 'E30',
    says: 'a second group for a running executor needs the same ExecutorInfo, labels and shutdown period excepted, and is not charged for it',
    async hold(bench) {
      const framework = bench.subscribe()
      await run(bench, framework, (offer) => launchGroup(executor(framework, 'x', { name: 'one' }), task(offer, 'first')))
      const others: Record<string, object> = {
        resources: { resources: [scalar('cpus', 0.2), scalar('mem', 32), scalar('disk', 8)] },
        name: { name: 'two' },
        container: { container: { type: 'MESOS' } },
      }
      for (const [what, changes] of Object.entries(others)) {
        await run(bench, framework, (offer) =>
          launchGroup(executor(framework, 'x', { name: 'one', ...changes }), task(offer, what)),
        )
        expectInvalid(framework, what, 'REASON_TASK_GROUP_INVALID')
      }
      expect(amountsOf(framework.offer().resources, 'cpus')).toEqual({ '': 3.8 })
      const unnoticed = { labels: { labels: [{ key: 'a', value: 'b' }] }, shutdown_grace_period: { nanoseconds: 9e9 } }
      for (const [taskId, changes] of Object.entries({ same: {}, alike: unnoticed })) {
        await run(bench, framework, (offer) =>
          launchGroup(executor(framework, 'x', { name: 'one', ...changes }), task(offer, taskId)),
        )
        expect(framework.states(taskId)).toEqual(started)
      }
      expect(amountsOf(framework.offer().resources, 'cpus')).toEqual({ '': 3.6 })
      expect(framework.offer().executor_ids).toEqual([{ value: 'x' }])
    },
  },
]
