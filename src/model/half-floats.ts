/** Every IEEE half-precision value, by its 16 bits. */
const F16 = Float32Array.from({ length: 65_536 }, (_, bits) => halfToNumber(bits));

function halfToNumber(bits: number): number {
  const sign = bits >> 15 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The value of a half-precision number given as its 16 bits. */
export function f16(bits: number): number {
  return F16[bits]!;
}

export function f16ToF32(halves: Uint16Array): Float32Array {
  return Float32Array.from(halves, (bits) => F16[bits]!);
}

/** bfloat16 is the upper half of a float32. */
export function bf16ToF32(halves: Uint16Array): Float32Array {
  return new Float32Array(Uint32Array.from(halves, (bits) => bits << 16).buffer);
}
