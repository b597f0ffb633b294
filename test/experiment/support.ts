/** A small catalogue and shorthands for spec tests. */
import { expect } from 'chai';
import * as z from 'zod';
import { UserError } from '../../src/base/errors.js';
import { SpecDocument } from '../../src/experiment/document.js';
import { resolveSpec } from '../../src/experiment/load.js';
import { applyOverride } from '../../src/experiment/overrides.js';
import type { PlainSpec, SpecCatalogue } from '../../src/experiment/types.js';

const snapkv = z
  .strictObject({
    budget: z.int().min(1).optional().describe('tokens kept'),
    ratio: z.number().min(0).lt(1).optional().describe('fraction evicted'),
    window: z.int().min(1).default(64).describe('observation window'),
  })
  .refine((params) => params.budget === undefined || params.budget >= params.window, {
    path: ['budget'],
    message: 'expected at least the window',
  });
const spark = z.strictObject({
  ratio: z.number().min(0).lt(1).describe('fraction pruned'),
  recovery: z.enum(['degenerate', 'none']).default('degenerate'),
  layers: z.array(z.int().min(0)).optional(),
});

export const catalogue: SpecCatalogue = {
  methods: new Map([
    ['snapkv', { params: snapkv, axis: 'token' }],
    ['spark', { params: spark, axis: 'channel', prunes: () => ['keys'] }],
  ]),
  tasks: new Map([
    [
      'ruler/one',
      { params: z.strictObject({ depth: z.number().min(0).max(1).default(0.5) }), family: 'ruler' },
    ],
    ['ruler/two', { params: z.strictObject({}), family: 'ruler' }],
    ['other/one', { params: z.strictObject({}), family: 'other' }],
  ]),
  models: ['spark-nano', 'smollm2-135m'],
};

/** A valid spec with other lines in place of, or added to, its own. */
export function specText(fields: Readonly<Record<string, string>> = {}): string {
  const all = {
    name: 'quick',
    model: 'spark-nano',
    tasks: '[ruler/one]',
    context: '1024',
    cache: '[full]',
    ...fields,
  };
  return Object.entries(all)
    .map(([key, value]) => `${key}: ${value}\n`)
    .join('');
}

export function load(text: string, overrides: readonly string[] = []): PlainSpec {
  const document = SpecDocument.parse(text, 'my.yaml');
  for (const override of overrides) applyOverride(document, override);
  return resolveSpec(document, { catalogue, directory: '/work-folder' });
}

export function labels(cache: string): string[] {
  return load(specText({ cache })).pipelines.map((pipeline) => pipeline.label);
}

/** The lines of the UserError that `run` throws, its hint included. */
export function problemsOf(run: () => unknown): string[] {
  try {
    run();
  } catch (error) {
    expect(error).to.be.instanceOf(UserError);
    expect((error as UserError).exitCode).to.equal(2);
    return (error as UserError).format().split('\n');
  }
  throw new Error('expected a UserError, nothing was thrown');
}
