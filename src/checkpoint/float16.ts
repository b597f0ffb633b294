/**
 * float16 and bfloat16 to float32, by bits.
 *
 * Both conversions are exact. Little-endian hosts only, as the file formats are little-endian and read in place.
 */

/** float32 value of each of the 65,536 float16 patterns; built on first use. */
let float16Table: Float32Array | undefined;

export function float16Values(): Float32Array {
  return (float16Table ??= buildFloat16Table());
}

function buildFloat16Table(): Float32Array {
  const table = new Float32Array(0x10000);
  const bits = new Uint32Array(table.buffer);
  for (let half = 0; half < 0x10000; half++) {
    const sign = (half & 0x8000) << 16;
    const exponent = (half >> 10) & 0x1f;
    const mantissa = half & 0x3ff;
    if (exponent === 0) table[half] = mantissa * 2 ** -24 * (sign === 0 ? 1 : -1);
    else if (exponent === 0x1f) bits[half] = sign | 0x7f800000 | (mantissa << 13);
    else bits[half] = sign | ((exponent + 112) << 23) | (mantissa << 13);
  }
  return table;
}

/** float16 patterns → float32, exact; subnormals, infinities and NaN kept. */
export function float16ToFloat32(halves: Uint16Array): Float32Array {
  const values = float16Values();
  const out = new Float32Array(halves.length);
  for (let i = 0; i < halves.length; i++) out[i] = values[halves[i]!]!;
  return out;
}

/** bfloat16 patterns → float32: the upper half of the word. */
export function bfloat16ToFloat32(halves: Uint16Array): Float32Array {
  const out = new Float32Array(halves.length);
  const bits = new Uint32Array(out.buffer);
  for (let i = 0; i < halves.length; i++) bits[i] = halves[i]! << 16;
  return out;
}

/** The value of the float16 that lies at byte `at`, by the table of `float16Values`. */
export function halfAt(bytes: Uint8Array, at: number, half: Float32Array): number {
  return half[bytes[at]! | (bytes[at + 1]! << 8)]!;
}
