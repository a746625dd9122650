/** Hooks under faults, whoever wrote them: they hang, fail, or answer something else than they would have. */
import { SdkError } from '../../errors.js'
import type { Hook, Hooks } from '../../runtime/hooks.js'

/** Kinds of faults that hit hooks. */
export type HookFault = 'gatesShut' | 'hooksHang' | 'hooksThrow' | 'hooksAnswerNonsense'

/** `isUnder` is asked only by a hook that the fault would change. */
export const troubleHooks = (hooks: Hooks, isUnder: (fault: HookFault) => boolean): Hooks =>
  Object.fromEntries(Object.entries(hooks).map(([name, hook]) => [name, troubleHook(hook, isUnder)]))

const troubleHook =
  (hook: Hook, isUnder: (fault: HookFault) => boolean): Hook =>
  async (context) => {
    if (isUnder('hooksHang')) return new Promise(() => undefined)
    const answer = await hook(context)
    if (isUnder('hooksThrow')) throw new SdkError('ERR_EXPECTATION', 'the simulated hook fails')
    if (isUnder('hooksAnswerNonsense')) return ['nobody']
    if (context.candidates === undefined && isUnder('gatesShut')) return { open: false, reason: 'shut' }
    return answer
  }
