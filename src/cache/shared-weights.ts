/**
 * Float32 tables in the kernels' memory that many caches read: up-projections, angles of RoPE.
 *
 * Decides that each is there once, as long as any cache uses it. They belong to the model, not to a sample, so no cache
 * counts their bytes. Knows nothing of what they hold.
 */
import type { KernelMemory, Pointer } from '../kernels/memory.js';

interface Shared {
  readonly pointer: Pointer;
  users: number;
}

/** Which table of those that are made of one array. */
export interface TableName {
  readonly name: string;
  /** Numbers in it. */
  readonly count: number;
}

/** Of each memory: by the array that a table is made of, then by its name. */
const tables = new WeakMap<KernelMemory, Map<Float32Array, Map<string, Shared>>>();

/**
 * A table that is made of `source`; `fill` writes it where it is not there yet.
 * May grow the memory, which detaches views of it. Every call is answered by one of `giveBackTable`.
 */
export function borrowTable(
  memory: KernelMemory,
  source: Float32Array,
  { name, count }: TableName,
  fill: (table: Float32Array) => void,
): Pointer {
  const ofMemory = entryOf(tables, memory, () => new Map<Float32Array, Map<string, Shared>>());
  const ofSource = entryOf(ofMemory, source, () => new Map<string, Shared>());
  const key = `${name}:${count}`;
  let shared = ofSource.get(key);
  if (shared === undefined) {
    shared = { pointer: memory.alloc(4 * count), users: 0 };
    ofSource.set(key, shared);
    fill(memory.floats(shared.pointer, count));
  }
  shared.users++;
  return shared.pointer;
}

/** Ends one use; the last one frees the table. */
export function giveBackTable(memory: KernelMemory, source: Float32Array, { name, count }: TableName): void {
  const key = `${name}:${count}`;
  const ofMemory = tables.get(memory);
  const ofSource = ofMemory?.get(source);
  const shared = ofSource?.get(key);
  if (shared === undefined) throw new Error('a table was given back that nobody borrowed');
  if (--shared.users > 0) return;
  memory.free(shared.pointer);
  ofSource!.delete(key);
  if (ofSource!.size === 0) ofMemory!.delete(source);
}

function entryOf<K, V>(
  map: { get(key: K): V | undefined; set(key: K, value: V): unknown },
  key: K,
  make: () => V,
): V {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
