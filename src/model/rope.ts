/**
 * Rotary position embedding: tables, and the rotation of a few rows on the host.
 *
 * Angles are float32, as in the reference implementations. Of scalings that depend on the length, LongRoPE is chosen once, by
 * the longest length that a run may come to, as keys that were rotated before a switch would not fit the queries behind it;
 * dynamic scaling rotates each token for its own length, as transformers does over a cache.
 */
import { dependsOnLength, ropeAttentionFactor, ropeFrequencies } from '../checkpoint/rope-frequencies.js';
import type { ModelConfig, Rope } from '../checkpoint/types.js';

/** Angles of one layer for sequences of one length. */
export interface Rotation {
  /** Radians per position, `[width/2]` */
  readonly frequencies: Float32Array;
  /** Times cosine and sine. */
  readonly factor: number;
  readonly pairing: Rope['pairing'];
}

export interface RopeTable {
  /** width/2 */
  readonly half: number;
  readonly pairing: Rope['pairing'];
  /** `[T, width/2]` */
  readonly cos: Float32Array;
  /** `[T, width/2]` */
  readonly sin: Float32Array;
}

/** The rotations of a model's layers. Equal ones are the same object, so that tables are made and kept once. */
export class Rotations {
  private readonly known = new Map<Rope, { readonly length: number; readonly rotation: Rotation }>();

  constructor(private readonly config: Pick<ModelConfig, 'ropes'>) {}

  /** Of one layer; undefined where it does not rotate. */
  of(layer: number, length: number): Rotation | undefined {
    const rope = this.config.ropes[layer];
    if (rope === undefined) return undefined;
    const key = dependsOnLength(rope) ? length : 0;
    const known = this.known.get(rope);
    if (known?.length === key) return known.rotation;
    const rotation = {
      frequencies: ropeFrequencies(rope, length),
      factor: ropeAttentionFactor(rope),
      pairing: rope.pairing,
    };
    this.known.set(rope, { length: key, rotation });
    return rotation;
  }

  /** Tables of a prompt of `length` tokens, by layer, all rotated for sequences of `reach` tokens. */
  prompt(length: number, reach: number): (RopeTable | undefined)[] {
    const made = new Map<Rotation, RopeTable>();
    return this.config.ropes.map((rope, layer) => {
      const rotation = this.of(layer, rope?.scaling?.kind === 'dynamic' ? length : reach);
      if (rotation === undefined) return undefined;
      const table = made.get(rotation) ?? ropeTable(rotation, 0, length);
      made.set(rotation, table);
      return table;
    });
  }

  /**
   * Tables of `count` new tokens behind `start` others, by layer; layers that rotate alike share one.
   *
   * @param reach the longest length that the run may come to; undefined: each token's own
   */
  tables(start: number, count: number, reach: number | undefined): (RopeTable | undefined)[] {
    const made = new Map<Rope, RopeTable>();
    return this.config.ropes.map((rope, layer) => {
      if (rope === undefined) return undefined;
      const known = made.get(rope);
      if (known !== undefined) return known;
      const together = !dependsOnLength(rope) || (rope.scaling?.kind === 'longrope' && reach !== undefined);
      const table = together
        ? ropeTable(this.of(layer, reach ?? start + count)!, start, count)
        : joined(
            Array.from({ length: count }, (_, t) => ropeTable(this.of(layer, start + t + 1)!, start + t, 1)),
          );
      made.set(rope, table);
      return table;
    });
  }
}

/** Cosines and sines for consecutive positions `start … start + count − 1`. */
export function ropeTable(
  { frequencies, factor, pairing }: Rotation,
  start: number,
  count: number,
): RopeTable {
  const half = frequencies.length;
  const cos = new Float32Array(count * half);
  const sin = new Float32Array(count * half);
  for (let t = 0; t < count; t++) {
    for (let j = 0; j < half; j++) {
      const angle = Math.fround((start + t) * frequencies[j]!);
      cos[t * half + j] = factor * Math.cos(angle);
      sin[t * half + j] = factor * Math.sin(angle);
    }
  }
  return { half, pairing, cos, sin };
}

function joined(tables: readonly RopeTable[]): RopeTable {
  const [first] = tables as [RopeTable];
  const all = (side: 'cos' | 'sin'): Float32Array =>
    Float32Array.from(tables.flatMap((table) => [...table[side]]));
  return { ...first, cos: all('cos'), sin: all('sin') };
}

/** The channels of pair j of a head. */
export function pairOf(
  { half, pairing }: Pick<RopeTable, 'half' | 'pairing'>,
  j: number,
): readonly [number, number] {
  return pairing === 'half' ? [j, j + half] : [2 * j, 2 * j + 1];
}

/**
 * Rotates `heads` vectors of width D in place, all at table row `t`; channels beyond the table's stay as they are.
 *
 * @param x row-major buffer; the vectors start at `offset`, `[heads, D]`
 */
export function rotateHeads(
  x: Float32Array,
  offset: number,
  heads: number,
  width: number,
  table: RopeTable,
  t: number,
): void {
  const { half, pairing } = table;
  const base = t * half;
  const [step, apart] = pairing === 'half' ? [1, half] : [2, 1];
  for (let head = 0; head < heads; head++) {
    for (let j = 0; j < half; j++) {
      const low = offset + head * width + j * step;
      const high = low + apart;
      const cos = table.cos[base + j]!;
      const sin = table.sin[base + j]!;
      const a = x[low]!;
      const b = x[high]!;
      x[low] = a * cos - b * sin;
      x[high] = b * cos + a * sin;
    }
  }
}
