/**
 * The public list of `stateward/testing`: unit tests of a service against an in-memory offer stream.
 *
 * @module
 */
export { testService, type TestPod, type TestService, type TestServiceOptions } from './testing/test-service.js'
export type { LaunchExpectation, PlanExpectation } from './testing/expectations.js'
