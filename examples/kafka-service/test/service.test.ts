/** The spec: what it promises to Kafka, and what restarts whom. */
import { describe, expect, test } from 'vitest'
import { kafkaHooks, nodeIdOf } from '../src/hooks.js'
import { type KafkaOptions, kafkaService, settingLines, smallSize } from '../src/service.js'

const options: KafkaOptions = { kafkaLibs: '/opt/kafka/libs', taskFiles: 'https://artifacts/kafka-tasks/1', size: smallSize }

describe('the spec', () => {
  const spec = kafkaService(options)

  test('starts the controllers together and the brokers one by one', () => {
    expect(spec.deploy.phases?.map((phase) => [phase.pod, phase.strategy])).toEqual([
      ['controller', 'parallel'],
      ['broker', 'serial'],
    ])
  })

  test('names no hook that does not exist, and leaves none unnamed', () => {
    const gates = [spec.deploy, spec.update].flatMap((plan) => [...plan.preFlight, ...plan.afterEach, ...plan.postFlight])
    const more = [
      ...spec.update.beforeEach,
      ...spec.recovery.afterEach,
      ...(spec.deploy.phases ?? []).flatMap((phase) => phase.afterEach),
    ]
    const named = new Set([...[...gates, ...more].map((gate) => gate.gate), spec.update.order])
    expect([...named].sort()).toEqual(Object.keys(kafkaHooks).sort())
  })

  test('gives every controller and broker one volume and one agent of its own', () => {
    for (const pod of Object.values(spec.pods)) {
      expect(Object.keys(pod.volumes)).toEqual(['data'])
      expect(pod.placement).toEqual([{ type: 'maxPerHost', max: 1 }])
    }
  })

  test('formats once per volume, and a relaunch never formats', () => {
    for (const pod of Object.values(spec.pods)) {
      expect(pod.tasks['format']?.goal).toBe('INIT')
      expect(pod.tasks['server']?.command).not.toContain('format')
    }
  })

  test('the ids of voters are those that the hooks use', () => {
    const env = spec.pods['controller']?.tasks['server']?.env
    expect(env?.['NODE_ID']).toBe('300{{pod.index}}')
    expect(env?.['VOTERS']).toContain('300{index}@')
    expect(nodeIdOf({ pod: 'controller', index: 2 })).toBe(3002)
  })
})

test('a setting of the brokers changes no controller', () => {
  const before = kafkaService(options)
  const after = kafkaService({ ...options, brokerSettings: { 'queued.max.requests': '400' } })
  expect(after.pods['controller']).toEqual(before.pods['controller'])
  expect(after.pods['broker']?.tasks['format']).toEqual(before.pods['broker']?.tasks['format'])
  expect(after.pods['broker']?.tasks['server']?.env['SETTINGS']).toContain('queued.max.requests=400')
})

test('an archive of jars is fetched, a folder of jars is not', () => {
  const uris = (kafkaLibs: string) =>
    kafkaService({ ...options, kafkaLibs }).pods['broker']?.tasks['server']?.uris.map((uri) => uri.uri)
  expect(uris('/opt/kafka/libs')).toHaveLength(5)
  expect(uris('https://artifacts/kafka-4.3.1.tar.gz')).toContain('https://artifacts/kafka-4.3.1.tar.gz')
})

test('equal settings are equal text', () => {
  expect(settingLines({ b: '2', a: '1' })).toBe(settingLines({ a: '1', b: '2' }))
})
