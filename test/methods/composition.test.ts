/**
 * Every method before and after every other, on the tiny llama: what composition allows runs and takes no more bytes
 * than without the last step; what cannot run is refused, in words.
 */
import { expect } from 'chai';
import { openEngine } from '../../src/engine/index.js';
import { composedStep, compositionProblem } from '../../src/methods/composition.js';
import { observationsOf } from '../support/planning.js';
import { methods } from '../../src/methods/built-in.js';
import type { MethodStep } from '../../src/methods/types.js';
import { everyMethod, type Params } from './every-method.js';
import { stepsFrom, TinyRun } from './tiny-run.js';

type Written = readonly [string, Params];

/** Longer pipelines that papers or users run. */
const PIPELINES: readonly (readonly Written[])[] = [
  [
    ['streaming_llm', { ratio: 0.25 }],
    ['snapkv', { ratio: 0.5, window: 8 }],
    ['spark', { ratio: 0.8 }],
  ],
  [
    ['snapkv', { budget: 100, window: 8 }],
    ['think', { ratio: 0.4, recent: 16 }],
    ['kivi', { residual: 32 }],
  ],
  [
    ['snapkv', { budget: 100, window: 8 }],
    ['think', { ratio: 0.4, recent: 16 }],
    ['spark', { ratio: 0, value_ratio: 0.5 }],
    ['quant', { bits: 4 }],
  ],
  [
    ['adakv', { base: 'snapkv', with: { window: 8 }, ratio: 0.5 }],
    ['spark', { ratio: 0.5, value_ratio: 0.5 }],
    ['kivi', { bits: 4, residual: 16, group: 16 }],
  ],
  [
    ['adakv', { base: 'snapkv', with: { window: 8 }, ratio: 0.5 }],
    ['recalkv', { ratio: 0.5 }],
    ['kivi', { bits: 4, residual: 16, group: 16 }],
  ],
  [
    ['tova', { ratio: 0.25 }],
    ['criticalkv', { base: 'snapkv', with: { window: 8 }, ratio: 0.25, adaptive: true }],
    ['recalkv', { ratio: 0.25 }],
    ['quant', {}],
  ],
  [
    ['streaming_llm', { ratio: 0.25 }],
    ['morphkv', { ratio: 0.5, window: 8 }],
  ],
];

const firstOf = (name: string): Written => [
  name,
  everyMethod.find(({ method }) => method === name)!.samples[0]!,
];
const composed = (step: MethodStep) => composedStep(step, methods.get(step.method)!);

describe('composition', () => {
  let run: TinyRun;
  before(async () => {
    const written = [...everyMethod.map(({ method }) => firstOf(method)), ...PIPELINES.flat()];
    const observations = observationsOf([{ label: '', steps: stepsFrom(methods, written) }]);
    run = await TinyRun.open(await openEngine('wasm'), methods, observations);
  });
  after(() => {
    run.dispose();
  });

  /** No step adds bytes to those before it. */
  const expectShorter = async (steps: readonly MethodStep[]): Promise<void> => {
    const mine = await run.for(steps);
    const labels = steps.map(({ method }) => method).join(', ');
    const bytes = [...steps.keys(), steps.length].map((count) => mine.bytes(steps.slice(0, count)));
    for (const [i, few] of bytes.slice(1).entries()) expect(few, labels).to.be.at.most(bytes[i]!);
    expect(mine.logits(steps).every(Number.isFinite), labels).to.equal(true);
  };

  for (const { method: earlier } of everyMethod) {
    it(`${earlier}, then any other`, async () => {
      for (const { method: later } of everyMethod) {
        const steps = stepsFrom(methods, [firstOf(earlier), firstOf(later)]);
        const problem = compositionProblem(steps.map(composed));
        if (problem !== undefined) {
          expect(problem.index).to.equal(1);
          expect(problem.reason).to.match(new RegExp(`^${later} cannot follow ${earlier}: `));
        } else {
          await expectShorter(steps);
        }
      }
    });
  }

  for (const pipeline of PIPELINES) {
    it(pipeline.map(([method]) => method).join(', '), async () => {
      const steps = stepsFrom(methods, pipeline);
      expect(compositionProblem(steps.map(composed))).to.equal(undefined);
      await expectShorter(steps);
    });
  }
});
