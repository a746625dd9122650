/**
 * Rules for roles and FrameworkInfo (mesos-v1.md 2.2, 5.4). Pure. These do not fail a SUBSCRIBE with a 4xx: the stream
 * is opened, carries one ERROR, and ends.
 */
import type { FrameworkInfo, OfferConstraints } from '../mesos/messages.js'
import { findIdProblem } from './validate-resource.js'

/** Beyond this a duration does not fit 64 bits of nanoseconds. */
const MAX_FAILOVER_SECONDS = 9.2e9

function findRoleProblem(role: string): string | undefined {
  if (role === '*') return undefined
  if (role === '') return 'Empty role name is invalid'
  if (role.startsWith('/')) return `Role '${role}' cannot start with a slash`
  if (role.endsWith('/')) return `Role '${role}' cannot end with a slash`
  if (role.includes('//')) return `Role '${role}' cannot contain two adjacent slashes`
  for (const part of role.split('/')) {
    if (part === '.' || part === '..' || part === '*') return `Role '${role}' cannot include '${part}' as a component`
    if (part.startsWith('-')) return `Role component '${part}' is invalid because it starts with a dash`
    // eslint-disable-next-line no-control-regex -- backspace is one of the characters that Mesos names
    if (/[\s\u0008\u007f]/.test(part)) return `Role component '${part}' is invalid because it contains backspace or whitespace`
  }
  return undefined
}

export const hasCapability = (info: FrameworkInfo, capability: string): boolean =>
  (info.capabilities ?? []).some((entry) => entry.type === capability)

/** The roles in force: one default role without MULTI_ROLE. */
export const rolesOf = (info: FrameworkInfo): readonly string[] =>
  hasCapability(info, 'MULTI_ROLE') ? (info.roles ?? []) : [info.role ?? '*']

function findRolesProblem(info: FrameworkInfo): string | undefined {
  const roles = info.roles ?? []
  if (!hasCapability(info, 'MULTI_ROLE')) {
    if (roles.length > 0) return "'FrameworkInfo.roles' must not be set when the framework is not MULTI_ROLE capable"
    const problem = findRoleProblem(info.role ?? '*')
    return problem === undefined ? undefined : `'FrameworkInfo.role' is not a valid role: ${problem}`
  }
  if (info.role !== undefined && info.role !== '*')
    return "'FrameworkInfo.role' must not be set when the framework is MULTI_ROLE capable"
  const duplicates = [...new Set(roles.filter((role, index) => roles.indexOf(role) !== index))]
  if (duplicates.length > 0) return `'FrameworkInfo.roles' contains duplicate items: { ${duplicates.join(', ')} }`
  for (const role of roles) {
    const problem = findRoleProblem(role)
    if (problem !== undefined) return `'FrameworkInfo.roles' contains invalid role: ${problem}`
  }
  return undefined
}

function findOfferFiltersProblem(info: FrameworkInfo): string | undefined {
  const roles = rolesOf(info)
  for (const [role, filters] of Object.entries(info.offer_filters ?? {})) {
    if (!roles.includes(role)) return `Offer filters for invalid role '${role}': the framework is not subscribed to it`
    for (const { quantities } of filters.min_allocatable_resources?.quantities ?? []) {
      const values = Object.values(quantities ?? {})
      if (values.length === 0) return `Invalid offer filters for role '${role}': a quantity map must not be empty`
      if (values.some(({ value }) => !Number.isFinite(value) || value < 0))
        return `Invalid offer filters for role '${role}': invalid quantity`
    }
  }
  return undefined
}

export function findFrameworkProblem(info: FrameworkInfo): string | undefined {
  const idProblem = info.id === undefined || info.id.value === '' ? undefined : findIdProblem(info.id.value)
  const timeout = info.failover_timeout ?? 0
  if (idProblem !== undefined) return `'FrameworkInfo.id' is not a valid id: ${idProblem}`
  if (!Number.isFinite(timeout) || Math.abs(timeout) > MAX_FAILOVER_SECONDS) {
    return `The framework failover_timeout (${timeout}) is invalid: Argument out of the range that a Duration can represent`
  }
  return findRolesProblem(info) ?? findOfferFiltersProblem(info)
}

function findGroupsProblem(groups: readonly { attribute_constraints?: readonly unknown[] }[]): string | undefined {
  if (groups.length === 0) return 'No groups'
  return groups.some((group) => (group.attribute_constraints ?? []).length === 0) ? 'An empty group' : undefined
}

/** Problems of the rest of SUBSCRIBE and UPDATE_FRAMEWORK. */
export function findOptionsProblem(
  info: FrameworkInfo,
  suppressed: readonly string[],
  constraints: OfferConstraints | undefined,
): string | undefined {
  const roles = rolesOf(info)
  const foreign = suppressed.filter((role) => !roles.includes(role))
  if (foreign.length > 0)
    return `Suppressed roles { ${foreign.join(', ')} } are not contained in the set of roles { ${roles.join(', ')} }`
  for (const [role, { groups }] of Object.entries(constraints?.role_constraints ?? {})) {
    if (!roles.includes(role))
      return `Offer constraints specify \`role_constraints\` for a role '${role}' which is not contained in the set of roles`
    const problem = findGroupsProblem(groups ?? [])
    if (problem !== undefined) return `Offer constraints are not valid for role '${role}': ${problem}`
  }
  return undefined
}

/** What a running framework can never change. */
export function findUpdateProblem(old: FrameworkInfo, next: FrameworkInfo): string | undefined {
  const refuse = (field: string, from: string, to: string): string =>
    `Updating 'FrameworkInfo.${field}' is unsupported; attempted to update from '${from}' to '${to}'`
  if (old.principal !== next.principal) return refuse('principal', old.principal ?? '', next.principal ?? '')
  if (old.user !== next.user) return refuse('user', old.user, next.user)
  if ((old.checkpoint ?? false) !== (next.checkpoint ?? false)) {
    return refuse('checkpoint', String(old.checkpoint ?? false), String(next.checkpoint ?? false))
  }
  return undefined
}
