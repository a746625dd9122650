/**
 * 64 bits over a text, as 16 hex digits: against damage, not against malice. Made for records, of which thousands are written and
 * read a second; a cryptographic hash takes twenty times as long here. Pure.
 */

/** Odd, so that multiplying loses nothing: two texts that differ in one place always differ in both halves. */
const factors = [0x9e3779b1, 0x85ebca6b] as const

export function checksum(text: string): string {
  let [a, b] = [text.length, ~text.length]
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    a = Math.imul(a ^ code, factors[0])
    // What is high must come to count for what is low.
    a = (a << 13) | (a >>> 19)
    b = Math.imul(b ^ code, factors[1])
    b = (b << 17) | (b >>> 15)
  }
  return digits(mix(a)) + digits(mix(b))
}

/** Spreads every bit over all others. */
function mix(half: number): number {
  let mixed = Math.imul(half ^ (half >>> 16), factors[1])
  mixed = Math.imul(mixed ^ (mixed >>> 13), factors[0])
  return mixed ^ (mixed >>> 16)
}

const digits = (half: number): string => (half >>> 0).toString(16).padStart(8, '0')
