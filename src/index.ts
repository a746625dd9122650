/**
 * The public list of `stateward`. A service is stated as data and run by a scheduler:
 *
 * @example
 * const scheduler = await createScheduler(defineService({ ... }), { cluster: 'http://127.0.0.1:5050', store: 'zk://127.0.0.1:2181/stateward' })
 * await scheduler.run()
 *
 * @module
 */
export {
  createLmdbStore,
  createScheduler,
  type LmdbStoreOptions,
  type Scheduler,
  type SchedulerEvents,
  type SchedulerOptions,
} from './runtime/create-scheduler.js'
export { diagnose, rebuildStore, type DoctorOptions, type RebuildOptions } from './runtime/create-doctor.js'
export { renderDiagnosis, renderRebuild, type Rebuild } from './doctor/render.js'
export type { Diagnosis } from './doctor/compare.js'
export type { RebuildAnswers } from './doctor/evidence.js'
export type { Finding, FindingCode } from './doctor/findings.js'
export type { GateResult, Hook, HookContext, HookInstance, Hooks } from './runtime/hooks.js'
export { defineService, parseSpec, safeParseSpec, type SpecResult } from './spec/parse.js'
export type { SpecIssue } from './spec/issues.js'
export { maxPerHost } from './spec/builders.js'
export { findUnsupported } from './spec/unsupported.js'
export {
  diffServices,
  type PodDiff,
  type PodFieldChange,
  type PodOutcome,
  type ServiceDiff,
  type TaskDiff,
  type TaskOutcome,
} from './spec/diff.js'
export type { FieldChange } from './spec/field-changes.js'
export type { HoldingChange } from './spec/holdings.js'
export type { Refusal, RefusalCode } from './spec/check-update.js'
export { renderDiff } from './spec/render-diff.js'
export { specJsonSchema } from './spec/json-schema.js'
export { compilePlans, type PhaseOutline, type PlanGates, type PlanOutline, type StepOutline } from './plan/compile.js'
export { renderOutline } from './plan/render-outline.js'
export type { ServiceSpec, ServiceSpecInput } from './spec/schema.js'
export { errorCodes, isSdkError, SdkError, type ErrorCode } from './errors.js'
export { renderPlans, type RenderOptions } from './scheduler/render-plans.js'
export type { InstanceView, PhaseView, PlanView, PodHistory, ServiceStatus, StepView, TaskView } from './scheduler/report.js'
export type { ParentStatus, StepStatus } from './plan/status.js'
export type { Logger } from './ports/logger.js'
export type { Leadership } from './ports/service-api.js'
export type { Batch, OpenOptions, StateStore, StoreSession, Write } from './ports/state-store.js'
