import { expect } from 'chai';
import { differences, engineIdentity, filesIdentity, programIdentity } from '../../src/queue/identity.js';
import type { Manifest } from '../../src/results/types.js';

const files = {
  models: [
    {
      name: 'm',
      weightsDigest: 'a'.repeat(64),
      tokenizerDigest: 'b'.repeat(64),
      configDigest: 'c',
      files: [],
    },
  ],
  data: [{ task: 't', digest: '1' }],
  cells: [{ key: 'k' }],
} as unknown as Pick<Manifest, 'models' | 'data' | 'cells'>;

describe('what must be the same on two machines', () => {
  it('is told by name, digests cut short', () => {
    const model = { ...files.models[0]!, weightsDigest: 'd'.repeat(64) };
    expect(differences(filesIdentity(files), filesIdentity({ ...files, models: [model] }))).to.deep.equal([
      `weights of m: ${'a'.repeat(12)}… at the run, ${'d'.repeat(12)}… here`,
    ]);
    expect(differences(filesIdentity(files), filesIdentity(files))).to.deep.equal([]);
  });

  it('holds tokenizer, configuration, data and the keys of the cells', () => {
    const changed = [
      { ...files, models: [{ ...files.models[0]!, tokenizerDigest: 'x' }] },
      { ...files, models: [{ ...files.models[0]!, configDigest: 'x' }] },
      { ...files, data: [{ task: 't', digest: '2' }] },
      { ...files, cells: [{ key: 'l' }] as unknown as Manifest['cells'] },
    ];
    const told = changed.map((other) => differences(filesIdentity(files), filesIdentity(other)));
    expect(told.map((lines) => lines.map((line) => line.split(':')[0]))).to.deep.equal([
      ['tokenizer of m'],
      ['configuration of m'],
      ['data of t'],
      ['cells'],
    ]);
  });

  it('holds the engine and its versions, not its threads', () => {
    const wasm = { name: 'wasm', threads: 1, versions: { tfjs: '4' } } as const;
    expect(differences(engineIdentity(wasm), engineIdentity({ ...wasm, threads: 2 }))).to.deep.equal([]);
    expect(
      differences(engineIdentity(wasm), engineIdentity({ ...wasm, versions: { tfjs: '5' } })),
    ).to.deep.equal(['versions of the engine: tfjs 4 at the run, tfjs 5 here']);
    const native = { ...wasm, name: 'native' } as const;
    expect(differences(engineIdentity(native), engineIdentity({ ...native, threads: 2 }))).to.deep.equal([]);
  });

  it('holds the program, by version and code', () => {
    const here = programIdentity();
    expect(Object.keys(here)).to.deep.equal(['version of spark-eval', 'code of spark-eval']);
    expect(here['code of spark-eval']).to.match(/^[0-9a-f]{64}$/);
    expect(differences({}, here)[0]).to.match(/^version of spark-eval: nothing at the run, \S+ here$/);
  });
});
