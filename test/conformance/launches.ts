/** Part E, launches: what is told of a task that runs, and of one that cannot be launched. */
import { expect } from 'vitest'
import type { Offer } from '../../src/mesos/messages.js'
import type { Statement } from './bench.js'
import { executor, launch, launchGroup, scalar, task } from './messages.js'
import { expectInvalid, isRunning, run, started } from './running.js'

export const launches: readonly Statement[] = [
  {
    id: 'E1',
    says: 'a command task that succeeds: STARTING, RUNNING, FINISHED, each with uuid, from the executor, with agent and executor',
    async hold(bench) {
      const framework = bench.subscribe()
      await run(bench, framework, (offer) => launch(task(offer, 't', { endsAfterMs: 500 })))
      expect(framework.states('t')).toEqual([...started, 'TASK_FINISHED'])
      for (const status of framework.statuses('t')) {
        expect(status).toMatchObject({
          source: 'SOURCE_EXECUTOR',
          uuid: expect.stringMatching(/^[\w+/]{22}==$/),
          agent_id: { value: bench.agentId('agent-1') },
          executor_id: { value: 't' },
        })
      }
    },
  },
  {
    id: 'E2',
    says: 'RUNNING is not sent before STARTING was acknowledged',
    async hold(bench) {
      const framework = bench.subscribe({ acknowledges: false })
      await run(bench, framework, (offer) => launch(task(offer, 't')))
      expect(isRunning(bench, 't')).toBe(true)
      expect(framework.states('t')).toEqual(['TASK_STARTING'])
      framework.setAcknowledging(true)
      await bench.advance(100)
      expect(framework.states('t')).toEqual(started)
    },
  },
  {
    id: 'E3',
    says: 'an unacknowledged update comes again after about 10 s, with the same uuid',
    async hold(bench) {
      const framework = bench.subscribe({ acknowledges: false })
      await run(bench, framework, (offer) => launch(task(offer, 't')))
      await bench.advance(8_000)
      expect(framework.statuses('t')).toHaveLength(1)
      await bench.advance(2_000)
      const [first, second, ...more] = framework.statuses('t')
      expect(more).toEqual([])
      expect(second).toEqual(first)
    },
  },
  {
    id: 'E7',
    says: 'exit code 3 is FAILED, and the message names the status',
    async hold(bench) {
      const framework = bench.subscribe()
      await run(bench, framework, (offer) => launch(task(offer, 't', { endsAfterMs: 500, exitCode: 3 })))
      expect(framework.statuses('t').at(-1)).toMatchObject({ state: 'TASK_FAILED', message: 'Command exited with status 3' })
    },
  },
  {
    id: 'E8',
    says: 'a launch with a wrong agent, without resources, with a bad id, or with none or both of command and executor is TASK_ERROR',
    async hold(bench) {
      const framework = bench.subscribe()
      const offer = framework.offer()
      const wrong: [string, object][] = [
        ['agent', { agent_id: { value: bench.agentId('agent-2') } }],
        ['resources', { resources: [] }],
        ['a/b', {}],
        ['', {}],
        ['x'.repeat(256), {}],
        ['é'.repeat(128), {}],
        ['neither', { command: undefined }],
        ['both', { executor: executor(framework, 'x', { type: 'CUSTOM', command: { value: 'x' } }) }],
      ]
      framework.accept(offer, [launch(...wrong.map(([id, extras]) => task(offer, id, {}, extras)))])
      for (const [id] of wrong) expectInvalid(framework, id)
      await bench.advance(2_000)
      expect(framework.statuses()).toHaveLength(wrong.length)
    },
  },
  {
    id: 'E9',
    says: 'a launch of an id in use is TASK_ERROR, and the first task goes on',
    async hold(bench) {
      const framework = bench.subscribe()
      await run(bench, framework, (offer) => launch(task(offer, 't')))
      framework.forget()
      await run(bench, framework, (offer) => launch(task(offer, 't')))
      expectInvalid(framework, 't')
      expect(isRunning(bench, 't')).toBe(true)
      framework.forget()
      framework.call('RECONCILE', {})
      expect(framework.states('t')).toEqual(['TASK_RUNNING'])
    },
  },
  {
    id: 'E10',
    says: 'a launch that exceeds the offer is TASK_ERROR; other tasks of the same LAUNCH start',
    async hold(bench) {
      const framework = bench.subscribe()
      const much = { resources: [scalar('cpus', 5), scalar('mem', 32)] }
      await run(bench, framework, (offer) => launch(task(offer, 'a'), task(offer, 'much', {}, much), task(offer, 'b')))
      expectInvalid(framework, 'much')
      expect([framework.states('a'), framework.states('b')]).toEqual([started, started])
    },
  },
  {
    id: 'E11',
    says: 'a group whose executor lacks disk, cpus, memory or framework is TASK_ERROR for every task',
    hold(bench) {
      const framework = bench.subscribe()
      const [cpus, mem, disk] = [scalar('cpus', 0.1), scalar('mem', 32), scalar('disk', 8)]
      const wrong: Record<string, object> = {
        disk: { resources: [cpus, mem] },
        cpus: { resources: [scalar('cpus', 0.009), mem, disk] },
        mem: { resources: [cpus, scalar('mem', 31), disk] },
        framework: { framework_id: undefined },
      }
      for (const [what, changes] of Object.entries(wrong)) {
        const offer = framework.offers().at(0) as Offer
        const group = launchGroup(executor(framework, `x-${what}`, changes), task(offer, `${what}-1`), task(offer, `${what}-2`))
        framework.accept(offer, [group])
        for (const taskId of [`${what}-1`, `${what}-2`]) expectInvalid(framework, taskId, 'REASON_TASK_GROUP_INVALID')
        framework.call('REVIVE')
      }
    },
  },
]
