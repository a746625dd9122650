/**
 * The shape of a scheduler or operator call as protobuf sees it: field types, required fields, enums. One line per
 * message; `!` required, `*` repeated, `{}` a map, `any` not looked into. Reading follows mesos-v1.md 1.12: unknown
 * fields vanish, unknown names of optional enums count as unset, integers may be strings. Pure.
 */
const IDS = 'value:string!'

const MESSAGES: Readonly<Record<string, string>> = {
  Id: IDS,
  Label: 'key:string! value:string',
  Labels: 'labels:Label*',
  Scalar: 'value:double!',
  Range: 'begin:int! end:int!',
  Ranges: 'range:Range*',
  SetValue: 'item:string*',
  Text: 'value:string!',
  Duration: 'nanoseconds:int!',
  Allocation: 'role:string',
  OldReservation: 'type:enum(UNKNOWN,STATIC,DYNAMIC) role:string principal:string labels:Labels',
  Persistence: 'id:string! principal:string',
  SecretReference: 'name:string! key:string',
  SecretValue: 'data:bytes!',
  Secret: 'type:enum(UNKNOWN,REFERENCE,VALUE) reference:SecretReference value:SecretValue',
  Parameter: 'key:string! value:string!',
  Parameters: 'parameter:Parameter*',
  DockerVolume: 'driver:string name:string! driver_options:Parameters',
  HostPath: 'path:string! mount_propagation:any',
  SandboxPath: 'type:enum(UNKNOWN,SELF,PARENT) path:string!',
  VolumeSource:
    'type:enum(UNKNOWN,DOCKER_VOLUME,SANDBOX_PATH,SECRET,HOST_PATH,CSI_VOLUME) docker_volume:DockerVolume host_path:HostPath sandbox_path:SandboxPath secret:Secret csi_volume:any',
  DockerImage: 'name:string! credential:any config:Secret',
  Image: 'type:enum(APPC,DOCKER)! appc:any docker:DockerImage cached:bool',
  Volume: 'mode:enum(RW,RO)! container_path:string! host_path:string image:Image source:VolumeSource',
  Root: 'root:string',
  DiskSource:
    'type:enum(UNKNOWN,PATH,MOUNT,BLOCK,RAW)! path:Root mount:Root id:string profile:string vendor:string metadata:Labels',
  Disk: 'persistence:Persistence volume:Volume source:DiskSource',
  Resource:
    'provider_id:Id name:string! type:enum(SCALAR,RANGES,SET,TEXT)! scalar:Scalar ranges:Ranges set:SetValue role:string allocation_info:Allocation reservation:OldReservation reservations:OldReservation* disk:Disk revocable:any shared:any',
  Capability:
    'type:enum(UNKNOWN,REVOCABLE_RESOURCES,TASK_KILLING_STATE,GPU_RESOURCES,SHARED_RESOURCES,PARTITION_AWARE,MULTI_ROLE,RESERVATION_REFINEMENT,REGION_AWARE)',
  Quantities: 'quantities:Scalar{}',
  MinAllocatable: 'quantities:Quantities*',
  OfferFilters: 'min_allocatable_resources:MinAllocatable',
  FrameworkInfo:
    'user:string! name:string! id:Id failover_timeout:double checkpoint:bool role:string roles:string* hostname:string principal:string webui_url:string capabilities:Capability* labels:Labels offer_filters:OfferFilters{}',
  Selector: 'attribute_name:string pseudoattribute_type:enum(UNKNOWN,HOSTNAME,REGION,ZONE)',
  Regex: 'regex:string!',
  Predicate: 'exists:any not_exists:any text_equals:Text text_not_equals:Text text_matches:Regex text_not_matches:Regex',
  Constraint: 'selector:Selector predicate:Predicate',
  ConstraintGroup: 'attribute_constraints:Constraint*',
  RoleConstraints: 'groups:ConstraintGroup*',
  Constraints: 'role_constraints:RoleConstraints{}',
  Subscribe: 'framework_info:FrameworkInfo! suppressed_roles:string* offer_constraints:Constraints',
  Filters: 'refuse_seconds:double',
  Variable: 'name:string! type:enum(UNKNOWN,VALUE,SECRET) value:string secret:Secret',
  Environment: 'variables:Variable*',
  Uri: 'value:string! executable:bool extract:bool cache:bool output_file:string',
  Command: 'uris:Uri* environment:Environment shell:bool value:string arguments:string* user:string',
  CheckCommand: 'command:Command!',
  CheckHttp: 'port:int! path:string',
  CheckTcp: 'port:int!',
  Check:
    'type:enum(UNKNOWN,COMMAND,HTTP,TCP) command:CheckCommand http:CheckHttp tcp:CheckTcp delay_seconds:double interval_seconds:double timeout_seconds:double',
  HealthHttp: 'protocol:enum(IPv4,IPv6) scheme:string port:int! path:string statuses:int*',
  HealthTcp: 'protocol:enum(IPv4,IPv6) port:int!',
  HealthCheck:
    'delay_seconds:double interval_seconds:double timeout_seconds:double consecutive_failures:int grace_period_seconds:double type:enum(UNKNOWN,COMMAND,HTTP,TCP) command:Command http:HealthHttp tcp:HealthTcp',
  KillPolicy: 'grace_period:Duration',
  MesosInfo: 'image:Image',
  Seccomp: 'profile_name:string unconfined:bool',
  LinuxInfo:
    'capability_info:any bounding_capabilities:any effective_capabilities:any share_pid_namespace:bool seccomp:Seccomp ipc_mode:enum(UNKNOWN,PRIVATE,SHARE_PARENT) shm_size:int share_cgroups:bool',
  RLimit:
    'type:enum(UNKNOWN,RLMT_AS,RLMT_CORE,RLMT_CPU,RLMT_DATA,RLMT_FSIZE,RLMT_LOCKS,RLMT_MEMLOCK,RLMT_MSGQUEUE,RLMT_NICE,RLMT_NOFILE,RLMT_NPROC,RLMT_RSS,RLMT_RTPRIO,RLMT_RTTIME,RLMT_SIGPENDING,RLMT_STACK) soft:int hard:int',
  RLimits: 'rlimits:RLimit*',
  Container:
    'type:enum(DOCKER,MESOS)! volumes:Volume* hostname:string docker:any mesos:MesosInfo network_infos:any linux_info:LinuxInfo rlimit_info:RLimits tty_info:any',
  Port: 'number:int! name:string protocol:string visibility:enum(FRAMEWORK,CLUSTER,EXTERNAL) labels:Labels',
  Ports: 'ports:Port*',
  Discovery:
    'visibility:enum(FRAMEWORK,CLUSTER,EXTERNAL)! name:string environment:string location:string version:string ports:Ports labels:Labels',
  Limit: 'value:limit!',
  Executor:
    'type:enum(UNKNOWN,DEFAULT,CUSTOM) executor_id:Id! framework_id:Id command:Command container:Container resources:Resource* name:string source:string data:string discovery:Discovery shutdown_grace_period:Duration labels:Labels',
  Task: 'name:string! task_id:Id! agent_id:Id! resources:Resource* executor:Executor command:Command container:Container health_check:HealthCheck check:Check kill_policy:KillPolicy data:string labels:Labels discovery:Discovery max_completion_time:Duration limits:Limit{}',
  TaskGroup: 'tasks:Task*',
  Launch: 'task_infos:Task*',
  LaunchGroup: 'executor:Executor! task_group:TaskGroup!',
  Reserve: 'source:Resource* resources:Resource*',
  Unreserve: 'resources:Resource*',
  Volumes: 'volumes:Resource*',
  Grow: 'volume:Resource! addition:Resource!',
  Shrink: 'volume:Resource! subtract:Scalar!',
  Operation:
    'type:enum(UNKNOWN,LAUNCH,LAUNCH_GROUP,RESERVE,UNRESERVE,CREATE,DESTROY,GROW_VOLUME,SHRINK_VOLUME,CREATE_DISK,DESTROY_DISK) id:Id launch:Launch launch_group:LaunchGroup reserve:Reserve unreserve:Unreserve create:Volumes destroy:Volumes grow_volume:Grow shrink_volume:Shrink',
  Accept: 'offer_ids:Id* operations:Operation* filters:Filters',
  Decline: 'offer_ids:Id* filters:Filters',
  InverseAnswer: 'inverse_offer_ids:Id* filters:Filters',
  Roles: 'roles:string*',
  Kill: 'task_id:Id! agent_id:Id kill_policy:KillPolicy',
  Shutdown: 'executor_id:Id! agent_id:Id!',
  Acknowledge: 'agent_id:Id! task_id:Id! uuid:bytes!',
  AcknowledgeOperation: 'agent_id:Id resource_provider_id:Id uuid:bytes! operation_id:Id!',
  ReconcileTask: 'task_id:Id! agent_id:Id',
  Reconcile: 'tasks:ReconcileTask*',
  ReconcileOperation: 'operation_id:Id! agent_id:Id resource_provider_id:Id',
  ReconcileOperations: 'operations:ReconcileOperation*',
  Message: 'agent_id:Id! executor_id:Id! data:bytes!',
  RequestItem: 'agent_id:Id resources:Resource*',
  Request: 'requests:RequestItem*',
  UpdateFramework: 'framework_info:FrameworkInfo! suppressed_roles:string* offer_constraints:Constraints',
  SchedulerCall:
    'framework_id:Id type:enum(UNKNOWN,SUBSCRIBE,TEARDOWN,ACCEPT,DECLINE,ACCEPT_INVERSE_OFFERS,DECLINE_INVERSE_OFFERS,REVIVE,KILL,SHUTDOWN,ACKNOWLEDGE,ACKNOWLEDGE_OPERATION_STATUS,RECONCILE,RECONCILE_OPERATIONS,MESSAGE,REQUEST,SUPPRESS,UPDATE_FRAMEWORK) subscribe:Subscribe accept:Accept decline:Decline accept_inverse_offers:InverseAnswer decline_inverse_offers:InverseAnswer revive:Roles suppress:Roles kill:Kill shutdown:Shutdown acknowledge:Acknowledge acknowledge_operation_status:AcknowledgeOperation reconcile:Reconcile reconcile_operations:ReconcileOperations message:Message request:Request update_framework:UpdateFramework',
  AgentCall: 'agent_id:Id!',
  Period: 'seconds:int nanos:int',
  DrainCall: 'agent_id:Id! max_grace_period:Period mark_gone:bool',
  FrameworkCall: 'framework_id:Id!',
  OperatorReserve: 'agent_id:Id! source:Resource* resources:Resource*',
  OperatorVolumes: 'agent_id:Id! volumes:Resource*',
  OperatorCall:
    'type:enum(UNKNOWN,GET_HEALTH,GET_VERSION,GET_MASTER,GET_AGENTS,GET_FRAMEWORKS,GET_EXECUTORS,GET_TASKS,GET_OPERATIONS,GET_ROLES,GET_STATE,MARK_AGENT_GONE,TEARDOWN,RESERVE_RESOURCES,UNRESERVE_RESOURCES,CREATE_VOLUMES,DESTROY_VOLUMES,SUBSCRIBE,GET_FLAGS,GET_METRICS,DRAIN_AGENT,DEACTIVATE_AGENT,REACTIVATE_AGENT,UPDATE_MAINTENANCE_SCHEDULE,GET_MAINTENANCE_SCHEDULE,GET_MAINTENANCE_STATUS,START_MAINTENANCE,STOP_MAINTENANCE,UPDATE_QUOTA,GET_QUOTA,GET_WEIGHTS,UPDATE_WEIGHTS,LIST_FILES,READ_FILE,GROW_VOLUME,SHRINK_VOLUME) get_metrics:any mark_agent_gone:AgentCall drain_agent:DrainCall deactivate_agent:AgentCall reactivate_agent:AgentCall teardown:FrameworkCall reserve_resources:OperatorReserve unreserve_resources:OperatorReserve create_volumes:OperatorVolumes destroy_volumes:OperatorVolumes',
}

interface Field {
  readonly name: string
  readonly type: string
  readonly isRequired: boolean
  readonly isRepeated: boolean
  readonly isMap: boolean
  readonly names?: readonly string[]
}

function parseField(text: string): Field {
  const [name = '', spec = ''] = text.split(':')
  const names = /^enum\(([^)]*)\)/.exec(spec)?.[1]?.split(',')
  const type = names === undefined ? spec.replaceAll(/[!*{}]/g, '') : 'enum'
  return {
    name,
    type,
    isRequired: spec.endsWith('!'),
    isRepeated: spec.endsWith('*'),
    isMap: spec.endsWith('{}'),
    ...(names === undefined ? {} : { names }),
  }
}

const byName = (a: Field, b: Field): number => (a.name < b.name ? -1 : 1)

/** Read in the order of names, as Mesos walks through an object: the first wrong type is the one it names. */
const FIELDS: ReadonlyMap<string, readonly Field[]> = new Map(
  Object.entries(MESSAGES).map(([name, line]) => [name, line.split(' ').map(parseField).sort(byName)]),
)

type Json = Readonly<Record<string, unknown>>

class WireTypeProblem extends Error {}

const jsonKind = (value: unknown): string =>
  Array.isArray(value)
    ? 'array'
    : typeof value === 'object'
      ? 'object'
      : typeof value === 'number'
        ? 'number'
        : typeof value === 'boolean'
          ? 'boolean'
          : 'string'

function unexpected(value: unknown, field: Field): never {
  throw new WireTypeProblem(`Not expecting a JSON ${jsonKind(value)} for field '${field.name}'`)
}

function readNumber(value: unknown, field: Field): number {
  if (typeof value === 'number') return value
  if (typeof value !== 'string') return unexpected(value, field)
  const parsed = Number(value)
  if (value === '' || Number.isNaN(parsed))
    throw new WireTypeProblem(`Failed to parse '${value}' as a JSON number for field '${field.name}'`)
  return parsed
}

function readBytes(value: unknown, field: Field): string {
  if (typeof value !== 'string') return unexpected(value, field)
  if (!/^[A-Za-z0-9+/\s]*={0,2}$/.test(value)) throw new WireTypeProblem(`Failed to base64 decode bytes field '${field.name}'`)
  return value
}

/** A value as the message has it; undefined: as if it had not been sent. */
function readValue(value: unknown, field: Field, path: string, missing: string[]): unknown {
  switch (field.type) {
    case 'any':
      return value
    case 'string':
      return typeof value === 'string' ? value : unexpected(value, field)
    case 'bytes':
      return readBytes(value, field)
    case 'bool':
      if (value === 'true' || value === 'false') return value === 'true'
      return typeof value === 'boolean' ? value : unexpected(value, field)
    case 'int':
    case 'double':
      return readNumber(value, field)
    case 'limit': {
      // An infinite one stays text: the books are kept and sent as JSON.
      const limit = readNumber(value, field)
      return Number.isFinite(limit) ? limit : 'Infinity'
    }
    case 'enum':
      return readEnum(value, field)
    default:
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return unexpected(value, field)
      return readMessage(value as Json, field.type, path, missing)
  }
}

function readEnum(value: unknown, field: Field): unknown {
  if (typeof value !== 'string') return unexpected(value, field)
  if (field.names?.includes(value) === true) return value
  if (field.isRequired) throw new WireTypeProblem(`Failed to find enum for '${value}' of field '${field.name}'`)
  return undefined
}

function readField(value: unknown, field: Field, path: string, missing: string[]): unknown {
  if (field.isMap) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return unexpected(value, field)
    const entries = Object.entries(value).map(([key, entry]) => [key, readValue(entry, field, `${path}[${key}]`, missing)])
    return Object.fromEntries(entries)
  }
  if (field.isRepeated)
    return (Array.isArray(value) ? value : [value]).map((entry: unknown, index) =>
      readValue(entry, field, `${path}[${index}]`, missing),
    )
  return readValue(value, field, path, missing)
}

function readMessage(json: Json, message: string, path: string, missing: string[]): Json {
  const result: Record<string, unknown> = {}
  for (const field of FIELDS.get(message) ?? []) {
    const value = json[field.name]
    const fieldPath = path === '' ? field.name : `${path}.${field.name}`
    if (value === undefined || value === null) {
      if (field.isRequired) missing.push(fieldPath)
      continue
    }
    const read = readField(value, field, fieldPath, missing)
    if (read !== undefined) result[field.name] = read
  }
  return result
}

export type CallReading = { readonly ok: true; readonly call: Json } | { readonly ok: false; readonly problem: string }

/** JSON as a message, or the text of the 400. */
export function readCall(json: unknown, message: 'SchedulerCall' | 'OperatorCall'): CallReading {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return { ok: false, problem: 'Expecting a JSON object' }
  const missing: string[] = []
  try {
    const call = readMessage(json as Json, message, '', missing)
    return missing.length === 0 ? { ok: true, call } : { ok: false, problem: `Missing required fields: ${missing.join(', ')}` }
  } catch (error) {
    if (error instanceof WireTypeProblem) return { ok: false, problem: error.message }
    throw error
  }
}
