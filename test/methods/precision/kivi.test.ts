/** The methods of the precision axis: which precision each side gets, and what is refused. */
import { expect } from 'chai';
import { sumBytes } from '../../../src/cache/bytes.js';
import { encodeLayer } from '../../../src/cache/layer-cache.js';
import { fullPlan } from '../../../src/cache/plan.js';
import type { LayerPlan } from '../../../src/cache/types.js';
import { UserError } from '../../../src/base/errors.js';
import { openKernels } from '../../../src/kernels/index.js';
import { kivi } from '../../../src/methods/precision/kivi.js';
import { observationsOf, planLayer } from '../../support/planning.js';
import { methods } from '../../../src/methods/built-in.js';
import type { MethodStep } from '../../../src/methods/types.js';
import { smallTrace } from '../support.js';

const shape = { heads: 4, kvHeads: 2, headDim: 64, length: 96 };

function step(method: string, params: Record<string, unknown>): MethodStep {
  return { method, params: methods.get(method)!.params.parse(params) as MethodStep['params'] };
}

function planned(...steps: MethodStep[]): LayerPlan {
  return planLayer(smallTrace(shape, observationsOf([{ label: '', steps }])), steps);
}

/** Bytes of the packed prompt in bfloat16. */
function storedBytes(...steps: MethodStep[]): number {
  const trace = smallTrace(shape, observationsOf([{ label: '', steps }]));
  const cache = encodeLayer(trace, planLayer(trace, steps), 'bfloat16', openKernels());
  const bytes = sumBytes(cache.bytes());
  cache.free();
  return bytes;
}

describe('kivi', () => {
  it('quantises keys along channels in blocks and values along tokens, sliding', () => {
    const { keys, values } = planned(step('kivi', {}));
    expect(keys).to.deep.equal({
      codec: 'dense',
      precision: { bits: 2, along: 'channel', group: 32, residual: 128, settle: 'blocks' },
    });
    expect(values).to.deep.equal({
      codec: 'dense',
      precision: { bits: 2, along: 'token', group: 32, residual: 128, settle: 'sliding' },
    });
  });

  it('takes bits for both sides and for each', () => {
    const bits = (params: Record<string, unknown>): unknown[] => {
      const { keys, values } = planned(step('kivi', params));
      return [keys.precision?.bits, values.precision?.bits];
    };
    expect(bits({ bits: 4 })).to.deep.equal([4, 4]);
    expect(bits({ bits: 4, value_bits: 2 })).to.deep.equal([4, 2]);
    expect(bits({ key_bits: 8 })).to.deep.equal([8, 2]);
  });

  it('refuses blocks that groups do not fill, and other bits', () => {
    const issues = (params: unknown): string[] =>
      kivi.params.safeParse(params).error?.issues.map(({ path }) => path.join('.')) ?? [];
    expect(issues({ group: 32, residual: 40 })).to.deep.equal(['residual']);
    expect(issues({ group: 8, residual: 40 })).to.deep.equal([]);
    expect(issues({ bits: 3 })).to.deep.equal(['bits']);
    expect(issues({ group: 0 })).to.deep.equal(['group']);
  });

  it('asks for nothing yet exactly where the prompt does not fill a block and no value is old enough', () => {
    const trace = smallTrace(shape, []);
    const asks = (residual: number): boolean =>
      !kivi.asksForNothing(trace, kivi.params.parse({ residual, group: 1 }), fullPlan(trace));
    expect([95, 96, 97].map(asks)).to.deep.equal([true, true, false]);
  });

  it('lets kept entries of spark be quantised token by token, masks and fill as they were', () => {
    const spark = step('spark', { ratio: 0.5 });
    const [before, after] = [planned(spark), planned(spark, step('kivi', { residual: 32 }))];
    expect(after.keys.precision).to.include({ along: 'token', settle: 'blocks', residual: 32 });
    expect({ ...after.keys, precision: undefined }).to.deep.equal({ ...before.keys, precision: undefined });
    expect(storedBytes(spark, step('kivi', { residual: 32 }))).to.be.below(storedBytes(spark));
  });

  it('keeps the masks of think, and stores only their channels of a block', () => {
    const think = step('think', { ratio: 0.5 });
    const kiviStep = step('kivi', { residual: 32 });
    expect(planned(think, kiviStep).keys).to.include({ codec: 'channels' });
    // 96 keys in three blocks; per head half the channels in 2 bits, and a mask
    const keys = 2 * ((96 * 32 * 2) / 8 + (3 * 32 * 2 * 2 + 8));
    const values = 2 * (64 * ((64 * 2) / 8 + 2 * 2 * 2) + 32 * 64 * 2);
    expect(storedBytes(think, kiviStep)).to.equal(keys + values);
  });

  it('stores less the fewer bits', () => {
    const bytes = [2, 4, 8].map((bits) => storedBytes(step('kivi', { bits, residual: 32 })));
    expect(bytes[0]).to.be.below(bytes[1]!);
    expect(bytes[1]).to.be.below(bytes[2]!);
    expect(bytes[2]).to.be.below(storedBytes());
  });
});

describe('quant', () => {
  it('quantises every entry of a token with one scale, in 8 bits, at once', () => {
    const precision = { bits: 8, along: 'token', group: Infinity, residual: 0, settle: 'sliding' };
    const { keys, values } = planned(step('quant', {}));
    expect([keys.precision, values.precision]).to.deep.equal([precision, precision]);
    expect(storedBytes(step('quant', {}))).to.equal(2 * 2 * 96 * (64 + 4));
    expect(storedBytes(step('quant', { bits: 4, group: 16 }))).to.equal(2 * 2 * 96 * (32 + 4 * 4));
  });

  it('changes nothing else of a plan', () => {
    const steps = [step('streaming_llm', { budget: 40 }), step('think', { ratio: 0.4 })];
    const [before, after] = [planned(...steps), planned(...steps, step('quant', { bits: 4 }))];
    const without = ({ tokens, keys, values }: LayerPlan): unknown => [
      tokens,
      { ...keys, precision: undefined },
      { ...values, precision: undefined },
    ];
    expect(without(after)).to.deep.equal(without(before));
  });

  it('refuses to quantise twice', () => {
    expect(() => planned(step('kivi', { residual: 32 }), step('quant', {}))).to.throw(
      UserError,
      'quant cannot quantise entries that an earlier step has already quantised',
    );
  });
});
