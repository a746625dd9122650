/**
 * How long a spec of 10,000 pod instances takes from the author's value to plans: checked, hashed, all its plans compiled. Beside
 * it what nobody can do without: the value read once from its text, and one object with its name made for each step.
 */
import { buildTarget } from '../../src/scheduler/target.js'
import { compilePlans } from '../../src/plan/compile.js'
import { diffServices } from '../../src/spec/diff.js'
import { parseSpec } from '../../src/spec/parse.js'
import { median, type Row } from './support/rows.js'

export const description = 'a spec of 10,000 pod instances: checked, hashed, compiled to plans'

const instances = 10_000
const rounds = 15

/** A storage type in parallel with an initialisation of its own, a type behind a canary, and two plans of the author. */
function spec(version: string): object {
  const server = {
    command: './serve.sh',
    cpus: 1,
    memoryMb: 1_024,
    env: { VERSION: version, PEERS: '{{peers.storage.client as {index}@{address}:{port}}}' },
    ports: { client: { port: 0, envKey: 'CLIENT_PORT' } },
    uris: ['https://files.example/server.tgz'],
    readinessCheck: { command: './ready.sh' },
  }
  const pod = {
    volumes: { data: { sizeMb: 10_240 } },
    tasks: {
      format: { goal: 'INIT', command: './format.sh', cpus: 0.1, memoryMb: 64 },
      server,
      backup: { ...server, ports: {}, goal: 'FINISH' },
    },
  }
  const each = (tasks: readonly (readonly string[])[]) => [{ instance: 'default', tasks }]
  return {
    name: 'fleet',
    pods: { storage: { ...pod, count: instances * 0.75 }, front: { ...pod, count: instances * 0.25 } },
    deploy: {
      preFlight: ['healthy'],
      phases: [
        { pod: 'storage', strategy: 'parallel', steps: each([['format'], ['server']]), afterEach: ['joined'] },
        { pod: 'front', strategy: 'serial-canary', steps: each([['format'], ['server']]) },
      ],
    },
    update: { order: 'leadersLast', afterEach: ['inSync'] },
    plans: {
      save: { phases: [{ pod: 'storage', strategy: 'parallel', steps: each([['backup']]) }] },
    },
  }
}

interface Times {
  readonly parseMs: number
  readonly identityMs: number
  readonly plansMs: number
  readonly wholeMs: number
  readonly steps: number
}

function compile(text: string): Times {
  const value: unknown = JSON.parse(text)
  const begun = performance.now()
  const parsed = parseSpec(value)
  const afterParse = performance.now()
  const target = buildTarget(parsed)
  const afterIdentity = performance.now()
  const plans = compilePlans(target.spec)
  const ended = performance.now()
  return {
    parseMs: afterParse - begun,
    identityMs: afterIdentity - afterParse,
    plansMs: ended - afterIdentity,
    wholeMs: ended - begun,
    steps: plans.reduce((sum, { phases }) => sum + phases.reduce((inner, { steps }) => inner + steps.length, 0), 0),
  }
}

function bare(text: string, steps: number): number {
  const begun = performance.now()
  JSON.parse(text)
  const made: object[] = []
  for (let index = 0; index < steps; index++) made.push({ name: `storage-${index}:[server]`, index })
  if (made.length !== steps) throw new Error('nothing was made')
  return performance.now() - begun
}

export async function run(): Promise<Row[]> {
  const text = JSON.stringify(spec('1'))
  // The first is what a command line sees; later ones are what a scheduler does over the day.
  const first = compile(text)
  const times = Array.from({ length: rounds }, () => compile(text))
  const limit = median(Array.from({ length: rounds }, () => bare(text, first.steps)))
  const [before, after] = [parseSpec(JSON.parse(text)), parseSpec(spec('2'))]
  const diffs = Array.from({ length: rounds }, () => {
    const begun = performance.now()
    diffServices(before, after)
    return performance.now() - begun
  })
  const row = (name: string, value: number, rest: Partial<Row> = {}): Row => ({
    name,
    value,
    unit: 'ms',
    better: 'lower',
    ...rest,
  })
  return Promise.resolve([
    row(`${instances} pod instances to plans, first in a process`, first.wholeMs, { aim: 200, limit }),
    row(`${instances} pod instances to plans`, median(times.map(({ wholeMs }) => wholeMs)), { aim: 200, limit }),
    row('of that: checked', median(times.map(({ parseMs }) => parseMs))),
    row('of that: hashed', median(times.map(({ identityMs }) => identityMs))),
    row('of that: plans', median(times.map(({ plansMs }) => plansMs))),
    row('steps of all plans', first.steps, { unit: '' }),
    row('difference to the next version', median(diffs)),
  ])
}
