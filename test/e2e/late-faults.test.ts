/** Samples that turn out to be faulty only when their turn comes: each is its own error, and the rest is computed. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { sparkEval, temporaryFolder, writeSpec } from './support.js';

const TASK = `
import { UserError, z } from 'spark-eval';
export default {
  name: 'late/fault', family: 'late', summary: 'a text', source: 'a test', params: z.strictObject({}),
  open: () => ({
    digest: 'late 1',
    check() {},
    sample(index) {
      if (index === 1) throw new UserError('is torn', { place: 'rows.bin:2', hint: 'Fetch it again.' });
      return {
        context: 'the grass is green and the sky is blue '.repeat(8),
        questions: [{ question: 'What is green?', answerPrefix: ' It is', answers: ['grass'], maxNewTokens: 3 }],
        depths: [12.5],
        place: \`rows.bin:\${index + 1}\`,
      };
    },
    score: () => 1,
  }),
};
`;

describe('spark-eval run, of samples that fail in their turn', function () {
  this.timeout(120_000);
  let folder: string;
  let spec: string;
  before(() => {
    folder = temporaryFolder();
    writeFileSync(join(folder, 'late.mjs'), TASK);
    spec = writeSpec(
      folder,
      'name: late\nmodel: spark-nano\nuse: [./late.mjs]\ntasks: [late/fault]\ncontext: 512\nsamples: 4\ncache: [full, { streaming_llm: { ratio: 0.5 } }]\n',
    );
  });
  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  const records = (): Record<string, unknown>[] =>
    readFileSync(join(folder, 'out', 'journal.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);

  for (const more of [[], ['--workers', '2']]) {
    it(`computes the others and tells${more.length > 0 ? ', with workers too' : ''}`, () => {
      const { status, stdout, stderr } = sparkEval(['run', spec, '--engine', 'wasm', '--fresh', ...more]);
      expect(status, stderr).to.equal(1);
      expect(stderr).to.contain('1 of 4 samples').and.to.contain('rows.bin:2').and.to.contain('is torn');
      expect(stdout).to.match(/streaming_llm/);
      expect(records().filter(({ prediction }) => prediction !== undefined)).to.have.length(6);
      const again = sparkEval(['run', spec, '--engine', 'wasm']);
      expect(again.status, again.stderr).to.equal(1);
      expect(again.stderr).to.contain('is torn');
    });
  }

  it('keeps where what is asked for stands', () => {
    const depths = records().flatMap(({ depths: found }) => (found === undefined ? [] : [found]));
    expect(depths).to.deep.equal(new Array(6).fill([12.5]));
  });
});
