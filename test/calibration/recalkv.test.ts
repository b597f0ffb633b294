/** Calibration on the tiny model: found once, kept, found again where what was kept is damaged. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { calibrationDigest } from '../../src/calibration/digest.js';
import { calibrate, type CalibrationRun } from '../../src/calibration/recalkv.js';
import { calibrationSequences } from '../../src/calibration/text.js';
import { openEngine } from '../../src/engine/index.js';
import { UserError } from '../../src/base/errors.js';
import { recalkv } from '../../src/methods/rank/recalkv.js';
import type { WeightsRequest } from '../../src/methods/types.js';
import type { Transformer } from '../../src/model/transformer.js';
import type { Tokenizer } from '../../src/checkpoint/types.js';
import { loadTinyModel } from '../support/tiny-model.js';

/** One id per byte of the text. */
const tokenizer: Tokenizer = {
  encode: (text) => [...Buffer.from(text)].map((byte) => byte % 160),
  decode: () => '',
  digest: 'bytes',
};

describe('calibration', () => {
  let root: string;
  let model: Transformer;
  const override = process.env['SPARK_EVAL_CACHE'];
  before(async () => {
    model = loadTinyModel(await openEngine('wasm'));
  });
  after(() => {
    model.dispose();
  });
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'calibration-'));
    process.env['SPARK_EVAL_CACHE'] = root;
    writeFileSync(join(root, 'text.txt'), 'The quick brown fox jumps over the lazy dog. '.repeat(20));
  });
  afterEach(() => {
    if (override === undefined) delete process.env['SPARK_EVAL_CACHE'];
    else process.env['SPARK_EVAL_CACHE'] = override;
    rmSync(root, { recursive: true });
  });

  const request = (params: object): WeightsRequest =>
    recalkv.weights(
      recalkv.params.parse({ samples: 2, length: 24, multiple: 4, text: join(root, 'text.txt'), ...params }),
    );
  const scores: CalibrationRun['knownScores'] = new Map();
  const run = (params: object, change: Partial<CalibrationRun> = {}) =>
    calibrate({
      model,
      files: { name: 'tiny', config: model.config, tokenizer, weightsDigest: 'w' },
      request: request(params),
      knownScores: scores,
      onPhase: () => undefined,
      log: () => undefined,
      ...change,
    });

  it('finds factors once and keeps them', async () => {
    const first = await run({ ratio: 0.5 });
    const second = await run({ ratio: 0.5 });
    expect([first.kept, second.kept]).to.deep.equal([false, true]);
    expect(second.factors).to.deep.equal(first.factors);
    expect((await run({ ratio: 0.25 })).kept).to.equal(false);
  });

  it('removes about the asked fraction', async () => {
    const { layers, kvHeads, headDim } = model.config;
    for (const ranks of ['fisher_uniform', 'fisher', 'uniform']) {
      const { factors } = await run({ ratio: 0.5, ranks });
      const kept = factors.layers
        .flatMap(({ keys, values }) => [...keys, ...values])
        .reduce((total, { rank }) => total + rank, 0);
      expect(kept / (2 * layers * kvHeads * headDim)).to.be.closeTo(0.5, 0.05);
    }
  });

  it('finds damaged factors again, and says so', async () => {
    const { folder, factors } = await run({ ratio: 0.5 });
    for (const [file, text] of [
      ['factors.json', '{'],
      ['factors.safetensors', 'no matrices'],
    ] as const) {
      writeFileSync(join(folder, file), text);
      const lines: string[] = [];
      const again = await run({ ratio: 0.5 }, { log: (line) => lines.push(line) });
      expect(again.kept).to.equal(false);
      expect(again.factors).to.deep.equal(factors);
      expect(lines.join()).to.contain(file).and.to.contain('found again');
      expect((await run({ ratio: 0.5 })).kept).to.equal(true);
    }
  });

  it('refuses ranks that remove nothing, and texts that are too short', async () => {
    const refused = async (params: object, message: string) => {
      try {
        await run(params);
      } catch (error) {
        expect(error).to.be.instanceOf(UserError);
        expect((error as UserError).message).to.contain(message);
        return;
      }
      throw new Error('was accepted');
    };
    await refused({ ratio: 0.1, multiple: 512 }, 'removes nothing');
    await refused({ ratio: 0.5, length: 5000 }, 'one sequence needs 5000');
  });

  it('refuses groups that do not divide the KV heads before it finds anything', async () => {
    const phases: string[] = [];
    const config = { ...model.config, kvHeads: 4 };
    try {
      await run(
        { ratio: 0.5, group: 3 },
        {
          files: { name: 'tiny', config, tokenizer, weightsDigest: 'w' },
          onPhase: (phase) => phases.push(phase),
        },
      );
    } catch (error) {
      expect((error as UserError).message).to.contain('do not divide');
      expect(phases).to.deep.equal([]);
      return;
    }
    throw new Error('was accepted');
  });

  for (const phase of ['Fisher scores 1/2', 'factors 1/3']) {
    it(`stops behind "${phase}" where the signal says so, and keeps nothing`, async () => {
      const controller = new AbortController();
      const phases: string[] = [];
      const onPhase = (now: string): void => {
        phases.push(now);
        if (now === phase) controller.abort(new Error('stop'));
      };
      try {
        await run({ ratio: 0.5, seed: 9 }, { signal: controller.signal, onPhase });
        throw new Error('went on');
      } catch (error) {
        expect((error as Error).message).to.equal('stop');
      }
      expect(phases.at(-1)).to.equal(phase);
      expect(readdirSync(join(root, 'calibration'))).to.deep.equal([]);
    });
  }

  it('draws the same sequences for the same seed', () => {
    const draw = (seed: number) =>
      calibrationSequences(tokenizer, { samples: 3, length: 10, seed, text: join(root, 'text.txt') });
    expect(draw(1)).to.deep.equal(draw(1));
    expect(draw(1)).to.not.deep.equal(draw(2));
    expect(draw(1).map(({ length }) => length)).to.deep.equal([10, 10, 10]);
  });

  it('has a digest that knows the text and not the seed', () => {
    const own = calibrationDigest(request({ ratio: 0.5 }));
    expect(calibrationDigest(request({ ratio: 0.5, seed: 9 }))).to.equal(own);
    expect(calibrationDigest(request({ ratio: 0.5, text: undefined }))).to.not.equal(own);
  });
});
