/** What the parts of a service file are made of, as data: from it come the reader, its types and the list of all fields. Pure. */

export interface ScalarShape<Kind extends 'text' | 'integer' | 'decimal' | 'boolean'> {
  readonly kind: Kind
  readonly required?: boolean
  /** Text that may be empty; elsewhere an optional field without text counts as absent. */
  readonly mayBeEmpty?: boolean
}

export interface ListShape<Of extends Shape = Shape> {
  readonly kind: 'list'
  readonly of: Of
  readonly required?: boolean
}

export interface MapShape<Of extends Shape = Shape> {
  readonly kind: 'map'
  readonly of: Of
  readonly required?: boolean
  /** What an entry without a value means; a fault where it is left out. */
  readonly nothingIs?: '' | 'empty'
}

export type FieldShapes = Readonly<Record<string, Shape>>

export interface ObjectShape<Fields extends FieldShapes = FieldShapes> {
  readonly kind: 'object'
  readonly fields: Fields
  readonly required?: boolean
  /** The ancestor ignored what it did not know here. */
  readonly tookUnknown?: boolean
  /** What to do about fields that manuals name, or habit suggests, and that do not exist. */
  readonly hints?: Readonly<Record<string, string>>
}

// The circle is in the members, which the compiler resolves late.
export type Shape =
  | ScalarShape<'text'>
  | ScalarShape<'integer'>
  | ScalarShape<'decimal'>
  | ScalarShape<'boolean'>
  | ListShape
  | MapShape
  | ObjectShape

/** What the reader gives for a shape; fields that are absent or faulty are left out. */
export type Raw<S> =
  S extends ObjectShape<infer Fields>
    ? { readonly [Name in keyof Fields]?: Raw<Fields[Name]> }
    : S extends MapShape<infer Of>
      ? ReadonlyMap<string, Raw<Of>>
      : S extends ListShape<infer Of>
        ? readonly RawItem<Of>[]
        : S extends ScalarShape<'text'>
          ? string
          : S extends ScalarShape<'boolean'>
            ? boolean
            : number

/** Faulty items stay in place as undefined, so that the others keep their index. */
type RawItem<Of> = Raw<Of> | undefined

export const text = { kind: 'text' } as const
export const integer = { kind: 'integer' } as const
export const decimal = { kind: 'decimal' } as const
export const boolean = { kind: 'boolean' } as const
export const required = <const S extends Shape>(shape: S): S & { readonly required: true } => ({ ...shape, required: true })
export const list = <const Of extends Shape>(of: Of): ListShape<Of> => ({ kind: 'list', of })
export const map = <const Of extends Shape>(of: Of, options: Pick<MapShape, 'nothingIs'> = {}): MapShape<Of> => ({
  kind: 'map',
  of,
  ...options,
})
export const object = <const Fields extends FieldShapes>(
  fields: Fields,
  options: Pick<ObjectShape, 'tookUnknown' | 'hints'> = {},
): ObjectShape<Fields> => ({ kind: 'object', fields, ...options })

/** Paths of all fields, `*` for the entries of maps and the items of lists: `pods.*.tasks.*.env.*`. */
export function fieldPaths(shape: Shape, path: readonly string[] = []): string[] {
  switch (shape.kind) {
    case 'object':
      return Object.entries(shape.fields).flatMap(([name, inner]) => [
        [...path, name].join('.'),
        ...fieldPaths(inner, [...path, name]),
      ])
    case 'map':
    case 'list':
      return fieldPaths(shape.of, [...path, '*'])
    case 'text':
    case 'integer':
    case 'decimal':
    case 'boolean':
      return []
  }
}
