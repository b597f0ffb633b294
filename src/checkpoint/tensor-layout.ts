/**
 * Where each tensor of a model lies in its file.
 *
 * A file may have other names, several matrices in one, or rows in another order; what computes asks for one matrix by one
 * name. The names are Llama's in a Hugging Face checkpoint, with Glm4's for norms behind attention and MLP:
 * `post_self_attn_layernorm`, `post_mlp_layernorm`.
 */
import type { PackedWeights, RowSpan } from './packed-weights.js';
import { arrangeRows, rowOrder } from './row-spans.js';
import { ownFloats, type TensorFile } from './tensor-file.js';
import type { ModelConfig, WeightSource } from './types.js';

export interface TensorLayout {
  /** `model.embed_tokens`, `model.norm`, `lm_head`: what the file calls them. */
  readonly top?: Readonly<Record<string, string>>;
  /** What the names of a layer's tensors begin with. Default: `model.layers.N.` */
  readonly block?: (layer: number) => string;
  /** Parts of a layer (`self_attn.q_proj`) by what the file calls them. */
  readonly parts?: Readonly<Record<string, string>>;
  /** Tensors of the file that hold the rows of several parts, one after the other. */
  readonly fused?: Readonly<Record<string, readonly string[]>>;
  /** Fused rows stand head by head (q, k, v of head 0, of head 1 …), not part by part. */
  readonly fusedByHead?: boolean;
  /** Experts of a layer: one tensor holds all of them, `[experts, out, in]`. */
  readonly stackedExperts?: Readonly<Record<string, string>>;
  /** Parts whose rows are in interleaved RoPE order and are put back into half-split order. */
  readonly interleavedRows?: readonly string[];
  /** Tensors that a text model ignores. */
  readonly ignored?: RegExp;
  /** Added to all names of a file that has it. */
  readonly prefixes?: readonly string[];
}

/** One tensor in the file: all of its rows, some, or some in another order. */
export interface TensorPlace {
  readonly file: string;
  /** Row of the file for a row of the tensor; undefined: the same. */
  readonly row?: ((row: number) => number) | undefined;
  /** Rows that the file's tensor has in all, where that is more than this tensor has. */
  readonly of?: number | undefined;
}

/** Names of the parts of a layer: `model.layers.3.mlp.experts.7.up_proj.weight`. */
const IN_LAYER = /^model\.layers\.(\d+)\.(.+)\.(weight|bias)$/;
const EXPERT = /^mlp\.experts\.(\d+)\.(\w+)$/;

/**
 * Where a tensor lies.
 *
 * @param name one of the names of `expectedTensors`
 * @param rows of parts that may be fused: their heights, by part
 */
export function placeOf(
  name: string,
  layout: TensorLayout,
  config: Pick<ModelConfig, 'heads' | 'headDim' | 'experts'>,
  rows: (part: string) => number,
): TensorPlace {
  const match = IN_LAYER.exec(name);
  if (match === null) return { file: topName(name, layout) };
  const [, layer, part, kind] = match as unknown as [string, string, string, string];
  const block = layout.block?.(Number(layer)) ?? `model.layers.${layer}.`;
  const inFile = (own: string): string => `${block}${own}.${kind}`;
  const expert = EXPERT.exec(part);
  const stacked = expert === null ? undefined : layout.stackedExperts?.[expert[2]!];
  if (expert !== null && stacked !== undefined) {
    const height = rows(part);
    const first = Number(expert[1]) * height;
    return {
      file: inFile(stacked),
      row: (row) => first + row,
      of: height * config.experts!.count,
    };
  }
  const interleaved = layout.interleavedRows?.includes(part) === true;
  for (const [file, parts] of Object.entries(layout.fused ?? {})) {
    const index = parts.indexOf(part);
    if (index < 0) continue;
    const heights = parts.map(rows);
    const first = heights.slice(0, index).reduce((a, b) => a + b, 0);
    const total = heights.reduce((a, b) => a + b, 0);
    const { headDim: D } = config;
    const row =
      layout.fusedByHead === true
        ? (r: number): number => Math.floor(r / D) * parts.length * D + index * D + (r % D)
        : (r: number): number => first + r;
    return { file: inFile(file), row, of: total };
  }
  return {
    file: inFile(layout.parts?.[part] ?? part),
    row: interleaved ? (row) => interleavedRow(row, config.headDim) : undefined,
  };
}

function topName(name: string, { top }: TensorLayout): string {
  const dot = name.lastIndexOf('.');
  const [stem, kind] = [name.slice(0, dot), name.slice(dot + 1)];
  return `${top?.[stem] ?? stem}.${kind}`;
}

/** Where llama.cpp's converter put a row of a query or key projection: channel i of a half to 2i, of the other to 2i + 1. */
export function interleavedRow(row: number, headDim: number): number {
  const channel = row % headDim;
  const half = headDim / 2;
  return row - channel + 2 * (channel % half) + Math.floor(channel / half);
}

/**
 * The tensors of a file under the names that the model asks for. Tensors that no name leads to keep their own, so that
 * `checkWeights` refuses them.
 *
 * @param expected shapes by name, those of tensors that may be absent too
 */
export function withLayout(
  file: TensorFile,
  layout: TensorLayout,
  config: ModelConfig,
  expected: ReadonlyMap<string, readonly number[]>,
): WeightSource {
  const present = new Set(file.names);
  const prefix = layout.prefixes?.find((one) => file.names.some((name) => name.startsWith(one))) ?? '';
  const places = new Map<string, TensorPlace>();
  for (const name of expected.keys()) {
    const [, layer, , kind] = IN_LAYER.exec(name) ?? [];
    const heights = (part: string): number => expected.get(`model.layers.${layer}.${part}.${kind}`)?.[0] ?? 0;
    const place = placeOf(name, layout, config, heights);
    places.set(name, { ...place, file: withPrefix(place.file, prefix, present) });
  }
  const used = new Set([...places.values()].map((place) => place.file));
  const others = file.names.filter((name) => !used.has(name) && layout.ignored?.test(name) !== true);
  const found = [...places].filter(([, place]) => present.has(place.file)).map(([name]) => name);
  const packed = (name: string, rows?: RowSpan): PackedWeights => {
    const place = places.get(name);
    if (place?.row === undefined) return file.packed(place?.file ?? name, rows);
    return packedRows(file, place.file, place.row, expected.get(name)!, rows);
  };
  return {
    names: [...found, ...others],
    shape: (name) => {
      const place = places.get(name);
      const shape = file.shape(place?.file ?? name);
      if (place?.of === undefined) return shape;
      const [height, ...rest] = expected.get(name)!;
      // `[experts, out, in]` counts as `[experts·out, in]`
      const rows = shape.slice(0, shape.length - rest.length).reduce((a, b) => a * b, 1);
      return [height! + rows - place.of, ...shape.slice(shape.length - rest.length)];
    },
    packedBytes: (name) => {
      const place = places.get(name);
      const whole = file.packedBytes?.(place?.file ?? name) ?? 4 * countOf(file.shape(place?.file ?? name));
      return place?.of === undefined ? whole : (whole * expected.get(name)![0]!) / place.of;
    },
    read: (name) => ownFloats(packed(name)),
    packed,
    nameInFile: (name) => places.get(name)?.file ?? name,
    close: () => {
      file.close();
    },
  };
}

function withPrefix(name: string, prefix: string, present: ReadonlySet<string>): string {
  return present.has(prefix + name) ? prefix + name : name;
}

/**
 * Some rows of a tensor of the file; a row of a vector is one of its entries.
 *
 * @param shape of the tensor that they make
 * @param only these rows of it
 */
function packedRows(
  file: TensorFile,
  name: string,
  sourceOf: (row: number) => number,
  [height, ...rest]: readonly number[],
  only: RowSpan = { first: 0, count: height! },
): PackedWeights {
  const isVector = rest.length === 0;
  const { first, count } = isVector ? { first: 0, count: height! } : only;
  const { spans, places } = rowOrder(Array.from({ length: count }, (_, i) => sourceOf(first + i)));
  const packed = file.part(name, { columns: rest.reduce((a, b) => a * b, 1), spans });
  if (places !== undefined) arrangeRows(packed.data, packed.rowBytes, places);
  return isVector ? { ...packed, rows: 1, columns: count, rowBytes: packed.data.length } : packed;
}

function countOf(shape: readonly number[]): number {
  return shape.reduce((product, n) => product * n, 1);
}
