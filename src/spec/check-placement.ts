/** Placement that names what is not there, or that nothing could satisfy. Pure. */
import { list, type Add } from './issues.js'
import { own } from './own.js'
import type { PlacementRule, PodSpec, ServiceSpec } from './schema.js'

export function checkPlacement(spec: ServiceSpec, add: Add): void {
  for (const [name, pod] of Object.entries(spec.pods)) {
    pod.placement.forEach((rule, index) => checkRule(spec, rule, `pods.${name}.placement.${index}`, add))
    checkTogether(spec, pod, `pods.${name}.placement`, add)
  }
}

function checkRule(spec: ServiceSpec, rule: PlacementRule, path: string, add: Add): void {
  if (rule.type === 'all' || rule.type === 'any') {
    rule.rules.forEach((inner, index) => checkRule(spec, inner, `${path}.rules.${index}`, add))
  } else if (rule.type === 'not') {
    checkRule(spec, rule.rule, `${path}.rule`, add)
  } else if ((rule.type === 'near' || rule.type === 'awayFrom') && own(spec.pods, rule.pod) === undefined) {
    add(`${path}.pod`, `there is no pod ${JSON.stringify(rule.pod)} (there are: ${list(Object.keys(spec.pods))})`)
  }
}

/** Rules of which no agent could satisfy all, or not for all instances. */
function checkTogether(spec: ServiceSpec, pod: PodSpec, path: string, add: Add): void {
  const fixed = new Map<string, string>()
  if (spec.region !== undefined) fixed.set('@region', spec.region)
  pod.placement.forEach((rule, index) => {
    if (rule.type !== 'is') return
    const other = fixed.get(rule.key)
    if (other !== undefined && other !== rule.value)
      add(`${path}.${index}`, `${rule.key} cannot be both ${other} and ${rule.value}; remove one of the rules`)
    fixed.set(rule.key, rule.value)
  })
  pod.placement.forEach((rule, index) => {
    const most = mostPerValue(rule)
    if (most !== undefined && fixed.has(most.key) && pod.count > most.max) {
      add(
        `${path}.${index}`,
        `allows ${most.max} with one value of ${most.key}, which another rule fixes, and ${pod.count} are wanted; lower the count or change a rule`,
      )
    }
  })
}

function mostPerValue(rule: PlacementRule): { readonly key: string; readonly max: number } | undefined {
  if (rule.type === 'maxPerHost') return { key: 'hostname', max: rule.max }
  if (rule.type === 'maxPer') return { key: rule.key, max: rule.max }
  return rule.type === 'unique' ? { key: rule.key, max: 1 } : undefined
}
