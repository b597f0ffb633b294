/**
 * One step of all rows of a decode: from token ids to logits, in the kernels.
 *
 * Weights are read once for all rows; each row attends to its own cache. Caches may lie in another memory than the weights of a
 * layer, and these in several: then a few rows are copied.
 * Alphabet: R rows, T new tokens of a row, S = Σ T, H, KV, D, E, V as everywhere.
 */
import { workOf, type AttentionPlace } from '../cache/attention-work.js';
import type { LayerCache } from '../cache/types.js';
import type { KernelMemory } from '../kernels/memory.js';
import type { Rows } from '../kernels/step.js';
import { finishOnHost, logitsOnHost, projectOnHost } from './host-layer.js';
import { eachRow, type HostSite } from './host-rows.js';
import type { RopeTable } from './rope.js';
import type { Transformer } from './transformer.js';
import { copyRows, Workspace } from './workspace.js';

export interface DecodeRow {
  /** One per layer, all in one memory. */
  readonly caches: readonly LayerCache[];
  /** Position of the next token: the prompt's length, whatever was evicted. */
  position: number;
  /** By layer what is added to it where a step has moved keys; undefined: nothing in any. */
  readonly shifts?: readonly number[] | undefined;
  /** Tokens that the run may come to, where RoPE depends on the length; as of its prefill. */
  readonly reach?: number | undefined;
}

interface Slot {
  readonly row: DecodeRow;
  /** Its first token among all. */
  readonly first: number;
  /** T */
  readonly count: number;
  /** By layer. */
  readonly tables: readonly (RopeTable | undefined)[];
}

/** Where the angles of a table are, `[T, half]` each. */
interface Angles {
  readonly half: number;
  readonly interleaved: boolean;
  readonly cos: number;
  readonly sin: number;
}

/** Decodes with one model over caches of one memory; holds buffers until it is freed. */
export class DecodeStep {
  private readonly spaces = new Map<KernelMemory, Workspace>();

  constructor(
    private readonly model: Transformer,
    private readonly memory: KernelMemory,
  ) {}

  /** Feeds each row its tokens, one at least; the id with the largest logit after each row's last. −1: one is not finite. */
  bestIds(rows: readonly DecodeRow[], tokens: readonly (readonly number[])[]): number[] {
    const { site, logits } = this.advance(rows, tokens);
    const { memory } = site.space;
    const { vocabulary } = this.model.config;
    const best = site.space.rows('best', rows.length, 1);
    eachRow(site, rows.length, { width: vocabulary, calls: 1 }, (kernels, from, count) => {
      for (let r = from; r < from + count; r++) {
        kernels.best(logits.at + r * logits.stride, vocabulary, best.at + r * best.stride);
      }
    });
    return rows.map((_, r) => memory.integers(best.at + r * best.stride, 1)[0]!);
  }

  /** The same, but the logits themselves, `[V]` a row. */
  logits(rows: readonly DecodeRow[], tokens: readonly (readonly number[])[]): Float32Array[] {
    const { site, logits } = this.advance(rows, tokens);
    const { vocabulary } = this.model.config;
    return rows.map((_, r) => site.space.memory.floats(logits.at + r * logits.stride, vocabulary).slice());
  }

  free(): void {
    for (const space of this.spaces.values()) space.free();
    this.spaces.clear();
  }

  private advance(
    rows: readonly DecodeRow[],
    tokens: readonly (readonly number[])[],
  ): { readonly site: HostSite; readonly logits: Rows } {
    const { model } = this;
    let first = 0;
    const slots = rows.map((row, r): Slot => {
      const count = tokens[r]!.length;
      first += count;
      const tables = tablesOf(model, row, count);
      return { row, first: first - count, count, tables };
    });
    const count = first; // S
    const angles = this.storeAngles(slots);
    let memory = model.hostLayers[0]!.memory;
    this.enter(memory, model.embedRows(tokens.flat()), count);
    for (const [index, layer] of model.hostLayers.entries()) {
      if (layer.memory !== memory) this.move(memory, layer.memory, count);
      memory = layer.memory;
      const site = this.site(memory);
      projectOnHost(site, layer.parts, count);
      this.attend(index, site, slots, angles, count);
      finishOnHost(site, layer.parts, count);
    }
    for (const { row, count } of slots) row.position += count;
    return this.lastLogits(memory, slots, count);
  }

  private site(memory: KernelMemory): HostSite {
    return { crew: this.model.crew, config: this.model.config, space: this.space(memory) };
  }

  private space(memory: KernelMemory): Workspace {
    const known = this.spaces.get(memory);
    if (known !== undefined) return known;
    const made = new Workspace(memory);
    this.spaces.set(memory, made);
    return made;
  }

  /** `[S, E]` from outside. */
  private enter(memory: KernelMemory, numbers: Float32Array, count: number): void {
    const { hidden: E } = this.model.config;
    const x = this.space(memory).rows('x', count, E);
    for (let t = 0; t < count; t++) {
      memory.floats(x.at + t * x.stride, E).set(numbers.subarray(t * E, (t + 1) * E));
    }
  }

  private move(from: KernelMemory, to: KernelMemory, count: number): void {
    const { hidden: E } = this.model.config;
    const place = (memory: KernelMemory): Rows & { readonly memory: KernelMemory } => ({
      ...this.space(memory).rows('x', count, E),
      memory,
    });
    copyRows(place(from), place(to), count, E);
  }

  /** Angles of all positions of the step, in the memory of the caches; tables that layers share once. */
  private storeAngles(slots: readonly Slot[]): ReadonlyMap<RopeTable, Angles> {
    const tables = [...new Set(slots.flatMap(({ tables }) => tables))].filter((table) => table !== undefined);
    const numbers = tables.reduce((total, { cos }) => total + 2 * cos.length, 0);
    const buffer = this.space(this.memory).rows('angles', 1, Math.max(1, numbers));
    let at = buffer.at;
    const store = (list: Float32Array): number => {
      this.memory.floats(at, list.length).set(list);
      at += 4 * list.length;
      return at - 4 * list.length;
    };
    return new Map(
      tables.map((table) => {
        const { half, pairing, cos, sin } = table;
        return [table, { half, interleaved: pairing === 'interleaved', cos: store(cos), sin: store(sin) }];
      }),
    );
  }

  /** Rotates and appends what `site` has projected, and attends row by row; the outputs go back there. */
  private attend(
    layer: number,
    site: HostSite,
    slots: readonly Slot[],
    angles: ReadonlyMap<RopeTable, Angles>,
    count: number,
  ): void {
    const { config } = this.model;
    const { heads: H, kvHeads: KV, headDim: D } = config;
    const { memory } = this;
    const own = this.space(memory);
    const width = (H + 2 * KV) * D;
    const projected = { ...site.space.rows('qkv', count, width), memory: site.space.memory };
    const qkv = { ...own.rows('cache qkv', count, width), memory };
    const out = { ...own.rows('cache attended', count, H * D), memory };
    copyRows(projected, qkv, count, width);
    const here = { ...site, space: own };
    eachRow(here, slots.length, { width: (H + KV) * D, calls: 64 }, (kernels, from, some) => {
      for (const { first, count: T, tables } of slots.slice(from, from + some)) {
        const table = tables[layer];
        if (table === undefined) continue;
        const { half, interleaved, cos, sin } = angles.get(table)!;
        for (let t = 0; t < T; t++) {
          const at = 4 * t * half;
          kernels.rotate(qkv.at + (first + t) * qkv.stride, H + KV, D, {
            ...{ half, interleaved, cos: cos + at, sin: sin + at },
          });
        }
      }
    });
    for (const slot of slots) appendSlot(slot, layer, qkv, { skip: H * D, width: KV * D });
    this.attendInTurns(layer, slots, qkv, out);
    copyRows(out, { ...site.space.rows('attended', count, H * D), memory: site.space.memory }, count, H * D);
  }

  private attendInTurns(layer: number, slots: readonly Slot[], qkv: Rows, out: Rows): void {
    const { crew } = this.model;
    const work = workOf(crew, this.memory);
    const running = slots.map(({ row, first, count }) => {
      const cache = row.caches[layer]!;
      const place: AttentionPlace = {
        queries: qkv.at + first * qkv.stride,
        queryStride: qkv.stride,
        out: out.at + first * out.stride,
        outStride: out.stride,
      };
      return { cache, count, place, turns: cache.turns(count) };
    });
    const most = Math.max(...running.map(({ turns }) => turns));
    for (let turn = 0; turn < most; turn++) {
      const now = running.filter(({ turns }) => turn < turns);
      for (const { cache, count, place } of now) cache.attendTurn(turn, count, place, work);
      crew.run(this.memory);
      for (const { cache, count } of now) cache.settleTurn(turn, count);
    }
  }

  /** Norm and head of each row's last token. */
  private lastLogits(
    memory: KernelMemory,
    slots: readonly Slot[],
    count: number,
  ): { readonly site: HostSite; readonly logits: Rows } {
    const { config, head } = this.model;
    const { hidden: E } = config;
    const site = this.site(head.memory);
    const x = this.space(memory).rows('x', count, E);
    const last = { ...site.space.rows('last', slots.length, E), memory: head.memory };
    slots.forEach(({ first, count: T }, r) => {
      const from = { at: x.at + (first + T - 1) * x.stride, stride: x.stride, memory };
      copyRows(from, { ...last, at: last.at + r * last.stride }, 1, E);
    });
    return { site, logits: logitsOnHost(site, head, last, slots.length) };
  }
}

/** By layer, for the next `count` tokens of a row. */
function tablesOf(
  { rotations }: Transformer,
  { position, shifts, reach }: DecodeRow,
  count: number,
): (RopeTable | undefined)[] {
  if (shifts === undefined) return rotations.tables(position, count, reach);
  const byShift = new Map(
    [...new Set(shifts)].map((shift) => [shift, rotations.tables(position + shift, count, reach)]),
  );
  return shifts.map((shift, layer) => byShift.get(shift)![layer]);
}

/** Gives a row's keys and values of its new tokens to its cache. */
function appendSlot(
  { row, first, count: T }: Slot,
  layer: number,
  qkv: Rows & { readonly memory: KernelMemory },
  { skip, width }: { readonly skip: number; readonly width: number },
): void {
  /** `[T, KV, D]`; of a single token not copied. */
  const columns = (from: number): Float32Array => {
    const at = (t: number): Float32Array =>
      qkv.memory.floats(qkv.at + (first + t) * qkv.stride + 4 * from, width);
    if (T === 1) return at(0);
    const all = new Float32Array(T * width);
    for (let t = 0; t < T; t++) all.set(at(t), t * width);
    return all;
  };
  row.caches[layer]!.append(columns(skip), columns(skip + width), T);
}
