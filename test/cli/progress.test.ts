import { expect } from 'chai';
import { formatBytes, formatSeconds, mayStyle, plural, shellCommand } from '../../src/cli/format.js';
import { createProgress, type ProgressForm } from '../../src/cli/progress.js';
import { goOnCommand } from '../../src/cli/commands/run.js';
import { Sink } from './support.js';

describe('cli/progress', () => {
  /** What is written in `seconds` of one phase change and one step per second. */
  const follow = (form: ProgressForm, seconds: number): string[] => {
    const sink = new Sink();
    let now = 0;
    const progress = createProgress(form, sink.asStream(), () => now);
    progress.phase('loading spark-nano');
    progress.start(seconds, 'quick');
    for (let second = 1; second <= seconds; second++) {
      now += 500;
      progress.phase('prefill');
      now += 500;
      progress.tick(1, `sample ${second}`);
    }
    progress.log('a warning');
    progress.stop();
    return sink.text.trimEnd().split('\n');
  };

  it('writes a plain line every five seconds where there is no terminal, and the last step', () => {
    expect(follow('auto', 12)).to.deep.equal([
      'loading spark-nano',
      'quick  5/12  sample 5',
      'quick  10/12  sample 10',
      'quick  12/12  sample 12',
      'a warning',
    ]);
  });

  it('writes one JSON object a line', () => {
    expect(follow('json', 2).map((line) => JSON.parse(line) as unknown)).to.deep.equal([
      { event: 'phase', name: 'loading spark-nano' },
      { event: 'start', total: 2, done: 0, label: 'quick' },
      { event: 'phase', name: 'prefill' },
      { event: 'tick', done: 1, total: 2, label: 'sample 1' },
      { event: 'phase', name: 'prefill' },
      { event: 'tick', done: 2, total: 2, label: 'sample 2' },
      { event: 'log', message: 'a warning' },
      { event: 'stop', done: 2, total: 2 },
    ]);
  });

  it('draws a bar on a terminal, and no time left before there is any to go by', () => {
    const sink = Object.assign(new Sink(), { isTTY: true, columns: 100, rows: 20 });
    const progress = createProgress('auto', sink.asStream());
    progress.phase('loading');
    progress.start(4, 'quick');
    progress.tick(4, 'sample 1');
    progress.stop();
    expect(sink.text).to.contain(`${'░'.repeat(24)} 0/4  loading`);
    expect(sink.text).to.contain(`${'█'.repeat(24)} 4/4  loading`);
  });

  it('begins at what was done before', () => {
    const sink = new Sink();
    const progress = createProgress('json', sink.asStream());
    progress.start(4, 'quick', 3);
    progress.tick(1, 'sample 4');
    expect(sink.text.trimEnd().split('\n')).to.deep.equal([
      '{"event":"start","total":4,"done":3,"label":"quick"}',
      '{"event":"tick","done":4,"total":4,"label":"sample 4"}',
    ]);
    const screen = Object.assign(new Sink(), { isTTY: true, columns: 100, rows: 20 });
    const bar = createProgress('auto', screen.asStream());
    bar.start(4, 'quick', 2);
    bar.stop();
    expect(screen.text).to.contain(`${'█'.repeat(12)}${'░'.repeat(12)} 2/4  `);
  });

  it('writes warnings only, if told to', () => {
    expect(follow('none', 12)).to.deep.equal(['a warning']);
  });
});

describe('cli/format', () => {
  it('writes bytes in binary units', () => {
    expect([0, 1, 1023, 1024, 1536, 10 * 1024, 3 * 2 ** 30].map(formatBytes)).to.deep.equal([
      '0 B',
      '1 B',
      '1023 B',
      '1.00 KiB',
      '1.50 KiB',
      '10.0 KiB',
      '3.00 GiB',
    ]);
    expect([plural(1, 'sample'), plural(2, 'sample')]).to.deep.equal(['1 sample', '2 samples']);
  });

  it('writes times to two units', () => {
    expect([0.4, 59, 185, 7620].map(formatSeconds)).to.deep.equal(['0s', '59s', '3m 05s', '2h 07m']);
  });

  it('quotes arguments for a shell', () => {
    expect(shellCommand(['run', "it's.yaml", '--set', 'cache=[a, b]', '--engine', 'wasm'])).to.equal(
      `run 'it'\\''s.yaml' --set 'cache=[a, b]' --engine wasm`,
    );
  });

  it('gives the command that goes on: the same, without starting over', () => {
    expect(goOnCommand(['run', 'a.yaml', '--fresh', '--set', 'samples=5'])).to.equal(
      'spark-eval run a.yaml --set samples=5',
    );
  });

  it('respects NO_COLOR', () => {
    const before = process.env['NO_COLOR'];
    const terminal = { isTTY: true };
    try {
      delete process.env['NO_COLOR'];
      expect(mayStyle(terminal)).to.equal(true);
      process.env['NO_COLOR'] = '1';
      expect(mayStyle(terminal)).to.equal(false);
    } finally {
      if (before === undefined) delete process.env['NO_COLOR'];
      else process.env['NO_COLOR'] = before;
    }
  });
});
