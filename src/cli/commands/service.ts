/** Commands about a running service: its plans as a live tree, pause, resume, restart. */
import { setTimeout as delay } from 'node:timers/promises'
import { Command, InvalidArgumentError } from 'commander'
import { isSdkError, renderPlans } from '../../index.js'
import { changePlan, defaultUrl, getStatus, commandPod, getHistory } from '../client.js'

const watchIntervalMs = 500
const clearScreen = '\u001b[H\u001b[J'

interface UrlOption {
  readonly url: string
}

const withUrl = (command: Command): Command => command.option('--url <url>', 'HTTP API of the scheduler', parseUrl, defaultUrl)

function parseUrl(text: string): string {
  if (URL.canParse(text) && /^https?:/.test(text)) return text
  throw new InvalidArgumentError(`It must be like ${defaultUrl}.`)
}

export const plansCommand = (): Command =>
  withUrl(new Command('plans'))
    .description('show plans, phases and steps with state, agent, elapsed time and the reason for every wait')
    .option('--watch', 'keep showing them until interrupted')
    .action(async (options: UrlOption & { readonly watch?: boolean }) => {
      if (options.watch !== true) process.stdout.write(`${renderPlans(await getStatus(options.url))}\n`)
      else await watch(options.url)
    })

/** On a terminal the tree is drawn anew in place; elsewhere it is printed when it has changed. */
async function watch(url: string): Promise<void> {
  const live = process.stdout.isTTY
  let last = ''
  for (;;) {
    const text = await getStatus(url).then(
      (status) => renderPlans(status, { withoutTimes: !live }),
      (error: unknown) => (isSdkError(error) ? error.message : Promise.reject(error as Error)),
    )
    if (live) process.stdout.write(`${clearScreen}${text}\n`)
    else if (text !== last) process.stdout.write(`${text}\n\n`)
    last = text
    await delay(watchIntervalMs)
  }
}

export const pauseCommand = (): Command =>
  withUrl(new Command('pause').argument('<plan>', 'deploy or update'))
    .description('start no further block of a plan; the one in hand is finished, recovery goes on')
    .action(async (plan: string, options: UrlOption) => say(await changePlan(options.url, plan, 'pause')))

export const resumeCommand = (): Command =>
  withUrl(new Command('resume').argument('<plan>', 'deploy or update'))
    .description('go on with a paused plan')
    .action(async (plan: string, options: UrlOption) => say(await changePlan(options.url, plan, 'resume')))

export const restartCommand = (): Command =>
  withUrl(new Command('restart').argument('<pod>', 'pod instance, for example broker-1'))
    .description('restart the tasks of a pod instance in place')
    .action(async (pod: string, options: UrlOption) => {
      await commandPod(options.url, pod, 'restart')
      process.stdout.write(`${pod} is being restarted in place\n`)
    })

export const podCommand = (): Command => {
  const pod = new Command('pod').description('work on one pod instance')
  const argument = ['<pod>', 'pod instance, for example broker-1'] as const
  pod.addCommand(
    withUrl(new Command('pause').argument(...argument))
      .description('have its tasks idle in place, with their resources and volumes, to repair something')
      .action(async (name: string, options: UrlOption) => {
        await commandPod(options.url, name, 'pause')
        process.stdout.write(`${name} is paused; if it serves now, its tasks are stopped as soon as everything else serves\n`)
      }),
  )
  pod.addCommand(
    withUrl(new Command('resume').argument(...argument))
      .description('have its tasks work again')
      .action(async (name: string, options: UrlOption) => {
        await commandPod(options.url, name, 'resume')
        process.stdout.write(`${name} works again\n`)
      }),
  )
  pod.addCommand(
    withUrl(new Command('history').argument(...argument))
      .description('show the last statuses and decisions of its tasks, with times')
      .action(async (name: string, options: UrlOption) => {
        for (const task of (await getHistory(options.url, name)).tasks) {
          process.stdout.write(`${task.name}\n`)
          for (const { atMs, event, taskId, reason, message } of task.history) {
            const words = [new Date(atMs).toISOString(), event, taskId, reason, message]
            process.stdout.write(`  ${words.filter((word) => word !== undefined).join('  ')}\n`)
          }
        }
      }),
  )
  return pod
}

const say = (plan: { readonly name: string; readonly status: string; readonly paused: boolean }): void =>
  void process.stdout.write(`plan ${plan.name} is ${plan.status}${plan.paused ? ', paused' : ''}\n`)
