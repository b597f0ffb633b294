/**
 * The 27 rows of the paper's Table 1, as pipelines for a prompt of any length.
 *
 * The paper's budgets (128 and 512) and kvpress's observation window (64) belong to prompts of about 8,192 tokens, so
 * all three are multiplied by S / 8,192. PyramidKV then takes the same branch as in the paper, where it keeps 90 % of
 * all tokens, which makes its ten rows the expensive ones.
 */
import { methods } from '../src/methods/built-in.js';
import type { MethodStep, Pipeline } from '../src/methods/types.js';

const PAPER_TOKENS = 8192;
const BUDGETS = [128, 512];
const WINDOW = 64;
const RATIOS = [0.5, 0.8];

/** `full` first, then the rows in the order of the table. */
export function table1(length: number): Pipeline[] {
  const scaled = (tokens: number): number => Math.max(1, Math.round((tokens * length) / PAPER_TOKENS));
  const window = scaled(WINDOW);
  const rows = BUDGETS.flatMap((tokens) => {
    const budget = scaled(tokens);
    const withChannels = (method: string): Pipeline[] => {
      const evict = step(method, { budget, window });
      return [
        pipeline(`${method} ${budget}`, evict),
        ...RATIOS.map((ratio) =>
          pipeline(
            `${method} ${budget} + think ${ratio}`,
            evict,
            step('think', { ratio, variant: 'kvpress' }),
          ),
        ),
        ...RATIOS.map((ratio) =>
          pipeline(`${method} ${budget} + spark ${ratio}`, evict, step('spark', { ratio })),
        ),
      ];
    };
    return [
      ...['streaming_llm', 'expected_attention', 'tova'].map((method) =>
        pipeline(`${method} ${budget}`, step(method, { budget })),
      ),
      ...withChannels('snapkv'),
      ...withChannels('pyramidkv'),
    ];
  });
  return [FULL, ...rows];
}

export const FULL: Pipeline = { label: 'full', steps: [] };

/** A pipeline of one `spark` step. */
export function sparkAlone(ratio: number): Pipeline {
  return pipeline(`spark ${ratio}`, step('spark', { ratio }));
}

function pipeline(label: string, ...steps: readonly MethodStep[]): Pipeline {
  return { label, steps };
}

function step(method: string, params: Readonly<Record<string, unknown>>): MethodStep {
  return { method, params: methods.get(method)!.params.parse(params) as Record<string, unknown> };
}
