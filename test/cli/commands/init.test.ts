import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { tell } from '../support.js';

describe('spark-eval init', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'init-'));
  });

  it('writes a spec that can be planned, under the name that it is given', async () => {
    const file = join(folder, 'deep', 'mine');
    const told = await tell('init', file);
    expect(told.code).to.equal(0);
    expect(told.out).to.equal(`${file}.yaml\n`);
    const plan = await tell('plan', `${file}.yaml`, '--json');
    expect(plan.code, plan.err).to.equal(0);
    expect(JSON.parse(plan.out)).to.include({ name: 'mine', results: 60 });
  });

  it('replaces no file unless it is told to', async () => {
    const file = join(folder, 'there.yaml');
    writeFileSync(file, 'mine');
    const told = await tell('init', file);
    expect(told.code).to.equal(2);
    expect(told.err).to.equal(
      `${file}  is there already\n  Name another file, or replace this one with --force.\n`,
    );
    expect(readFileSync(file, 'utf8')).to.equal('mine');
    expect((await tell('init', file, '--force')).code).to.equal(0);
    expect(readFileSync(file, 'utf8')).to.match(/^# .*\n(.*\n)*name: there\n/);
  });

  it('prints the spec, and refuses what is no name', async () => {
    expect((await tell('init', '-')).out).to.match(/\nname: my-eval\n/);
    expect((await tell('init', join(folder, 'a b'))).err).to.match(/^a b {2}expected letters, digits/);
  });
});
