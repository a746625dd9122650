/** Commands about a spec alone: is it sound, what changed, what would be done. They need no cluster and no store. */
import { Command } from 'commander'
import {
  compilePlans,
  diffServices,
  findUnsupported,
  renderDiff,
  renderOutline,
  specJsonSchema,
  type ServiceSpec,
} from '../../index.js'
import { readSpec, renderIssue, renderProblems, specArgument, withSpecOptions, type SpecOptions } from '../load-spec.js'

interface Options extends SpecOptions {
  readonly json?: true
}

const specCommand = (name: string): Command => withSpecOptions(new Command(name)).option('--json', 'print JSON')

export const validateCommand = (): Command =>
  specCommand('validate')
    .argument('<file>', `the spec: ${specArgument}`)
    .description('say all that is wrong in a spec, with lines; exit code 1 when something is')
    .action(async (place: string, options: Options) => {
      const result = await readSpec(place, options)
      if (!result.ok) {
        process.exitCode = 1
        say(options, { ok: false, issues: result.issues }, () => renderProblems(place, result.issues))
        return
      }
      const { spec, settings } = result
      const all = [...result.notes, ...findUnsupported(spec)]
      say(options, { ok: true, issues: [], notes: all, ...(settings === undefined ? {} : { settings }) }, () =>
        [...all.map((issue) => renderIssue(`${place}: note`, issue)), `${place}: sound: ${summary(spec)}`].join('\n'),
      )
    })

export const renderCommand = (): Command =>
  specCommand('render')
    .argument('<file>', `the spec: ${specArgument}`)
    .description('show the plans of a spec as phases and steps')
    .action(async (place: string, options: Options) => {
      const spec = await soundSpec(place, options)
      if (spec === undefined) return
      const outlines = compilePlans(spec)
      say(options, outlines, () => renderOutline(outlines))
    })

export const diffCommand = (): Command =>
  specCommand('diff')
    .argument('<old>', `the spec that is deployed: ${specArgument}`)
    .argument('<new>', 'the spec that is to replace it')
    .description('show what a changed spec would do; exit code 1 when it would be refused')
    .action(async (oldPlace: string, newPlace: string, options: Options) => {
      const before = await soundSpec(oldPlace, options)
      const after = await soundSpec(newPlace, options)
      if (before === undefined || after === undefined) return
      const diff = diffServices(before, after)
      say(options, diff, () => renderDiff(diff))
      if (diff.refusals.length + diff.notYet.length > 0) process.exitCode = 1
    })

export const schemaCommand = (): Command =>
  new Command('schema')
    .description('print the JSON Schema of a spec, for editors and other tools')
    .action(() => void process.stdout.write(`${JSON.stringify(specJsonSchema(), undefined, 2)}\n`))

/** The spec, or `undefined` after its problems were printed where they do not mix with what was asked for. */
async function soundSpec(place: string, options: SpecOptions): Promise<ServiceSpec | undefined> {
  const result = await readSpec(place, options)
  if (result.ok) return result.spec
  process.stderr.write(`${renderProblems(place, result.issues)}\n`)
  process.exitCode = 1
  return undefined
}

const say = ({ json }: Options, value: unknown, render: () => string): void =>
  void process.stdout.write(`${json === true ? JSON.stringify(value, undefined, 2) : render()}\n`)

function summary({ name, pods }: ServiceSpec): string {
  const instances = Object.values(pods).reduce((sum, { count }) => sum + count, 0)
  const types = Object.keys(pods).length
  return `service ${name}, ${types} pod ${types === 1 ? 'type' : 'types'}, ${instances} ${instances === 1 ? 'instance' : 'instances'}`
}
