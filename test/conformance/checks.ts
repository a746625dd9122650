/** Part E, checks: what is told of the health and of the checks of a task. */
import { expect } from 'vitest'
import type { TaskInfo, TaskStatus } from '../../src/mesos/messages.js'
import { createExecutor, stepExecutor } from '../../src/mesos-model/executor.js'
import type { ExecutorInput } from '../../src/mesos-model/executor-state.js'
import type { Statement } from './bench.js'
import { launch, task } from './messages.js'
import { kill, run, started } from './running.js'

const check = { type: 'COMMAND', command: { command: { value: 'check' } }, delay_seconds: 1, interval_seconds: 2 }
const healthCheck = {
  type: 'COMMAND',
  command: { value: 'check' },
  delay_seconds: 1,
  interval_seconds: 2,
  grace_period_seconds: 5,
}

export const checks: readonly Statement[] = [
  {
    id: 'E22',
    says: 'failures of a health check after the grace period are told one by one; after the given number the task is killed',
    hold() {
      // Virtual processes are always well, so this one is put to the executor itself.
      let nowMs = 0
      let uuids = 0
      let state = createExecutor(true, true, 'container')
      const told: TaskStatus[] = []
      const signalled: string[] = []
      const feed = (input: ExecutorInput): void => {
        const uuid = (): string => `${(++uuids).toString(16).padStart(8, '0')}-0000-4000-8000-000000000000`
        const step = stepExecutor(state, input, { atMs: nowMs, uuid })
        state = step.state
        for (const effect of step.effects) {
          if (effect.type === 'toAgent' && effect.message.type === 'update') told.push(effect.message.status)
          if (effect.type === 'signalTask') signalled.push(effect.signal)
          if (effect.type === 'runHealthCheck') feed({ type: 'healthChecked', taskId: 't', isHealthy: false })
        }
      }
      const info: TaskInfo = {
        name: 't',
        task_id: { value: 't' },
        agent_id: { value: 'S0' },
        health_check: { ...healthCheck, type: 'COMMAND', consecutive_failures: 3 },
      }
      feed({ type: 'fromAgent', message: { type: 'launch', tasks: [info] } })
      feed({ type: 'taskStarted', taskId: 't', pid: 1 })
      told.length = 0
      for (; nowMs <= 8_000; nowMs += 500) feed({ type: 'tick' })
      // Checked at 1, 3, 5, 7 s; what fails in the first 5 s does not count.
      expect(told).toMatchObject(
        [5_000, 7_000].map((atMs) => ({ state: 'TASK_RUNNING', healthy: false, timestamp: atMs / 1_000 })),
      )
      expect(signalled).toEqual([])
      for (; nowMs <= 9_500; nowMs += 500) feed({ type: 'tick' })
      feed({ type: 'taskEnded', taskId: 't', end: { signal: 'SIGTERM' } })
      expect(signalled).toEqual(['SIGTERM'])
      expect(told.slice(2)).toMatchObject([
        { state: 'TASK_RUNNING', healthy: false },
        { state: 'TASK_KILLING', healthy: false },
        { state: 'TASK_KILLED', healthy: false },
      ])
    },
  },
  {
    id: 'E23',
    says: 'the first success of a health check is one RUNNING with healthy: true; further ones are silent',
    async hold(bench) {
      const framework = bench.subscribe()
      await run(bench, framework, (offer) => launch(task(offer, 't', {}, { health_check: healthCheck })))
      await bench.advance(60_000)
      expect(framework.states('t')).toEqual([...started, 'TASK_RUNNING'])
      const [, before, after] = framework.statuses('t')
      expect(before).not.toHaveProperty('healthy')
      expect(after).toMatchObject({ healthy: true, reason: 'REASON_TASK_HEALTH_CHECK_STATUS_UPDATED' })
    },
  },
  {
    id: 'E24',
    says: 'with a check every status has its type; each change of the result is a RUNNING of its own',
    async hold(bench) {
      const framework = bench.subscribe()
      await run(bench, framework, (offer) => launch(task(offer, 't', { readyAfterMs: 5_000 }, { check })))
      await bench.advance(20_000)
      kill(framework, 't')
      await bench.advance(1_000)
      const statuses = framework.statuses('t')
      expect(
        statuses.map(({ state, check_status: result }) => `${state} ${result?.type ?? ''} ${result?.command?.exit_code ?? '-'}`),
      ).toEqual([
        'TASK_STARTING COMMAND -',
        'TASK_RUNNING COMMAND -',
        'TASK_RUNNING COMMAND 1',
        'TASK_RUNNING COMMAND 0',
        'TASK_KILLING COMMAND -',
        'TASK_KILLED COMMAND -',
      ])
      expect(statuses[2]?.reason).toBe('REASON_TASK_CHECK_STATUS_UPDATED')
    },
  },
]
