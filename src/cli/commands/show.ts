/**
 * `spark-eval show NAME`: everything about one method, task, family of tasks, model, data set or engine.
 *
 * Parameters are read from the schemas that check a spec, so that what is shown is what holds.
 */
import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import type * as z from 'zod';
import { didYouMean } from '../../base/did-you-mean.js';
import { UserError } from '../../base/errors.js';
import { alignColumns } from '../../report/text-table.js';
import type { IgnoredField } from '../../tasks/types.js';
import { formatBytes } from '../format.js';
import { FULL } from '../../experiment/label.js';
import { KINDS, listEntries } from './list.js';
import type { Registry } from '../../registry/registry.js';
import { loadRegistry } from '../catalogue.js';
import { jsonOption, type JsonOptions, useOption, type UseOptions } from '../options.js';
import type { Session } from '../session.js';

interface Parameter {
  readonly name: string;
  readonly expected: string;
  readonly required: boolean;
  readonly default?: unknown;
  readonly description: string;
}

/** What is shown of anything: titled lines, notes and parameters. */
interface Card {
  readonly kind: string;
  readonly name: string;
  readonly summary: string;
  readonly facts: Readonly<Record<string, string>>;
  readonly notes: readonly string[];
  readonly parameters: readonly Parameter[];
}

export function addShow(root: Command, session: Session): void {
  root
    .command('show')
    .description(
      'show a method, task, model, data set or engine: parameters with ranges and defaults, paper, what it stores',
    )
    .argument('<name>', 'its name (spark-eval list methods|tasks|models|data|engines)')
    .addOption(useOption())
    .addOption(jsonOption())
    .action(async (name: string, options: JsonOptions & UseOptions) => {
      const registry = await loadRegistry(options.use);
      const card =
        (await methodCard(name, registry)) ??
        (await taskCard(name, registry)) ??
        (await modelCard(name)) ??
        (await dataCard(name)) ??
        familyCard(name, registry) ??
        (await engineCard(name));
      if (card === undefined) throw await unknownName(name, options.use);
      if (options.json === true) session.printJson(card);
      else session.print(cardText(card));
    });
}

/** The baseline is no method, but stands where methods do. */
const FULL_CARD: Card = {
  kind: 'pipeline',
  name: FULL,
  summary: 'the whole cache, nothing removed: what all other pipelines are compared with',
  facts: { stores: 'every token, uncompressed, in cache_dtype' },
  notes: ['Always there, whether a spec names it or not; it stands alone and takes no parameters.'],
  parameters: [],
};

async function methodCard(name: string, { methods }: Registry): Promise<Card | undefined> {
  if (name === FULL) return FULL_CARD;
  const { methodFacts } = await import('../method-facts.js');
  const method = methods.get(name);
  if (method === undefined) return undefined;
  const { summary, notes, params } = method;
  return {
    kind: 'method',
    name,
    summary,
    facts: methodFacts(method),
    notes,
    parameters: await parametersOf(params),
  };
}

const IGNORED: Readonly<Record<IgnoredField, string>> = {
  context:
    'Samples are as long as their rows: context: is only what plan and estimate reckon with. A text that is longer than the model takes, or than max_context:, loses its middle.',
  seed: 'Samples are the rows in the order of the file: seed: changes nothing.',
};

async function taskCard(name: string, { tasks }: Registry): Promise<Card | undefined> {
  const task = tasks.get(name);
  if (task === undefined) return undefined;
  const { family, summary, source, notes = [], ignores = [], params } = task;
  return {
    kind: 'task',
    name,
    summary,
    facts: { family, source, 'in a spec': `- ${name}: { ${await exampleOf(params)} }` },
    notes: [...notes, ...ignores.map((field) => IGNORED[field])],
    parameters: [...(await parametersOf(params)), SAMPLES],
  };
}

/** What every task takes beside its own parameters. */
const SAMPLES: Parameter = {
  name: 'samples',
  expected: 'an integer in [1, 1000000] or "all"',
  required: false,
  description: "samples of each cell, in place of the spec's; all: every row, for tasks on files",
};

/** What must be given, else samples. */
async function exampleOf(schema: z.ZodType): Promise<string> {
  const required = (await parametersOf(schema)).filter((parameter) => parameter.required);
  return required.length === 0 ? 'samples: 20' : required.map(({ name }) => `${name}: …`).join(', ');
}

async function modelCard(name: string): Promise<Card | undefined> {
  const [{ modelFolder, modelNamed }, { pulledText, sourceText }] = await Promise.all([
    import('../../pull/models.js'),
    import('../pull-facts.js'),
  ]);
  const model = modelNamed(name);
  if (model === undefined) return undefined;
  const { title, parameters, licence, sources } = model;
  const folder = modelFolder(model);
  // Anything like `ruler/niah` could be an id: only one that is known or was pulled is taken for it.
  if (parameters === undefined && !existsSync(folder)) return undefined;
  const isOurs = sources.some(({ kind }) => kind === 'embedded');
  return {
    kind: 'model',
    name,
    summary: title,
    facts: {
      ...(parameters === undefined ? {} : { parameters: parameters.toLocaleString('en-US') }),
      licence: licence ?? 'as its page on the hub says',
      ...(isOurs ? {} : { pulled: pulledText(folder), folder }),
    },
    notes: sources.map(sourceText),
    parameters: [],
  };
}

async function dataCard(name: string): Promise<Card | undefined> {
  const [{ dataSetFolder, findDataSet }, { originOf }, { pinText, pulledText }] = await Promise.all([
    import('../../pull/data-sets.js'),
    import('../../pull/sources.js'),
    import('../pull-facts.js'),
  ]);
  const dataset = findDataSet(name);
  if (dataset === undefined) return undefined;
  const { title, licence, usedBy, source, downloadBytes, files } = dataset;
  const folder = dataSetFolder(name);
  return {
    kind: 'data set',
    name,
    summary: title,
    facts: {
      licence,
      from: originOf(source),
      ...(source.kind === 'hub' && source.revision !== undefined ? { commit: source.revision } : {}),
      pinned: pinText([source]) ?? 'digests pinned',
      download: downloadBytes === undefined ? 'told before it begins' : formatBytes(downloadBytes),
      'read by': usedBy.join(', '),
      pulled: pulledText(folder),
      folder,
    },
    notes: files.map((path) => (path.endsWith('/') ? `${path}*.parquet` : path)),
    parameters: [],
  };
}

/** A data set of the same name has its card in place of this. */
function familyCard(name: string, { tasks }: Registry): Card | undefined {
  const members = [...tasks.values()].filter(({ family }) => family === name);
  if (members.length === 0) return undefined;
  return {
    kind: 'family of tasks',
    name,
    summary: `its tasks, ${members.length}`,
    facts: {},
    notes: members.map((task) => `${task.name}: ${task.summary}`),
    parameters: [],
  };
}

async function engineCard(name: string): Promise<Card | undefined> {
  const engine = (await listEntries('engines')).find((entry) => entry.name === name);
  if (engine === undefined) return undefined;
  return {
    kind: 'engine',
    name,
    summary: engine.summary,
    facts: { installed: engine.group },
    notes: [],
    parameters: [],
  };
}

async function parametersOf(schema: z.ZodType): Promise<Parameter[]> {
  const { describeSchema, inputSchema } = await import('../../base/describe.js');
  const { properties = {}, required = [] } = inputSchema(schema);
  return Object.entries(properties).map(([name, property]) => ({
    name,
    expected: describeSchema(property),
    required: required.includes(name),
    ...(property.default === undefined ? {} : { default: property.default }),
    description: property.description ?? '',
  }));
}

function cardText({ kind, name, summary, facts, notes, parameters }: Card): string {
  const lines = [`${name} (${kind}): ${summary}`];
  const rows = Object.entries(facts).map(([title, text]) => [`${title}:`, text]);
  if (rows.length > 0) lines.push('', ...alignColumns(rows));
  if (notes.length > 0) lines.push('', ...notes.map((note) => `- ${note}`));
  if (parameters.length > 0) {
    const table = parameters.map((parameter) => [
      `  ${parameter.name}`,
      parameter.expected,
      parameter.default === undefined
        ? parameter.required
          ? 'required'
          : 'optional'
        : `default ${JSON.stringify(parameter.default)}`,
      parameter.description,
    ]);
    lines.push('', 'parameters:', ...alignColumns(table));
  }
  return lines.join('\n');
}

async function unknownName(name: string, use: readonly string[]): Promise<UserError> {
  const entries = await Promise.all(KINDS.map((kind) => listEntries(kind, use)));
  const names = entries.flat().map((entry) => entry.name);
  return new UserError(
    `no method, task, model, data set or engine is called "${name}".${didYouMean(name, names)}`,
    {
      hint: 'spark-eval list methods|tasks|models|data|engines; a model of the hub is shown once it is pulled',
      exitCode: 2,
    },
  );
}
