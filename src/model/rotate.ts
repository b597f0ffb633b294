/**
 * RoPE on whole prompts, on the engine: the rotation of `rope.ts` for tensors.
 */
import type { Ops, Tensor } from '../engine/types.js';
import type { RopeTable } from './rope.js';

export interface RopeTensors {
  /** `[S, width/2]` */
  readonly cos: Tensor;
  readonly sin: Tensor;
  readonly pairing: RopeTable['pairing'];
}

/** The tables of a prompt's layers on the engine; layers that share a table share tensors. The caller disposes of `owned`. */
export function onEngine(
  ops: Ops,
  tables: readonly (RopeTable | undefined)[],
): { readonly ropes: readonly (RopeTensors | undefined)[]; readonly owned: readonly Tensor[] } {
  const made = new Map<RopeTable, RopeTensors>();
  for (const table of new Set(tables)) {
    if (table === undefined) continue;
    const shape = [table.cos.length / table.half, table.half];
    made.set(table, {
      cos: ops.fromHost(table.cos, shape),
      sin: ops.fromHost(table.sin, shape),
      pairing: table.pairing,
    });
  }
  return {
    ropes: tables.map((table) => (table === undefined ? undefined : made.get(table))),
    owned: [...made.values()].flatMap(({ cos, sin }) => [cos, sin]),
  };
}

/** Rotates the first channels of `[heads, S, D]`, as many as there are angles for; without a rope nothing. */
export function rotate(ops: Ops, x: Tensor, rope: RopeTensors | undefined): Tensor {
  if (rope === undefined) return x;
  const { cos, sin, pairing } = rope;
  const [heads, S, D] = x.shape as [number, number, number];
  const half = cos.shape[1]!;
  const [low, high] = pairing === 'half' ? halves(ops, x, half) : evenAndOdd(ops, x, half);
  const turned = [
    ops.sub(ops.mul(low, cos), ops.mul(high, sin)),
    ops.add(ops.mul(high, cos), ops.mul(low, sin)),
  ] as const;
  const rest = D - 2 * half;
  const unturned = rest === 0 ? [] : [ops.slice(x, [0, 0, 2 * half], [heads, S, rest])];
  if (pairing === 'half') return ops.concat([...turned, ...unturned], 2);
  const pairs = ops.concat(
    turned.map((part) => ops.reshape(part, [heads * S * half, 1])),
    1,
  );
  const together = ops.reshape(pairs, [heads, S, 2 * half]);
  return rest === 0 ? together : ops.concat([together, ...unturned], 2);
}

/** Channels 0 … half − 1 and half … 2·half − 1, `[heads, S, half]` each. */
function halves(ops: Ops, x: Tensor, half: number): readonly [Tensor, Tensor] {
  const [heads, S] = x.shape as [number, number, number];
  return [ops.slice(x, [0, 0, 0], [heads, S, half]), ops.slice(x, [0, 0, half], [heads, S, half])];
}

/** Channels 0, 2, 4 … and 1, 3, 5 … of the first 2·half, `[heads, S, half]` each. */
function evenAndOdd(ops: Ops, x: Tensor, half: number): readonly [Tensor, Tensor] {
  const [heads, S] = x.shape as [number, number, number];
  const n = heads * S * half;
  const pairs = ops.reshape(ops.slice(x, [0, 0, 0], [heads, S, 2 * half]), [n, 2]);
  const column = (c: number): Tensor => ops.reshape(ops.slice(pairs, [0, c], [n, 1]), [heads, S, half]);
  return [column(0), column(1)];
}
