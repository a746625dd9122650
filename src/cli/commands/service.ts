/** Commands about a running service: its plans as a live tree, pause, resume, restart. */
import { setTimeout as delay } from 'node:timers/promises'
import { Command, InvalidArgumentError } from 'commander'
import { isSdkError, renderPlans } from '../../index.js'
import { changePlan, defaultUrl, getStatus, restartPod } from '../client.js'

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
      await restartPod(options.url, pod)
      process.stdout.write(`${pod} is being restarted in place\n`)
    })

const say = (plan: { readonly name: string; readonly status: string; readonly paused: boolean }): void =>
  void process.stdout.write(`plan ${plan.name} is ${plan.status}${plan.paused ? ', paused' : ''}\n`)
