/** A driver under test with short times, and everything it reported. Closed with its masters after each test. */
import { afterEach, vi } from 'vitest'
import { frameworkId, streamId, type FrameworkId } from '../../../src/ids.js'
import { createMesosDriver } from '../../../src/mesos/driver.js'
import type { MesosDriverOptions } from '../../../src/mesos/driver-options.js'
import type { FrameworkInfo, MesosDriver } from '../../../src/ports/mesos-driver.js'
import type { DriverEvent } from '../../../src/scheduler/events.js'
import type { Ack, MesosCall } from '../../../src/scheduler/output.js'
import { startScriptedMaster, type ReceivedRequest, type ScriptedMaster } from './scripted-master.js'

export interface Driven {
  readonly driver: MesosDriver
  readonly events: DriverEvent[]
  readonly troubles: Error[]
  readonly debugged: { fields: Record<string, unknown>; message: string }[]
  /** How often `beforeSubscribe` was asked. */
  readonly prepared: () => number
  ofType<Type extends DriverEvent['type']>(type: Type): Extract<DriverEvent, { type: Type }>[]
  /** Waits until so many streams were subscribed; gives the id of the last one. */
  subscribed(count?: number): Promise<string>
  send(stream: string, call: MesosCall | Ack): Promise<void>
}

const opened: { close(): Promise<void> }[] = []

afterEach(async () => {
  for (const one of opened.splice(0)) await one.close()
})

export async function scriptedMaster(script?: (request: ReceivedRequest) => void): Promise<ScriptedMaster> {
  const master = await startScriptedMaster(script)
  opened.push(master)
  return master
}

export const frameworkInfo = (id?: FrameworkId): FrameworkInfo => ({
  ...(id === undefined ? {} : { id }),
  name: 'kafka',
  role: 'kafka-role',
  principal: 'kafka-principal',
  user: 'nobody',
  failoverTimeoutMs: 1_209_600_000,
})

/** Waits for a condition, not for a duration. */
export const until = (condition: () => boolean): Promise<void> =>
  vi.waitFor(
    () => {
      if (!condition()) throw new Error('not yet')
    },
    { timeout: 5_000, interval: 5 },
  )

export function drive(
  options: Omit<Partial<MesosDriverOptions>, 'masters'> & { masters: string | string[] },
  beforeSubscribe?: (attempt: number) => Promise<FrameworkInfo>,
): Driven {
  const events: DriverEvent[] = []
  const troubles: Error[] = []
  const debugged: Driven['debugged'] = []
  let attempts = 0
  let known: FrameworkId | undefined
  const driver = createMesosDriver({
    backoff: { minMs: 1, initialMs: 5, maxMs: 20, factor: 2 },
    logger: { debug: (fields, message) => debugged.push({ fields: { ...fields }, message }), info: () => undefined },
    random: () => 0.5,
    now: () => 1_000,
    ...options,
  })
  opened.unshift(driver)
  driver.start({
    beforeSubscribe: async () => {
      attempts += 1
      return beforeSubscribe === undefined ? frameworkInfo(known) : beforeSubscribe(attempts)
    },
    onEvent: (event) => {
      if (event.type === 'subscribed') known = frameworkId(event.frameworkId)
      events.push(event)
    },
    onTrouble: (error) => troubles.push(error),
  })
  const ofType = <Type extends DriverEvent['type']>(type: Type) =>
    events.filter((event): event is Extract<DriverEvent, { type: Type }> => event.type === type)
  return {
    driver,
    events,
    troubles,
    debugged,
    prepared: () => attempts,
    ofType,
    subscribed: async (count = 1) => {
      await until(() => ofType('subscribed').length >= count)
      return ofType('subscribed')[count - 1]!.streamId
    },
    send: (stream, call) => driver.send({ streamId: streamId(stream), call }),
  }
}
