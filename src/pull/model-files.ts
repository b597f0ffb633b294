/**
 * Which files of a repository a model is read from.
 *
 * Repositories hold the same weights in several forms; only what this program reads is fetched, and what it could not
 * read is refused before gigabytes have come.
 */
import * as z from 'zod';
import { UserError } from '../base/errors.js';
import { leadsOut } from '../base/inside-path.js';
import { parseJson, validate } from '../base/json.js';
import type { HubFile } from './hub.js';
import { WHOLE, INDEX } from './locate-model.js';

const NEEDED = ['config.json', 'tokenizer.json'];
const HELPFUL = [
  ...['generation_config.json', 'tokenizer_config.json', 'special_tokens_map.json', 'added_tokens.json'],
  ...['chat_template.jinja', 'chat_template.json'],
];
/** One of several parts that only together are a GGUF file. */
const PART = /-(\d{5})-of-(\d{5})\.gguf$/;

const indexSchema = z.object({ weight_map: z.record(z.string(), z.string()) });

export interface Listing {
  /** `org/name` */
  readonly repository: string;
  readonly files: readonly HubFile[];
  /** The text of a small file. */
  readonly read: (file: HubFile) => Promise<string>;
}

/**
 * The files to fetch, small ones first, so that a refusal comes at once.
 *
 * @param gguf the .gguf file that was asked for
 * @throws UserError where the repository holds no model in a form that is read
 */
export async function modelFiles(listing: Listing, gguf?: string): Promise<HubFile[]> {
  if (gguf !== undefined) return [ggufFile(listing, gguf)];
  const { repository, files } = listing;
  const at = (path: string): HubFile | undefined => files.find((file) => file.path === path);
  const weights = await weightFiles(listing);
  if (weights.length === 0) return [onlyGguf(listing)];
  const missing = NEEDED.filter((path) => at(path) === undefined);
  if (missing.length > 0) {
    throw new UserError(`has no ${missing.join(', ')}, which ${missing.length > 1 ? 'are' : 'is'} needed`, {
      place: repository,
      hint:
        at('adapter_config.json') === undefined
          ? 'Look for the same model in another repository, or convert it with save_pretrained of transformers.'
          : 'It is an adapter: pull the model that it was made for.',
    });
  }
  const small = [...NEEDED, ...HELPFUL].flatMap((path) => at(path) ?? []);
  return [...small, ...weights];
}

/** The safetensors files; none where there are none. */
async function weightFiles({ repository, files, read }: Listing): Promise<HubFile[]> {
  const whole = files.find(({ path }) => path === WHOLE);
  if (whole !== undefined) return [whole];
  const index = files.find(({ path }) => path === INDEX);
  if (index === undefined) return [];
  const place = `${repository}/${INDEX}`;
  const { weight_map } = validate(indexSchema, parseJson(await read(index), place), place);
  const shards = [...new Set(Object.values(weight_map))].sort().map((path) => {
    const shard = files.find((file) => file.path === path && !path.includes('/') && !leadsOut(path));
    if (shard === undefined) throw new UserError(`names ${path}, which is not there`, { place });
    return shard;
  });
  return [index, ...shards];
}

function ggufFile({ repository, files }: Listing, path: string): HubFile {
  const part = PART.exec(path);
  if (part !== null) {
    throw new UserError(`is part ${Number(part[1])} of ${Number(part[2])} of a GGUF file`, {
      place: `${repository}:${path}`,
      hint: 'Files in parts are not read: join them with gguf-split --merge of llama.cpp, or take another one.',
    });
  }
  const found = files.find((file) => file.path === path);
  if (found !== undefined) return found;
  throw new UserError(`has no ${path}`, { place: repository, hint: choiceOf({ repository, files }) });
}

/** Where a repository has one .gguf file and nothing else, it is what is meant. */
function onlyGguf(listing: Listing): HubFile {
  const { repository, files } = listing;
  const found = ggufsOf(files);
  if (found.length === 1) return ggufFile(listing, found[0]!);
  if (found.length > 1) {
    throw new UserError(`holds ${found.length} GGUF files, and it is not said which one`, {
      place: repository,
      hint: choiceOf(listing),
    });
  }
  const others = files.find(({ path }) => /\.(bin|pt|pth|h5|msgpack|onnx)$/.test(path))?.path;
  throw new UserError(
    `holds no model that is read here: expected ${WHOLE}, ${INDEX} or a .gguf file${others === undefined ? '' : `, found ${others}`}`,
    { place: repository, hint: 'Look for the same model as safetensors or GGUF in another repository.' },
  );
}

function choiceOf({ repository, files }: Pick<Listing, 'repository' | 'files'>): string {
  const names = ggufsOf(files);
  if (names.length === 0) return 'It holds no .gguf file.';
  const shown = names.slice(0, 20).map((name) => `${repository}:${name}`);
  return `Choose one: ${shown.join(', ')}${names.length > shown.length ? ', …' : ''}`;
}

function ggufsOf(files: readonly HubFile[]): string[] {
  return files.map(({ path }) => path).filter((path) => path.endsWith('.gguf'));
}
