/** The value of the float16 that lies at byte `at`; `half` has the value of each pattern. */
export function halfAt(bytes: Uint8Array, at: number, half: Float32Array): number {
  return half[bytes[at]! | (bytes[at + 1]! << 8)]!;
}
