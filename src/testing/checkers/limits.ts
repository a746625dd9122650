/**
 * Limits and uniqueness: what is stored fits into one packet of ZooKeeper, and ids are used once. Two launches under one task id
 * cannot be told apart, nor two operations under one id; an executor's id comes back with what its executor was first sent as, or
 * Mesos refuses the launch. An ACCEPT is never sent twice.
 */
import type { MesosCall } from '../../scheduler/output.js'
import { canonicalJson } from '../../spec/canonical.js'
import type { CheckerContext, CheckerDefinition } from './checker.js'
import type { Committed } from './mirror.js'

/** `jute.maxbuffer` is 1,048,575 bytes; the rest is for the commit node, paths and a longer chroot. */
const maxRecordBytes = 900_000
const maxBatchBytes = 950_000
const writeOverheadBytes = 200
const keyPattern = /^[A-Za-z0-9._-]+\/[A-Za-z0-9._-]+$/

export const limits: CheckerDefinition = {
  name: 'limits',
  watches: 'records and batches keep within what the store takes, and no id is used twice',
  create(context) {
    const once = new Set<string>()
    const executors = new Map<string, string>()
    return {
      onEntry(entry) {
        if (entry.type === 'committed') checkSizes(entry, context)
        if (entry.type === 'callSent' && entry.call.type === 'accept') checkIds(entry.call, once, executors, context)
      },
    }
  },
}

function checkSizes({ writes }: Committed, { report }: CheckerContext): void {
  let batchBytes = 0
  const keys = new Set<string>()
  for (const { key, value } of writes) {
    const bytes = value === null ? 0 : Buffer.byteLength(value)
    batchBytes += key.length + writeOverheadBytes + bytes
    if (bytes > maxRecordBytes) report(`record ${key} has ${bytes} bytes, ${maxRecordBytes} is the limit`)
    if (!keyPattern.test(key)) report(`a record was written under the key ${JSON.stringify(key)}, which no store takes`)
    if (keys.has(key)) report(`record ${key} was written twice in one batch`)
    keys.add(key)
  }
  if (batchBytes > maxBatchBytes)
    report(`a batch of ${writes.length} records has ${batchBytes} bytes, ${maxBatchBytes} is the limit`)
}

function checkIds(
  { operations }: Extract<MesosCall, { type: 'accept' }>,
  once: Set<string>,
  executors: Map<string, string>,
  { report }: CheckerContext,
): void {
  const useOnce = (what: string, id: string): void => {
    if (once.has(`${what} ${id}`)) report(`an ACCEPT was sent with ${what} id ${id}, which has been sent before`)
    once.add(`${what} ${id}`)
  }
  for (const operation of operations) {
    if (operation.type !== 'launchGroup') {
      useOnce('operation', operation.id)
      continue
    }
    for (const { taskId } of operation.tasks) useOnce('task', taskId)
    const { executorId } = operation.executor
    const content = canonicalJson(operation.executor)
    const known = executors.get(executorId)
    if (known !== undefined && known !== content) report(`executor ${executorId} was sent again with other content`)
    executors.set(executorId, known ?? content)
  }
}
