/** Deploys Kafka and writes the records that the later steps check. */
import { readBrokerFiles } from './broker-files.js'
import { clientOf, type Demo, followPlan, partitions, placeOf, processOf, topic } from './demo.js'
import { say } from './display.js'
import { brokersOf, isComplete, readStatus } from './status.js'
import { createTopic, writeRecords } from './topic-io.js'

const segmentBytes = 1_048_576
const valueBytes = 1_024
/** Three full segments and a part of the fourth. */
const recordsPerPartition = 3_500
const wantedSealed = 2

export async function deploy(demo: Demo): Promise<void> {
  const status = await followPlan(demo, 'deploy', 'the deployment', (current) => isComplete(current, 'deploy'))
  const ready = status.instances.filter((instance) => instance.ready).length
  demo.report.check('controllers and brokers ready', '6', String(ready))
  const agents = new Set(brokersOf(status).map((broker) => broker.agentId)).size
  demo.report.check('agents that hold a broker', '3', String(agents))
  demo.report.check(
    'cluster id, generated once',
    '22 characters',
    `${String(status.values['clusterId']?.length ?? 0)} characters`,
  )
}

export async function write(demo: Demo): Promise<void> {
  const client = await clientOf(demo)
  await createTopic(client, { topic, partitions, config: { 'segment.bytes': String(segmentBytes) } })
  say(`topic ${topic}: ${String(partitions)} partitions, 3 replicas, segments of 1 MiB`)
  await writeRecords(client, topic, partitions, recordsPerPartition, valueBytes)
  say(`${String(partitions * recordsPerPartition)} records written and acknowledged by all replicas in sync`)

  const status = await readStatus(demo.httpPort)
  for (const broker of brokersOf(status)) {
    const { volume } = await placeOf(processOf(status, broker.name))
    const files = await readBrokerFiles(`${volume}/broker-${String(broker.index)}`, topic)
    const perPartition = countByPartition(files.sealed.map((file) => file.path))
    const fewest = perPartition.size < partitions ? 0 : Math.min(...perPartition.values())
    const found = `${String(files.sealed.length)}, at least ${String(fewest)} in each partition`
    demo.report.check(
      `sealed segments on ${broker.name}`,
      `at least ${String(wantedSealed)} in each partition`,
      found,
      fewest >= wantedSealed,
    )
  }
}

function countByPartition(paths: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const path of paths) {
    const partition = path.split('/')[0] ?? ''
    counts.set(partition, (counts.get(partition) ?? 0) + 1)
  }
  return counts
}
