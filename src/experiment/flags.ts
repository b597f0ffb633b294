/**
 * Options of a command that stand for fields of the spec: `--output`, `--samples`, `--model`, `--task`.
 *
 * They are put into the document, so that what is wrong with them is told as of a field, with the option as its place.
 */
import { existsSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { isAlias, isMap, isSeq } from 'yaml';
import type { SpecDocument } from './document.js';
import { modelPlace } from './paths.js';
import type { SampleCount } from './schema.js';

export interface SpecFlags {
  /** Result folder, relative to the working directory as in a spec. */
  readonly output?: string | undefined;
  /** Of every task, also of those that say their own number. */
  readonly samples?: SampleCount | undefined;
  /** Names, or paths relative to the working directory. */
  readonly models?: readonly string[];
  /** Names, families or labels. */
  readonly tasks?: readonly string[];
}

/** Puts the flags into the document. */
export function applyFlags(document: SpecDocument, { output, samples, models, tasks }: SpecFlags): void {
  if (output !== undefined) put(document, 'output', output, `--output ${output}`);
  if (tasks !== undefined && tasks.length > 0) put(document, 'tasks', tasks, '--task');
  if (samples !== undefined) {
    dropOwnSamples(document);
    put(document, 'samples', samples, `--samples ${samples}`);
  }
  if (models !== undefined && models.length > 0) {
    const seen = models.map((model) => fromFolder(model, document.folder));
    put(document, 'model', seen, '--model');
  }
}

function put(document: SpecDocument, key: string, value: unknown, flag: string): void {
  document.replace(document.document.contents!, key, document.document.createNode(value), flag);
}

/** A path of the command line as a spec in that folder would write it. */
function fromFolder(model: string, folder: string): string {
  const path = resolve(model);
  if (modelPlace(model, process.cwd()) === model || !existsSync(path)) return model;
  const seen = relative(folder, path);
  return seen.startsWith('.') ? seen : `./${seen}`;
}

/** Takes `samples` out of every task of the list. */
function dropOwnSamples(document: SpecDocument): void {
  const root = document.document;
  const resolved = (node: unknown): unknown => (isAlias(node) ? node.resolve(root) : node);
  const list = resolved(root.get('tasks', true));
  const items = isSeq(list) ? list.items : [list];
  for (const item of items) {
    const node = resolved(item);
    if (!isMap(node)) continue;
    node.delete('samples');
    for (const { value } of node.items) {
      const inner = resolved(value);
      if (isMap(inner)) inner.delete('samples');
    }
  }
}
