/** Part D, feedback: what is told of operations and of a whole ACCEPT, and what an agent keeps. */
import { expect } from 'vitest'
import { volumesOf, type Statement } from './bench.js'
import { executor, launch, launchGroup, reserve, reserved, scalar, task } from './messages.js'
import { cpusOf, diskOf, expectError, operate, withVolume } from './operating.js'

export const feedback: readonly Statement[] = [
  {
    id: 'D20',
    says: 'an OPERATION_FINISHED that is not acknowledged comes again, first after 10 s; afterwards no more',
    async hold(bench) {
      const framework = bench.subscribe({ acknowledges: false })
      framework.accept(framework.offer(), [reserve('r', reserved(scalar('cpus', 1)))])
      await bench.advance(9_900)
      expect(framework.operations('r')).toHaveLength(1)
      await bench.advance(300)
      expect(framework.operations('r')).toHaveLength(2)
      await bench.advance(20_000)
      expect(framework.operations('r')).toHaveLength(3)
      expect(new Set(framework.operations('r').map((status) => status.uuid?.value)).size).toBe(1)
      framework.setAcknowledging(true)
      await bench.advance(600_000)
      expect(framework.operations('r')).toHaveLength(3)
      expect(bench.view('GET_OPERATIONS')).toEqual({})
    },
  },
  {
    id: 'D21',
    says: 'there is nothing to acknowledge in an update without uuid: it comes once, and no operation stays open',
    async hold(bench) {
      const framework = bench.subscribe()
      framework.accept(framework.offer(), [reserve('r', reserved(scalar('cpus', 5)))])
      await bench.advance(120_000)
      expectError(framework, 'r')
      expect(bench.view('GET_OPERATIONS')).toEqual({})
      bench.cluster.loseToAgent('agent-1', 'applyOperation')
      framework.accept(framework.offer(), [reserve('lost', reserved(scalar('cpus', 1)))])
      await bench.advance(1_000)
      bench.cluster.breakLink('agent-1')
      await bench.advance(120_000)
      expect(framework.operations('lost').map((status) => [status.state, status.uuid])).toEqual([
        ['OPERATION_DROPPED', undefined],
      ])
      expect(bench.view('GET_OPERATIONS')).toEqual({})
      expect(cpusOf(framework.offer())).toEqual({ '': 4 })
      const { operation_id } = framework.operations('r')[0] ?? {}
      const agent_id = { value: bench.agentId('agent-1') }
      expect(framework.call('ACKNOWLEDGE_OPERATION_STATUS', { operation_id, agent_id }).status).toBe(400)
    },
  },
  {
    id: 'D22',
    says: 'RECONCILE_OPERATIONS answers open ones with their state, unknown ones with OPERATION_UNKNOWN, all without uuid',
    async hold(bench) {
      const framework = bench.subscribe({ acknowledges: false })
      framework.accept(framework.offer(), [reserve('done', reserved(scalar('cpus', 1)))])
      await bench.advance(2_000)
      bench.cluster.deafenAgent('agent-1')
      framework.accept(framework.offer(), [reserve('pending', reserved(scalar('cpus', 1)))])
      framework.forget()
      const agent_id = { value: bench.agentId('agent-1') }
      const asked = ['done', 'pending', 'nosuch'].map((value) => ({ operation_id: { value }, agent_id }))
      framework.call('RECONCILE_OPERATIONS', { operations: asked })
      const answers = framework.operations()
      expect(answers.map((status) => [status.operation_id?.value, status.state])).toEqual([
        ['done', 'OPERATION_FINISHED'],
        ['pending', 'OPERATION_PENDING'],
        ['nosuch', 'OPERATION_UNKNOWN'],
      ])
      for (const status of answers) expect(status).not.toHaveProperty('uuid')
      framework.forget()
      framework.call('RECONCILE_OPERATIONS', { operations: [] })
      expect(
        framework
          .operations()
          .map((status) => status.operation_id?.value)
          .sort(),
      ).toEqual(['done', 'pending'])
    },
  },
  {
    id: 'D23',
    says: 'an id on LAUNCH or LAUNCH_GROUP is TASK_ERROR for all its tasks',
    async hold(bench) {
      const framework = bench.subscribe()
      const offer = framework.offer()
      const id = { value: 'op' }
      const group = launchGroup(executor(framework, 'x'), task(offer, 'c'), task(offer, 'd'))
      framework.accept(offer, [
        { ...launch(task(offer, 'a'), task(offer, 'b')), id },
        { ...group, id },
      ])
      await bench.advance(2_000)
      for (const taskId of ['a', 'b', 'c', 'd']) expect(framework.states(taskId)).toEqual(['TASK_ERROR'])
      expect(framework.operations()).toEqual([])
    },
  },
  {
    id: 'D24',
    says: 'one stale offer spoils the whole ACCEPT: nothing is done, everything refused, valid offers come back unfiltered',
    async hold(bench) {
      const framework = bench.subscribe()
      const [stale, valid] = [framework.offer('agent-1'), framework.offer('agent-2')]
      framework.decline(stale, 0)
      framework.accept([stale, valid], [reserve('r', reserved(scalar('cpus', 1))), launch(task(valid, 't'))], {
        refuse_seconds: 3_600,
      })
      expect(framework.statuses('t')).toMatchObject([
        { state: 'TASK_DROPPED', reason: 'REASON_INVALID_OFFERS', source: 'SOURCE_MASTER' },
      ])
      expect(framework.statuses('t')[0]).not.toHaveProperty('uuid')
      expectError(framework, 'r')
      await bench.advance(1_000)
      expect(cpusOf(framework.offer('agent-2'))).toEqual({ '': 4 })
      expect(framework.states('t')).toEqual(['TASK_DROPPED'])
    },
  },
  {
    id: 'D25',
    says: 'offers of two agents in one ACCEPT are treated the same',
    async hold(bench) {
      const framework = bench.subscribe()
      const [first, second] = [framework.offer('agent-1'), framework.offer('agent-2')]
      framework.accept([first, second], [reserve('r', reserved(scalar('cpus', 1))), launch(task(first, 't'))], {
        refuse_seconds: 3_600,
      })
      expect(framework.statuses('t')).toMatchObject([{ state: 'TASK_DROPPED', reason: 'REASON_INVALID_OFFERS' }])
      expectError(framework, 'r')
      await bench.advance(1_000)
      expect(framework.offers('agent-1')).toHaveLength(1)
      expect(framework.offers('agent-2')).toHaveLength(1)
    },
  },
  {
    id: 'D26',
    says: 'reservations and volumes survive a restart of the agent, and come under a new id when only its identity is lost',
    async hold(bench) {
      const framework = bench.subscribe()
      const before = await operate(bench, framework, reserve(undefined, reserved(scalar('cpus', 1))), ...withVolume('v', 100))
      const kept = (): void => {
        expect(cpusOf(framework.offer())).toEqual({ '': 3, db: 1 })
        expect(volumesOf(framework.offer().resources)).toEqual(['v'])
      }
      bench.cluster.stopAgent('agent-1')
      await bench.advance(1_000)
      bench.cluster.startAgent('agent-1')
      await bench.advance(2_000)
      expect(framework.offer().agent_id).toEqual(before.agent_id)
      kept()
      bench.cluster.stopAgent('agent-1')
      await bench.advance(1_000)
      bench.cluster.forgetIdentity('agent-1')
      bench.cluster.startAgent('agent-1')
      await bench.advance(2_000)
      expect(framework.offer().agent_id).not.toEqual(before.agent_id)
      kept()
    },
  },
  {
    id: 'D27',
    says: 'an agent whose disk was wiped has a new id and nothing reserved',
    async hold(bench) {
      const framework = bench.subscribe()
      const before = await operate(bench, framework, ...withVolume('v', 100))
      bench.cluster.stopAgent('agent-1')
      await bench.advance(1_000)
      bench.cluster.wipeDisk('agent-1')
      bench.cluster.startAgent('agent-1')
      await bench.advance(2_000)
      expect(framework.offer().agent_id).not.toEqual(before.agent_id)
      expect(diskOf(framework.offer())).toEqual({ '': 10_240 })
      expect(volumesOf(framework.offer().resources)).toEqual([])
    },
  },
]
