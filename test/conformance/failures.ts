/** Part F: reconciliation, lost and returning agents, failover of the master. */
import { expect } from 'vitest'
import { usualCapabilities, volumesOf, type Bench, type Framework, type Statement } from './bench.js'
import { create, executor, launch, launchGroup, reserve, reserved, scalar, task, volume } from './messages.js'

/** The usual ping budget. */
const unreachableMs = 75_000
const started = ['TASK_STARTING', 'TASK_RUNNING']
const withoutPartitions = usualCapabilities.filter((capability) => capability !== 'PARTITION_AWARE')

/** A task `t` that runs on an agent, and nothing to be read before. */
async function runOn(bench: Bench, framework: Framework, agent = 'agent-1', taskId = 't', behaviour: object = {}): Promise<void> {
  const offer = framework.offer(agent)
  framework.accept(offer, [launch(task(offer, taskId, behaviour))])
  await bench.advance(1_500)
  expect(framework.states(taskId)).toEqual(started)
  framework.forget()
}

/** What the master answers about a task. */
function ask(framework: Framework, taskId: string, agentId?: string): string[] {
  framework.forget()
  const agent = agentId === undefined ? {} : { agent_id: { value: agentId } }
  framework.call('RECONCILE', { tasks: [{ task_id: { value: taskId }, ...agent }] })
  for (const status of framework.statuses()) {
    expect(status).toMatchObject({ source: 'SOURCE_MASTER', reason: 'REASON_RECONCILIATION' })
    expect(status).not.toHaveProperty('uuid')
  }
  return framework.states(taskId)
}

const lives = (bench: Bench, taskId: string): boolean =>
  !bench.cluster.log.some((entry) => entry.type === 'processEnded' && entry.process.taskId === taskId)

/** Its agent cannot be reached for longer than the master waits. */
async function loseAgent(bench: Bench, agent = 'agent-1'): Promise<void> {
  bench.cluster.cutAgent(agent)
  await bench.advance(unreachableMs + 1_000)
}

export const failures: readonly Statement[] = [
  {
    id: 'F1',
    says: 'RECONCILE of a running task answers its state, from the master, without uuid',
    async hold(bench) {
      const framework = bench.subscribe()
      await runOn(bench, framework)
      expect(ask(framework, 't', bench.agentId('agent-1'))).toEqual(['TASK_RUNNING'])
      expect(ask(framework, 't')).toEqual(['TASK_RUNNING'])
    },
  },
  {
    id: 'F2',
    says: 'an unknown task is GONE on a registered agent, UNKNOWN elsewhere, and LOST for those who do not know partitions',
    hold(bench) {
      const agentId = bench.agentId('agent-1')
      const framework = bench.subscribe()
      expect(ask(framework, 'x', agentId)).toEqual(['TASK_GONE'])
      expect(ask(framework, 'x', 'nosuch')).toEqual(['TASK_UNKNOWN'])
      expect(ask(framework, 'x')).toEqual(['TASK_UNKNOWN'])
      const simple = bench.subscribe({ capabilities: withoutPartitions })
      for (const agent of [agentId, 'nosuch', undefined]) expect(ask(simple, 'x', agent)).toEqual(['TASK_LOST'])
    },
  },
  {
    id: 'F3',
    says: 'implicit RECONCILE tells all tasks the master knows, ended and unacknowledged ones too, and no others',
    async hold(bench) {
      const framework = bench.subscribe()
      await runOn(bench, framework, 'agent-1', 'runs')
      await runOn(bench, framework, 'agent-2', 'ended', { endsAfterMs: 6_000 })
      await runOn(bench, framework, 'agent-3', 'acknowledged', { endsAfterMs: 2_000 })
      await bench.advance(1_000)
      framework.setAcknowledging(false)
      await bench.advance(5_000)
      framework.forget()
      framework.call('RECONCILE', { tasks: [] })
      const answers = framework.statuses().map((status) => `${status.task_id.value} ${status.state}`)
      expect(answers.sort()).toEqual(['ended TASK_FINISHED', 'runs TASK_RUNNING'])
    },
  },
  {
    id: 'F6',
    says: 'a task whose end was acknowledged is GONE for the master: its late answer must not overwrite that end',
    async hold(bench) {
      const framework = bench.subscribe()
      await runOn(bench, framework, 'agent-1', 't', { endsAfterMs: 5_000 })
      await bench.advance(10_000)
      expect(framework.states('t')).toEqual(['TASK_FINISHED'])
      expect(ask(framework, 't', bench.agentId('agent-1'))).toEqual(['TASK_GONE'])
    },
  },
  {
    id: 'F7',
    says: 'an agent beyond the ping budget: RESCIND, UNREACHABLE/AGENT_REMOVED with its time, and FAILURE to everybody',
    async hold(bench) {
      const framework = bench.subscribe()
      await runOn(bench, framework)
      const bystander = bench.subscribe()
      await bench.advance(2_000)
      const offered = framework.offers('agent-1').map((offer) => offer.id.value)
      framework.forget()
      bystander.forget()
      await loseAgent(bench)
      expect(framework.statuses()).toMatchObject([
        {
          task_id: { value: 't' },
          state: 'TASK_UNREACHABLE',
          reason: 'REASON_AGENT_REMOVED',
          source: 'SOURCE_MASTER',
          unreachable_time: { nanoseconds: expect.any(Number) },
        },
      ])
      expect(framework.statuses()[0]).not.toHaveProperty('uuid')
      expect([...framework.rescinded(), ...bystander.rescinded()]).toEqual(expect.arrayContaining(offered))
      expect(framework.offers('agent-1')).toEqual([])
      for (const each of [framework, bystander])
        expect(each.failures()).toEqual([{ agent_id: { value: bench.agentId('agent-1') } }])
      expect(lives(bench, 't')).toBe(true)
    },
  },
  {
    id: 'F8',
    says: 'asked meanwhile with its agent such a task is UNREACHABLE, without it UNKNOWN',
    async hold(bench) {
      const framework = bench.subscribe()
      await runOn(bench, framework)
      await loseAgent(bench)
      expect(ask(framework, 't', bench.agentId('agent-1'))).toEqual(['TASK_UNREACHABLE'])
      expect(framework.statuses()[0]).toHaveProperty('unreachable_time')
      expect(ask(framework, 't')).toEqual(['TASK_UNKNOWN'])
    },
  },
  {
    id: 'F9',
    says: 'back again: RUNNING/AGENT_REREGISTERED, the same agent id, its volumes, and a process that never stopped',
    async hold(bench) {
      const framework = bench.subscribe()
      framework.accept(framework.offer(), [
        reserve(undefined, reserved(scalar('disk', 100))),
        create(undefined, volume('v', 100)),
      ])
      await bench.advance(2_000)
      await runOn(bench, framework)
      const agentId = bench.agentId('agent-1')
      bench.cluster.loseToMaster('agent-1', 'operationUpdate')
      framework.accept(framework.offer(), [reserve('r', reserved(scalar('cpus', 1)))])
      await bench.advance(50)
      await loseAgent(bench)
      expect(framework.operations('r').map((status) => [status.state, status.uuid])).toEqual([
        ['OPERATION_UNREACHABLE', undefined],
      ])
      framework.forget()
      bench.cluster.healAgent('agent-1')
      await bench.advance(5_000)
      // What had been done meanwhile is told now.
      expect(framework.operations('r')).toMatchObject([{ state: 'OPERATION_FINISHED', uuid: expect.anything() }])
      expect(bench.view('GET_OPERATIONS')).toEqual({})
      expect(framework.statuses()).toMatchObject([
        { task_id: { value: 't' }, state: 'TASK_RUNNING', reason: 'REASON_AGENT_REREGISTERED', source: 'SOURCE_MASTER' },
      ])
      expect(framework.statuses()[0]).not.toHaveProperty('uuid')
      expect(framework.offer().agent_id.value).toBe(agentId)
      expect(volumesOf(framework.offer().resources)).toEqual(['v'])
      expect(lives(bench, 't')).toBe(true)
      expect(ask(framework, 't', agentId)).toEqual(['TASK_RUNNING'])
    },
  },
  {
    id: 'F10',
    says: 'without PARTITION_AWARE such a task is LOST',
    async hold(bench) {
      const framework = bench.subscribe({ capabilities: withoutPartitions })
      await runOn(bench, framework)
      await loseAgent(bench)
      expect(framework.statuses()).toMatchObject([{ state: 'TASK_LOST', reason: 'REASON_AGENT_REMOVED' }])
      // So is a launch that got lost before the agent, which the agent tells.
      const offer = framework.offer('agent-2')
      bench.cluster.loseToAgent('agent-2', 'launch')
      framework.accept(offer, [launch(task(offer, 'lost'))])
      await bench.advance(1_000)
      bench.cluster.breakLink('agent-2')
      await bench.advance(2_000)
      expect(framework.statuses('lost')).toMatchObject([
        { state: 'TASK_LOST', reason: 'REASON_RECONCILIATION', source: 'SOURCE_AGENT', uuid: expect.any(String) },
      ])
    },
  },
  {
    id: 'F11',
    says: 'an agent that restarts keeps the tasks of a framework with checkpoint, and loses the others at once',
    async hold(bench) {
      const keeping = bench.subscribe()
      await runOn(bench, keeping, 'agent-1', 'kept')
      const careless = bench.subscribe({ info: { checkpoint: false } })
      keeping.call('SUPPRESS')
      for (const offer of keeping.offers()) keeping.decline(offer, 3_600)
      await bench.advance(2_000)
      await runOn(bench, careless, 'agent-1', 'careless')
      bench.cluster.stopAgent('agent-1')
      await bench.advance(50)
      expect(careless.statuses()).toMatchObject([{ state: 'TASK_LOST', reason: 'REASON_AGENT_DISCONNECTED' }])
      await bench.advance(5_000)
      bench.cluster.startAgent('agent-1')
      await bench.advance(5_000)
      expect(keeping.statuses()).toEqual([])
      expect([lives(bench, 'kept'), lives(bench, 'careless')]).toEqual([true, false])
      bench.cluster.endTask('kept', { code: 4 })
      await bench.advance(1_000)
      expect(keeping.statuses()).toMatchObject([{ state: 'TASK_FAILED', message: 'Command exited with status 4' }])
    },
  },
  {
    id: 'F12',
    says: 'an agent that is terminated does not unregister: a broken connection, and tasks live on (the other half needs SIGUSR1)',
    async hold(bench) {
      const framework = bench.subscribe()
      await runOn(bench, framework)
      bench.cluster.stopAgent('agent-1')
      await bench.advance(10_000)
      expect([framework.statuses(), framework.failures(), lives(bench, 't')]).toEqual([[], [], true])
    },
  },
  {
    id: 'F13',
    says: 'MARK_AGENT_GONE: GONE_BY_OPERATOR, and an agent that cannot return; 404 for one that nobody knows',
    async hold(bench) {
      const framework = bench.subscribe()
      await runOn(bench, framework)
      const agentId = bench.agentId('agent-1')
      const markGone = (value: string): number => bench.operate('MARK_AGENT_GONE', { agent_id: { value } }).status
      expect(markGone(agentId)).toBe(200)
      expect(framework.statuses()).toMatchObject([
        { state: 'TASK_GONE_BY_OPERATOR', reason: 'REASON_AGENT_REMOVED_BY_OPERATOR', source: 'SOURCE_MASTER' },
      ])
      await bench.advance(2_000)
      expect(lives(bench, 't')).toBe(false)
      bench.cluster.startAgent('agent-1')
      await bench.advance(60_000)
      expect(framework.offers('agent-1')).toEqual([])
      expect(ask(framework, 't', agentId)).toEqual(['TASK_GONE_BY_OPERATOR'])
      expect([markGone('nosuch'), markGone(agentId)]).toEqual([404, 200])

      await runOn(bench, framework, 'agent-2', 'far')
      await loseAgent(bench, 'agent-2')
      framework.forget()
      expect(markGone(bench.agentId('agent-2'))).toBe(200)
      expect(framework.states('far')).toEqual(['TASK_GONE_BY_OPERATOR'])
    },
  },
  {
    id: 'F14',
    says: 'a new master accepts the framework id and makes new offers; about a task it says nothing until its agent is back',
    async hold(bench) {
      const framework = bench.subscribe()
      await runOn(bench, framework, 'agent-1', 'near')
      await runOn(bench, framework, 'agent-2', 'far')
      framework.setAcknowledging(false)
      framework.accept(framework.offer(), [reserve('r', reserved(scalar('cpus', 1)))])
      await bench.advance(2_000)
      const before = new Set(framework.offers().map((offer) => offer.id.value))
      const far = bench.agentId('agent-2')
      bench.cluster.cutAgent('agent-2')
      bench.cluster.stopMaster()
      await bench.advance(1_000)
      bench.cluster.startMaster()
      await bench.advance(2_000)
      const again = bench.subscribe({ id: framework.id })
      expect(again.id).toBe(framework.id)
      await bench.advance(2_000)
      // The agents have kept what was not acknowledged.
      expect(again.operations('r')).toEqual(framework.operations('r'))
      expect(bench.view('GET_OPERATIONS')).toEqual({})
      expect(again.offers('agent-1')).toHaveLength(1)
      expect(again.offers().filter((offer) => before.has(offer.id.value))).toEqual([])
      expect(ask(again, 'near', bench.agentId('agent-1'))).toEqual(['TASK_RUNNING'])
      expect(ask(again, 'far', far)).toEqual([])
      expect(ask(again, 'far')).toEqual([])
      again.forget()
      again.call('RECONCILE_OPERATIONS', { operations: [{ operation_id: { value: 'x' }, agent_id: { value: far } }] })
      expect(again.operations()).toMatchObject([{ state: 'OPERATION_RECOVERING' }])
      bench.cluster.healAgent('agent-2')
      await bench.advance(40_000)
      expect(ask(again, 'far', far)).toEqual(['TASK_RUNNING'])
      expect([lives(bench, 'near'), lives(bench, 'far')]).toEqual([true, true])
    },
  },
  {
    id: 'F16',
    says: 'a new subscription has unacknowledged updates sent again at once',
    async hold(bench) {
      const framework = bench.subscribe({ acknowledges: false })
      const offer = framework.offer()
      framework.accept(offer, [reserve('r', reserved(scalar('cpus', 1))), launch(task(offer, 't'))])
      await bench.advance(2_000)
      expect(framework.states('t')).toEqual(['TASK_STARTING'])
      framework.leave()
      const again = bench.subscribe({ id: framework.id, acknowledges: false })
      await bench.advance(50)
      expect(again.statuses('t')).toEqual(framework.statuses('t'))
      expect(again.operations('r')).toEqual(framework.operations('r'))
    },
  },
  {
    id: 'F19',
    says: 'KILL of a task on a disconnected agent is delivered when the agent is back',
    async hold(bench) {
      const framework = bench.subscribe()
      await runOn(bench, framework)
      bench.cluster.stopAgent('agent-1')
      await bench.advance(1_000)
      framework.call('KILL', { task_id: { value: 't' } })
      await bench.advance(10_000)
      expect([framework.statuses(), lives(bench, 't')]).toEqual([[], true])
      bench.cluster.startAgent('agent-1')
      await bench.advance(5_000)
      expect(framework.states('t')).toEqual(['TASK_KILLING', 'TASK_KILLED'])
      expect(lives(bench, 't')).toBe(false)
    },
  },
  {
    id: 'F20',
    says: 'an executor id whose former updates are not acknowledged cannot be used again: DROPPED/EXECUTOR_TERMINATED',
    async hold(bench) {
      const framework = bench.subscribe()
      const group = (taskId: string): object => {
        const offer = framework.offer()
        return launchGroup(executor(framework, 'x'), task(offer, taskId, { endsAfterMs: 3_000 }))
      }
      framework.accept(framework.offer(), [group('first')])
      await bench.advance(1_500)
      framework.setAcknowledging(false)
      await bench.advance(4_000)
      expect(framework.states('first').at(-1)).toBe('TASK_FINISHED')
      framework.accept(framework.offer(), [group('second')])
      await bench.advance(1_000)
      expect(framework.statuses('second')).toMatchObject([
        { state: 'TASK_DROPPED', reason: 'REASON_EXECUTOR_TERMINATED', source: 'SOURCE_AGENT', uuid: expect.any(String) },
      ])
      framework.setAcknowledging(true)
      await bench.advance(2_000)
      framework.accept(framework.offer(), [group('third')])
      await bench.advance(1_500)
      expect(framework.states('third')).toEqual(started)
    },
  },
]
