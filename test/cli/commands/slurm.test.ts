import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { expect } from 'chai';
import { UserError } from '../../../src/base/errors.js';
import { mergeScript, runScript, type SlurmJob } from '../../../src/cli/slurm-script.js';
import { tell } from '../support.js';

const ODD = `it's "odd" #1 %a $HOME \`x\``;
const ECHO = 'console.log(JSON.stringify([process.cwd(), ...process.argv.slice(1)]))';

function job(folder: string): SlurmJob {
  return {
    name: 'x',
    output: join(folder, ODD),
    folder: join(folder, ODD, 'slurm'),
    directory: join(folder, ODD),
    program: [process.execPath, '-e', ECHO, '--'],
    run: ['run', join(folder, ODD, 'spec.yaml'), '--set', 'a=[1, "b"]'],
    shards: 12,
    atOnce: 4,
    partition: 'gpu,big',
    gres: 'gpu:1',
    time: '1-12:00:00',
    options: ['--mem=8G', '--comment', 'a "b" \\ #c'],
  };
}

describe('cli/slurm', () => {
  let folder: string;
  before(() => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'spark-slurm-')));
    for (const path of [ODD, join(ODD, 'shards'), join(ODD, 'shards', '1-of-12')])
      mkdirSync(join(folder, path));
  });
  after(() => {
    rmSync(folder, { recursive: true });
  });

  const directives = (script: string): string[] =>
    script.split('\n').flatMap((line) => (line.startsWith('#SBATCH ') ? [line.slice(8)] : []));
  const words = (script: string): unknown =>
    JSON.parse(
      execFileSync('sh', ['-c', script], {
        encoding: 'utf8',
        cwd: tmpdir(),
        env: { ...process.env, SLURM_ARRAY_TASK_ID: '3' },
      }),
    );

  it('starts a shard per task, with the words as they were given', () => {
    const { directory, run } = job(folder);
    expect(words(runScript(job(folder)))).to.deep.equal([directory, ...run, '--shard', '3/12']);
  });

  it('merges the shards that there are', () => {
    const { directory, output } = job(folder);
    const shard = join(output, 'shards', '1-of-12');
    expect(words(mergeScript(job(folder)))).to.deep.equal([directory, 'merge', shard, '--output', output]);
  });

  it('tells sbatch of the array, the logs and what was asked for', () => {
    const logs = `${folder}/it's \\"odd\\" #1 %%a $HOME \`x\`/slurm`;
    const both = ['--partition=gpu,big', '--time=1-12:00:00', '--mem=8G --comment "a \\"b\\" \\\\ #c"'];
    expect(directives(runScript(job(folder)))).to.deep.equal([
      '--job-name=x',
      '--array=1-12%4',
      `"--output=${logs}/run-%A_%a.log"`,
      '--gres=gpu:1',
      '--open-mode=append',
      ...both,
    ]);
    expect(directives(mergeScript(job(folder)))).to.deep.equal([
      '--job-name=x-merge',
      `"--output=${logs}/merge-%j.log"`,
      '--open-mode=append',
      ...both,
    ]);
  });

  it('refuses what sbatch cannot be told', () => {
    expect(() => runScript({ ...job(folder), folder: '/a\\b' })).to.throw(UserError, 'a backslash');
    expect(() => runScript({ ...job(folder), options: ['--comment=a\nb'] })).to.throw(
      UserError,
      'a line break',
    );
  });

  describe('the command', () => {
    let spec: string;
    let path: string | undefined;
    /** Stands in for sbatch: writes its arguments down and answers `41;west`, then `42;west`. */
    const sbatch = (body: string): void => {
      writeFileSync(join(folder, 'bin', 'sbatch'), `#!/bin/sh\n${body}\n`);
      chmodSync(join(folder, 'bin', 'sbatch'), 0o755);
    };

    before(() => {
      path = process.env['PATH'];
      mkdirSync(join(folder, 'bin'));
      process.env['PATH'] = `${join(folder, 'bin')}${delimiter}${path ?? ''}`;
      spec = join(folder, 'spec.yaml');
      const lines = [
        'name: x',
        'model: spark-nano',
        'tasks: [ruler/niah_single_1]',
        'context: 512',
        'samples: 2',
      ];
      writeFileSync(spec, [...lines, 'cache: [full]', `output: ${join(folder, 'out')}`].join('\n'));
    });
    after(() => {
      process.env['PATH'] = path;
    });

    it('writes both scripts and prints how to submit them', async () => {
      const told = await tell('slurm', spec, '--shards', '3', '--engine', 'wasm', '--', '--mem=1G');
      expect(told.code, told.err).to.equal(0);
      const scripts = join(folder, 'out', 'slurm');
      expect(told.out).to.equal(
        `job=$(sbatch --parsable ${scripts}/run.sbatch)\nsbatch --dependency="afterany:\${job%%;*}" ${scripts}/merge.sbatch\n`,
      );
      const script = readFileSync(join(scripts, 'run.sbatch'), 'utf8');
      expect(script).to.match(
        /^exec \/.*node.* \/.*bin\/spark-eval\.js run \/.*spec\.yaml --engine wasm --shard "/m,
      );
      expect(script).to.contain('\n#SBATCH --mem=1G\n');
    });

    it('submits the array, then the merge that waits for it', async () => {
      sbatch(
        `printf '%s\\n' "$@" >> '${folder}/called'; echo "$((40 + $(grep -c parsable '${folder}/called')));west"`,
      );
      const told = await tell('slurm', spec, '--submit');
      expect(told.code, told.err).to.equal(0);
      expect(told.err).to.contain('array job 41 is submitted').and.to.contain('merge job 42 is submitted');
      expect(readFileSync(join(folder, 'called'), 'utf8').trim().split('\n')).to.deep.equal([
        ...['--parsable', join(folder, 'out', 'slurm', 'run.sbatch')],
        ...['--parsable', '--dependency=afterany:41', join(folder, 'out', 'slurm', 'merge.sbatch')],
      ]);
    });

    it('says what sbatch says', async () => {
      sbatch('echo "invalid partition specified: gpu" >&2; exit 1');
      const told = await tell('slurm', spec, '--submit', '--partition', 'gpu');
      expect(told.code).to.equal(1);
      expect(told.err).to.contain('sbatch refused the job: invalid partition specified: gpu');
    });

    it('refuses what it sets itself, words before "--", and a spec that is wrong', async () => {
      const wrong: [RegExp, ...string[]][] = [
        [/"--array=1-3" is what spark-eval sets itself/, '--', '--array=1-3'],
        [/"-d" is what spark-eval sets itself/, '--', '-d', 'afterok:1'],
        [/unexpected argument "--mem=1G"|unknown option '--mem=1G'/, '--mem=1G'],
        [/unexpected argument "more"/, 'more'],
        [/--shards.*whole number/, '--shards', '0'],
        [/samples: expected an integer/, '--set', 'samples=0'],
      ];
      for (const [message, ...args] of wrong) {
        const told = await tell('slurm', spec, ...args);
        expect(told.code, args.join(' ')).to.equal(2);
        expect(told.err).to.match(message);
      }
    });
  });
});
