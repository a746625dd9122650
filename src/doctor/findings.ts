/**
 * What can differ between the store and the cluster: one entry for each kind, with what it means and what to do. A finding names
 * one case of it. Pure.
 */

interface Meaning {
  readonly means: string
  readonly advice: string
}

const catalogue = {
  RECORDS_UNREADABLE: {
    means: 'no scheduler of this version starts on this store, so nothing of the service is looked after; its tasks run on',
    advice:
      'start the version that wrote it, or bring the record back from a backup; if the store is beyond repair, empty it and run doctor SPEC --rebuild',
  },
  STORE_LOST: {
    means: 'the store knows no framework, and the cluster has this service: the store was lost, or its address is wrong',
    advice: 'check --store; if the store was lost, stop every scheduler of the service and run doctor SPEC --rebuild',
  },
  SPEC_DIFFERS: {
    means: 'SPEC is not the target that is stored; a scheduler that is started with it rolls what differs',
    advice: 'nothing, if that update is wanted; otherwise give the spec that is deployed',
  },
  FRAMEWORK_TWICE: {
    means: 'two schedulers with different stores run, or ran, this service; each knows only its own tasks',
    advice:
      'find out which of them holds the data; stop the scheduler of the other one, and end that framework with the operator call TEARDOWN, which kills its tasks',
  },
  FRAMEWORK_REMOVED: {
    means:
      'the master has removed the framework, by TEARDOWN or after its failover timeout: its tasks were killed, reservations and volumes stay',
    advice: 'empty the store and run doctor SPEC --rebuild: the service is founded anew on what is reserved',
  },
  FRAMEWORK_UNKNOWN: {
    means:
      'the master does not know the stored framework id: it was restarted and the framework has not subscribed since, or this is another cluster, or this principal may not see it',
    advice: 'start the scheduler, which subscribes under its stored id; check --cluster if tasks are missing too',
  },
  AGENT_NOT_SEEN: {
    means: 'the agent is unreachable, gone, or not back after a restart of the master; what it holds could not be compared',
    advice: 'bring the agent back, or declare it gone with the operator call MARK_AGENT_GONE if it is lost for good',
  },
  NOT_RESERVED: {
    means:
      'the store counts on resources that the agent does not have reserved: somebody unreserved them, or the agent was wiped',
    advice: 'a task that ends there cannot be started again; free the resources on that agent, or restore the reservation',
  },
  AMOUNT_DIFFERS: {
    means: 'the reservation has another size than the store counts on',
    advice: 'find out who changed it; a launch in place needs at least what the store has',
  },
  VOLUME_NOT_THERE: {
    means: 'the store counts on a persistent volume that the agent does not have: somebody destroyed it, or the agent was wiped',
    advice: 'do not restart the instance; its data on this agent is gone, so look for another copy of it first',
  },
  FOOTPRINT_ELSEWHERE: {
    means: 'the agent came back under another id with its disks: a task of its old id may still write to the volume for a while',
    advice: 'the instance waits on the old agent id; make sure that no process of it is left on that machine',
  },
  RESERVED_UNNOTED: {
    means: 'the cluster is ahead of the store, as right after a reservation or while no scheduler runs',
    advice: 'start the scheduler: it notes what the agent offers; nothing is lost',
  },
  STRAY_RESERVATION: {
    means:
      'it is reserved under the labels of this service and no record holds it: a leftover of an earlier placement or of another store',
    advice:
      'no scheduler touches it; when it is known not to be needed, destroy its volumes and unreserve it with the operator calls',
  },
  TASK_NOT_IN_STORE: {
    means:
      'it runs as a task of this service and no record knows it: the store is older than the task, or another store launched it',
    advice:
      'the scheduler holds and shows it and never kills it; make sure that it does not share its data with a task the store knows',
  },
  TASK_NOT_AT_MASTER: {
    means: 'the store counts on a task that the master does not know: its end was missed, or its agent is not back yet',
    advice: 'start the scheduler: it asks the master until it is told what became of the task',
  },
  TASK_STATE_DIFFERS: {
    means: 'store and master disagree about whether the task runs',
    advice: 'start the scheduler, which reconciles; if one runs and this stays, look at its log for statuses that it refuses',
  },
  TASK_ELSEWHERE: {
    means: 'the task runs on another agent than the store has noted',
    advice: 'this never happens by itself: keep logs and store, and report it',
  },
  LABELS_DIFFER: {
    means: 'the labels that the task was launched with contradict its record, as after a restored backup',
    advice: 'compare with the backup that was restored; the scheduler decides by the record',
  },
} as const satisfies Record<string, Meaning>

export type FindingCode = keyof typeof catalogue

export const findingCodes = Object.keys(catalogue) as readonly FindingCode[]

/** One difference. */
export interface Finding extends Meaning {
  readonly code: FindingCode
  /** What it is about, for example `broker-1` or `framework 3f1c-0002`. */
  readonly subject: string
  readonly found: string
}

export const finding = (code: FindingCode, subject: string, found: string): Finding => ({
  code,
  subject,
  found,
  ...catalogue[code],
})

/** Those that both looks have found: what was only under way at one of them is no difference. */
export const inBoth = (first: readonly Finding[], second: readonly Finding[]): Finding[] =>
  second.filter(({ code, subject }) => first.some((other) => other.code === code && other.subject === subject))
