/**
 * The values of float16 patterns.
 *
 * A table of all of them, as JavaScript before 2025 has no such type.
 */

let float16Table: Float32Array | undefined;

/** float32 value of each of the 65,536 float16 patterns, exact; subnormals, infinities and NaN kept. Built on first use. */
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
