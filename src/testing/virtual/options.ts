/** What a virtual cluster is made of, and how long things take in it. */
import type { MasterInfo, Resource } from '../../mesos/messages.js'
import type { AgentTimings } from '../../mesos-model/agent-state.js'
import type { MasterTimings } from '../../mesos-model/master-state.js'
import type { VirtualMachine } from './agent.js'
import type { DriverTimings } from './driver.js'
import type { MachineTimings } from './executor.js'
import type { LogEntry } from './log.js'
import type { NetworkTimings } from './network.js'
import type { Behave } from './tasks.js'

/** Machines and their processes; all else has a default. */
export interface VirtualClusterOptions {
  readonly agents: readonly VirtualMachine[]
  readonly behave: Behave
  /** Orders and delays follow from it. @defaultValue 1 */
  readonly seed?: number
  /** Told of each entry at the moment it happens. */
  readonly onLog?: (entry: LogEntry) => void
  /** Whether entries are kept for `log`. @defaultValue true */
  readonly keepLog?: boolean
  /** Epoch milliseconds. @defaultValue 1800000000000 */
  readonly startMs?: number
  readonly masterInfo?: MasterInfo
  /** What differs from a Mesos as it comes, or from the usual machine. */
  readonly timings?: {
    readonly master?: Partial<MasterTimings>
    readonly agent?: Partial<AgentTimings>
    readonly network?: Partial<NetworkTimings>
    readonly driver?: Partial<DriverTimings>
    readonly machine?: Partial<MachineTimings>
  }
}

/** A machine whose cpus, memory and disk somebody else has reserved in this role, all but a rest too small for anything. */
export function buildForeignMachine(hostname: string, role: string): VirtualMachine {
  const labels = { labels: [{ key: 'stateward.service', value: 'somebody-else' }] }
  const reservations = [{ type: 'DYNAMIC' as const, role, principal: 'somebody-else', labels }]
  const scalar = (name: string, value: number): Resource => ({ name, type: 'SCALAR', scalar: { value } })
  const amounts = { cpus: 16, mem: 32_768, disk: 102_400 }
  const rest = { cpus: 0.01, mem: 1, disk: 1 }
  const names = Object.keys(amounts) as (keyof typeof amounts)[]
  const [machine] = buildVirtualAgents(1)
  return {
    ...(machine as VirtualMachine),
    hostname,
    ip: '10.1.0.1',
    resources: [
      ...names.map((name) => scalar(name, rest[name])),
      ...(machine?.resources ?? []).filter(({ name }) => name === 'ports'),
    ],
    existing: names.map((name) => ({ ...scalar(name, amounts[name] - rest[name]), reservations })),
  }
}

/** Machines `agent-1` ... on 10.0.0.1 ..., each in a zone of its own, large enough for any test. */
export const buildVirtualAgents = (count: number): VirtualMachine[] =>
  Array.from({ length: count }, (_, index) => ({
    hostname: `agent-${index + 1}`,
    ip: `10.0.${(index + 1) >> 8}.${(index + 1) & 255}`,
    port: 5051,
    attributes: [],
    domain: { fault_domain: { region: { name: 'region-1' }, zone: { name: `zone-${index + 1}` } } },
    resources: [
      { name: 'cpus', type: 'SCALAR', scalar: { value: 16 } },
      { name: 'mem', type: 'SCALAR', scalar: { value: 32_768 } },
      { name: 'disk', type: 'SCALAR', scalar: { value: 102_400 } },
      { name: 'ports', type: 'RANGES', ranges: { range: [{ begin: 21_000, end: 29_999 }] } },
    ],
  }))
