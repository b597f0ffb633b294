/**
 * A model's files from the Hugging Face hub.
 *
 * All files come from one commit, and are what the hub states of them.
 */
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { downloadFile, pathsInfo } from '@huggingface/hub';
import { UserError } from '../base/errors.js';
import { expectSha256 } from '../base/digest.js';
import { askHub, expectStated, hubAddress, type HubFile } from './hub.js';
import type { HubSource } from './models.js';

/**
 * Downloads the files of a source into `staging`; returns the source in words.
 * @throws UserError where the hub cannot be reached, lacks a file, or a file is not what the hub states or the pin says
 */
export async function fetchFromHub(
  source: HubSource,
  staging: string,
  log: (line: string) => void,
): Promise<string> {
  const at = hubAddress();
  const { repository, revision } = source;
  const repo = { type: 'model', name: repository } as const;
  const paths = [...source.required, ...source.optional];
  const files: HubFile[] = await askHub(repository, (quick) =>
    pathsInfo({ repo, paths, revision, fetch: quick, ...at }),
  );
  for (const path of source.required) {
    if (!files.some((file) => file.path === path))
      throw new UserError(`has no ${path}`, { place: repository });
  }
  for (const file of files.filter(({ path }) => paths.includes(path))) {
    log(`  ${file.path} (${file.size} bytes)`);
    const target = join(staging, file.path);
    await askHub(repository, async () => {
      const blob = await downloadFile({ repo, path: file.path, revision, ...at });
      if (blob === null) throw new Error(`${file.path} is not there`);
      await pipeline(Readable.fromWeb(blob.stream()), createWriteStream(target));
    });
    await expectStated(file, target, repository);
    const pinned = source.sha256?.[file.path];
    if (pinned !== undefined) await expectSha256(target, pinned);
  }
  return `${repository} on the Hugging Face hub, commit ${revision}`;
}
