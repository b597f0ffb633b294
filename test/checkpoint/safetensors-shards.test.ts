import { writeFileSync } from 'node:fs';
import { expect } from 'chai';
import { openShards, shardPaths } from '../../src/checkpoint/safetensors-shards.js';
import { f32, safetensorsParts, userError, useTempFolder, writeSafetensors } from '../model/support.js';

describe('sharded safetensors', () => {
  const temp = useTempFolder();
  const index = (weight_map: unknown): string => {
    const path = temp('model.safetensors.index.json');
    writeFileSync(path, JSON.stringify({ metadata: { total_size: 1 }, weight_map }));
    return path;
  };
  const shard = (name: string, tensor: string, value: number): void => {
    const { header, data } = safetensorsParts({ [tensor]: f32([1], [value]) });
    writeSafetensors(temp(name), header, data);
  };

  it('reads each tensor from its shard', () => {
    shard('model-00001-of-00002.safetensors', 'a', 1);
    shard('model-00002-of-00002.safetensors', 'b', 2);
    const path = index({ b: 'model-00002-of-00002.safetensors', a: 'model-00001-of-00002.safetensors' });
    const weights = openShards(path);
    expect([...weights.read('a'), ...weights.read('b')]).to.deep.equal([1, 2]);
    expect(weights.names).to.have.members(['a', 'b']);
    expect(userError(() => weights.read('c')).message).to.match(/no tensor "c"/);
    weights.close();
    expect(shardPaths(path)).to.deep.equal([
      temp('model-00001-of-00002.safetensors'),
      temp('model-00002-of-00002.safetensors'),
    ]);
  });

  it('refuses shards outside the folder', () => {
    for (const name of [
      '../x.safetensors',
      '/etc/x.safetensors',
      'a/b.safetensors',
      '..\\x.safetensors',
      'x.bin',
    ]) {
      expect(userError(() => openShards(index({ a: name }))).message).to.match(/same folder/);
    }
  });

  it('refuses an index that promises what its shards do not hold', () => {
    shard('one.safetensors', 'a', 1);
    expect(
      userError(() => openShards(index({ a: 'one.safetensors', b: 'one.safetensors' }))).message,
    ).to.match(/no tensor "b"/);
    expect(userError(() => openShards(index({ a: 'two.safetensors' }))).message).to.match(/cannot be opened/);
    expect(userError(() => openShards(index({}))).message).to.match(/empty/);
    expect(userError(() => openShards(index([]))).message).to.match(/weight_map/);
  });
});
