/** The whole file: names and settings of the service, its pods, its plans. Pure, but for reading templates. */
import type { Context } from './context.js'
import { convertPlans, type KnownPod } from './convert-plans.js'
import { convertPod } from './convert-pod.js'
import { build, environmentPath, inside, type Fields, type Findings, type Origins, type Place } from './findings.js'
import { convertName, convertNames } from './names.js'
import type { RawService } from './raw-schema.js'
import { injectEnvironment } from './task-config.js'
import type { Env } from './variables.js'

/** What the file says that is no part of a spec, but an option of `createScheduler`. */
export interface CompatSettings {
  /** `host:port` of ZooKeeper, where dcos-commons also found the master; `store` and `cluster` take it here. */
  readonly zookeeper?: string
}

export interface ConvertOptions {
  readonly env: Env
  readonly readTemplate: (path: string) => string
}

/** Its region was no part of the file. */
const regionVariable = 'SERVICE_REGION'

/** The role that Marathon gave the scheduler, and whether it had to keep to it. */
const groupRoleVariable = 'MESOS_ALLOCATION_ROLE'
const enforceVariable = 'MARATHON_APP_ENFORCE_GROUP_ROLE'
const migrationVariable = 'ENABLE_ROLE_MIGRATION'

/** Longest name of a service, as DNS has it. */
const maxServiceName = 63

export function convertService(raw: RawService, options: ConvertOptions, findings: Findings, origins: Origins): Fields {
  const place: Place = { to: [], from: [] }
  const name = raw.name === undefined ? undefined : convertServiceName(raw.name, findings)
  const podNames = convertNames(
    raw.pods?.keys() ?? [],
    ['pods'],
    { what: 'the pod', max: 30, effect: 'so are its instances, and host names made of it change' },
    findings,
  )
  const context: Context = {
    findings,
    origins,
    readTemplate: options.readTemplate,
    service: raw.name ?? '',
    injections: injectEnvironment(options.env, [...podNames.keys()], findings),
  }
  const pods: Fields = {}
  const known = new Map<string, KnownPod>()
  for (const [podName, pod] of raw.pods ?? []) {
    const label = podNames.get(podName) ?? podName
    const { fields, tasks } = convertPod(pod, podName, inside(inside(place, 'pods', 'pods'), label, podName), context)
    pods[label] = fields
    known.set(podName, { name: label, count: pod.count, tasks })
  }
  const { deploy, update, plans } = convertPlans(raw, known, context)
  const region = options.env[regionVariable] ?? ''
  if (region !== '')
    findings.note(
      environmentPath(regionVariable),
      `dcos-commons could place the service in the region ${region} alone; if it did, add region to the spec`,
    )
  const { role, principal } = rights(raw, name, findings, groupRole(options.env, findings))
  return build(origins, place, {
    name: ['name', name],
    user: [['scheduler', 'user'], raw.scheduler?.user],
    principal: [['scheduler', 'principal'], principal],
    role: ['name', role],
    webUrl: ['web-url', raw['web-url']],
    pods: ['pods', raw.pods === undefined ? undefined : pods],
    deploy: [['plans', 'deploy'], deploy],
    update: [['plans', 'update'], update],
    plans: ['plans', plans],
  })
}

export function settingsOf({ scheduler }: RawService): CompatSettings {
  return scheduler?.zookeeper === undefined ? {} : { zookeeper: scheduler.zookeeper }
}

/** Folders are written with slashes, and become dashes. */
function convertServiceName(written: string, findings: Findings): string | undefined {
  if (written.includes('__')) {
    findings.error(['name'], `a name must not hold __, which stands for / in roles (got ${JSON.stringify(written)}); rename it`)
    return undefined
  }
  const path = written.replace(/^\//, '')
  const name = path.replaceAll('/', '-')
  const rules = { what: 'the service', max: maxServiceName, effect: 'the spec says role and principal as dcos-commons did' }
  if (path === name) return convertName(name, ['name'], rules, findings, 'value')
  if (path.split('/').includes('')) {
    findings.error(['name'], `a name must have text before and after each slash (got ${JSON.stringify(written)})`)
    return undefined
  }
  const label = convertName(name, ['name'], rules, { ...findings, note: () => undefined }, 'value')
  if (label !== undefined)
    findings.note(['name'], `the service ${written} is called ${label} here; role and principal stay as dcos-commons had them`)
  return label
}

/** Under these the cluster knows the reservations; left out where the spec means the same by itself. */
function rights(
  raw: RawService,
  name: string | undefined,
  findings: Findings,
  groupRole: string | undefined,
): { role?: string; principal?: string } {
  if (raw.name === undefined || name === undefined) return { ...given(raw) }
  const role = groupRole ?? `${escapeSlashes(raw.name)}-role`
  const principal = raw.scheduler?.principal ?? `${raw.name}-principal`
  if (principal.startsWith('/'))
    findings.note(
      raw.scheduler?.principal === undefined ? ['name'] : ['scheduler', 'principal'],
      `the principal is ${principal}, with the slash, as dcos-commons took the name to the letter; see that the cluster knows it`,
    )
  return {
    ...(role === `${name}-role` ? {} : { role }),
    ...(principal === `${name}-principal` ? {} : { principal }),
  }
}

/** Of the folder, where Marathon enforces it. Public agents are nobody's own. */
function groupRole(env: ConvertOptions['env'], findings: Findings): string | undefined {
  const role = env[groupRoleVariable] ?? ''
  if (env[enforceVariable]?.toLowerCase() !== 'true' || role === '' || role === 'slave_public') return undefined
  if ((env[migrationVariable] ?? '') !== '')
    findings.note(
      environmentPath(migrationVariable),
      `dcos-commons was subscribed under its old role too; here it is ${escapeSlashes(role)} alone, and what is reserved under the old one is not used`,
    )
  return escapeSlashes(role)
}

const escapeSlashes = (text: string): string => text.replace(/^\//, '').replaceAll('/', '__')

const given = ({ scheduler }: RawService): { principal?: string } =>
  scheduler?.principal === undefined ? {} : { principal: scheduler.principal }
