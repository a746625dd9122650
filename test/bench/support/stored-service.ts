/**
 * What the store holds of a large service at rest: one instance is deployed in the virtual cluster by the real scheduler, and
 * its records are repeated under the names of the others.
 */
import type { TaskName } from '../../../src/ids.js'
import { defineService } from '../../../src/spec/parse.js'
import type { ServiceSpec } from '../../../src/spec/schema.js'
import {
  instanceWrite,
  parseRecords,
  runWrite,
  serviceWrite,
  targetWrite,
  taskWrite,
} from '../../../src/scheduler/stored-records.js'
import { buildTarget } from '../../../src/scheduler/target.js'
import { createMemoryStore } from '../../../src/store/memory-store.js'
import { createCountingIds } from '../../../src/testing/seeded-ids.js'
import { buildVirtualAgents, createVirtualCluster } from '../../../src/testing/virtual/cluster.js'
import { createVirtualScheduler, directStore } from '../../../src/testing/virtual/scheduler.js'
import { behaveAsSpecified } from '../../../src/testing/virtual/tasks.js'

const specOf = (count: number): ServiceSpec =>
  defineService({
    name: 'fleet',
    pods: {
      node: {
        count,
        volumes: { data: { sizeMb: 64 } },
        tasks: {
          server: {
            command: './serve.sh',
            cpus: 0.1,
            memoryMb: 32,
            ports: { client: { port: 0, envKey: 'CLIENT_PORT' } },
            readinessCheck: { command: './ready.sh' },
          },
        },
      },
    },
  })

export interface StoredService {
  readonly spec: ServiceSpec
  readonly records: ReadonlyMap<string, string>
}

/** A deployed service of `count` instances with one task each. */
export async function storedService(count: number): Promise<StoredService> {
  const one = parseRecords(await deployOne())
  const spec = specOf(count)
  const target = buildTarget(spec)
  const rename = <Record extends object>(record: Record, index: number): Record =>
    JSON.parse(
      JSON.stringify(record)
        .replaceAll(buildTarget(specOf(1)).id, target.id)
        .replaceAll('node-0', `node-${index}`)
        .replaceAll('"index":0', `"index":${index}`),
    ) as Record
  const writes = [targetWrite(target)]
  if (one.service !== undefined) writes.push(serviceWrite(rename(one.service, 0)))
  for (const run of one.runs.values()) writes.push(runWrite(rename(run, 0)))
  for (let index = 0; index < count; index += 1) {
    for (const record of one.instances.values()) writes.push(instanceWrite(rename(record, index)))
    for (const [name, record] of one.tasks)
      writes.push(taskWrite(name.replace('node-0', `node-${index}`) as TaskName, rename(record, index)))
  }
  return { spec, records: new Map(writes.map(({ key, value }) => [key, value ?? ''])) }
}

async function deployOne(): Promise<ReadonlyMap<string, string>> {
  const spec = specOf(1)
  const store = createMemoryStore()
  const cluster = createVirtualCluster({ agents: buildVirtualAgents(1), behave: behaveAsSpecified(spec) })
  const scheduler = createVirtualScheduler({
    cluster,
    storeOf: directStore(store, () => cluster.nowMs),
    ids: createCountingIds(),
  })
  await scheduler.start(spec)
  await cluster.advance(120_000)
  const { failures } = scheduler
  const status = scheduler.status()
  await scheduler.stop()
  if (failures.length > 0 || status?.plans.some((plan) => plan.status !== 'COMPLETE') !== false)
    throw new Error(
      `the service of one instance was not deployed: ${JSON.stringify(status?.plans)} ${failures.map(String).join()}`,
    )
  return store.dump()
}
