/**
 * Ids of models on the hub, as users write them: `org/name`, `org/name@revision`, `org/name:file.gguf`, or all three parts.
 *
 * An id becomes a folder of the cache, so what it may hold is told here, before it is used as a path or an address.
 */
import { leadsOut } from '../base/inside-path.js';

export const HUB_ID_FORMS = 'org/name, org/name@revision or org/name:file.gguf';

export interface HubId {
  /** `org/name` */
  readonly repository: string;
  /** Branch, tag or commit; the hub's default branch where not given. */
  readonly revision?: string;
  /** Path of a .gguf file in the repository. */
  readonly file?: string;
}

/** The parts of an id; undefined where the text is none. */
export function parseHubId(text: string): HubId | undefined {
  const match = /^([^/@:\s]+\/[^/@:\s]+)(?:@([^@:\s]+))?(?::([^:]+))?$/.exec(text);
  if (match === null) return undefined;
  const [, repository, revision, file] = match;
  if (!isRepository(repository!)) return undefined;
  if (revision !== undefined && (!/^\w[\w./+-]*$/.test(revision) || leadsOut(revision))) return undefined;
  if (file !== undefined && (!file.endsWith('.gguf') || leadsOut(file))) return undefined;
  return {
    repository: repository!,
    ...(revision === undefined ? {} : { revision }),
    ...(file === undefined ? {} : { file }),
  };
}

/** Each id has a name of its own: the hub takes no `--` in the parts of a repository's name. */
export function hubFolderName({ repository, revision, file }: HubId): string {
  const own = (mark: string, part: string | undefined): string =>
    part === undefined ? '' : `${mark}${encodeURIComponent(part)}`;
  return `${repository.replace('/', '--')}${own('@', revision)}${own('--', file)}`;
}

/** Whether a revision is a commit, which always names the same files. */
export function isCommit(revision: string | undefined): revision is string {
  return revision !== undefined && /^[0-9a-f]{40}$/.test(revision);
}

/** As the hub takes them; what ends in .gguf is the path of a file. */
function isRepository(repository: string): boolean {
  return (
    repository.split('/').every((part) => /^\w[\w.-]{0,95}$/.test(part) && !/--|\.\.|[.-]$/.test(part)) &&
    !/\.(gguf|git)$/.test(repository)
  );
}
