/**
 * The scheduler program: `kafka-scheduler --kafka-libs PATH [options]`. It runs until SIGTERM and hands over leadership then; the
 * cluster's tasks go on without it. Starting it again with other settings rolls them out.
 */
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { createScheduler, isSdkError } from 'stateward'
import { kafkaHooks } from './hooks.js'
import { kafkaService, productionSize, type KafkaOptions, smallSettings, smallSize } from './service.js'

const usage = `Usage: tsx src/main.ts --kafka-libs PATH|URI [options]

  --kafka-libs PATH|URI       jars of one Kafka version: a folder every agent has, or an archive to fetch
  --task-files URI            folder with the files of tasks/ as the agents reach it (default, for a local cluster: this
                              checkout's)
  --user NAME                 user that Kafka runs as on the agents; can never change later (default: root)
  --cluster URL               Mesos master (default http://127.0.0.1:5050)
  --store URL                 where state is kept (default zk://127.0.0.1:2181/stateward)
  --store-session-ms N        a scheduler without contact to the store for so long is replaced (default 10000)
  --port N                    HTTP port (default 8080)
  --brokers N, --controllers N
  --small                     a cluster for development: small heaps, short time-outs
  --broker-setting KEY=VALUE  a setting of the brokers; may be repeated
  --controller-setting KEY=VALUE
`

const options = {
  cluster: { type: 'string', default: 'http://127.0.0.1:5050' },
  store: { type: 'string', default: 'zk://127.0.0.1:2181/stateward' },
  'store-session-ms': { type: 'string', default: '10000' },
  port: { type: 'string', default: '8080' },
  'kafka-libs': { type: 'string' },
  'task-files': { type: 'string' },
  user: { type: 'string' },
  brokers: { type: 'string', default: '3' },
  controllers: { type: 'string', default: '3' },
  small: { type: 'boolean', default: false },
  'broker-setting': { type: 'string', multiple: true, default: [] as string[] },
  'controller-setting': { type: 'string', multiple: true, default: [] as string[] },
  help: { type: 'boolean', default: false },
} as const

/** @throws TypeError for an unknown option, or one without the value it needs */
export function readArguments(args: readonly string[]) {
  const { values } = parseArgs({ args: [...args], options, strict: true })
  if (values.help) return undefined
  const kafkaLibs = values['kafka-libs']
  if (kafkaLibs === undefined) throw new TypeError("--kafka-libs is missing: give the folder or the archive of Kafka's jars")
  const preset = values.small ? smallSettings : { broker: {}, controller: {} }
  const service: KafkaOptions = {
    kafkaLibs,
    taskFiles: values['task-files'] ?? ownTaskFiles(values.cluster),
    ...(values.user === undefined ? {} : { user: values.user }),
    brokers: positive('--brokers', values.brokers),
    controllers: positive('--controllers', values.controllers),
    size: values.small ? smallSize : productionSize,
    brokerSettings: { ...preset.broker, ...keyValues(values['broker-setting']) },
    controllerSettings: { ...preset.controller, ...keyValues(values['controller-setting']) },
  }
  const storeSessionMs = positive('--store-session-ms', values['store-session-ms'])
  return { cluster: values.cluster, store: values.store, port: positive('--port', values.port), storeSessionMs, service }
}

/** Agents of other machines have no such folder; its path would be part of the tasks' identity besides. */
function ownTaskFiles(cluster: string): string {
  const isLocal = cluster.split(',').every((master) => /^(https?:\/\/)?(127\.|localhost\b)/.test(master.trim()))
  if (!isLocal) throw new TypeError('--task-files is missing: give a URI under which the agents find the files of tasks/')
  return new URL('../tasks', import.meta.url).href
}

function positive(option: string, text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) throw new TypeError(`${option} must be a whole number from 1 on, found '${text}'`)
  return value
}

/** `a.b=1` pairs; what follows the first `=` is the value. */
export function keyValues(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=')
      if (at < 1) throw new TypeError(`a setting must be written KEY=VALUE, found '${pair}'`)
      return [pair.slice(0, at), pair.slice(at + 1)] as const
    }),
  )
}

async function main(): Promise<void> {
  const settings = readArguments(process.argv.slice(2))
  if (settings === undefined) {
    process.stdout.write(usage)
    return
  }
  const scheduler = await createScheduler(kafkaService(settings.service), {
    cluster: settings.cluster,
    store: settings.store,
    hooks: kafkaHooks,
    http: { host: '127.0.0.1', port: settings.port },
    storeSessionTimeoutMs: settings.storeSessionMs,
  })
  await scheduler.run()
}

const isProgram = process.argv[1] !== undefined && pathToFileURL(process.argv[1]).href === import.meta.url
if (isProgram) {
  try {
    await main()
  } catch (error) {
    const isUsage = error instanceof TypeError && !isSdkError(error)
    process.stderr.write(
      isUsage ? `${error.message}\n\n${usage}` : `${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    )
    process.exitCode = isUsage ? 2 : 1
  }
}
