/** What users expect of any command line: JSON where they ask for it, flags for fields, names that can be looked up. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { tell } from '../support.js';

describe('conventions of the command line', () => {
  let folder: string;
  let spec: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'conventions-'));
    spec = join(folder, 'my.yaml');
    writeFileSync(
      spec,
      `name: small\nmodel: spark-nano\ntasks:\n  - ruler/niah_single_1: { samples: 7 }\ncontext: 400\ncache: [streaming_llm: { ratio: 0.5 }]\noutput: ${join(folder, 'out')}\n`,
    );
  });

  it('run --json answers with counts and a row a cell, and notes nothing but JSON lines', async () => {
    const args = ['run', spec, '--engine', 'wasm', '--samples', '2', '--json', '--progress', 'json'];
    const told = await tell(...args);
    expect(told.code, told.err).to.equal(0);
    const answer = JSON.parse(told.out) as { readonly cells: readonly Record<string, unknown>[] };
    expect(answer).to.include({ name: 'small', complete: true, asked: 4, done: 4, reused: 0 });
    expect(answer.cells.map((cell) => [cell['pipeline'], cell['samples'], cell['engine']])).to.deep.equal([
      ['full', 2, 'wasm'],
      ['streaming_llm(ratio=0.5)', 2, 'wasm'],
    ]);
    const events = told.err
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { event: string }).event);
    expect(events[0]).to.equal('log');
    expect(events).to.include.members(['start', 'tick', 'stop']);
    expect(JSON.parse((await tell(...args)).out)).to.include({ complete: true, done: 4, reused: 4 });
    const more = await tell('run', spec, '--engine', 'wasm', '--limit', '3', '--progress', 'json');
    expect(more.err).to.include('{"event":"start","total":6,"done":4,"label":"small"}');
  });

  it('errors under --progress json are one JSON line', async () => {
    const told = await tell('run', 'nowhere.yaml', '--progress', 'json');
    expect(told.code).to.equal(2);
    expect(JSON.parse(told.err)).to.include({
      event: 'error',
      message: 'no such file',
      place: 'nowhere.yaml',
      exitCode: 2,
    });
  });

  it('options stand for fields of the spec, in plan as in run', async () => {
    const elsewhere = join(folder, 'elsewhere');
    const told = await tell(
      'plan',
      spec,
      '--limit',
      '1',
      '--task',
      'needle',
      '--output',
      elsewhere,
      '--json',
    );
    const plan = JSON.parse(told.out) as {
      readonly output: string;
      readonly cells: { task: string; samples: number }[];
    };
    expect(plan.output).to.equal(elsewhere);
    expect(new Set(plan.cells.map(({ task, samples }) => `${task} ${samples}`))).to.deep.equal(
      new Set(['needle/map 1', 'needle/sandwich 1']),
    );
    expect((await tell('plan', spec, '--limit', '1', '--samples', '2')).err).to.match(/cannot be used with/);
    expect((await tell('plan', spec, '--samples', 'many')).err).to.match(
      /Expected a whole number .*, or all/,
    );
  });

  it('tables, report, plot and merge answer in JSON', async () => {
    const tables = JSON.parse((await tell('tables', join(folder, 'out'), '--json')).out) as {
      tables: unknown[];
    };
    expect(tables.tables).to.not.be.empty;
    const page = join(folder, 'page.html');
    expect(
      JSON.parse((await tell('report', join(folder, 'out'), '--output', page, '--json')).out),
    ).to.include({
      file: page,
    });
    const plots = await tell('plot', join(folder, 'out'), '--kind', 'bytes', '--json');
    expect((JSON.parse(plots.out) as { files: string[] }).files[0]).to.match(/\.svg$/);
    const merged = await tell('merge', join(folder, 'out'), '--output', join(folder, 'merged'), '--json');
    expect(JSON.parse(merged.out), merged.err).to.include({ complete: true });
  });

  it('lists a line a family, a family in full, and shows full and what every task takes', async () => {
    const families = (await tell('list', 'tasks')).out.trimEnd().split('\n');
    expect(families.length).to.be.below(20);
    expect(families[0]).to.match(/^ruler +niah_single_1 niah_single_2 .* qa_2$/);
    expect((await tell('list', 'tasks', 'needle')).out.trimEnd().split('\n')).to.have.length(2);
    expect((await tell('list', 'tasks', 'nedle')).err).to.match(/Did you mean "needle"/);
    expect((await tell('list', 'models', 'needle')).code).to.equal(2);
    expect((await tell('show', 'full')).out).to.match(/^full \(pipeline\)/);
    expect((await tell('show', 'ruler/vt')).out).to.match(/parameters:\n +samples/);
    expect((await tell('show', 'own/f1')).out).to.include('- own/f1: { file: … }');
  });
});
