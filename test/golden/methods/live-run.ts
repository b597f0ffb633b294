/** A golden case that evicts while decoding, end to end on the tiny llama: logits, and which positions go at each step. */
import { expect } from 'chai';
import { encodeLayer } from '../../../src/cache/layer-cache.js';
import type { DecodePolicy, LayerCache } from '../../../src/cache/types.js';
import { openKernels } from '../../../src/kernels/index.js';
import { observationsOf, planLayer } from '../../support/planning.js';
import type { MethodStep } from '../../../src/methods/types.js';
import { logitsAfter } from '../../../src/model/decode.js';
import { prefill } from '../../../src/model/prefill.js';
import type { Transformer } from '../../../src/model/transformer.js';
import { maxDifference, readGolden } from '../support.js';
import type { GoldenRun } from './golden-run.js';

/** Absolute, on logits with float32 caches. */
const LOGIT_TOLERANCE = 2e-3;

const { context_ids: contextIds, suffix_ids: suffixIds } = readGolden('llama');

/** Per layer, per KV head. */
export type Positions = readonly (readonly (readonly number[])[])[];

export interface LiveGoldenRun extends GoldenRun {
  readonly kept_after_prefill?: Positions;
  /** Where eviction begins at the first step: what is held after it. */
  readonly first_step_kept?: Positions;
  /** Per step; without the first where that is told by `first_step_kept`. */
  readonly evicted_per_step: readonly Positions[];
  readonly last_step_kept: Positions;
  readonly stored_tokens_per_step?: readonly number[];
}

/** The positions behind one layer's indices. */
interface Record {
  /** Per KV head. */
  readonly held: number[][];
  /** Per step, per KV head. */
  readonly evicted: number[][][];
}

/** The same policy, which also writes down what it does. */
function recorded(policy: DecodePolicy, record: Record): DecodePolicy {
  return {
    ...policy,
    start(positions) {
      const inner = policy.start(positions);
      let next = contextIds.length;
      record.held.push(...positions.map((held) => [...held]));
      return {
        attended(heads) {
          inner.attended(heads);
          for (const held of record.held) held.push(next);
          next++;
        },
        evict() {
          const going = inner.evict();
          record.evicted.push(going.map((indices, h) => indices.map((i) => record.held[h]![i]!)));
          going.forEach((indices, h) => {
            record.held[h] = record.held[h]!.filter((_, i) => !indices.includes(i));
          });
          return going;
        },
        bytes: () => inner.bytes(),
      };
    },
  };
}

/** Fails unless the model under `step` gives the case's logits and evicts the case's positions, step by step. */
export async function expectLiveGoldenRun(
  model: Transformer,
  step: MethodStep,
  golden: LiveGoldenRun,
): Promise<void> {
  const caches: LayerCache[] = [];
  const records: Record[] = [];
  await prefill(model, {
    ids: contextIds,
    observations: observationsOf([{ label: '', steps: [step] }]),
    onLayer: (trace) => {
      const plan = planLayer(trace, [step]);
      const record: Record = { held: [], evicted: [] };
      const decode = recorded(plan.decode!, record);
      caches.push(encodeLayer(trace, { ...plan, decode }, 'float32', openKernels()));
      records.push(record);
    },
  });
  const heldNow = (): number[][][] => records.map(({ held }) => held.map((head) => [...head]));
  try {
    if (golden.kept_after_prefill !== undefined) expect(heldNow()).to.deep.equal(golden.kept_after_prefill);
    const row = { caches, position: contextIds.length };
    const stored: number[] = [];
    const feed = (id: number): Float32Array => {
      const logits = logitsAfter(model, [row], [[id]])[0]!;
      stored.push(...new Set(caches.flatMap(({ kept }) => kept)));
      return logits;
    };
    let logits: Float32Array = new Float32Array();
    for (const [i, id] of suffixIds.entries()) {
      logits = feed(id);
      if (i === 0 && golden.first_step_kept !== undefined) {
        expect(heldNow()).to.deep.equal(golden.first_step_kept);
      }
    }
    expect(maxDifference(logits, golden.logits_after_suffix)).to.be.below(LOGIT_TOLERANCE);
    for (const id of golden.greedy_ids) {
      expect(logits.indexOf(logits.reduce((a, b) => Math.max(a, b)))).to.equal(id);
      logits = feed(id);
    }
    expect(maxDifference(logits, golden.logits_final)).to.be.below(LOGIT_TOLERANCE);
    const steps = records[0]!.evicted.map((_, at) => records.map(({ evicted }) => evicted[at]!));
    expect(steps.slice(golden.first_step_kept === undefined ? 0 : 1)).to.deep.equal(golden.evicted_per_step);
    expect(heldNow()).to.deep.equal(golden.last_step_kept);
    if (golden.stored_tokens_per_step !== undefined) {
      expect(stored).to.deep.equal(golden.stored_tokens_per_step);
    }
  } finally {
    for (const cache of caches) cache.free();
  }
}
