/** Commands about the simulation: a run in a file, done again. */
import { readFileSync, writeFileSync } from 'node:fs'
import { Command, InvalidArgumentError } from 'commander'
import type { SimulationPlan, SimulationResult } from '../../testing.js'

export const simCommand = (): Command =>
  new Command('sim').description('simulations of a service').addCommand(
    new Command('replay')
      .argument('<file>', 'a run of a simulation, as written when a seed failed')
      .description('do a run again and print its diary; exit code 1 when a promise is broken, 2 when the file is no such run')
      .option('--shrink <file>', 'look for a shorter run that fails alike, and write it there')
      .option('--quiet', 'print only what was broken')
      .action(async (file: string, options: { readonly shrink?: string; readonly quiet?: boolean }) => {
        // The whole cluster model comes with it, which no other command needs.
        const { parsePlan, renderDiary, replaySimulation, shrinkSimulation } = await import('../../testing.js')
        const plan = readPlan(file, parsePlan)
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

/** A file that cannot be read or holds no plan is wrong usage, and must not look like a broken promise. */
function readPlan(file: string, parse: (text: string, source: string) => SimulationPlan): SimulationPlan {
  try {
    return parse(readFileSync(file, 'utf8'), file)
  } catch (error) {
    throw new InvalidArgumentError(`cannot replay ${file}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

const lastLine = ({ violations, plan }: SimulationResult): string =>
  violations.length === 0
    ? `seed ${plan.seed}: every promise held\n`
    : violations.map(({ checker, text }) => `${checker}: ${text}\n`).join('')
