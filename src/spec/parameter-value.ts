/** Whether a value fits the parameter that it is given for. Pure. */
import type { PlanParameter } from './schema.js'

export type ParameterValue = string | number | boolean

/** What is wrong with the value, and what would be right; `undefined` when it fits. */
export function valueProblem(parameter: PlanParameter, value: unknown): string | undefined {
  const shown = JSON.stringify(value) ?? String(value)
  if (typeof value !== parameter.type || (typeof value === 'number' && !Number.isFinite(value)))
    return `must be a ${parameter.type} (got ${shown})`
  if (parameter.type === 'string') {
    const { oneOf } = parameter
    return oneOf === undefined || oneOf.includes(String(value)) ? undefined : `must be one of ${oneOf.join(', ')} (got ${shown})`
  }
  if (parameter.type === 'boolean') return undefined
  const { min = -Infinity, max = Infinity } = parameter
  return Number(value) >= min && Number(value) <= max ? undefined : `must be ${range(min, max)} (got ${shown})`
}

function range(min: number, max: number): string {
  if (max === Infinity) return `at least ${min}`
  return min === -Infinity ? `at most ${max}` : `from ${min} to ${max}`
}
