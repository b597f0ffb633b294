import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { expect } from 'chai';
import { openModelFiles, resolveModel } from '../../src/checkpoint/load.js';
import { readModelConfig, storedWeightBytes } from '../../src/checkpoint/read-config.js';
import { writeRecord } from '../../src/pull/record.js';
import { weightBytes } from '../../src/checkpoint/weight-bytes.js';
import { weightsDigest } from '../../src/checkpoint/weights-digest.js';
import { FIXTURES, userError, userErrorAsync, useTempFolder } from '../model/support.js';

const LLAMA = join(FIXTURES, 'golden/llama');
const TINY = join(FIXTURES, 'gguf/tiny-llama.gguf');
const sha256 = (data: Uint8Array | string): string => createHash('sha256').update(data).digest('hex');

/** 160 tokens: the alphabet of a byte-level BPE, cut short. */
const TOKENIZER = {
  model: { type: 'BPE', vocab: { a: 3, b: 4, ab: 5 }, merges: ['a b'] },
  added_tokens: [{ id: 1, content: '<s>', special: true }],
  normalizer: null,
  pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false },
  post_processor: null,
  decoder: { type: 'ByteLevel' },
};

describe('openModelFiles', () => {
  const temp = useTempFolder();
  const folder = (): string => {
    copyFileSync(join(LLAMA, 'config.json'), temp('config.json'));
    copyFileSync(join(LLAMA, 'model.safetensors'), temp('model.safetensors'));
    writeFileSync(temp('tokenizer.json'), JSON.stringify(TOKENIZER));
    return temp();
  };

  it('tells the bytes of weights without reading them', async () => {
    for (const place of [folder(), TINY, 'spark-nano']) {
      const { weights } = await openModelFiles(place);
      const read = weights.names.reduce((total, name) => total + weights.packed(name).data.length, 0);
      expect(weightBytes(weights), place).to.equal(read);
      expect(storedWeightBytes(place), place).to.be.within(read, 1.01 * read + 1000);
      weights.close();
    }
  });

  it('opens a checkpoint folder', async () => {
    writeFileSync(temp('generation_config.json'), JSON.stringify({ eos_token_id: [7] }));
    const files = await openModelFiles(folder());
    expect(files.name).to.equal(temp());
    expect(files.config).to.deep.include({ architecture: 'llama', eosIds: [2, 7] });
    expect(files.tokenizer.encode('<s>aba')).to.deep.equal([1, 5, 3]);
    expect(files.chatTemplate).to.equal(undefined);
    expect(files.weightsDigest).to.equal(sha256(readFileSync(join(LLAMA, 'model.safetensors'))));
    expect(files.weights.read('model.norm.weight')).to.have.length(64);
    files.weights.close();
  });

  it('takes the chat template of its own file before that of tokenizer_config.json', async () => {
    const render = async (): Promise<string> => {
      const files = await openModelFiles(folder());
      files.weights.close();
      return files.chatTemplate!.render('hi');
    };
    const settings = { bos_token: '<s>', chat_template: '{{ bos_token }}{{ messages[0].content }}' };
    writeFileSync(temp('tokenizer_config.json'), JSON.stringify(settings));
    expect(await render()).to.equal('<s>hi');
    writeFileSync(temp('chat_template.jinja'), 'own {{ bos_token }}');
    expect(await render()).to.equal('own <s>');
  });

  it('opens a sharded checkpoint, with a digest over all shards', async () => {
    folder();
    const { weights } = await openModelFiles(temp());
    const { names } = weights;
    weights.close();
    mkdirSync(temp('sharded'));
    for (const file of ['config.json', 'tokenizer.json']) copyFileSync(temp(file), temp(`sharded/${file}`));
    copyFileSync(temp('model.safetensors'), temp('sharded/part.safetensors'));
    const weight_map = Object.fromEntries(names.map((name) => [name, 'part.safetensors']));
    writeFileSync(temp('sharded/model.safetensors.index.json'), JSON.stringify({ weight_map }));
    const files = await openModelFiles(temp('sharded'));
    expect(files.weights.read('model.norm.weight')).to.have.length(64);
    files.weights.close();
    const part = temp('sharded/part.safetensors');
    expect(await weightsDigest([part, temp('model.safetensors')])).to.equal(
      sha256(
        ['part.safetensors', 'model.safetensors'].map((n) => `${n} ${sha256(readFileSync(part))}\n`).join(''),
      ),
    );
  });

  it('opens a .gguf file, or a folder that holds one', async () => {
    copyFileSync(TINY, temp('x.gguf'));
    expect(resolveModel(temp())).to.deep.include({ kind: 'gguf', weights: temp('x.gguf') });
    const files = await openModelFiles(temp());
    expect(files.weightsDigest).to.equal(sha256(readFileSync(TINY)));
    files.weights.close();
    copyFileSync(TINY, temp('y.gguf'));
    expect(userError(() => resolveModel(temp())).hint).to.match(/exactly one .gguf/);
  });

  it('says what is wrong with a name that no file can have', () => {
    for (const name of ['./a\0b', `./${'x'.repeat(5000)}`]) {
      expect(userError(() => resolveModel(name)).message).to.match(/^cannot be looked at: /);
    }
  });

  it('says what is wrong with a folder', async () => {
    expect(userError(() => resolveModel(temp())).message).to.equal('holds no model');
    folder();
    writeFileSync(temp('tokenizer.json'), '{');
    expect((await userErrorAsync(() => openModelFiles(temp()))).format()).to.match(
      /tokenizer.json.*not valid JSON/,
    );
    const config = JSON.parse(readFileSync(temp('config.json'), 'utf8')) as object;
    writeFileSync(temp('config.json'), JSON.stringify({ ...config, intermediate_size: 95 }));
    const error = await userErrorAsync(() => openModelFiles(temp()));
    expect(error.place).to.equal(temp('model.safetensors'));
    expect(error.message).to.match(/expects \[95, 64\], found \[96, 64\]/);
    expect(readModelConfig(temp()).intermediate).to.equal(95);
  });
});

describe('resolveModel', () => {
  const temp = useTempFolder();
  const before = process.env['SPARK_EVAL_CACHE'];
  beforeEach(() => {
    process.env['SPARK_EVAL_CACHE'] = temp('cache');
  });
  afterEach(() => {
    if (before === undefined) delete process.env['SPARK_EVAL_CACHE'];
    else process.env['SPARK_EVAL_CACHE'] = before;
  });

  it('finds a pulled model in the cache folder', () => {
    mkdirSync(temp('cache/models/smollm2-135m'), { recursive: true });
    copyFileSync(TINY, temp('cache/models/smollm2-135m/m.gguf'));
    expect(resolveModel('smollm2-135m')).to.deep.equal({
      name: 'smollm2-135m',
      kind: 'gguf',
      weights: temp('cache/models/smollm2-135m/m.gguf'),
      folder: temp('cache/models/smollm2-135m'),
    });
  });

  it('says how to get a model that is not there', () => {
    const error = userError(() => resolveModel('smollm2-135m'));
    expect(error.message).to.match(/"smollm2-135m" is not there/);
    expect(error.hint).to.equal('spark-eval pull smollm2-135m');
    expect(storedWeightBytes('smollm2-135m')).to.equal(undefined);
  });

  it('suggests the nearest name, and tells names from paths', () => {
    const unknown = userError(() => resolveModel('smolm2-135m'));
    expect(unknown.message).to.equal('unknown model "smolm2-135m". Did you mean "smollm2-135m"?');
    expect(unknown.exitCode).to.equal(2);
    expect(userError(() => resolveModel('./none')).message).to.equal('no such folder or file');
    expect(userError(() => resolveModel('none.gguf')).message).to.equal('no such folder or file');
    writeFileSync(temp('x.bin'), '');
    expect(userError(() => resolveModel(temp('x.bin'))).message).to.match(/folder or a .gguf file/);
  });
});

describe('weightsDigest', () => {
  const temp = useTempFolder();

  it('believes the record of a pull while size and time are unchanged', async () => {
    writeFileSync(temp('m.gguf'), 'abc');
    await writeRecord(
      temp(),
      { kind: 'model', name: 'm', source: 'a test', commit: null, pinned: 'nothing' },
      new Map([['m.gguf', sha256('abc')]]),
    );
    const record = readFileSync(temp('pull.json'), 'utf8');
    writeFileSync(temp('pull.json'), record.replace(sha256('abc'), 'f'.repeat(64)));
    expect(await weightsDigest([temp('m.gguf')])).to.equal('f'.repeat(64));
    writeFileSync(temp('m.gguf'), 'abcd');
    expect(await weightsDigest([temp('m.gguf')])).to.equal(sha256('abcd'));
  });
});
