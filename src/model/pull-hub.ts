/**
 * A model's files from the Hugging Face hub, by `@huggingface/hub`.
 *
 * Decides that all files come from one commit and match the digests that the hub states for it (sha256 of
 * large files, git's blob hash of small ones). `HF_ENDPOINT` names a mirror.
 */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { downloadFile, modelInfo, pathsInfo } from '@huggingface/hub';
import { UserError } from '../errors.js';
import type { HubSource } from './catalogue.js';
import { sha256OfFile } from './digest.js';

/** Milliseconds that the hub has to answer a question about a repository. */
const ANSWER_TIMEOUT_MS = 20_000;

interface HubFile {
  readonly path: string;
  readonly size: number;
  readonly oid?: string | undefined;
  readonly lfs?: { readonly oid: string } | undefined;
}

/**
 * Downloads the files of a source into `staging`; returns the source in words.
 * @throws UserError where the hub cannot be reached, lacks a file, or a file differs from what the hub states
 */
export async function fetchFromHub(
  source: HubSource,
  staging: string,
  log: (line: string) => void,
): Promise<string> {
  const endpoint = process.env['HF_ENDPOINT'];
  const at = endpoint === undefined || endpoint === '' ? {} : { hubUrl: endpoint };
  const { repository } = source;
  const { sha: revision } = await ask(repository, (quick) =>
    modelInfo({ name: repository, additionalFields: ['sha'], fetch: quick, ...at }),
  );
  const repo = { type: 'model', name: repository } as const;
  const paths = [...source.required, ...source.optional];
  const files: HubFile[] = await ask(repository, (quick) =>
    pathsInfo({ repo, paths, revision, fetch: quick, ...at }),
  );
  for (const path of source.required) {
    if (!files.some((file) => file.path === path))
      throw new UserError(`has no ${path}`, { place: repository });
  }
  for (const file of files.filter(({ path }) => paths.includes(path))) {
    log(`  ${file.path} (${file.size} bytes)`);
    const target = join(staging, file.path);
    await ask(repository, async () => {
      const blob = await downloadFile({ repo, path: file.path, revision, ...at });
      if (blob === null) throw new Error(`${file.path} is not there`);
      await pipeline(Readable.fromWeb(blob.stream()), createWriteStream(target));
    });
    await expectStated(file, target, repository);
  }
  return `${repository} on the Hugging Face hub, commit ${revision}`;
}

/** Runs a request; its failure becomes a UserError. The fetch that it is given gives up after a while. */
async function ask<T>(repository: string, request: (quick: typeof fetch) => Promise<T>): Promise<T> {
  try {
    return await request((input, init) =>
      fetch(input, { ...init, signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) }),
    );
  } catch (cause) {
    const error = cause as Error & { cause?: { code?: unknown } };
    const code = typeof error.cause?.code === 'string' ? ` (${error.cause.code})` : '';
    throw new UserError(`the Hugging Face hub: ${error.message}${code}`, { place: repository, cause });
  }
}

async function expectStated(file: HubFile, target: string, repository: string): Promise<void> {
  const place = `${repository}/${file.path}`;
  const { size } = await stat(target);
  if (size !== file.size) throw new UserError(`expected ${file.size} bytes, got ${size}`, { place });
  const stated = file.lfs?.oid ?? file.oid;
  const found = file.lfs === undefined ? await gitBlobHash(target) : await sha256OfFile(target);
  if (found !== stated) throw new UserError(`expected digest ${stated ?? 'none'}, got ${found}`, { place });
}

async function gitBlobHash(path: string): Promise<string> {
  const content = await readFile(path);
  return createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex');
}
