/**
 * Runs the author's hooks: one promise per job, an abort signal, a time limit. Whatever a hook does, one `jobFinished` comes
 * back for each job, unless the scheduler stops first.
 */
import type { JobOutcome } from '../scheduler/events.js'
import type { Clock } from '../ports/clock.js'
import type { Job } from '../scheduler/output.js'
import type { HookContext, HookInput, Hooks } from './hooks.js'

export interface JobRunner {
  readonly run: (job: Job) => void
  /** Aborts what runs; nothing is reported any more. */
  close(): void
}

export function createJobRunner(hooks: Hooks, clock: Clock, report: (job: Job, outcome: JobOutcome) => void): JobRunner {
  const running = new Set<AbortController>()
  let closed = false

  const run = (job: Job): void => {
    const controller = new AbortController()
    running.add(controller)
    void attempt(job, controller).then((outcome) => {
      running.delete(controller)
      if (!closed) report(job, outcome)
    })
  }

  const attempt = async (job: Job, controller: AbortController): Promise<JobOutcome> => {
    let cancel: (() => void) | undefined
    try {
      const hook = hooks[job.hook]
      if (hook === undefined) return { ok: false, error: `no hook named ${job.hook} is bound` }
      const context: HookContext = {
        ...(job.input as HookInput),
        runId: job.runId,
        attempt: job.attempt,
        signal: controller.signal,
      }
      const deadline = new Promise<never>((_resolve, reject) => {
        controller.signal.addEventListener('abort', () => reject(new Error('the scheduler stops')), { once: true })
        cancel = clock.after(job.timeoutMs, () => {
          reject(new Error(`no answer within ${job.timeoutMs} ms`))
          controller.abort()
        })
      })
      return { ok: true, value: await Promise.race([hook(context), deadline]) }
    } catch (error) {
      return { ok: false, error: `hook ${job.hook} failed: ${error instanceof Error ? error.message : String(error)}` }
    } finally {
      cancel?.()
    }
  }

  return {
    run,
    close() {
      closed = true
      for (const controller of running) controller.abort()
    },
  }
}
