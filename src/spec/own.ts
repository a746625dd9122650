/**
 * What a record has under a name that somebody chose. Asked with brackets alone, a record of no such name answers `constructor`
 * and `toString` with functions that every object has. Pure.
 */
export const own = <Value>(record: Readonly<Record<string, Value>> | undefined, name: string): Value | undefined =>
  record !== undefined && Object.hasOwn(record, name) ? record[name] : undefined
