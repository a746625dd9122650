#!/usr/bin/env node
/**
 * The command line: arguments in, exit codes out. It talks to a running scheduler over HTTP only;
 * the doctor looks past it, at store and cluster. Exit codes: 0 done, 1 failed, 2 wrong usage.
 */
import { Command, CommanderError, InvalidArgumentError } from 'commander'
import { isSdkError } from '../index.js'
import { clusterCommand } from './commands/cluster.js'
import { doctorCommand } from './commands/doctor.js'
import { simCommand } from './commands/sim.js'
import { diffCommand, renderCommand, schemaCommand, validateCommand } from './commands/spec.js'
import { pauseCommand, plansCommand, podCommand, restartCommand, resumeCommand } from './commands/service.js'

const program = new Command('stateward')
  .description('Operate services written with stateward, and run a local development cluster')
  .showHelpAfterError()
  .exitOverride()

for (const command of [
  plansCommand(),
  pauseCommand(),
  resumeCommand(),
  restartCommand(),
  podCommand(),
  clusterCommand(),
  doctorCommand(),
  simCommand(),
  validateCommand(),
  diffCommand(),
  renderCommand(),
  schemaCommand(),
])
  program.addCommand(command)
handDown(program)

/** Commands that were made elsewhere would end the process by themselves, with exit code 1 for wrong usage. */
function handDown(parent: Command): void {
  for (const command of parent.commands) {
    command.copyInheritedSettings(parent)
    handDown(command)
  }
}

// Whoever reads the output may have seen enough: `stateward schema | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit()
})

try {
  await program.parseAsync()
} catch (error) {
  if (error instanceof CommanderError) {
    // Thrown by a command itself, it has not been shown yet.
    if (error instanceof InvalidArgumentError) process.stderr.write(`error: ${error.message}\n`)
    process.exitCode = error.exitCode === 0 ? 0 : 2
  } else {
    process.stderr.write(
      `${isSdkError(error) ? `${error.code}: ` : ''}${error instanceof Error ? error.message : String(error)}\n`,
    )
    process.exitCode = 1
  }
}
