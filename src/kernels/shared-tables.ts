/**
 * Float32 tables in the kernels' memory that many caches read: up-projections, angles of RoPE.
 *
 * Each is there once, as long as any cache uses it. They belong to the model, not to a sample, so no cache counts their
 * bytes.
 */

/** Where the tables are; the memory that has them. */
interface TableMemory {
  alloc(bytes: number): number;
  floats(pointer: number, count: number): Float32Array;
  free(pointer: number): void;
}

interface SharedTable {
  readonly pointer: number;
  users: number;
}

/** Which table of those that are made of one array. */
export interface TableName {
  readonly name: string;
  /** Numbers in it. */
  readonly count: number;
}

export class SharedTables {
  /** By the array that a table is made of, then by its name. */
  private readonly tables = new Map<Float32Array, Map<string, SharedTable>>();

  constructor(private readonly memory: TableMemory) {}

  /**
   * Address of a table that is made of `source`; `fill` writes it where it is not there yet.
   * May grow the memory, which detaches views of it. Every call is answered by one of `giveBack`.
   */
  borrow(source: Float32Array, { name, count }: TableName, fill: (table: Float32Array) => void): number {
    const ofSource = this.tables.get(source) ?? new Map<string, SharedTable>();
    this.tables.set(source, ofSource);
    const key = `${name}:${count}`;
    let shared = ofSource.get(key);
    if (shared === undefined) {
      shared = { pointer: this.memory.alloc(4 * count), users: 0 };
      ofSource.set(key, shared);
      fill(this.memory.floats(shared.pointer, count));
    }
    shared.users++;
    return shared.pointer;
  }

  /** Ends one use; the last one frees the table. */
  giveBack(source: Float32Array, { name, count }: TableName): void {
    const key = `${name}:${count}`;
    const ofSource = this.tables.get(source);
    const shared = ofSource?.get(key);
    if (shared === undefined) throw new Error('a table was given back that nobody borrowed');
    if (--shared.users > 0) return;
    this.memory.free(shared.pointer);
    ofSource!.delete(key);
    if (ofSource!.size === 0) this.tables.delete(source);
  }
}
