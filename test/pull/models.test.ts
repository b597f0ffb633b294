import { expect } from 'chai';
import { hubFolderName, parseHubId } from '../../src/pull/hub-id.js';
import { CATALOGUE, findModel, modelFolder, modelNamed } from '../../src/pull/models.js';
import { pinnedBy } from '../../src/pull/sources.js';

describe('the catalogue of models', () => {
  const hubs = CATALOGUE.flatMap(({ name, sources }) =>
    sources.flatMap((source) => (source.kind === 'hub' ? [{ name, source }] : [])),
  );

  it('pins commits and digests where it knows them, and says where it pins nothing', () => {
    for (const { source } of hubs) {
      if (source.revision !== undefined) expect(source.revision).to.match(/^[0-9a-f]{40}$/);
      for (const digest of Object.values(source.sha256 ?? {})) expect(digest).to.match(/^[0-9a-f]{64}$/);
    }
    const pins = Object.fromEntries(hubs.map(({ name, source }) => [name, pinnedBy(source)]));
    expect(pins).to.deep.equal({
      'smollm2-135m': 'digests',
      'smollm2-360m': 'nothing',
      'smollm2-1.7b': 'nothing',
      'qwen2.5-0.5b-instruct': 'nothing',
      'qwen2.5-coder-0.5b-instruct': 'digests',
      'qwen2.5-coder-1.5b-instruct': 'digests',
      'qwen3-0.6b': 'nothing',
      'qwen3-8b': 'nothing',
      'llama-3.2-1b-instruct': 'nothing',
      'llama-3.2-3b-instruct': 'nothing',
      'llama-3-8b-instruct': 'commit',
      'llama-3.1-8b-instruct': 'commit',
    });
  });

  it('names different models, whose repositories are ids', () => {
    expect(new Set(CATALOGUE.map(({ name }) => name)).size).to.equal(CATALOGUE.length);
    for (const { source } of hubs) {
      const id = source.file === undefined ? source.repository : `${source.repository}:${source.file}`;
      expect(parseHubId(id), id).not.to.equal(undefined);
    }
  });

  it('pins every wheel by version and digests', () => {
    for (const source of CATALOGUE.flatMap(({ sources }) => sources)) {
      if (source.kind !== 'wheel') continue;
      expect(source.requirement).to.match(/^[\w-]+==[\d.]+$/);
      expect([source.sha256, source.memberSha256]).to.satisfy((all: string[]) =>
        all.every((digest) => /^[0-9a-f]{64}$/.test(digest)),
      );
    }
  });
});

describe('ids on the hub', () => {
  it('are a repository, a revision and a file', () => {
    expect(parseHubId('Qwen/Qwen3-0.6B')).to.deep.equal({ repository: 'Qwen/Qwen3-0.6B' });
    expect(parseHubId('a/b@refs/pr/3')).to.deep.equal({ repository: 'a/b', revision: 'refs/pr/3' });
    expect(parseHubId('a/b:q4/m-q4_k_m.gguf')).to.deep.equal({ repository: 'a/b', file: 'q4/m-q4_k_m.gguf' });
    expect(parseHubId('a/b@v1.0:m.gguf')).to.deep.equal({
      ...{ repository: 'a/b', revision: 'v1.0', file: 'm.gguf' },
    });
  });

  it('are nothing that is a path, leads out, or that the hub would not take', () => {
    const others = [
      ...[
        'a',
        'a/b/c',
        './a/b',
        '../a',
        '/a/b',
        'a\\b',
        'C:/a',
        'a/b.gguf',
        'a/b:c',
        'a/b:../c.gguf',
        'a/..',
      ],
      ...[
        'a/b:/c.gguf',
        'a/b@..',
        'a/b@-x',
        'a/b@',
        'a/b:',
        'a--b/c',
        'a b/c',
        'a/b@x y',
        'a/b\n',
        '',
        'a/b.git',
      ],
    ];
    for (const text of others) expect(parseHubId(text), JSON.stringify(text)).to.equal(undefined);
  });

  it('have a folder each', () => {
    const ids = ['a/b', 'a/b@main', 'a/b:m.gguf', 'a/b@main:m.gguf', 'a/b@x/y:m/n.gguf', 'a/b@x:y/m/n.gguf'];
    const names = ids.map((id) => hubFolderName(parseHubId(id)!));
    expect(new Set(names).size).to.equal(ids.length);
    for (const name of names) expect(name).not.to.match(/[/\\:]/);
  });

  it('of the catalogue have its pins, and its folder where it has no other source', () => {
    const llama = modelNamed('meta-llama/Llama-3.1-8B-Instruct')!;
    expect(llama.name).to.equal('meta-llama/Llama-3.1-8B-Instruct');
    expect(modelFolder(llama)).to.equal(modelFolder(findModel('llama-3.1-8b-instruct')!));
    expect(llama.config).not.to.equal(undefined);
    const smol = modelNamed('HuggingFaceTB/SmolLM2-135M-Instruct')!;
    expect(modelFolder(smol)).not.to.equal(modelFolder(findModel('smollm2-135m')!));
    expect(smol.sources.map(({ kind }) => kind)).to.deep.equal(['hub']);
    expect(smol.sources[0]).to.have.property('sha256');
    expect(modelNamed('HuggingFaceTB/SmolLM2-135M-Instruct@main')!.sources[0]).not.to.have.property('sha256');
  });
});
