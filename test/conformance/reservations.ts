/** Part D, reservations: what RESERVE does, and when it is refused. */
import { expect } from 'vitest'
import { amountsOf, volumesOf, type Statement } from './bench.js'
import { create, destroy, executor, launch, launchGroup, reserve, reserved, scalar, task, volume } from './messages.js'
import { cpusOf, expectError, operate, state } from './operating.js'

export const reservations: readonly Statement[] = [
  {
    id: 'D1',
    says: 'RESERVE with an id yields OPERATION_FINISHED with uuid and agent, and the next offer shows it',
    async hold(bench) {
      const framework = bench.subscribe()
      const offer = await operate(bench, framework, reserve('r', reserved(scalar('cpus', 1))))
      expect(framework.operations()).toEqual([
        {
          operation_id: { value: 'r' },
          state: 'OPERATION_FINISHED',
          uuid: { value: expect.stringMatching(/^[\w+/]{22}==$/) },
          agent_id: { value: bench.agentId('agent-1') },
        },
      ])
      expect(cpusOf(offer)).toEqual({ '': 3, db: 1 })
    },
  },
  {
    id: 'D2',
    says: 'a fresh reservation is offered again whatever filter its ACCEPT had',
    async hold(bench) {
      const framework = bench.subscribe()
      framework.accept(framework.offer(), [reserve(undefined, reserved(scalar('cpus', 1)))], { refuse_seconds: 3_600 })
      await bench.advance(2_000)
      expect(cpusOf(framework.offer())).toEqual({ '': 3, db: 1 })
    },
  },
  {
    id: 'D3',
    says: 'RESERVE without the principal of its framework is OPERATION_ERROR, without uuid',
    async hold(bench) {
      const framework = bench.subscribe()
      const { principal: _, ...reservation } = reserved(scalar('cpus', 1)).reservations?.[0] ?? { type: 'DYNAMIC', role: 'db' }
      const offer = await operate(bench, framework, reserve('r', { ...scalar('cpus', 1), reservations: [reservation] }))
      expectError(framework, 'r')
      expect(cpusOf(offer)).toEqual({ '': 4 })
    },
  },
  {
    id: 'D4',
    says: 'RESERVE for another role than the offer is OPERATION_ERROR',
    async hold(bench) {
      const framework = bench.subscribe()
      await operate(bench, framework, reserve('r', reserved(scalar('cpus', 1), { role: 'web' })))
      expectError(framework, 'r')
    },
  },
  {
    id: 'D5',
    says: 'RESERVE of more than offered is OPERATION_ERROR; the other operations of the call are tried',
    async hold(bench) {
      const framework = bench.subscribe()
      const [much, some] = [reserved(scalar('cpus', 5)), reserved(scalar('mem', 64))]
      const offer = await operate(
        bench,
        framework,
        reserve('much', much),
        reserve('some', some),
        launch(task(framework.offer(), 't')),
      )
      expectError(framework, 'much')
      expect(state(framework, 'some')).toBe('OPERATION_FINISHED')
      expect(framework.states('t')).toEqual(['TASK_STARTING', 'TASK_RUNNING'])
      expect(amountsOf(offer.resources, 'mem')).toEqual({ '': 4_000, db: 64 })
    },
  },
  {
    id: 'D6',
    says: 'RESERVE with a source is OPERATION_ERROR',
    async hold(bench) {
      const framework = bench.subscribe()
      const reserving = reserve('r', reserved(scalar('cpus', 1))) as { reserve: object }
      await operate(bench, framework, { ...reserving, reserve: { ...reserving.reserve, source: [scalar('cpus', 1)] } })
      expectError(framework, 'r')
    },
  },
  {
    id: 'D7',
    says: 'an operation without an id fails without a word',
    async hold(bench) {
      const framework = bench.subscribe()
      await operate(
        bench,
        framework,
        reserve(undefined, reserved(scalar('cpus', 5))),
        create(undefined, volume('v', 10)),
        destroy(undefined, volume('w', 10)),
      )
      expect(framework.operations()).toEqual([])
      expect(framework.offer().resources).toHaveLength(4)
    },
  },
  {
    id: 'D8',
    says: 'RESERVE, CREATE and LAUNCH_GROUP on the result succeed in one ACCEPT',
    async hold(bench) {
      const framework = bench.subscribe()
      const parts = [scalar('cpus', 0.1), scalar('mem', 32), scalar('disk', 8)].map((part) => reserved(part))
      const rest = [reserved(scalar('cpus', 0.2)), reserved(scalar('mem', 64))]
      const database = task(framework.offer(), 't', {}, { resources: [...rest, volume('v', 100)] })
      const offer = await operate(
        bench,
        framework,
        reserve('r', ...[0.3, 96, 108].map((amount, index) => reserved(scalar(['cpus', 'mem', 'disk'][index] ?? '', amount)))),
        create('c', volume('v', 100)),
        launchGroup(executor(framework, 'x', { resources: parts }), database),
      )
      expect([state(framework, 'r'), state(framework, 'c')]).toEqual(['OPERATION_FINISHED', 'OPERATION_FINISHED'])
      expect(framework.states('t')).toEqual(['TASK_STARTING', 'TASK_RUNNING'])
      expect(cpusOf(offer)).toEqual({ '': 3.7 })
      expect(volumesOf(offer.resources)).toEqual([])
    },
  },
]
