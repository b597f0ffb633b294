/** Factors on disk: what is written is read back, and what was damaged is told apart. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { checkWritable, readFactors, writeFactors } from '../../src/calibration/factors-folder.js';
import { UserError } from '../../src/base/errors.js';
import type { FactorGroup, LowRankFactors } from '../../src/model/low-rank.js';
import type { ModelConfig } from '../../src/checkpoint/types.js';

const config = { layers: 2, hidden: 6, kvHeads: 2, headDim: 4 } as ModelConfig;

function group(heads: number[], rank: number): FactorGroup {
  const numbers = (count: number) => Float32Array.from({ length: count }, (_, i) => Math.sin(i + rank));
  return { heads, rank, down: numbers(6 * rank), up: numbers(rank * heads.length * 4) };
}

const factors: LowRankFactors = {
  layers: [
    { keys: [group([1], 2), group([0], 3)], values: [group([0, 1], 5)] },
    { keys: [group([1, 0], 1)], values: [group([0, 1], 7)] },
  ],
};

describe('factors on disk', () => {
  let root: string;
  let folder: string;
  beforeEach(async () => {
    root = mkdtempSync(join(tmpdir(), 'factors-'));
    folder = join(root, 'kept');
    await writeFactors(folder, factors, { model: 'm' });
  });
  afterEach(() => {
    rmSync(root, { recursive: true });
  });

  const failure = async (as: ModelConfig = config): Promise<UserError> => {
    try {
      await readFactors(folder, as);
    } catch (error) {
      expect(error).to.be.instanceOf(UserError);
      return error as UserError;
    }
    throw new Error('was read');
  };

  it('are read back as they were written', async () => {
    expect(await readFactors(folder, config)).to.deep.equal(factors);
    expect(readdirSync(root)).to.deep.equal(['kept']);
  });

  it('are undefined where there is no folder', async () => {
    expect(await readFactors(join(root, 'none'), config)).to.equal(undefined);
  });

  it('are refused where a byte changed', async () => {
    const path = join(folder, 'factors.safetensors');
    const bytes = readFileSync(path);
    bytes[bytes.length - 1]! ^= 1;
    writeFileSync(path, bytes);
    expect((await failure()).message).to.contain('changed');
  });

  it('are refused where the file is cut short', async () => {
    const path = join(folder, 'factors.safetensors');
    writeFileSync(path, readFileSync(path).subarray(0, 100));
    expect((await failure()).place).to.equal(path);
  });

  it('are refused where the matrices are gone', async () => {
    rmSync(join(folder, 'factors.safetensors'));
    expect((await failure()).message).to.contain('cannot be opened');
  });

  it('are refused where the description was changed', async () => {
    const path = join(folder, 'factors.json');
    const text = readFileSync(path, 'utf8');
    for (const changed of [text.replace('"rank": 5', '"rank": 4'), text.slice(0, -20)]) {
      expect(changed).to.not.equal(text);
      writeFileSync(path, changed);
      await failure();
    }
  });

  it('are not there where only the matrices are', async () => {
    rmSync(join(folder, 'factors.json'));
    expect(await readFactors(folder, config)).to.equal(undefined);
  });

  it('say where they could not be kept, before they are found', async () => {
    await checkWritable(join(root, 'new', 'kept'));
    writeFileSync(join(root, 'file'), '');
    try {
      await checkWritable(join(root, 'file', 'kept'));
    } catch (error) {
      expect(error).to.be.instanceOf(UserError);
      expect((error as UserError).format())
        .to.contain(`${join(root, 'file')}  cannot keep the factors: a file of that name is in the way`)
        .and.to.contain('SPARK_EVAL_CACHE');
      return;
    }
    throw new Error('was accepted');
  });

  it('are refused where the description is not one', async () => {
    writeFileSync(join(folder, 'factors.json'), '{"layers":[]}');
    expect((await failure()).message).to.contain('not a description');
  });

  it('are refused for a model of another shape', async () => {
    expect((await failure({ ...config, kvHeads: 3 })).message).to.contain('do not fit the model');
    expect((await failure({ ...config, layers: 3 })).message).to.contain('2 layers, expected 3');
  });
});
