/** The methods that a spec may name, in the order in which they are listed. */
import { snapkv } from './snapkv.js';
import { spark } from './spark.js';
import { streamingLlm } from './streaming-llm.js';
import { think } from './think.js';
import type { Method } from './types.js';

export const methods: ReadonlyMap<string, Method> = new Map(
  [streamingLlm, snapkv, think, spark].map((method): [string, Method] => [method.name, method as Method]),
);
