// A method of one's own: keeps the tokens with the largest values, whatever the queries.
import { budgetFields, checkBudget, tokenMethod, z } from 'spark-eval';

export default tokenMethod({
  name: 'value_norm',
  summary: 'keeps the tokens with the largest values, whatever the queries',
  paper: 'an example',
  params: z.strictObject(budgetFields).check(checkBudget()), // `ratio` or `budget`
  observes: () => [],
  // [KV, S], higher = keep
  score: ({ kvHeads: KV, length: S, headDim: D, values }) =>
    Float32Array.from({ length: KV * S }, (_, row) => Math.hypot(...values.subarray(row * D, (row + 1) * D))),
});
