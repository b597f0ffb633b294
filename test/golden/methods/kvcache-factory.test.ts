/** SnapKV, PyramidKV, StreamingLLM and Knorm in the form of KVCache-Factory, one set of tokens per KV head. */
import { expect } from 'chai';
import type { MethodStep } from '../../../src/methods/types.js';
import { knorm } from '../../../src/methods/token/knorm.js';
import { methods } from '../../../src/methods/built-in.js';
import { streamingLlm } from '../../../src/methods/token/streaming-llm.js';
import { readGolden } from '../support.js';
import {
  expectGoldenRunUpToTies,
  onEveryEngine,
  readMethodGolden,
  type GoldenRun,
  type Ties,
} from './golden-run.js';
import type { Positions } from './live-run.js';

interface Case extends GoldenRun {
  readonly name: string;
  readonly params: {
    readonly capacity: number;
    readonly window: number;
    readonly kernel: number;
    readonly pooling: string;
    readonly beta?: number;
    readonly group?: string;
  };
  readonly kept_positions: Positions;
  readonly boundary_ties: readonly (readonly Ties[])[];
}

interface PlainCase extends GoldenRun {
  readonly name: string;
  readonly params: {
    readonly capacity: number;
    readonly sinks?: number;
    readonly skip_layers?: readonly number[];
  };
  readonly kept_positions: Positions;
}

const { context_ids: contextIds } = readGolden('llama');
const { pipelines } = readMethodGolden('kvcache_factory') as { pipelines: readonly (Case & PlainCase)[] };
const cases: readonly Case[] = pipelines.filter(
  ({ name, params }) =>
    /^(snapkv|pyramidkv) .*heads=kv$/u.test(name) && params.group !== 'max before pooling',
);
const plainCases: readonly PlainCase[] = pipelines.filter(({ name }) =>
  /^(streamingllm|l2norm) .*heads=kv$/u.test(name),
);

/** The step of a case. */
function stepOf({ name, params }: Case): MethodStep {
  const method = name.split(' ')[0]!;
  const fields = {
    budget: params.capacity,
    window: params.window,
    kernel: params.kernel,
    pool: params.pooling === 'maxpool' ? 'maximum' : 'average',
    group: 'mean',
    ...(method === 'pyramidkv' ? { variant: 'original', beta: params.beta } : {}),
  };
  return { method, params: methods.get(method)!.params.parse(fields) as Record<string, unknown> };
}

/** The step of a case that pools nothing. */
function plainStepOf({ params: { capacity, sinks, skip_layers } }: PlainCase): MethodStep {
  return sinks === undefined
    ? { method: 'knorm', params: knorm.params.parse({ budget: capacity, whole_layers: skip_layers }) }
    : { method: 'streaming_llm', params: streamingLlm.params.parse({ budget: capacity, sinks }) };
}

/** In layer 0 the norm of a key belongs to its token: positions of tokens that are kept here and dropped there. */
function tiesOfTokens(positions: readonly number[]): Ties {
  const dropped = contextIds.map((_, t) => t).filter((t) => !positions.includes(t));
  const ids = (tokens: readonly number[]) => new Set(tokens.map((t) => contextIds[t]!));
  const [keptIds, droppedIds] = [ids(positions), ids(dropped)];
  return {
    kept: positions.filter((t) => droppedIds.has(contextIds[t]!)),
    dropped: dropped.filter((t) => keptIds.has(contextIds[t]!)),
  };
}

onEveryEngine('golden KVCache-Factory', (model) => {
  it('has cases', () => {
    expect(cases).to.have.length(7);
    expect(plainCases).to.have.length(3);
  });

  for (const one of cases) {
    it(one.name, async () => {
      await expectGoldenRunUpToTies(model(), [stepOf(one)], one.kept_positions, one.boundary_ties, one);
    });
  }

  for (const one of plainCases) {
    it(one.name, async () => {
      const ties = one.kept_positions.map((heads, layer) =>
        heads.map((kept) => (layer === 0 && one.params.sinks === undefined ? tiesOfTokens(kept) : null)),
      );
      await expectGoldenRunUpToTies(model(), [plainStepOf(one)], one.kept_positions, ties, one);
    });
  }
});
