/**
 * The fields of a spec file: names, ranges and defaults of the top level.
 *
 * Tasks and cache entries are only counted here: what they may hold depends on the methods and tasks that there are.
 */
import * as z from 'zod';

/** Fields that are sweep axes: a single value may stand for a list of one. */
export const AXES = ['model', 'tasks', 'context', 'seed', 'question'] as const;

/** In place of a number of samples: as many as the task has rows. */
export const ALL_ROWS = 'all';

export const sampleCount = z.union([z.int().min(1).max(1_000_000), z.literal(ALL_ROWS)]);

export type SampleCount = z.infer<typeof sampleCount>;

export const specSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'letters, digits, ".", "_" or "-" (a letter or digit first)')
    .describe('Name of the run; also the default output folder, results/<name>.'),
  model: z
    .array(z.string().min(1))
    .min(1)
    .describe(
      'A catalogue name (spark-eval list models), a model folder or .gguf file, relative to this file, or the id of a pulled model of the Hugging Face hub (org/name, org/name@revision, org/name:file.gguf); or a list of them.',
    ),
  tasks: z
    .array(z.unknown())
    .min(1)
    .describe(
      'A family, a task, or a task with fields of its own, NAME: {samples: 50}; or a list of them (spark-eval list tasks).',
    ),
  context: z
    .array(z.int().min(1).max(16_777_216))
    .min(1)
    .optional()
    .describe(
      'Tokens of a whole sample: prompt, answer prefix and the tokens to generate; or a list of lengths. Rows of a file have lengths of their own: for them the first is only what plan and estimate reckon with, and max_context is what cuts them; where all tasks are such, it may be left out.',
    ),
  max_context: z
    .int()
    .min(2)
    .max(16_777_216)
    .optional()
    .describe(
      "Most tokens of the compressed part of a prompt; a longer one loses its middle. Where not given, what suffix and answer leave of the model's positions. Published tables: 7950 (Llama 3), 127500 (Llama 3.1, Qwen3-32B), 31500 (Qwen2.5, Qwen3-8B).",
    ),
  samples: sampleCount
    .default(20)
    .describe('Samples of each cell; all: as many as there are, for tasks on files with rows.'),
  seed: z
    .array(z.int().min(0).max(4_294_967_295))
    .min(1)
    .default([42])
    .describe('Seed of the generated samples, or a list of seeds. Rows of a file know none.'),
  question: z
    .array(z.enum(['compressed', 'appended']))
    .min(1)
    .default(['compressed'])
    .describe(
      'Whether the question is compressed with the context (query-aware) or appended to the compressed cache.',
    ),
  cache: z
    .array(z.unknown())
    .min(1)
    .describe(
      'The pipelines: full, a method, NAME: {parameters}, a label as tables print it, or a list of these. full is always added.',
    ),
  cache_dtype: z
    .enum(['bfloat16', 'float32'])
    .default('bfloat16')
    .describe('Number format of cached entries.'),
  use: z
    .union([z.string().min(1), z.array(z.string().min(1)).min(1).max(100)])
    .optional()
    .describe(
      'Plug-ins with methods or tasks of your own: paths of .ts or .js files, relative to this file, or names of packages.',
    ),
  latency: z
    .strictObject({
      tokens: z.int().min(1).max(10_000).default(64).describe('Tokens that are decoded one by one.'),
      warmup: z.int().min(0).max(100).default(1).describe('Rounds that do not count.'),
      repeats: z.int().min(1).max(1000).default(3).describe('Rounds that do.'),
    })
    .optional()
    .describe(
      'Measures each pipeline alone when all else is done, on the first sample of each line of the plan, and writes latency.csv: seconds of prefill, compression and one token, median and range of the repeats. `{}` stands for `{ tokens: 64, warmup: 1, repeats: 3 }`: tokens decoded one by one, rounds that do not count, rounds that do.',
    ),
  output: z.string().min(1).optional().describe('Result folder, relative to the current directory.'),
});

export type SpecFields = z.infer<typeof specSchema>;
