import { expect } from 'chai';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SpecDocument } from '../../src/experiment/document.js';
import { resolveSpec } from '../../src/experiment/load.js';
import { catalogue, load, problemsOf, specText } from './support.js';

describe('spec errors', () => {
  const one = (fields: Readonly<Record<string, string>>): string => {
    const problems = problemsOf(() => load(specText(fields)));
    expect(problems).to.have.length(1);
    return problems[0]!;
  };

  it('gives line and column, what was expected and what was found', () => {
    expect(one({ cache: '[full, {spark: {ratio: 1.2}}]' })).to.equal(
      'my.yaml:5:31  cache[1].spark.ratio: expected a number in [0, 1), got 1.2',
    );
  });

  it('names the entry of a sweep that is wrong', () => {
    expect(one({ cache: '[[snapkv, {spark: {ratio: [0.5, 1]}}]]' })).to.equal(
      'my.yaml:5:40  cache[0][1].spark.ratio[1]: expected a number in [0, 1), got 1',
    );
  });

  it('suggests a method', () => {
    expect(one({ cache: '[{snapvk: {budget: 64}}]' })).to.equal(
      'my.yaml:5:10  unknown method "snapvk". Did you mean "snapkv"?  (spark-eval list methods)',
    );
    expect(one({ cache: '[snapvk]' })).to.contain('Did you mean "snapkv"?');
    expect(one({ cache: '[entirely_else]' })).to.not.contain('Did you mean');
  });

  it('suggests a task, a model and a key', () => {
    expect(one({ tasks: '[ruler/ome]' })).to.equal(
      'my.yaml:3:9  unknown task "ruler/ome". Did you mean "ruler/one"?  (spark-eval list tasks)',
    );
    expect(one({ model: 'spark-nani' })).to.match(
      /^my\.yaml:2:8 {2}unknown model "spark-nani"\. Did you mean "spark-nano"\?/,
    );
    expect(one({ sample: '3' })).to.equal('my.yaml:6:1  unknown key "sample". Did you mean "samples"?');
    expect(one({ cache: '[{snapkv: {budgt: 64}}]' })).to.equal(
      'my.yaml:5:19  cache[0].snapkv: unknown key "budgt". Did you mean "budget"?',
    );
    expect(one({ tasks: '[{task: ruler/two, deep: 1}]' })).to.equal(
      'my.yaml:3:27  tasks[0]: unknown key "deep". Known: task, samples.',
    );
  });

  it('takes what can only be a path for a model', () => {
    for (const model of ['./folder', 'some/folder', 'x.gguf', '/abs']) {
      expect(load(specText({ model })).groups[0]!.model).to.equal(model);
    }
  });

  it('passes on what a method checks across its parameters', () => {
    expect(one({ cache: '[{snapkv: {budget: 32}}]' })).to.equal(
      'my.yaml:5:27  cache[0].snapkv.budget: expected at least the window, got 32',
    );
  });

  it('refuses a missing parameter where the method stands', () => {
    expect(one({ cache: '[full, spark]' })).to.equal(
      'my.yaml:5:15  cache[1].spark.ratio: expected a number in [0, 1), got nothing',
    );
  });

  it('refuses what is no pipeline', () => {
    expect(one({ cache: '[[]]' })).to.contain('cache[0]: expected at least one step');
    expect(one({ cache: '[7]' })).to.contain('cache[0]: expected a method or {method: parameters}, got 7');
    expect(one({ cache: '[{snapkv: {budget: 64}, spark: {ratio: 0.1}}]' })).to.contain('written as a list');
    expect(one({ cache: '[{full: {}}]' })).to.contain('"full" stands alone');
    expect(one({ cache: '[[full, snapkv]]' })).to.contain('"full" stands alone');
    expect(one({ cache: '[{snapkv: 3}]' })).to.contain(
      'cache[0].snapkv: expected a mapping of parameters, got 3',
    );
    expect(one({ cache: '[{spark: {ratio: []}}]' })).to.contain(
      'cache[0].spark.ratio: expected at least one value',
    );
  });

  it('refuses wrong and missing fields of the top level', () => {
    expect(one({ samples: 'many' })).to.contain(
      'samples: expected an integer in [1, 1000000] or "all", got "many"',
    );
    expect(one({ context: '[1024, 0]' })).to.contain('my.yaml:4:17  context[1]: expected an integer');
    expect(one({ context: '0' })).to.contain('context: expected an integer in [1, 16777216], got 0');
    expect(one({ context: '[]' })).to.contain('context: expected at least one value, got an empty list');
    expect(one({ name: '../x' })).to.contain('name: expected letters, digits');
    expect(one({ question: 'both' })).to.contain('question: expected "compressed" or "appended", got "both"');
    expect(one({ seed: '1.5' })).to.contain('seed: expected an integer');
    const missing = problemsOf(() => load('name: x\n'));
    expect(missing).to.have.length(3);
    expect(missing[0]).to.equal('my.yaml:1:1  model: expected a string or a list of them, got nothing');
  });

  it('refuses too large a sweep without making it', () => {
    const many = `[${Array.from({ length: 200 }, (_, i) => i + 100).join(', ')}]`;
    expect(one({ cache: `[{snapkv: {budget: ${many}, window: ${many}}}]` })).to.contain(
      'expands to 40000 cells',
    );
    const numbers = (from: number): string => Array.from({ length: 80 }, (_, i) => i + from).join(', ');
    const entry = `{snapkv: {budget: [${numbers(500)}], window: [${numbers(1)}]}}`;
    expect(one({ cache: `[${entry}, ${entry}]` })).to.contain('cache: expands to more than 10000 pipelines');
    const tasks = Array.from({ length: 10_001 }, () => 'ruler').join(', ');
    expect(one({ tasks: `[${tasks}]` })).to.contain('tasks: expands to more than 10000 tasks');
  });

  it('shows everything that is wrong at once, in the order of the file', () => {
    const problems = problemsOf(() =>
      load(
        specText({ tasks: '[nothing]', context: '-1', cache: '[{spark: {ratio: 2, recovery: x}}, snapvk]' }),
      ),
    );
    expect(problems.map((line) => /^my\.yaml:(\d+):\d+ +(\S+)/.exec(line)?.slice(1))).to.deep.equal([
      ['3', 'unknown'],
      ['4', 'context:'],
      ['5', 'cache[0].spark.ratio:'],
      ['5', 'cache[0].spark.recovery:'],
      ['5', 'unknown'],
    ]);
  });

  describe('files', () => {
    const yaml = (text: string): string[] => problemsOf(() => load(text));

    it('refuses a duplicate key', () => {
      expect(yaml('name: a\nmodel: b\nname: c\n')).to.deep.equal([
        'my.yaml:3:1  duplicate key "name"; expected each key once',
      ]);
    });

    it('refuses what is no YAML, and shows the first faults', () => {
      expect(yaml('name: [a\nmodel: b\n')[0]).to.match(/^my\.yaml:2:\d+ {2}not valid YAML: /);
      const many = yaml(`name: [${','.repeat(100)}`);
      expect(many).to.have.length(11);
      expect(many.at(-1)).to.match(/^and \d+ more$/);
    });

    it('shows names on one line, and refuses NUL characters', () => {
      expect(yaml('"a\\nb": 1\n').join('\n')).to.match(/unknown key "a\\nb"/);
      expect(yaml('model: "a\\0b"\n')).to.deep.equal(['my.yaml:1:8  expected a text without NUL characters']);
    });

    it('refuses keys that are no text', () => {
      expect(yaml('name: a\n? [b, c]\n: d\n')).to.deep.equal(['my.yaml:2:3  expected a text as key']);
    });

    it('refuses nesting that no parser gets through', () => {
      const stairs = Array.from({ length: 700 }, (_, i) => `${' '.repeat(i)}a:\n`).join('');
      expect(yaml(stairs)[0]).to.match(/nested too deeply|name: expected/);
    });

    it('stops at fifty problems', () => {
      const lines = yaml(`tasks:\n${'- nothing\n'.repeat(20_000)}`);
      expect(lines).to.have.length(51);
      expect(lines.at(-1)).to.equal('What else is wrong is not shown.');
    });

    it('refuses tags, which could stand for anything', () => {
      expect(yaml('name: !!js/function x\n')[0]).to.match(/^my\.yaml:1:7 {2}not valid YAML: Unresolved tag/);
    });

    it('refuses a second document', () => {
      expect(yaml(`${specText()}---\nname: y\n`)).to.deep.equal([
        'my.yaml:6:1  not valid YAML: expected one document, found a second; take out the "---" that begins it, or give it a file of its own',
      ]);
    });

    it('refuses an empty file, and one that holds no mapping', () => {
      expect(yaml('')[0]).to.contain('my.yaml  the file is empty');
      expect(yaml('# nothing\n')[0]).to.contain('the file is empty');
      expect(yaml('- a\n')[0]).to.contain('expected a mapping');
    });

    it('refuses aliases that expand without end', () => {
      expect(yaml('name: &a [*a]\n')[0]).to.contain('aliases that refer to themselves');
      const bomb = Array.from({ length: 9 }, (_, i) =>
        i === 0
          ? 'a0: &a0 [x]'
          : `a${i}: &a${i} [${Array(10)
              .fill(`*a${i - 1}`)
              .join(', ')}]`,
      );
      expect(yaml(bomb.join('\n'))[0]).to.contain('expand to too much');
    });

    it('refuses files that cannot be read', () => {
      const folder = mkdtempSync(join(tmpdir(), 'spark-spec-'));
      const read = (file: string): string =>
        problemsOf(() => resolveSpec(SpecDocument.read(file), { catalogue }))[0]!;
      try {
        expect(read(join(folder, 'none.yaml'))).to.contain('none.yaml  no such file');
        expect(read(folder)).to.contain('expected a spec file, got a folder');
        writeFileSync(join(folder, 'bytes.yaml'), Buffer.from([0xff, 0xfe, 0x00]));
        expect(read(join(folder, 'bytes.yaml'))).to.contain('expected UTF-8 text');
        writeFileSync(join(folder, 'huge.yaml'), Buffer.alloc(2 ** 17 + 1, 35));
        expect(read(join(folder, 'huge.yaml'))).to.contain('expected at most 131072 bytes');
      } finally {
        rmSync(folder, { recursive: true });
      }
    });
  });
});
