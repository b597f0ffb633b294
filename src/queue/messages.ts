/**
 * What goes over the queue: a run, its jobs, their results.
 *
 * Whoever may write to the Redis may have written anything: all of it is checked when it is read, and text for a
 * terminal is cleaned.
 */
import * as z from 'zod';
import { ENGINE_NAMES } from '../engine/types.js';
import { UserError } from '../base/errors.js';
import { sampleRecord } from '../results/record-schema.js';
import type { Job, JobRecord } from '../runner/jobs.js';
import type { WorkerError } from '../runner/worker-error.js';
import { violations } from '../base/violations.js';

const MEBI = 2 ** 20;
const index = z.int().min(0).max(10_000_000);

/** The spec as it was read. */
const specSource = z.strictObject({
  file: z.string().max(4096),
  /** Where its relative paths start at the coordinator, absolute. */
  folder: z.string().max(4096),
  /** With what the command line has changed. */
  text: z.string().max(4 * MEBI),
});

export type SpecSource = z.infer<typeof specSource>;

/** A run, as workers find it. */
const runCard = z.strictObject({
  name: z.string().max(1000),
  spec: specSource,
  engine: z
    .enum(ENGINE_NAMES as [string, ...string[]])
    .transform((name) => name as (typeof ENGINE_NAMES)[number]),
  /** What must be the same at a worker, by the name under which a difference is told. */
  identity: z.record(z.string().max(5000), z.string().max(5000)),
});

export type RunCard = z.infer<typeof runCard>;

const job = z.strictObject({
  group: index,
  sample: index,
  weightSet: index,
  missing: z
    .array(z.strictObject({ pipeline: index, cell: z.string().max(64) }))
    .min(1)
    .max(100_000),
}) satisfies z.ZodType<Job>;

const workerError: z.ZodType<WorkerError> = z.strictObject({
  message: z.string(),
  stack: z.string().optional(),
  user: z
    .strictObject({
      place: z.string().optional(),
      hint: z.string().optional(),
      exitCode: z.union([z.literal(1), z.literal(2), z.literal(3)]),
    })
    .optional(),
});

const failure = z.strictObject({
  cell: z.string().max(64),
  sample: index,
  error: workerError,
});

const record: z.ZodType<JobRecord> = z.union([sampleRecord, failure]);

/** Who computed what; the job by its id in the queue. */
const resultOf = { worker: z.string().max(200), job: z.string().max(100) };

const result = z.discriminatedUnion('kind', [
  z.strictObject({ ...resultOf, kind: z.literal('records'), records: z.array(record).max(100_000) }),
  z.strictObject({ ...resultOf, kind: z.literal('failed'), error: workerError }),
]);

export type JobResult = z.infer<typeof result>;

/** Throws UserError for anything else than a run. */
export function parseRunCard(text: string): RunCard {
  return read(runCard, parseJson(text), 'a run of this version of spark-eval');
}

/** Throws UserError for anything else than a job. */
export function parseJob(value: unknown): Job {
  return read(job, value, 'a job');
}

/** Throws UserError for anything else than a result. */
export function parseResult(text: string): JobResult {
  return read(result, parseJson(text), 'a result');
}

function read<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const found = schema.safeParse(value);
  if (found.success) return found.data;
  throw new UserError(
    `what stands in Redis is not ${what}: ${printable(violations(schema, value, found.error))}`,
    {
      hint: 'Is anything else writing there? What is finished is kept.',
    },
  );
}

/** Undefined, which no message is, for anything else than JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** Names a job in its queue. */
export function jobId({ group, sample, weightSet }: Pick<Job, 'group' | 'sample' | 'weightSet'>): string {
  return `${weightSet}-${group}-${sample}`;
}

/** One line without control characters, of at most 500 characters. */
export function printable(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, ' ').slice(0, 500);
}

/** An error of another machine, its text cleaned; lines stay lines. Without a place of its own it gets this one. */
export function printableError({ message, stack, user }: WorkerError, place: string): WorkerError {
  const clean = (text: string): string => text.split('\n').map(printable).join('\n');
  const cleanIf = (text: string | undefined): string | undefined => text && clean(text);
  return {
    message: clean(message),
    stack: cleanIf(stack),
    user: user && { place: cleanIf(user.place) ?? place, hint: cleanIf(user.hint), exitCode: user.exitCode },
  };
}
