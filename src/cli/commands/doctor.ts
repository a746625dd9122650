/** `stateward doctor`: what differs between the store and the cluster; and a lost store built anew. */
import { readFileSync } from 'node:fs'
import { Command, InvalidArgumentError } from 'commander'
import {
  diagnose,
  rebuildStore,
  renderDiagnosis,
  renderRebuild,
  SdkError,
  type DoctorOptions,
  type RebuildOptions,
} from '../../index.js'
import { loadSpec, specArgument, splitPair, withSpecOptions, type SpecOptions } from '../load-spec.js'

interface Options extends SpecOptions {
  readonly cluster: string
  readonly store: string
  readonly json?: true
  readonly principal?: string
  readonly secretFile?: string
  readonly caFile?: string
  readonly rebuild?: true
  readonly dryRun?: true
  readonly previous: readonly string[]
  readonly used: readonly string[]
  readonly new: readonly string[]
  readonly value: readonly string[]
  readonly framework?: string
}

const gather = (text: string, before: readonly string[]): readonly string[] => [...before, text]

export const doctorCommand = (): Command =>
  withSpecOptions(new Command('doctor'))
    .argument('<spec>', `the spec that is deployed: ${specArgument}`)
    .description('compare what a service has stored with what the cluster shows; exit code 1 when something differs')
    .requiredOption('--cluster <url>', 'Mesos masters, with commas')
    .requiredOption('--store <address>', 'the store of the service, for example zk://127.0.0.1:2181/stateward')
    .option('--json', 'print JSON')
    .option('--principal <name>', 'for masters that authenticate; with --secret-file')
    .option('--secret-file <file>', 'file that holds the secret')
    .option('--ca-file <file>', 'certificates to trust, for masters that serve https')
    .option('--rebuild', 'write a lost store anew from reservations, labels and tasks')
    .option('--dry-run', 'with --rebuild: say what would be written')
    .option('--previous <spec>', 'with --rebuild: an earlier spec that instances may still be on; may be repeated', gather, [])
    .option('--used <instance>', 'with --rebuild: it ran, and its one-time tasks have succeeded; may be repeated', gather, [])
    .option('--new <instance>', 'with --rebuild: it never ran, or nothing of it is to be kept; may be repeated', gather, [])
    .option('--value <name=value>', 'with --rebuild: a generated value that no task tells; may be repeated', gather, [])
    .option('--framework <id>', 'with --rebuild: the right one of several frameworks')
    .action(async (place: string, options: Options) => {
      checkUsage(options)
      const spec = await loadSpec(place, options)
      if (options.rebuild !== true) {
        const diagnosis = await diagnose(spec, connection(options))
        print(options, diagnosis, () => renderDiagnosis(diagnosis))
        if (diagnosis.findings.length > 0) process.exitCode = 1
        return
      }
      const rebuild = await rebuildStore(spec, await rebuildOptions(options))
      print(options, rebuild, () => renderRebuild(rebuild))
    })

const print = ({ json }: Options, value: object, render: () => string): void =>
  void process.stdout.write(`${json === true ? JSON.stringify(value, undefined, 2) : render()}\n`)

function checkUsage(options: Options): void {
  const { rebuild, principal, secretFile } = options
  if ((principal === undefined) !== (secretFile === undefined))
    throw new InvalidArgumentError('--principal and --secret-file must be given together')
  const only = ['dryRun', 'previous', 'used', 'new', 'value', 'framework'] as const
  const given = only.filter((key) => (Array.isArray(options[key]) ? options[key].length > 0 : options[key] !== undefined))
  if (rebuild !== true && given[0] !== undefined)
    throw new InvalidArgumentError(`--${given[0] === 'dryRun' ? 'dry-run' : given[0]} goes with --rebuild only`)
}

function connection({ cluster, store, principal, secretFile, caFile }: Options): DoctorOptions {
  return {
    cluster,
    store,
    ...(principal === undefined || secretFile === undefined
      ? {}
      : { credentials: { principal, secret: read(secretFile).trim() } }),
    ...(caFile === undefined ? {} : { tls: { ca: read(caFile) } }),
  }
}

async function rebuildOptions(options: Options): Promise<RebuildOptions> {
  const { previous, used, value, framework } = options
  return {
    ...connection(options),
    dryRun: options.dryRun ?? false,
    previous: await Promise.all(previous.map((place) => loadSpec(place, options))),
    answers: {
      used,
      fresh: options.new,
      values: Object.fromEntries(value.map((text) => splitPair(text, '--value'))),
      ...(framework === undefined ? {} : { frameworkId: framework }),
    },
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new SdkError('ERR_INVALID_OPTION', `cannot read ${file}: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    })
  }
}
