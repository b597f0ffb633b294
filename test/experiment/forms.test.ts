import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { SpecDocument } from '../../src/experiment/document.js';
import type { SpecFlags } from '../../src/experiment/flags.js';
import { loadDocument, specHash } from '../../src/experiment/load.js';
import { TaskOpener } from '../../src/experiment/task-opener.js';
import { resolveSource, sourceOf } from '../../src/queue/spec-source.js';
import { builtIn } from '../../src/registry/registry.js';
import { userErrorAsync } from '../model/support.js';
import { labels, load, problemsOf, specText } from './support.js';

const groups = (tasks: string, more: Readonly<Record<string, string>> = {}) =>
  load(specText({ tasks, ...more })).groups.map(({ task, taskParams, samples }) => [
    task,
    taskParams,
    samples,
  ]);
const faults = (tasks: string): string[] => problemsOf(() => load(specText({ tasks })));

describe('spec/one form for steps and tasks', () => {
  it('takes NAME: {fields} for a task and a family, as the older form', () => {
    const expected = [['ruler/one', { depth: 0.2 }, 3]];
    expect(groups('[ruler/one: { depth: 0.2, samples: 3 }]')).to.deep.equal(expected);
    expect(groups('[{ task: ruler/one, depth: 0.2, samples: 3 }]')).to.deep.equal(expected);
    expect(groups('{ ruler/one: { depth: [0.2, 0.4] } }')).to.deep.equal([
      ['ruler/one', { depth: 0.2 }, 20],
      ['ruler/one', { depth: 0.4 }, 20],
    ]);
    expect(groups('[ruler: { samples: 2 }, other/one: null]')).to.deep.equal([
      ['ruler/one', { depth: 0.5 }, 2],
      ['ruler/two', {}, 2],
      ['other/one', {}, 20],
    ]);
  });

  it('says what is wrong where it stands, all at once', () => {
    expect(
      faults('[{ ruler/on: { samples: 3 } }, { ruler/one: { dept: 1, samples: 0 } }, { ruler/two: 7 }]'),
    ).to.deep.equal([
      'my.yaml:3:11  unknown task "ruler/on". Did you mean "ruler/one"?  (spark-eval list tasks)',
      'my.yaml:3:54  tasks[1].ruler/one: unknown key "dept". Did you mean "depth"?',
      'my.yaml:3:72  tasks[1].ruler/one.samples: expected an integer in [1, 1000000] or "all", got 0',
      'my.yaml:3:92  tasks[2].ruler/two: expected a mapping of fields, got 7',
    ]);
  });

  it('says where fields belong that stand beside a name', () => {
    const text = specText().replace('[ruler/one]', '\n  - ruler/one:\n    samples: 3');
    expect(problemsOf(() => load(text))).to.deep.equal([
      'my.yaml:5:5  tasks[0]: expected one task, got ruler/one and samples; fields stand under its name, NAME: {fields} or indented further',
    ]);
  });

  it('asks for a task where there are only fields', () => {
    expect(faults('[{ samples: 3 }]')[0]).to.include('expected a task or a family, got nothing');
  });
});

describe('spec/labels', () => {
  it('are taken as pipelines and as tasks', () => {
    const label = 'snapkv(budget=256,window=32)+spark(ratio=0.8,recovery=none,layers=[0,1])';
    expect(
      labels(`["${label}", snapkv+spark(ratio=0.5), [snapkv(window=8), spark: { ratio: 0.1 }]]`),
    ).to.deep.equal(['full', label, 'snapkv+spark(ratio=0.5)', 'snapkv(window=8)+spark(ratio=0.1)']);
    expect(labels('["spark(ratio=[0.5, 0.8])"]')).to.deep.equal([
      'full',
      'spark(ratio=0.5)',
      'spark(ratio=0.8)',
    ]);
    expect(groups('ruler/one(depth=0.2)')).to.deep.equal([['ruler/one', { depth: 0.2 }, 20]]);
  });

  it('are refused with what is wrong with them', () => {
    const of = (cache: string): string[] => problemsOf(() => load(specText({ cache })));
    expect(of('["snapvk(budget=3)"]')[0]).to.match(
      /my\.yaml:5:9 {2}unknown method "snapvk"\. Did you mean "snapkv"\?/,
    );
    expect(of('["snapkv(budgt=3)"]')[0]).to.match(
      /cache\[0\]\.snapkv: unknown key "budgt"\. Did you mean "budget"\?/,
    );
    expect(of('["spark(ratio=2)"]')[0]).to.match(
      /cache\[0\]\.spark\.ratio: expected a number in \[0, 1\), got 2/,
    );
    expect(of('["spark(ratio=0.5"]')[0]).to.match(
      /cache\[0\]: expected name\(parameter=value,…\), got "spark\(ratio=0\.5"/,
    );
    expect(of('["spark(0.5)"]')[0]).to.match(/cache\[0\]: expected parameter=value, got "0\.5"/);
    expect(of('["spark(ratio=0.5,ratio=0.6)"]')[0]).to.match(/"ratio" is given twice/);
    expect(of('["spark(ratio=0.5)+full"]')[0]).to.match(/"full" stands alone/);
    expect(faults('["ruler/one(depth=3)"]')[0]).to.match(/ruler\/one|depth/);
  });
});

describe('spec/paths, rows and flags', () => {
  let folder: string;
  let file: string;
  const row = JSON.stringify({ context: 'c', question: 'q', answers: ['a'] });

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'spec-'));
    mkdirSync(join(folder, 'deep'));
    file = join(folder, 'deep', 'my.yaml');
    writeFileSync(join(folder, 'deep', 'my.jsonl'), `${row}\n${row}\n${row}\n`);
  });

  const loadIt = (fields: Readonly<Record<string, string>>, flags: SpecFlags = {}) => {
    writeFileSync(file, specText(fields));
    return loadDocument(SpecDocument.read(file), { flags, directory: folder });
  };

  it('input files are relative to the spec, output is not', async () => {
    const spec = await loadIt({ tasks: '[own/f1: { file: my.jsonl }]', output: 'out' });
    expect(spec.folder).to.equal(join(folder, 'deep'));
    expect(spec.output).to.equal(join(folder, 'out'));
    expect(spec.groups[0]!.taskParams['file']).to.equal('my.jsonl');
    const opened = await new TaskOpener(builtIn.tasks, spec.folder).open(spec.groups[0]!);
    expect(opened.rows).to.equal(3);
  });

  it('no context is asked for where rows have lengths of their own', async () => {
    writeFileSync(file, specText({ tasks: '[own/f1: { file: my.jsonl }]' }).replace(/context.*\n/, ''));
    expect((await loadDocument(SpecDocument.read(file))).groups[0]!.context).to.equal(8192);
    expect(problemsOf(() => load(specText().replace(/context.*\n/, '')))).to.deep.equal([
      'my.yaml:1:1  context: expected the tokens of a sample, which ruler/one is generated for, got nothing',
    ]);
  });

  it('samples: all is the number of rows, and another name of it', async () => {
    const all = await loadIt({ tasks: '[own/f1: { file: my.jsonl, samples: all }]' });
    const three = await loadIt({ tasks: '[own/f1: { file: my.jsonl, samples: 3 }]' });
    expect(all.groups[0]!.samples).to.equal(3);
    expect(specHash(all)).to.equal(specHash(three));
    const endless = await userErrorAsync(() => loadIt({ tasks: '[ruler/niah_single_1]', samples: 'all' }));
    expect(endless.format()).to.include('my.yaml:6:10  samples: all is for tasks on files with rows');
    const missing = await userErrorAsync(() =>
      loadIt({ tasks: '[own/f1: { file: no.jsonl, samples: all }]' }),
    );
    expect(missing.format()).to.include(join(folder, 'deep', 'no.jsonl'));
  });

  it('flags stand for fields', async () => {
    const fields = { tasks: '[ruler/niah_single_1: { samples: 7 }, { task: ruler/vt, samples: 9 }]' };
    const flags = { samples: 2, output: 'elsewhere', models: ['spark-nano', 'smollm2-135m'] };
    const spec = await loadIt(fields, flags);
    expect(spec.groups.map(({ model, samples }) => [model, samples])).to.deep.equal([
      ['spark-nano', 2],
      ['spark-nano', 2],
      ['smollm2-135m', 2],
      ['smollm2-135m', 2],
    ]);
    expect(spec.output).to.equal(join(folder, 'elsewhere'));
    const one = await loadIt(fields, {
      tasks: ['needle/map(depth=25)', 'own/f1(file=my.jsonl)'],
      samples: 1,
    });
    expect(
      one.groups.map(({ task, taskParams }) => [task, taskParams['depth'] ?? taskParams['file']]),
    ).to.deep.equal([
      ['needle/map', 25],
      ['own/f1', 'my.jsonl'],
    ]);
    const wrong = await userErrorAsync(() => loadIt(fields, { tasks: ['ruler/vtt'], models: ['nano'] }));
    expect(wrong.message)
      .to.match(/--task +unknown task "ruler\/vtt"\. Did you mean/)
      .and.match(/--model +unknown model "nano"/);
  });

  it('a model that the command line names by a path is found from the spec', async () => {
    const spec = await loadIt({ tasks: '[ruler/vt]' }, { models: ['./models/spark-nano'] });
    expect(spec.groups[0]!.model).to.match(/^\.\..*models\/spark-nano$/);
  });
});

describe('queue/spec-source', () => {
  it('keeps what a spec means: options are part of it, paths start where the spec lies', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'source-'));
    const file = join(folder, 'my.yaml');
    writeFileSync(join(folder, 'my.jsonl'), JSON.stringify({ context: 'c', answers: ['a'] }));
    writeFileSync(file, specText({ tasks: '[own/f1: { file: my.jsonl, samples: all }]' }));
    const document = SpecDocument.read(file);
    const spec = await loadDocument(document, {
      overrides: ['cache=[knorm(ratio=0.5)]'],
      flags: { output: join(folder, 'out') },
    });
    const source = sourceOf(document);
    const there = await resolveSource(source, builtIn);
    expect(specHash(there)).to.equal(specHash(spec));
    expect(there.folder).to.equal(folder);
    const lost = { ...source, folder: join(folder, 'not here') };
    expect((await resolveSource(lost, builtIn, folder)).folder).to.equal(folder);
    const missing = await userErrorAsync(() => resolveSource(lost, builtIn));
    expect(missing.format()).to.include(join(process.cwd(), 'my.jsonl'));
  });
});
