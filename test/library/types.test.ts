/** The library's types: what compiles, and what must not. `npm run typecheck` is the test; this file runs what it can. */
import { expect } from 'chai';
import {
  budgetFields,
  type ChannelMethod,
  checkBudget,
  loadSpec,
  type Method,
  type OpenTask,
  readResults,
  type RunOutcome,
  runSpec,
  type Task,
  tokenMethod,
  UserError,
  z,
} from '../../src/index.js';

const params = z.strictObject({ ...budgetFields, power: z.number().default(1) }).check(checkBudget());

export const method = tokenMethod<z.infer<typeof params>>({
  name: 'typed',
  summary: 's',
  paper: 'p',
  params,
  observes: () => [],
  score: ({ kvHeads, length }, { power }) => new Float32Array(kvHeads * length).fill(power),
});
export const asMethod: Method<z.infer<typeof params>> = method;

type Definition = Parameters<typeof tokenMethod<z.infer<typeof params>>>[0];
// @ts-expect-error a score is what a token method is made of
export const scoreless: Definition = { name: 'x', summary: 's', paper: 'p', params, observes: () => [] };

// @ts-expect-error a channel method says which sides it prunes
export const channel = (rest: Omit<ChannelMethod, 'prunes'>): ChannelMethod => ({ ...rest, axis: 'channel' });

export const task: Task<{ readonly n: number }> = {
  name: 'a/b',
  family: 'a',
  summary: 's',
  source: 's',
  params: z.strictObject({ n: z.int() }),
  open: ({ n }): OpenTask => ({
    digest: String(n),
    // @ts-expect-error a sample asks at least one question
    sample: () => ({ context: '', questions: [] }),
    score: (answer, { answers }) => (answers.includes(answer) ? 1 : 0),
  }),
};

export async function use(): Promise<RunOutcome> {
  const spec = await loadSpec({ spec: { name: 'x' }, folder: '/' });
  const { signal } = new AbortController();
  // @ts-expect-error an engine has one of a few names
  const wrong = (): Promise<RunOutcome> => runSpec(spec, { engine: 'tpu' });
  const ticks: number[] = [];
  const outcome = await runSpec(spec, { signal, progress: { tick: (n) => void ticks.push(n) } });
  const score: string | number | boolean | null | undefined = readResults(spec.output).rows[0]?.[
    'score_percent'
  ];
  if (score === null) return wrong();
  return outcome;
}

describe('the library', () => {
  it('reads a spec from an object, and tells all that is wrong with it', async () => {
    const spec = await loadSpec({
      spec: {
        name: 'x',
        model: 'spark-nano',
        tasks: ['ruler/vt'],
        context: 512,
        samples: 1,
        cache: [{ spark: { ratio: 0.5 } }],
      },
    });
    expect(spec.pipelines.map(({ label }) => label)).to.deep.equal(['full', 'spark(ratio=0.5)']);
    let found: unknown;
    try {
      await loadSpec({
        spec: 'name: x\nmodel: spark-nano\ntasks: [ruler/xx]\ncontext: 512\ncache: [snapvk]',
      });
    } catch (error) {
      found = error;
    }
    expect(found).to.be.instanceOf(UserError);
    expect((found as UserError).message)
      .to.include('ruler/xx')
      .and.include('Did you mean "snapkv"?');
  });

  it('reads results of a folder, with a row a cell', () => {
    const { rows, records, manifests } = readResults('results/reference/equal-bytes');
    expect(rows.length).to.equal(manifests[0]!.cells.length);
    expect(records).to.have.length(1000);
    expect(rows[0]).to.include({ pipeline: 'full', task: 'ruler/niah_single_1' });
  });
});
