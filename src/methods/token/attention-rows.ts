/**
 * The last rows of attention to the held tokens of one KV head.
 *
 * A row has one number for each held token that was there when it was made.
 */

export class AttentionRows {
  private readonly rows: Float32Array[] = [];

  /** @param limit rows that are remembered, at least 1; the oldest makes place for a new one */
  constructor(private readonly limit: number) {}

  /** Oldest first; the i-th number of each belongs to the i-th held token. */
  [Symbol.iterator](): Iterator<Float32Array> {
    return this.rows.values();
  }

  push(row: Float32Array): void {
    if (this.rows.length === this.limit) this.rows.shift();
    this.rows.push(row);
  }

  /** Forgets tokens, ascending indices. */
  remove(indices: readonly number[]): void {
    this.rows.forEach((row, r) => {
      const gone = indices.filter((index) => index < row.length);
      gone.forEach((index, i) => {
        row.copyWithin(index - i, index + 1, gone[i + 1] ?? row.length);
      });
      const left = row.length - gone.length;
      this.rows[r] = 2 * left < row.buffer.byteLength / 4 ? row.slice(0, left) : row.subarray(0, left);
    });
  }

  /** Bytes of the buffers, of which at least half is in use. */
  bytes(): number {
    return this.rows.reduce((total, { buffer }) => total + buffer.byteLength, 0);
  }
}
