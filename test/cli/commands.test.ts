import { expect } from 'chai';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageVersion } from '../../src/base/package.js';
import { tell } from './support.js';

const SPEC = [
  'name: x',
  'model: [spark-nano, ./not-there]',
  'tasks: [ruler/niah_single_1, {task: ruler/niah_single_2, samples: 3}]',
  'context: [512, 1024]',
  'samples: 2',
  'cache: [{snapkv: {budget: 64}}, {spark: {ratio: [0.5, 0.8]}}]',
];

describe('cli', () => {
  let folder: string;
  let spec: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'spark-cli-'));
    spec = join(folder, 'spec.yaml');
    writeFileSync(spec, [...SPEC, `output: ${join(folder, 'out')}`].join('\n'));
  });
  after(() => {
    rmSync(folder, { recursive: true });
  });

  describe('exit codes', () => {
    it('is 0 for help and version, on standard output', async () => {
      const help = await tell('--help');
      expect(help).to.include({ code: 0, err: '' });
      const names = ['run', 'plan', 'status', 'merge', 'slurm', 'list', 'show', 'pull', 'setup', 'doctor'];
      for (const name of names) {
        expect(help.out).to.match(new RegExp(`^  ${name} `, 'm'));
      }
      expect(await tell('--version')).to.deep.equal({ code: 0, out: `${packageVersion()}\n`, err: '' });
      expect((await tell('run', '--help')).code).to.equal(0);
    });

    it('is 2 for a command that is wrong, on standard error', async () => {
      const wrong = [
        ['pla', spec],
        ['plan'],
        ['plan', spec, '--fast'],
        ['plan', spec, 'more'],
        ['run', spec, '--engine', 'tpu'],
        ['run', spec, '--progress', 'loud'],
        ['run', spec, '--json'],
        ['list', 'things'],
        ['show', 'snapvk'],
        ['pull', 'longbenc'],
        ['setup', 'tpu'],
        [],
      ];
      for (const args of wrong) {
        const told = await tell(...args);
        expect(told.code, args.join(' ')).to.equal(2);
        expect(told.out, args.join(' ')).to.equal('');
        expect(told.err, args.join(' '))
          .to.not.equal('')
          .and.not.match(/^ +at /m);
      }
    });

    it('is 2 for a spec that is wrong', async () => {
      const told = await tell('plan', spec, '--set', 'samples=0');
      expect(told).to.include({ code: 2, out: '' });
      expect(told.err).to.equal(
        '--set samples=0  samples: expected an integer in [1, 1000000] or "all", got 0\n',
      );
    });

    it('shows a stack trace with --debug, before or after the command', async () => {
      for (const args of [
        ['--debug', 'plan', 'none.yaml'],
        ['plan', 'none.yaml', '--debug'],
      ]) {
        const told = await tell(...args);
        expect(told.code).to.equal(2);
        expect(told.err).to.match(/^none\.yaml {2}no such file\n[\s\S]*\n +at /);
      }
    });
  });

  describe('plan', () => {
    it('gives the cells, what is there, and the size of the full cache where the model is present', async () => {
      const told = await tell('plan', spec, '--json');
      // One of the models is not there, which a run refuses.
      expect(told).to.include({ code: 2, err: '' });
      const plan = JSON.parse(told.out) as {
        refusals: object[];
        results: number;
        reused: number;
        pipelines: { label: string }[];
        cells: {
          model: string;
          context: number;
          samples: number;
          pipeline: string;
          fullCacheBytes: number | null;
        }[];
      };
      expect(plan).to.include({ results: 2 * 2 * 4 * (2 + 3), reused: 0 });
      expect(plan.refusals).to.deep.equal([
        { place: join(folder, 'not-there'), message: 'no such folder or file' },
      ]);
      expect(plan.pipelines.map(({ label }) => label)).to.deep.equal([
        'full',
        'snapkv(budget=64)',
        'spark(ratio=0.5)',
        'spark(ratio=0.8)',
      ]);
      expect(plan.cells).to.have.length(32);
      const bytes = (model: string, context: number): unknown =>
        plan.cells.find((cell) => cell.model === model && cell.context === context)!.fullCacheBytes;
      expect(bytes('spark-nano', 512)).to.be.a('number').and.be.greaterThan(0);
      expect(bytes('spark-nano', 1024)).to.equal(2 * (bytes('spark-nano', 512) as number));
      expect(bytes('./not-there', 512)).to.equal(null);
    });

    it('tells the cells of a swept task apart, and which contexts are only reckoned with', async () => {
      const rows = join(folder, 'rows.jsonl');
      writeFileSync(rows, JSON.stringify({ context: 'A text.', answers: ['text'] }));
      const other = join(folder, 'maps.yaml');
      const lines = [
        ...['name: maps', 'model: spark-nano', 'context: [512, 1024]', 'seed: [1, 2]', 'cache: [full]'],
        `tasks: [{task: needle/map, depth: [0, 50, 100]}, {file: ${rows}, scorer: f1}]`,
        ...['samples: 1', `output: ${join(folder, 'maps')}`],
      ];
      writeFileSync(other, lines.join('\n'));
      const { out } = await tell('plan', other);
      const tasksOf = (text: string) => text.match(/needle\/map\S*/g);
      const labels = ['needle/map(depth=0)', 'needle/map', 'needle/map(depth=100)'];
      expect(tasksOf(out)).to.deep.equal(labels.flatMap((label) => Array<string>(4).fill(label)));
      expect(out.match(/own\/f1\(file=.*\) +\*512 +1 /g)).to.have.length(1);
      expect(out).to.contain('* rows of a file have lengths of their own').and.to.contain('13 results');
      expect((await tell('plan', spec)).out).to.not.contain('*');
      expect(tasksOf((await tell('status', other)).out)).to.deep.equal(tasksOf(out));
      const estimate = (...more: string[]) =>
        tell('estimate', other, '--gflops', '1', '--decode-gflops', '1', '--gbps', '1', ...more);
      expect((await estimate('--set', 'context=5000')).err).to.contain(
        'context 5000 is longer than the 4096',
      );
      const own = `tasks=[{ file: ${rows}, scorer: f1 }]`;
      const told = await estimate('--set', 'context=5000', '--set', own);
      expect(told).to.include({ code: 0, err: '' });
      expect(told.out)
        .to.contain('prompts of 4096 tokens')
        .and.to.match(/^own\/f1\(file=.*\) +1 +64 /m);
    });

    it('says what a run would refuse, with its exit code', async () => {
      const other = join(folder, 'refused.yaml');
      const rows = join(folder, 'two.jsonl');
      writeFileSync(rows, `${JSON.stringify({ context: 'A text.', answers: ['text'] })}\n`.repeat(2));
      const missing = join(folder, 'missing.jsonl');
      const lines = [
        ...[
          'name: refused',
          'model: spark-nano',
          'context: [512, 65536]',
          'cache: [full, {knorm: {ratio: 0.5, whole_layers: [99]}}]',
        ],
        `tasks: [needle/map, {file: ${rows}, scorer: f1}, {file: ${missing}, scorer: f1}]`,
        ...['samples: 3', `output: ${join(folder, 'refused')}`],
      ];
      writeFileSync(other, lines.join('\n'));
      const names = await tell('plan', other);
      expect(names.code).to.equal(2);
      expect(names.out).to.contain('a run would be refused:').and.to.contain('names layer 99');
      expect(names.out).to.contain('context 65536 is longer than the 4096 positions of spark-nano');
      const whole = await tell('plan', other, '--set', 'cache=[full]');
      expect(whole.out)
        .to.contain('two.jsonl')
        .and.to.contain('missing.jsonl')
        .and.not.to.contain('layer 99');
      expect(
        (
          await tell(
            'plan',
            other,
            '--set',
            'cache=[full]',
            '--set',
            'context=512',
            '--set',
            'tasks=[needle/map]',
          )
        ).code,
      ).to.equal(0);
    });

    it('says the same as run --dry-run', async () => {
      const plan = await tell('plan', spec);
      expect(plan.out).to.contain('80 results, 0 reused, 80 to do');
      expect(await tell('run', spec, '--dry-run')).to.deep.equal(plan);
      expect((await tell('run', spec, '--dry-run', '--json')).out).to.equal(
        (await tell('plan', spec, '--json')).out,
      );
    });
  });

  it('status is 3 while anything is missing', async () => {
    const told = await tell('status', spec);
    expect(told.code).to.equal(3);
    expect(told.out).to.contain('0 of 80 results');
    const { code, out } = await tell('status', spec, '--json');
    const status = JSON.parse(out) as {
      complete: boolean;
      done: number;
      total: number;
      cells: { missing: number }[];
    };
    expect(code).to.equal(3);
    expect(status).to.include({ complete: false, done: 0, total: 80 });
    expect(status.cells.reduce((sum, cell) => sum + cell.missing, 0)).to.equal(80);
  });

  it('lists everything, as text and as JSON', async () => {
    for (const kind of ['methods', 'tasks', 'models', 'data', 'engines']) {
      const text = await tell('list', kind);
      const entries = JSON.parse((await tell('list', kind, '--json')).out) as {
        name: string;
        group: string;
      }[];
      expect(text.code).to.equal(0);
      expect(entries).to.not.have.length(0);
      expect(
        text.out
          .trimEnd()
          .split('\n')
          .map((line) => line.split(/ {2,}/)[0]),
      ).to.deep.equal(
        kind === 'tasks'
          ? [...new Set(entries.map((entry) => entry.group))]
          : entries.map((entry) => entry.name),
      );
    }
  });

  it('shows everything that it lists', async () => {
    for (const kind of ['methods', 'tasks', 'models', 'data', 'engines']) {
      for (const { name } of JSON.parse((await tell('list', kind, '--json')).out) as { name: string }[]) {
        const told = await tell('show', name);
        expect(told, name).to.include({ code: 0, err: '' });
        const singular = kind === 'data' ? 'data set' : kind.slice(0, -1);
        expect(told.out.startsWith(`${name} (${singular}): `), name).to.equal(true);
      }
    }
  });

  it('shows the tasks of a family', async () => {
    const { out } = await tell('show', 'own');
    expect(out).to.match(/^own \(family of tasks\): its tasks, 10\n\n- own\/exact: data of your own/);
    expect((await tell('show', 'longbench')).out).to.match(/^longbench \(data set\): /);
  });

  it('lists methods axis by axis', async () => {
    const listed = JSON.parse((await tell('list', 'methods', '--json')).out) as { group: string }[];
    const axes = [...new Set(listed.map(({ group }) => group))];
    expect(listed.map(({ group }) => group)).to.deep.equal(
      axes.flatMap((axis) => listed.map(({ group }) => group).filter((group) => group === axis)),
    );
    expect(axes.slice(0, 2)).to.deep.equal(['token', 'channel']);
  });

  it('shows of every method what it stores, its paper, and what sets it apart', async () => {
    for (const { name } of JSON.parse((await tell('list', 'methods', '--json')).out) as { name: string }[]) {
      const { out } = await tell('show', name);
      for (const title of ['axis', 'paper', 'stores', 'evicts while decoding', 'weights']) {
        expect(out, name).to.match(new RegExp(`^${title}: +\\S`, 'm'));
      }
      expect(out, name)
        .to.match(/^- \S/m)
        .and.match(/^parameters:\n {2}\S/m);
    }
  });

  it('shows of tasks what sets their scores apart, and that rows of a file have lengths of their own', async () => {
    for (const [name, note] of [
      ['loogle/longdep_qa', /METEOR and BERTScore are not computed/],
      ['loogle-hub/shortdep_cloze', /never evaluated/],
      ['zeroscrolls/squality', /validation split[^]*not the leaderboard's number/],
      ['longbench-v2/choice', /not guessed/],
      ['infinitebench-hub/code_run', /read as numbers/],
      ['ruler/vt', /"assigned"/],
    ] as const) {
      expect((await tell('show', name)).out, name).to.match(note);
    }
    const listed = JSON.parse((await tell('list', 'tasks', '--json')).out) as {
      name: string;
      group: string;
    }[];
    for (const { name, group } of listed) {
      const { out } = await tell('show', name);
      const generated = ['ruler', 'recite', 'needle'].includes(group);
      expect(out.includes('Samples are as long as their rows'), name).to.equal(
        !generated && group !== 'ruler-hub',
      );
      expect(out.includes('seed: changes nothing'), name).to.equal(!generated);
    }
  });

  it('shows parameters with ranges and defaults', async () => {
    const { out } = await tell('show', 'snapkv');
    expect(out).to.match(/^ {2}ratio +a number in \[0, 1\) +optional/m);
    expect(out).to.match(/^ {2}window +an integer in \[1, 1024\] +default 64 /m);
    expect((await tell('show', 'think')).out).to.match(/^ {2}ratio +a number in \[0, 1\) +required/m);
    expect((await tell('show', 'snapvk')).err).to.contain('Did you mean "snapkv"?');
  });
});
