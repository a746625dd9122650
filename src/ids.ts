/**
 * Branded ids and the source they come from. Ids travel together as bare strings and swapping two is the classic bug,
 * so each kind is a type of its own, made only here. Pure: randomness is an `IdSource` that the caller hands in.
 */
declare const brand: unique symbol
type Branded<Name extends string> = string & { readonly [brand]: Name }

/** Mesos framework id, assigned by the master. */
export type FrameworkId = Branded<'FrameworkId'>
/** Mesos agent id; kept by an agent over restarts as long as its work directory is. */
export type AgentId = Branded<'AgentId'>
/** Mesos offer id. */
export type OfferId = Branded<'OfferId'>
/** Id of one launch of a task: `<task name>__<uuid>`; never used twice. */
export type TaskId = Branded<'TaskId'>
/** Id of one incarnation of a pod's executor: `<pod instance>__<uuid>`. */
export type ExecutorId = Branded<'ExecutorId'>
/** Id of an offer operation that asks for feedback; never used twice. */
export type OperationId = Branded<'OperationId'>
/** Id of a persistent volume. */
export type PersistenceId = Branded<'PersistenceId'>
/** Label that ties one reserved resource to its footprint: `<pod instance>.<generation>.<part>`. */
export type ResourceId = Branded<'ResourceId'>
/** `<pod>-<index>`, for example `broker-1`. */
export type PodInstanceName = Branded<'PodInstanceName'>
/** `<pod>-<index>-<task>`, for example `broker-1-server`. */
export type TaskName = Branded<'TaskName'>
/** Content hash of a whole spec: `<hash version>:<hash>`. */
export type TargetConfigId = Branded<'TargetConfigId'>
/** Id of a plan run or of a job of the author. */
export type RunId = Branded<'RunId'>
/** The `Mesos-Stream-Id` of one subscription. */
export type StreamId = Branded<'StreamId'>

export const frameworkId = (text: string): FrameworkId => text as FrameworkId
export const agentId = (text: string): AgentId => text as AgentId
export const offerId = (text: string): OfferId => text as OfferId
export const taskId = (text: string): TaskId => text as TaskId
export const executorId = (text: string): ExecutorId => text as ExecutorId
export const operationId = (text: string): OperationId => text as OperationId
export const persistenceId = (text: string): PersistenceId => text as PersistenceId
export const resourceId = (text: string): ResourceId => text as ResourceId
export const targetConfigId = (text: string): TargetConfigId => text as TargetConfigId
export const runId = (text: string): RunId => text as RunId
export const streamId = (text: string): StreamId => text as StreamId

/** `broker` and 1 make `broker-1`. */
export const podInstanceName = (pod: string, index: number): PodInstanceName => `${pod}-${index}` as PodInstanceName
/** `broker-1` and `server` make `broker-1-server`. */
export const taskName = (instance: PodInstanceName, task: string): TaskName => `${instance}-${task}` as TaskName

/** `<task name>__<uuid>`: names hold no underscore, so the task of any id of ours is known without an index. */
export const taskIdSeparator = '__'

export const nameOfTask = (id: TaskId): TaskName => id.split(taskIdSeparator)[0] as TaskName

/** The instance of a task. Pod names hold no part that is all digits, so the first such part is the index. */
export const instanceOfTask = (task: TaskName): PodInstanceName | undefined =>
  /^(.+?-\d+)-/.exec(task)?.[1] as PodInstanceName | undefined

/** Kinds of generated ids; each draws from a stream of its own, so that one more id of a kind shifts no other kind. */
export type IdKind = 'task' | 'executor' | 'operation' | 'persistence' | 'run' | 'value'

/** Where generated ids come from: random in production, a seeded counter in tests. */
export interface IdSource {
  /** A fresh RFC 4122 UUID in lower-case text form. */
  uuid(kind: IdKind): string
}
