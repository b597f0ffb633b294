/** GGUF files that leave out a key, or say a thing that is not computed. */
import { expect } from 'chai';
import { openModelFiles } from '../../../src/checkpoint/load.js';
import { readModelConfig } from '../../../src/checkpoint/read-config.js';
import type { ModelFiles } from '../../../src/checkpoint/types.js';
import { buildSegments } from '../../../src/runner/sample/prompt.js';
import {
  gguf,
  ggufTensors,
  userErrorAsync,
  userError,
  useTempFolder,
  writeGguf,
} from '../../model/support.js';

const NORMAL = 1;
const CONTROL = 3;

describe('GGUF files as people have them', () => {
  const temp = useTempFolder();

  /** A llama of one layer with E = 8, one head and three letters as its vocabulary, beside `extra` tokens. */
  function write(
    metadata: Readonly<Record<string, Buffer>> = {},
    extra: readonly (readonly [string, number])[] = [],
  ): string {
    const tokens: (readonly [string, number])[] = [['a', NORMAL], ['b', NORMAL], ['Ċ', NORMAL], ...extra];
    const zeros = (...dimensions: number[]) => ({
      dimensions,
      values: new Array<number>(dimensions.reduce((a, b) => a * b, 1)).fill(0),
    });
    const entries: Record<string, Buffer> = {
      'general.architecture': gguf.string('llama'),
      'llama.block_count': gguf.u32(1),
      'llama.context_length': gguf.u32(64),
      'llama.embedding_length': gguf.u32(8),
      'llama.feed_forward_length': gguf.u32(8),
      'llama.attention.head_count': gguf.u32(1),
      'llama.attention.layer_norm_rms_epsilon': gguf.f32(1e-5),
      'tokenizer.ggml.model': gguf.string('gpt2'),
      'tokenizer.ggml.pre': gguf.string('gpt-2'),
      'tokenizer.ggml.tokens': gguf.strings(tokens.map(([text]) => text)),
      'tokenizer.ggml.token_type': gguf.u32s(tokens.map(([, type]) => type)),
      'tokenizer.ggml.merges': gguf.strings([]),
      ...metadata,
    };
    const path = temp('m.gguf');
    const matrices = ['attn_q', 'attn_k', 'attn_v', 'attn_output', 'ffn_gate', 'ffn_up', 'ffn_down'];
    writeGguf(path, {
      metadata: Object.entries(entries).filter(([, value]) => value.length > 0),
      ...ggufTensors({
        'token_embd.weight': zeros(8, tokens.length),
        'output_norm.weight': zeros(8),
        'blk.0.attn_norm.weight': zeros(8),
        'blk.0.ffn_norm.weight': zeros(8),
        ...Object.fromEntries(matrices.map((name) => [`blk.0.${name}.weight`, zeros(8, 8)])),
      }),
    });
    return path;
  }
  const ABSENT = Buffer.alloc(0);

  async function open(...parts: Parameters<typeof write>): Promise<ModelFiles> {
    const files = await openModelFiles(write(...parts));
    files.weights.close();
    return files;
  }
  const fault = async (...parts: Parameters<typeof write>): Promise<string> => {
    const path = write(...parts);
    return (await userErrorAsync(() => openModelFiles(path))).message;
  };

  it('no split is guessed where tokenizer.ggml.pre is missing or "default"', async () => {
    expect(await fault({ 'tokenizer.ggml.pre': ABSENT })).to.match(/tokenizer.ggml.pre is not given/);
    expect(await fault({ 'tokenizer.ggml.pre': gguf.string('default') })).to.match(
      /tokenizer.ggml.pre is "default"/,
    );
  });

  it('the vocabularies of Llama 3 and Qwen2 are known without it', async () => {
    const fill = (count: number): [string, number][] =>
      Array.from({ length: count }, (_, i) => [`t${i}`, NORMAL]);
    const digits: [string, number][] = [
      ['333', NORMAL],
      ['3', NORMAL],
    ];
    const llama = [...digits, ...fill(127_995), ['<|begin_of_text|>', CONTROL], ...fill(255)] as [
      string,
      number,
    ][];
    const { tokenizer } = await open({ 'tokenizer.ggml.pre': ABSENT }, llama);
    expect(tokenizer.encode('3333')).to.deep.equal([3, 4]); // three digits at a time, whole where it is a token
    expect(await fault({ 'tokenizer.ggml.pre': ABSENT }, llama.slice(0, -1))).to.match(/is not given/);
    const qwen = [...digits, ...fill(151_639), ['<|im_start|>', CONTROL]] as [string, number][];
    expect((await open({ 'tokenizer.ggml.pre': ABSENT }, qwen)).tokenizer.encode('33')).to.deep.equal([4, 4]);
  }).timeout(120_000);

  it('a scaling factor without a type is linear', () => {
    const path = write({ 'llama.rope.scaling.factor': gguf.f32(4) });
    expect(readModelConfig(path).ropes[0]?.scaling).to.deep.equal({ kind: 'linear', factor: 4 });
  });

  it('puts the beginning token before a plain context where the file asks for it', async () => {
    const bos = { 'tokenizer.ggml.bos_token_id': gguf.u32(3) };
    const tokens = [['<s>', CONTROL]] as const;
    const contextOf = (files: ModelFiles): readonly number[] =>
      buildSegments(
        files,
        { context: 'ab', questions: [{ question: '', answerPrefix: 'a', answers: ['a'], maxNewTokens: 1 }] },
        'compressed',
      ).contextIds;
    const asked = await open({ ...bos, 'tokenizer.ggml.add_bos_token': gguf.bool(true) }, tokens);
    expect(contextOf(asked)).to.deep.equal([3, 0, 1]);
    expect(asked.tokenizer.encode('ab', true)).to.deep.equal([3, 0, 1]);
    const not = await open({ ...bos, 'tokenizer.ggml.add_bos_token': gguf.bool(false) }, tokens);
    expect(contextOf(not)).to.deep.equal([0, 1]);
    expect(not.tokenizer.encode('ab', true)).to.deep.equal([0, 1]);
  });

  it('knows control tokens by their text, and ends answers with those that end a turn', async () => {
    const { tokenizer, config } = await open({ 'tokenizer.ggml.eos_token_id': gguf.u32(3) }, [
      ['<|end_of_text|>', NORMAL],
      ['<|eot_id|>', NORMAL],
    ]);
    expect(tokenizer.encode('a<|eot_id|>')).to.deep.equal([0, 4]);
    expect(tokenizer.decode([0, 4])).to.equal('a');
    expect(config.eosIds).to.deep.equal([3, 4]);
  });

  it('refuses attention that is not causal, and parts of a split file', () => {
    const message = (metadata: Readonly<Record<string, Buffer>>): string => {
      const path = write(metadata);
      return userError(() => readModelConfig(path)).message;
    };
    expect(message({ 'llama.attention.causal': gguf.bool(false) })).to.match(/attention.causal is false/);
    expect(message({ 'split.no': gguf.u32(0), 'split.count': gguf.u32(3) })).to.equal('is part 1 of 3');
  });
});
