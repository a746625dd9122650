/** Rolls a changed setting over the brokers while a producer writes, and loses none of its records. */
import type { ServiceStatus } from 'stateward'
import kafkajs from 'kafkajs'
import { withAdmin } from '../cluster-view.js'
import { clientOf, type Demo, followPlan, startSchedulerAgain } from './demo.js'
import { say } from './display.js'
import { LiveProducer } from './live-producer.js'
import { stopProgram } from './programs.js'
import { brokersOf, clientEndpoint, isComplete, readStatus, taskIds } from './status.js'
import { createTopic, readTopic } from './topic-io.js'

const { ConfigResourceTypes } = kafkajs

const liveTopic = 'live'
const partitions = 3
/** Read at the start only, so it needs the roll; its default is 500. */
const setting = { name: 'queued.max.requests', value: '400' }

export async function roll(demo: Demo): Promise<void> {
  const before = await readStatus(demo.httpPort)
  const client = await clientOf(demo)
  await createTopic(client, { topic: liveTopic, partitions, config: {} })
  const producer = new LiveProducer(client, liveTopic, partitions)
  await producer.start()
  let after: ServiceStatus
  let mostDown = 0
  try {
    await stopProgram(demo.scheduler)
    say(`the scheduler starts again with ${setting.name}=${setting.value}`)
    startSchedulerAgain(demo, [`${setting.name}=${setting.value}`])
    const isRolled = (status: ServiceStatus) => isComplete(status, 'update') && changedTasks(before, status, 'broker') === 3
    after = await followPlan(demo, 'update', 'the roll', isRolled, (status) => {
      mostDown = Math.max(mostDown, brokersOf(status).filter((broker) => !broker.ready).length)
    })
  } finally {
    await producer.stop()
  }
  await reportRoll(demo, before, after, mostDown)
  await reportProducer(demo, producer)
}

async function reportRoll(demo: Demo, before: ServiceStatus, after: ServiceStatus, mostDown: number): Promise<void> {
  const values = await readSetting(after)
  demo.report.check(`${setting.name} on each broker`, [setting.value, setting.value, setting.value].join(' '), values.join(' '))
  demo.report.check(
    'brokers restarted, controllers restarted',
    '3, 0',
    `${String(changedTasks(before, after, 'broker'))}, ${String(changedTasks(before, after, 'controller'))}`,
  )
  demo.report.check('most brokers down at once', '1', String(mostDown))
  const moved = after.instances.filter(
    (instance) => instance.agentId !== before.instances.find((old) => old.name === instance.name)?.agentId,
  )
  demo.report.check('instances that moved', '0', String(moved.length))
}

async function reportProducer(demo: Demo, producer: LiveProducer): Promise<void> {
  const { check } = await readTopic(await clientOf(demo), liveTopic)
  const lost = producer.acknowledged.filter((key) => !check.has(key))
  say(
    `${String(producer.acknowledged.length)} records acknowledged during the roll, longest send ${(producer.longestSendMs / 1000).toFixed(1)} s`,
  )
  demo.report.check('acknowledged records lost', '0', String(lost.length), lost.length === 0 && producer.acknowledged.length > 0)
  demo.report.check(
    'sends that failed, records stored twice',
    '0, 0',
    `${String(producer.failures.length)}, ${String(check.repeated)}`,
  )
}

function changedTasks(before: ServiceStatus, after: ServiceStatus, pod: string): number {
  const old = taskIds(before)
  const names = after.instances.filter((instance) => instance.pod === pod).map((instance) => instance.name)
  return names.filter((name) => taskIds(after).get(name) !== old.get(name)).length
}

/** The setting as each broker reports it of itself. */
async function readSetting(status: ServiceStatus): Promise<string[]> {
  const brokers = brokersOf(status)
  return withAdmin(brokers.map(clientEndpoint), async (admin) => {
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: brokers.map((broker) => ({
        type: ConfigResourceTypes.BROKER,
        name: String(broker.index),
        configNames: [setting.name],
      })),
    })
    return resources.map((resource) => resource.configEntries[0]?.configValue ?? 'unset')
  })
}
