/** Part G: draining and what operators see. Maintenance, quota, metrics and the operator's stream are not of this cluster. */
import { expect } from 'vitest'
import type { Resource } from '../../src/mesos/messages.js'
import { amountsOf, volumesOf, type Bench, type Framework, type Statement } from './bench.js'
import { create, executor, grace, launch, launchGroup, reserve, reserved, scalar, task, volume } from './messages.js'

type View = Readonly<Record<string, unknown>>

/** The one agent, as GET_AGENTS shows it. */
const agentView = (bench: Bench, hostname = 'agent-1'): View =>
  (bench.view('GET_AGENTS')['agents'] as View[]).find((agent) => (agent['agent_info'] as View)['hostname'] === hostname) ?? {}

const drainState = (bench: Bench): unknown => (agentView(bench)['drain_info'] as View | undefined)?.['state']

const drain = (bench: Bench, options: object = {}): number =>
  bench.operate('DRAIN_AGENT', { agent_id: { value: bench.agentId('agent-1') }, ...options }).status

const reactivate = (bench: Bench): number =>
  bench.operate('REACTIVATE_AGENT', { agent_id: { value: bench.agentId('agent-1') } }).status

async function runGroup(
  bench: Bench,
  framework: Framework,
  taskId: string,
  behaviour: object = {},
  extras: object = {},
): Promise<void> {
  const offer = framework.offer()
  framework.accept(offer, [launchGroup(executor(framework, `x-${taskId}`), task(offer, taskId, behaviour, extras))])
  await bench.advance(1_500)
}

const idsIn = (bench: Bench, list: string): string[] =>
  (bench.view('GET_TASKS')[list] as { task_id: { value: string } }[]).map((entry) => entry.task_id.value).sort()

export const operators: readonly Statement[] = [
  {
    id: 'G5',
    says: 'DRAIN_AGENT rescinds, kills with AGENT_DRAINING, and is DRAINED when all ends are acknowledged; REACTIVATE_AGENT then, not before',
    async hold(bench) {
      const framework = bench.subscribe()
      await runGroup(bench, framework, 't')
      framework.forget()
      const rescinded = framework.offer()
      bench.cluster.changeMachineTimings({ executorStartMs: 10_000 })
      framework.accept(rescinded, [launch(task(rescinded, 'on-its-way'))])
      await bench.advance(1_000)
      const offered = framework.offer()
      framework.setAcknowledging(false)
      expect(drain(bench)).toBe(200)
      expect(framework.rescinded()).toEqual([offered.id.value])
      framework.accept(offered, [launch(task(offered, 'too-late'))])
      await bench.advance(5_000)
      expect(framework.statuses('on-its-way')).toMatchObject([
        { state: 'TASK_KILLED', reason: 'REASON_AGENT_DRAINING', source: 'SOURCE_AGENT' },
      ])
      expect(framework.statuses('too-late')).toMatchObject([{ state: 'TASK_DROPPED', reason: 'REASON_INVALID_OFFERS' }])
      expect(framework.statuses('t')).toMatchObject([{ state: 'TASK_KILLING', reason: 'REASON_AGENT_DRAINING' }])
      expect([drainState(bench), reactivate(bench)]).toEqual(['DRAINING', 400])
      framework.setAcknowledging(true)
      await bench.advance(1_000)
      expect(framework.statuses('t').at(-1)).toMatchObject({ state: 'TASK_KILLED', reason: 'REASON_AGENT_DRAINING' })
      expect(drainState(bench)).toBe('DRAINED')
      await bench.advance(30_000)
      expect(framework.offers('agent-1')).toEqual([])
      expect(reactivate(bench)).toBe(200)
      await bench.advance(1_000)
      expect(framework.offers('agent-1')).toHaveLength(1)
    },
  },
  {
    id: 'G6',
    says: 'max_grace_period shortens the kills of group tasks, not those of command tasks; as text or number it is 400',
    async hold(bench) {
      const framework = bench.subscribe()
      const stubborn = [{ ignoresTerm: true }, { kill_policy: grace(7) }] as const
      await runGroup(bench, framework, 'group', ...stubborn)
      const offer = framework.offer()
      framework.accept(offer, [launch(task(offer, 'command', ...stubborn))])
      await bench.advance(1_500)
      for (const period of ['2secs', 2]) expect(drain(bench, { max_grace_period: period })).toBe(400)
      expect(framework.rescinded()).toEqual([])
      const sinceMs = bench.cluster.nowMs
      expect(drain(bench, { max_grace_period: { seconds: 2 } })).toBe(200)
      await bench.advance(10_000)
      const kills = bench.cluster.log.flatMap((entry) =>
        entry.type === 'processSignalled' && entry.signal === 'SIGKILL'
          ? [`${entry.process.taskId} ${Math.round((entry.atMs - sinceMs) / 1_000)}`]
          : [],
      )
      expect(kills).toEqual(['group 2', 'command 7'])
    },
  },
  {
    id: 'G7',
    says: 'GET_AGENTS shows all there is, in both notations, what is offered and allocated included',
    async hold(bench) {
      const framework = bench.subscribe()
      const resources = [scalar('cpus', 0.5), scalar('mem', 64), volume('used', 100)]
      framework.accept(framework.offer(), [
        reserve(undefined, reserved(scalar('cpus', 1)), reserved(scalar('disk', 300))),
        create(undefined, volume('idle', 50), volume('used', 100)),
        launch(task(framework.offer(), 't', {}, { resources })),
      ])
      await bench.advance(2_000)
      const view = agentView(bench)
      const [total, offered, allocated] = ['total', 'offered', 'allocated'].map((what) => view[`${what}_resources`] as Resource[])
      expect(volumesOf(total)).toEqual(['idle', 'used'])
      expect(volumesOf(offered)).toEqual(['idle'])
      expect(volumesOf(allocated)).toEqual(['used'])
      expect(amountsOf(total, 'cpus')).toEqual({ '': 3, db: 1 })
      expect(amountsOf(offered, 'cpus')).toEqual({ '': 2.5, db: 1 })
      expect(amountsOf(allocated, 'cpus')).toEqual({ '': 0.5 })
      for (const resource of total ?? []) {
        expect(resource.role).toBe(resource.reservations === undefined ? '*' : 'db')
        expect(resource.reservation).toEqual(resource.reservations === undefined ? undefined : { principal: 'p' })
        expect(resource).not.toHaveProperty('allocation_info')
      }
      const configured = (view['agent_info'] as { resources: Resource[] }).resources
      expect(amountsOf(configured, 'cpus')).toEqual({ '': 4 })
    },
  },
  {
    id: 'G8',
    says: 'GET_TASKS moves tasks: known, unreachable while their agent is, completed once their end is acknowledged',
    async hold(bench) {
      const framework = bench.subscribe()
      await runGroup(bench, framework, 'ends', { endsAfterMs: 5_000 })
      await runGroup(bench, framework, 'stays')
      expect([idsIn(bench, 'tasks'), idsIn(bench, 'completed_tasks')]).toEqual([['ends', 'stays'], []])
      framework.setAcknowledging(false)
      await bench.advance(5_000)
      expect([idsIn(bench, 'tasks'), idsIn(bench, 'completed_tasks')]).toEqual([['ends', 'stays'], []])
      framework.setAcknowledging(true)
      await bench.advance(1_000)
      expect([idsIn(bench, 'tasks'), idsIn(bench, 'completed_tasks')]).toEqual([['stays'], ['ends']])
      bench.cluster.loseToAgent('agent-1', 'launch')
      framework.accept(framework.offer(), [launch(task(framework.offer(), 'lost'))])
      bench.cluster.cutAgent('agent-1')
      await bench.advance(76_000)
      expect([idsIn(bench, 'tasks'), idsIn(bench, 'unreachable_tasks')]).toEqual([[], ['lost', 'stays']])
      bench.cluster.healAgent('agent-1')
      await bench.advance(5_000)
      expect([idsIn(bench, 'tasks'), idsIn(bench, 'unreachable_tasks')]).toEqual([['stays'], []])
      framework.call('TEARDOWN')
      expect([idsIn(bench, 'tasks'), idsIn(bench, 'completed_tasks')]).toEqual([[], ['ends', 'stays']])
    },
  },
  {
    id: 'G10',
    says: 'TEARDOWN by the operator ends the stream; the id is refused from then on',
    hold(bench) {
      const framework = bench.subscribe()
      expect(bench.operate('TEARDOWN', { framework_id: { value: framework.id } }).status).toBe(200)
      expect(framework.isEnded).toBe(true)
      expect(framework.call('REVIVE')).toMatchObject({ status: 400, body: 'Framework cannot be found' })
      const again = bench.subscribe({ id: framework.id })
      expect(again.events).toEqual([{ type: 'ERROR', error: { message: 'Framework has been removed' } }])
      expect(again.isEnded).toBe(true)
      expect(bench.operate('TEARDOWN', { framework_id: { value: framework.id } }).status).toBe(400)
    },
  },
]
