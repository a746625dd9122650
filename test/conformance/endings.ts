/** Part E, endings: of groups and their executors, by KILL, and when the time is over. Process trees are not of this cluster. */
import { expect } from 'vitest'
import { usualCapabilities, type Bench, type Statement } from './bench.js'
import { executor, grace, launch, launchGroup, task } from './messages.js'
import { isRunning, kill, run, started } from './running.js'

/** Seconds from `sinceMs` to a signal, as the machines saw them. */
const signals = (bench: Bench, sinceMs: number): string[] =>
  bench.cluster.log.flatMap((entry) =>
    entry.type === 'processSignalled'
      ? [`${entry.signal} ${entry.process.taskId} ${Math.round((entry.atMs - sinceMs) / 1_000)}`]
      : [],
  )

export const endings: readonly Statement[] = [
  {
    id: 'E12',
    says: 'in a group one task that fails takes the others along: FAILED and KILLED',
    async hold(bench) {
      const framework = bench.subscribe()
      await run(bench, framework, (offer) =>
        launchGroup(executor(framework, 'x'), task(offer, 'a', { endsAfterMs: 500, exitCode: 1 }), task(offer, 'b')),
      )
      expect(framework.states('a').at(-1)).toBe('TASK_FAILED')
      expect(framework.states('b').at(-1)).toBe('TASK_KILLED')
    },
  },
  {
    id: 'E13',
    says: 'in a group one task that succeeds leaves the others running',
    async hold(bench) {
      const framework = bench.subscribe()
      await run(bench, framework, (offer) =>
        launchGroup(executor(framework, 'x'), task(offer, 'a', { endsAfterMs: 500 }), task(offer, 'b')),
      )
      await bench.advance(60_000)
      expect(framework.states('a').at(-1)).toBe('TASK_FINISHED')
      expect(framework.states('b')).toEqual(started)
      expect(framework.failures()).toEqual([])
    },
  },
  {
    id: 'E14',
    says: 'the end of the last task of a group, however it ended, is followed by a FAILURE with executor and status 0',
    async hold(bench) {
      const framework = bench.subscribe()
      const ends = { finished: {}, failed: { exitCode: 1 }, killed: {} }
      for (const [how, behaviour] of Object.entries(ends)) {
        const endsAfterMs = how === 'killed' ? {} : { endsAfterMs: 500 }
        await run(bench, framework, (offer) =>
          launchGroup(executor(framework, `x-${how}`), task(offer, how, { ...endsAfterMs, ...behaviour })),
        )
        if (how === 'killed') kill(framework, how)
        await bench.advance(2_000)
        expect(framework.states(how).at(-1)).toBe(`TASK_${how.toUpperCase()}`)
      }
      const agent_id = { value: bench.agentId('agent-1') }
      expect(framework.failures()).toEqual(
        Object.keys(ends).map((how) => ({ agent_id, executor_id: { value: `x-${how}` }, status: 0 })),
      )
    },
  },
  {
    id: 'E16',
    says: 'an executor that is killed: FAILED/EXECUTOR_TERMINATED for its tasks, FAILURE with a status other than 0',
    async hold(bench) {
      const framework = bench.subscribe()
      await run(bench, framework, (offer) => launchGroup(executor(framework, 'x'), task(offer, 'a'), task(offer, 'b')))
      bench.cluster.killExecutor('x')
      await bench.advance(1_000)
      for (const taskId of ['a', 'b'])
        expect(framework.statuses(taskId).at(-1)).toMatchObject({
          state: 'TASK_FAILED',
          reason: 'REASON_EXECUTOR_TERMINATED',
          uuid: expect.any(String),
        })
      expect(framework.failures()).toMatchObject([{ executor_id: { value: 'x' } }])
      expect(framework.failures()[0]?.status).not.toBe(0)
    },
  },
  {
    id: 'E17',
    says: 'KILL: KILLING (for those who know it), SIGTERM, KILLED; SIGKILL after 3 s for a process that ignores it',
    async hold(bench) {
      const framework = bench.subscribe()
      await run(bench, framework, (offer) => launch(task(offer, 'meek'), task(offer, 'deaf', { ignoresTerm: true })))
      framework.forget()
      const sinceMs = bench.cluster.nowMs
      for (const taskId of ['meek', 'deaf']) kill(framework, taskId)
      await bench.advance(5_000)
      for (const taskId of ['meek', 'deaf']) expect(framework.states(taskId)).toEqual(['TASK_KILLING', 'TASK_KILLED'])
      expect(signals(bench, sinceMs).sort()).toEqual(['SIGKILL deaf 3', 'SIGTERM deaf 0', 'SIGTERM meek 0'])

      const capabilities = usualCapabilities.filter((capability) => capability !== 'TASK_KILLING_STATE')
      framework.call('TEARDOWN')
      const simple = bench.subscribe({ capabilities })
      await run(bench, simple, (offer) => launch(task(offer, 'simple')))
      kill(simple, 'simple')
      await bench.advance(1_000)
      expect(simple.states('simple')).toEqual([...started, 'TASK_KILLED'])
    },
  },
  {
    id: 'E18',
    says: 'the grace period of the call overrides that of a group task, and never reaches a command task',
    async hold(bench) {
      const framework = bench.subscribe()
      const behaviour = { ignoresTerm: true }
      const policy = { kill_policy: grace(5) }
      await run(bench, framework, (offer) => launchGroup(executor(framework, 'x'), task(offer, 'group', behaviour, policy)))
      await run(bench, framework, (offer) => launch(task(offer, 'command', behaviour, policy), task(offer, 'usual', behaviour)))
      const sinceMs = bench.cluster.nowMs
      for (const taskId of ['group', 'command', 'usual']) kill(framework, taskId, { kill_policy: grace(1) })
      await bench.advance(500)
      for (const taskId of ['command', 'usual']) kill(framework, taskId, { kill_policy: grace(1) })
      await bench.advance(10_000)
      const killed = signals(bench, sinceMs).filter((signal) => signal.startsWith('SIGKILL'))
      expect(killed.sort()).toEqual(['SIGKILL command 5', 'SIGKILL group 1', 'SIGKILL usual 3'])
    },
  },
  {
    id: 'E19',
    says: 'KILL of an unknown task that names a registered agent is GONE/RECONCILIATION, without uuid',
    hold(bench) {
      const framework = bench.subscribe()
      kill(framework, 'nosuch', { agent_id: { value: bench.agentId('agent-1') } })
      expect(framework.statuses()).toMatchObject([
        { state: 'TASK_GONE', reason: 'REASON_RECONCILIATION', source: 'SOURCE_MASTER' },
      ])
      expect(framework.statuses()[0]).not.toHaveProperty('uuid')
    },
  },
  {
    id: 'E20',
    says: 'KILL that names the wrong agent does nothing',
    async hold(bench) {
      const framework = bench.subscribe()
      await run(bench, framework, (offer) => launch(task(offer, 't')))
      kill(framework, 't', { agent_id: { value: bench.agentId('agent-2') } })
      await bench.advance(10_000)
      expect(framework.states('t')).toEqual(started)
      expect(isRunning(bench, 't')).toBe(true)
    },
  },
  {
    id: 'E21',
    says: 'a task that exceeds max_completion_time is FAILED/MAX_COMPLETION_TIME_REACHED',
    async hold(bench) {
      const framework = bench.subscribe()
      await run(bench, framework, (offer) => launch(task(offer, 't', {}, { max_completion_time: { nanoseconds: 5e9 } })))
      expect(framework.states('t')).toEqual(started)
      await bench.advance(5_000)
      expect(framework.states('t')).toEqual([...started, 'TASK_FAILED'])
      expect(framework.statuses('t').at(-1)?.reason).toBe('REASON_MAX_COMPLETION_TIME_REACHED')
    },
  },
]
