/**
 * The public list of `stateward/testing`: unit tests of a service against an in-memory offer stream, and simulations of whole
 * lives of it with faults, from a seed.
 *
 * @module
 */
export { testService, type TestPod, type TestService, type TestServiceOptions } from './testing/test-service.js'
export type { LaunchExpectation, PlanExpectation } from './testing/expectations.js'
export { replaySimulation, shrinkSimulation, simulate, type SimulateOptions } from './testing/simulation/index.js'
export { renderDiary } from './testing/simulation/diary.js'
export {
  faultKinds,
  parsePlan,
  type Fault,
  type FaultGroup,
  type FaultKind,
  type SimulationPlan,
} from './testing/simulation/plan.js'
export type { RunOptions, SimulationResult, Violation } from './testing/simulation/simulate.js'
export type { SimulationOptions } from './testing/simulation/make-plan.js'
export type { Shrunk } from './testing/simulation/shrink.js'
export type { Coverage } from './testing/simulation/coverage.js'
export type { Install } from './testing/simulation/end-state.js'
export type { LogEntry } from './testing/virtual/log.js'
export type { Behave, TaskBehaviour } from './testing/virtual/tasks.js'
export type { Checker, CheckerContext, CheckerDefinition } from './testing/checkers/checker.js'
export { allCheckers } from './testing/checkers/all.js'
