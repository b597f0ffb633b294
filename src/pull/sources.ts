/**
 * From a source of the catalogue to the downloads that bring it.
 *
 * All files of a hub's data set come from one commit.
 */
import { basename } from 'node:path';
import { stat } from 'node:fs/promises';
import { datasetInfo, HUB_URL, listFiles } from '@huggingface/hub';
import { sha256OfFile } from '../base/digest.js';
import { UserError } from '../base/errors.js';
import { askHub, expectStated, hubAddress, type HubFile } from './hub.js';
import type { DataSet, HubDataSource, SiteDataSource } from './data-sets.js';
import type { Download } from './download.js';

export interface Downloads {
  /** Commit of the hub's repository; null for a site. */
  readonly revision: string | null;
  /** By path in the folder that they are downloaded into. */
  readonly files: ReadonlyMap<string, Download>;
}

/**
 * What is to be fetched.
 *
 * @param pinned commit of an earlier pull
 * @throws UserError where the hub cannot be reached or lacks a file
 */
export async function downloadsOf(dataset: DataSet, pinned: string | null): Promise<Downloads> {
  const { source, files } = dataset;
  return source.kind === 'site'
    ? { revision: null, files: new Map([[files[0]!, siteDownload(source)]]) }
    : hubDownloads(source, source.archives ?? files, pinned);
}

function siteDownload({ url, bytes, sha256 }: SiteDataSource): Download {
  return {
    url,
    bytes,
    check: async (path) => {
      const { size } = await stat(path);
      const found = size === bytes ? await sha256OfFile(path) : undefined;
      if (found === sha256) return;
      const [wanted, got] = found === undefined ? [`${bytes} bytes`, `${size}`] : [`sha256 ${sha256}`, found];
      throw new UserError(`expected ${wanted}, got ${got}`, { place: basename(url) });
    },
  };
}

async function hubDownloads(
  source: HubDataSource,
  paths: readonly string[],
  pinned: string | null,
): Promise<Downloads> {
  const { repository } = source;
  const revision = pinned ?? source.revision ?? (await latestCommit(repository));
  const all = await filesOf(repository, revision);
  const files = new Map<string, Download>();
  for (const path of paths) {
    const found = all.filter((file) => isMeant(file.path, path));
    if (found.length === 0)
      throw new UserError(`has no ${path} in commit ${revision}`, { place: repository });
    for (const file of found) {
      files.set(file.path, {
        url: `${hubAddress().hubUrl ?? HUB_URL}/datasets/${repository}/resolve/${revision}/${encodeURI(file.path)}`,
        bytes: file.size,
        check: (arrived) => expectStated(file, arrived, repository),
      });
    }
  }
  return { revision, files };
}

async function latestCommit(repository: string): Promise<string> {
  const { sha } = await askHub(repository, (quick) =>
    datasetInfo({ name: repository, additionalFields: ['sha'], fetch: quick, ...hubAddress() }),
  );
  return sha;
}

async function filesOf(repository: string, revision: string): Promise<HubFile[]> {
  const repo = { type: 'dataset', name: repository } as const;
  return askHub(repository, async (quick) => {
    const files: HubFile[] = [];
    for await (const entry of listFiles({ repo, recursive: true, revision, fetch: quick, ...hubAddress() })) {
      if (entry.type === 'file') files.push(entry);
    }
    return files;
  });
}

/** Whether a file of the repository is the catalogue's path, or a Parquet file right in its folder. */
function isMeant(file: string, path: string): boolean {
  if (!path.endsWith('/')) return file === path;
  return file.startsWith(path) && file.endsWith('.parquet') && !file.slice(path.length).includes('/');
}
