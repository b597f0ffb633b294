/**
 * What can be pulled, models and data sets alike: a name, sources, a folder, and when that is complete.
 *
 * The difference between the two ends here; fetching, resuming and recording know only this.
 */
import { basename } from 'node:path';
import { didYouMean } from '../base/did-you-mean.js';
import { UserError } from '../base/errors.js';
import { missingFiles } from './data-files.js';
import { DATA_SET_NAMES, type DataSet, dataSetFolder, findDataSet } from './data-sets.js';
import { HUB_ID_FORMS } from './hub-id.js';
import { weightsPresent } from './locate-model.js';
import { type CatalogueEntry, MODEL_NAMES, modelFolder, modelNamed } from './models.js';
import { originOf, type RemoteSource } from './sources.js';

export interface Pullable {
  readonly kind: 'model' | 'data';
  readonly name: string;
  readonly title: string;
  /** Undefined where only the hub knows. */
  readonly licence: string | undefined;
  /** Tried in this order. */
  readonly sources: readonly RemoteSource[];
  /** Absolute path. */
  readonly folder: string;
  /** Whether it is a folder of this package, and needs no pull. */
  readonly embedded: boolean;
  /** Paths that are taken from a data set's repository, or out of its archives; empty for a model. */
  readonly files: readonly string[];
  /** What a folder lacks to be it, in words; none where it is complete. */
  readonly lacks: (folder: string) => string[];
  /** How files that the user has can be put there, a sentence. */
  readonly byHand: string;
}

/**
 * A data set or a model of the catalogues, or a model of the hub.
 *
 * @throws UserError (exit code 2) where it is neither
 */
export function pullableNamed(name: string): Pullable {
  const dataset = findDataSet(name);
  if (dataset !== undefined) return ofDataSet(dataset);
  const model = modelNamed(name);
  if (model !== undefined) return ofModel(model);
  if (/[/@:]/.test(name)) {
    throw new UserError(`expected a name of the catalogues, or a model's id on the hub, got "${name}"`, {
      hint: `An id is ${HUB_ID_FORMS}.`,
      exitCode: 2,
    });
  }
  const known = [...MODEL_NAMES, ...DATA_SET_NAMES];
  throw new UserError(`no model or data set is called "${name}".${didYouMean(name, known)}`, {
    hint: `Known: ${known.join(', ')}; or a model's id on the hub: ${HUB_ID_FORMS}.`,
    exitCode: 2,
  });
}

function ofModel(entry: CatalogueEntry): Pullable {
  const folder = modelFolder(entry);
  const { name, title, licence, sources } = entry;
  const remote = sources.filter((source) => source.kind !== 'embedded');
  return {
    ...{ kind: 'model', name, title, licence, folder, files: [] },
    sources: remote,
    embedded: remote.length < sources.length,
    lacks: (at) => (weightsPresent(at) ? [] : ['a model']),
    byHand: `Files that you have can be put into ${folder}: config.json, tokenizer.json, tokenizer_config.json and model.safetensors, or one .gguf file.`,
  };
}

function ofDataSet(dataset: DataSet): Pullable {
  const { name, title, licence, source, files } = dataset;
  const folder = dataSetFolder(name);
  const what = files.length <= 3 ? files.join(', ') : `${files.slice(0, 3).join(', ')} … (${files.length})`;
  const from = source.kind === 'hub' ? `the hub's data set ${source.repository}` : originOf(source);
  return {
    ...{ kind: 'data', name, title, licence, folder, files, embedded: false },
    sources: [source],
    lacks: (at) => missingFiles(dataset, at),
    byHand: `Or put the files of ${from} into ${folder} by hand: ${source.kind === 'site' ? basename(source.url) : what}  (spark-eval show ${name})`,
  };
}
