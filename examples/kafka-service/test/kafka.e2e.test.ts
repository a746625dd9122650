/**
 * Kafka on real processes, as short as it can be and still mean something: deploy three controllers and three brokers, write, kill
 * a broker, and prove that it came back on its own data. The demo does the rest.
 */
import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Demo } from '../src/demo/demo.js'

const folder = mkdtempSync(join(tmpdir(), 'stateward-kafka-'))
process.env['STATEWARD_DEMO_DIR'] = folder
const { installKafka, freePort } = await import('../src/demo/install.js')
const { startCluster, startScheduler } = await import('../src/demo/programs.js')
const { Report } = await import('../src/demo/report.js')
const { deploy, write } = await import('../src/demo/step-deploy.js')
const { recoverInPlace } = await import('../src/demo/step-recover.js')
const { readBack } = await import('../src/demo/step-read-back.js')
const { endProcesses, prepareWorkFolder } = await import('../src/demo/work-folder.js')

const quiet = () => undefined
const limitMs = 200_000

describe('Kafka on a local cluster', () => {
  const report = new Report(quiet)
  let demo: Demo

  beforeAll(async () => {
    await prepareWorkFolder()
    const kafkaLibs = await installKafka(quiet)
    const abort = new AbortController().signal
    const cluster = await startCluster(abort)
    const httpPort = await freePort()
    demo = { report, cluster, kafkaLibs, httpPort, abort, scheduler: startScheduler({ cluster, httpPort, kafkaLibs }) }
  })

  afterAll(async () => {
    const left = await endProcesses(quiet)
    await rm(folder, { recursive: true, force: true })
    expect(left).toEqual({ processes: [], listeners: [] })
  })

  const failed = () => report.rows.filter((row) => !row.held)

  test('is deployed with three controllers and three brokers', { timeout: limitMs }, async () => {
    await deploy(demo)
    await write(demo)
    expect(failed()).toEqual([])
  })

  test('brings a killed broker back on its own data, and every record can be read from it', { timeout: limitMs }, async () => {
    await recoverInPlace(demo, 'broker-1')
    await readBack(demo, 'broker-1')
    expect(failed()).toEqual([])
  })
})
