/** Gates and order where Kafka cannot be asked: nothing listens on the ports used here. */
import { describe, expect, test } from 'vitest'
import type { HookContext, HookInstance } from 'stateward'
import { endpointsOf, kafkaHooks } from '../src/hooks.js'

const refusingPort = 1

function instance(name: string, ready: boolean): HookInstance {
  const [pod = '', index = ''] = name.split('-')
  const ports = pod === 'broker' ? { client: refusingPort } : { quorum: refusingPort }
  return { name, pod, index: Number(index), address: '127.0.0.1', agentId: 'agent', zone: null, ports, ready }
}

function context(instances: HookInstance[], changes: Partial<HookContext> = {}): HookContext {
  const signal = AbortSignal.timeout(20_000)
  return { service: 'kafka', values: {}, plan: 'update', instances, runId: 'run-1', attempt: 1, signal, ...changes }
}

describe('safeToStop', () => {
  test('stays closed for a broker that runs, with the reason', async () => {
    const answer = await kafkaHooks.safeToStop(context([instance('broker-0', true)], { instance: 'broker-0' }))
    expect(answer).toMatchObject({ open: false, reason: expect.stringMatching(/could not be asked.*ECONNREFUSED/) as string })
  })

  test.each(['broker-0', 'controller-1'])('opens for %s when it does not run: the restart may be what mends it', async (name) => {
    const answer = await kafkaHooks.safeToStop(context([instance(name, false)], { instance: name }))
    expect(answer).toMatchObject({ open: true })
  })

  test('names an instance that does not exist', async () => {
    const answer = await kafkaHooks.safeToStop(context([], { instance: 'broker-7' }))
    expect(answer).toMatchObject({ open: false, reason: expect.stringContaining('broker-7') as string })
  })
})

test('clusterHealthy does not wait for brokers and controllers that are known to be down', async () => {
  const all = [instance('broker-0', false), instance('controller-0', false)]
  expect(await kafkaHooks.clusterHealthy(context(all))).toMatchObject({ open: true })
  const answer = await kafkaHooks.clusterHealthy(context([instance('broker-0', false), instance('controller-0', true)]))
  expect(answer).toMatchObject({ open: false })
})

test('quorumHasLeader is closed while no controller answers', async () => {
  expect(await kafkaHooks.quorumHasLeader(context([instance('controller-0', true)]))).toMatchObject({ open: false })
})

test('the order of a roll needs no answer: what is not ready first, controllers before brokers', async () => {
  const all = ['broker-0', 'broker-1', 'controller-0'].map((name) => instance(name, name !== 'broker-1'))
  const order = await kafkaHooks.rollingOrder(context(all, { candidates: ['broker-0', 'broker-1', 'controller-0', 'broker-9'] }))
  expect(order).toEqual(['broker-1', 'controller-0', 'broker-0', 'broker-9'])
})

test('only ready instances are asked, all of them if none is', () => {
  const mixed = [instance('broker-0', false), instance('broker-1', true)]
  expect(endpointsOf(mixed, 'broker')).toHaveLength(1)
  expect(endpointsOf([instance('broker-0', false)], 'broker')).toHaveLength(1)
  expect(endpointsOf(mixed, 'controller')).toEqual([])
})
