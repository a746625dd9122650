/** Part E: tasks, groups, executors, kills and checks. Sandboxes, environments and process trees are not of this cluster. */
import { expect } from 'vitest'
import type { Offer, TaskInfo, TaskStatus } from '../../src/mesos/messages.js'
import { createExecutor, stepExecutor } from '../../src/mesos-model/executor.js'
import type { ExecutorInput } from '../../src/mesos-model/executor-state.js'
import { amountsOf, usualCapabilities, type Bench, type Framework, type Statement } from './bench.js'
import { executor, grace, launch, launchGroup, ports, scalar, task } from './messages.js'

const started = ['TASK_STARTING', 'TASK_RUNNING']

/** Launches on the newest offer of `agent-1`, and waits until it runs. */
async function run(bench: Bench, framework: Framework, build: (offer: Offer) => object): Promise<void> {
  const offer = framework.offer()
  framework.accept(offer, [build(offer)])
  await bench.advance(1_500)
}

const kill = (framework: Framework, taskId: string, more: object = {}): void =>
  void framework.call('KILL', { task_id: { value: taskId }, ...more })

/** Seconds from `sinceMs` to a signal, as the machines saw them. */
const signals = (bench: Bench, sinceMs: number): string[] =>
  bench.cluster.log.flatMap((entry) =>
    entry.type === 'processSignalled'
      ? [`${entry.signal} ${entry.process.taskId} ${Math.round((entry.atMs - sinceMs) / 1_000)}`]
      : [],
  )

const isRunning = (bench: Bench, taskId: string): boolean => {
  const ofTask = bench.cluster.log.filter(
    (entry) => (entry.type === 'processStarted' || entry.type === 'processEnded') && entry.process.taskId === taskId,
  )
  return ofTask.at(-1)?.type === 'processStarted'
}

const invalid = (taskId: string, reason = 'REASON_TASK_INVALID'): object => ({
  task_id: { value: taskId },
  state: 'TASK_ERROR',
  source: 'SOURCE_MASTER',
  reason,
})

function expectInvalid(framework: Framework, taskId: string, reason?: string): void {
  expect(framework.statuses(taskId)).toMatchObject([invalid(taskId, reason)])
  expect(framework.statuses(taskId)[0]).not.toHaveProperty('uuid')
}

const check = { type: 'COMMAND', command: { command: { value: 'check' } }, delay_seconds: 1, interval_seconds: 2 }
const healthCheck = {
  type: 'COMMAND',
  command: { value: 'check' },
  delay_seconds: 1,
  interval_seconds: 2,
  grace_period_seconds: 5,
}

export const tasks: readonly Statement[] = [
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
