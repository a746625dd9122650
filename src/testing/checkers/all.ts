/** Every checker, in the order in which they are told. */
import type { CheckerDefinition } from './checker.js'

export const allCheckers: readonly CheckerDefinition[] = []
