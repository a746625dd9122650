/**
 * One virtual process of a task: it starts, becomes ready, ends and obeys signals in virtual time. A check that would be answered
 * as the last one was is answered when its answer would differ: hours in which nothing changes cost nothing.
 */
import type { ProcessEnd } from '../../mesos-model/executor-state.js'
import type { VirtualClock } from './clock.js'
import type { EndCause, LoggedProcess, WriteLog } from './log.js'
import type { TaskBehaviour } from './tasks.js'

export interface ProcessParts {
  readonly clock: VirtualClock
  readonly write: WriteLog
  /** What a check takes. */
  readonly checkMs: () => number
  /** It has ended by itself or by a signal. */
  readonly onEnded: (end: ProcessEnd) => void
}

export interface TaskProcess {
  readonly logged: LoggedProcess
  readonly startedAtMs: number
  /** From then on its health check fails. */
  readonly unhealthyAtMs: number
  /** Answers once, now or when there is news. */
  check(answer: (isReady: boolean) => void): void
  setReady(isReady: boolean): void
  signal(name: 'SIGTERM' | 'SIGKILL'): void
  end(end: ProcessEnd, cause: EndCause): void
  /** Ends without anybody being told but the log. */
  vanish(cause: EndCause): void
}

export function startProcess(logged: LoggedProcess, behaviour: TaskBehaviour, parts: ProcessParts): TaskProcess {
  const { clock, write } = parts
  const startedAtMs = clock.nowMs
  const timers: (() => void)[] = []
  let isEnded = false
  let hasBeenReady = false
  /** What the test said of it. */
  let isReadyNow: boolean | undefined
  let answered: boolean | undefined
  let waiting: ((isReady: boolean) => void) | undefined

  const after = (ms: number, run: () => void): void => {
    if (ms !== Infinity) timers.push(clock.after(ms, run))
  }
  const readyAtMs = startedAtMs + (behaviour.readyAfterMs ?? 0)
  const isReady = (): boolean => isReadyNow ?? clock.nowMs >= readyAtMs

  const answer = (): void => {
    if (waiting === undefined || isReady() === answered) return
    const asker = waiting
    waiting = undefined
    answered = isReady()
    if (answered && !hasBeenReady) write({ type: 'processReady', process: logged })
    hasBeenReady ||= answered
    asker(answered)
  }
  const answerSoon = (): void => after(parts.checkMs(), answer)

  const vanish = (cause: EndCause, end?: ProcessEnd): void => {
    if (isEnded) return
    isEnded = true
    for (const cancel of timers) cancel()
    const code = end === undefined || end.signal !== undefined ? {} : { code: end.code ?? 0 }
    write({ type: 'processEnded', process: logged, cause, ...code })
  }
  const finish = (end: ProcessEnd, cause: EndCause): void => {
    if (isEnded) return
    vanish(cause, end)
    parts.onEnded(end)
  }

  write({ type: 'processStarted', process: logged })
  after(behaviour.endsAfterMs ?? Infinity, () => finish({ code: behaviour.exitCode ?? 0 }, 'itself'))
  if (readyAtMs > startedAtMs) after(readyAtMs - startedAtMs, answerSoon)

  return {
    logged,
    startedAtMs,
    unhealthyAtMs: startedAtMs + (behaviour.unhealthyAfterMs ?? Infinity),
    check(asker) {
      if (isEnded) return
      waiting = asker
      if (isReady() !== answered) answerSoon()
    },
    setReady(isReadyFromNow) {
      isReadyNow = isReadyFromNow
      if (waiting !== undefined) answerSoon()
    },
    signal(name) {
      if (isEnded) return
      write({ type: 'processSignalled', process: logged, signal: name })
      if (name === 'SIGTERM' && behaviour.ignoresTerm === true) return
      const afterMs = name === 'SIGKILL' ? 0 : (behaviour.stopsAfterMs ?? 0)
      after(afterMs, () => finish({ signal: name }, 'signal'))
    },
    end: finish,
    vanish: (cause) => vanish(cause),
  }
}
