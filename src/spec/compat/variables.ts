/** What a variable of the environment is in a template: what it prints, whether it counts as true, what HTML would make of it. Pure. */

export type Env = Readonly<Record<string, string>>

/** Only what was handed in: names such as `constructor` are no variables. */
export const variable = (env: Env, name: string): string | undefined => (Object.hasOwn(env, name) ? env[name] : undefined)

/** `TRUE` and the like are booleans, and those print in small letters. */
export function printed(value: string): string {
  const lower = value.toLowerCase()
  return lower === 'true' || lower === 'false' ? lower : value
}

/** Empty text and `false` are not; every other text is, `no` and `0` too. */
export const isTrue = (value: string | undefined): boolean => value !== undefined && value !== '' && printed(value) !== 'false'

const entities: Readonly<Record<string, string>> = { '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;', '\n': '&#10;' }

/** As mustache.java does: what reads like an entity already stays as it is. The lookahead is bounded, so the work is linear. */
export const escapeHtml = (value: string): string =>
  value
    .replace(/&(?!(?:[A-Za-z][A-Za-z0-9]{0,63}|#[0-9xA-Fa-f]{1,63});)/g, '&amp;')
    .replace(/[<>"'\n]/g, (found) => entities[found] ?? found)
