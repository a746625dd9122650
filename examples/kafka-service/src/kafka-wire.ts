/**
 * The primitive types of Kafka's protocol, for the few requests that kafkajs lacks. "Compact" lengths are unsigned varints of
 * length + 1; a flexible message ends each structure with tagged fields. Pure.
 */

/** Builds the bytes of one request. */
export class WireWriter {
  readonly #parts: Buffer[] = []

  int8(value: number): this {
    const part = Buffer.alloc(1)
    part.writeInt8(value)
    return this.#push(part)
  }

  int16(value: number): this {
    const part = Buffer.alloc(2)
    part.writeInt16BE(value)
    return this.#push(part)
  }

  int32(value: number): this {
    const part = Buffer.alloc(4)
    part.writeInt32BE(value)
    return this.#push(part)
  }

  uvarint(value: number): this {
    const bytes: number[] = []
    let rest = value
    while (rest > 0x7f) {
      bytes.push((rest & 0x7f) | 0x80)
      rest >>>= 7
    }
    bytes.push(rest)
    return this.#push(Buffer.from(bytes))
  }

  string(value: string): this {
    const text = Buffer.from(value, 'utf8')
    return this.int16(text.length).#push(text)
  }

  compactString(value: string): this {
    const text = Buffer.from(value, 'utf8')
    return this.uvarint(text.length + 1).#push(text)
  }

  /** No tagged fields: the end of a structure in a flexible message. */
  noTags(): this {
    return this.uvarint(0)
  }

  bytes(): Buffer {
    return Buffer.concat(this.#parts)
  }

  #push(part: Buffer): this {
    this.#parts.push(part)
    return this
  }
}

/** Reads the bytes of one answer; reading past the end throws. */
export class WireReader {
  #offset = 0

  constructor(private readonly buffer: Buffer) {}

  get left(): number {
    return this.buffer.length - this.#offset
  }

  int8(): number {
    return this.buffer.readInt8(this.#take(1))
  }

  int16(): number {
    return this.buffer.readInt16BE(this.#take(2))
  }

  int32(): number {
    return this.buffer.readInt32BE(this.#take(4))
  }

  int64(): bigint {
    return this.buffer.readBigInt64BE(this.#take(8))
  }

  uvarint(): number {
    let value = 0
    for (let shift = 0; shift <= 28; shift += 7) {
      const byte = this.buffer.readUInt8(this.#take(1))
      value |= (byte & 0x7f) << shift
      if ((byte & 0x80) === 0) return value >>> 0
    }
    throw new RangeError('a varint of the answer is longer than 32 bits')
  }

  string(): string | null {
    return this.#text(this.int16())
  }

  compactString(): string | null {
    return this.#text(this.uvarint() - 1)
  }

  array<T>(read: () => T): T[] {
    return this.#repeat(this.int32(), read)
  }

  compactArray<T>(read: () => T): T[] {
    return this.#repeat(this.uvarint() - 1, read)
  }

  skipTags(): void {
    const count = this.uvarint()
    for (let index = 0; index < count; index++) {
      this.uvarint()
      this.#take(this.uvarint())
    }
  }

  #text(length: number): string | null {
    if (length < 0) return null
    const start = this.#take(length)
    return this.buffer.toString('utf8', start, start + length)
  }

  #repeat<T>(count: number, read: () => T): T[] {
    const items: T[] = []
    for (let index = 0; index < count; index++) items.push(read())
    return items
  }

  #take(length: number): number {
    const start = this.#offset
    if (start + length > this.buffer.length) throw new RangeError('an answer of Kafka ends too early')
    this.#offset = start + length
    return start
  }
}
