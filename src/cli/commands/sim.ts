/** Commands about the simulation: a run in a file, done again. */
import { readFileSync, writeFileSync } from 'node:fs'
import { Command } from 'commander'
import { SdkError } from '../../index.js'
import type { SimulationResult } from '../../testing.js'

export const simCommand = (): Command =>
  new Command('sim').description('simulations of a service').addCommand(
    new Command('replay')
      .argument('<file>', 'a run of a simulation, as written when a seed failed')
      .description('do a run again and print its diary; exit code 1 when a promise is broken')
      .option('--shrink <file>', 'look for a shorter run that fails alike, and write it there')
      .option('--quiet', 'print only what was broken')
      .action(async (file: string, options: { readonly shrink?: string; readonly quiet?: boolean }) => {
        // The whole cluster model comes with it, which no other command needs.
        const { parsePlan, renderDiary, replaySimulation, shrinkSimulation } = await import('../../testing.js')
        const plan = parsePlan(read(file), file)
        let result = await replaySimulation(plan)
        const [broken] = result.violations
        if (broken === undefined && options.shrink !== undefined) process.stdout.write('every promise held: nothing to shrink\n')
        if (broken !== undefined && options.shrink !== undefined) {
          const shrunk = await shrinkSimulation(plan, broken.checker)
          writeFileSync(options.shrink, `${JSON.stringify(shrunk.plan, undefined, 2)}\n`)
          process.stdout.write(`${shrunk.plan.faults.length} of ${plan.faults.length} faults left after ${shrunk.runs} runs\n`)
          result = await replaySimulation(shrunk.plan)
        }
        process.stdout.write(options.quiet === true ? lastLine(result) : renderDiary(result))
        if (broken !== undefined) process.exitCode = 1
      }),
  )

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new SdkError('ERR_INVALID_OPTION', `cannot read ${file}: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    })
  }
}

const lastLine = ({ violations, plan }: SimulationResult): string =>
  violations.length === 0
    ? `seed ${plan.seed}: every promise held\n`
    : violations.map(({ checker, text }) => `${checker}: ${text}\n`).join('')
